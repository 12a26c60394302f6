//! Fan-out straight into a reading socket, beside the ideal and beside raw writes of the same bytes.
//!
//! `cargo bench --bench fanout` prints nanoseconds a delivery, the median of several rounds, and the ratios that count:
//! absolute figures differ from machine to machine, ratios of one run hardly. One message goes through all that the
//! service does: parsed, decided, committed to the store on disk with a real fdatasync, expanded, written.

use mixd::channel::{ChannelName, Limits, Rates, Stamp};
use mixd::engine::{AddressBook, Engine, Inbound, Loaded, Out, ServiceSettings, Turn, outgoing::book::Cursor};
use mixd::store::{SledOptions, SledStore, Store};
use mixd::xmpp::Stanza;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

const BLOCK: usize = 64 * 1024;
const BODY: &str = "Harpier cries: 'tis time, 'tis time. Round about the cauldron go; in the poison'd entrails throw.";
const ROUNDS: usize = 7;

struct Service {
    engine: Engine,
    store: SledStore,
    book: AddressBook,
    stamp: u64,
}

impl Service {
    fn open(folder: &std::path::Path) -> Service {
        let store = SledStore::open(SledOptions::at(folder)).expect("a store");
        let settings = ServiceSettings {
            domain: "mix.bench".parse().expect("a domain"),
            name: "bench".into(),
            operators: Vec::new(),
            creators: vec!["*".into()],
            // How fast somebody may ask is not what is measured.
            limits: Limits { rates: Rates::unlimited(), ..Limits::default() },
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: 1 << 30,
            pam: [("users.bench".to_owned(), mixd::engine::Pam::Standard)].into(),
            multicast: Default::default(),
        };
        let engine = Engine::new(settings, store.sealing_key(), [7; 32], Default::default(), Vec::new());
        Service { engine, store, book: AddressBook::default(), stamp: 1_800_000_000_000 }
    }

    fn turn(&mut self, stanzas: &[String]) -> Turn {
        let batch: Vec<Inbound> =
            stanzas.iter().map(|xml| Inbound::Stanza(Stanza::parse(xml.as_bytes()).expect("a stanza"))).collect();
        let needs = self.engine.needs(&batch);
        if !needs.is_empty() {
            let load = |name: &ChannelName| self.store.load(std::slice::from_ref(name)).expect("a channel").remove(0);
            let channels = needs.channels.into_iter().map(|name| (name.clone(), load(&name))).collect();
            self.engine.adopt(Loaded { channels, ..Loaded::default() });
        }
        self.stamp += 1;
        let turn = self.engine.turn(Stamp(self.stamp), batch);
        self.store.commit(Stamp(self.stamp), &turn.records).expect("a commit");
        turn
    }

    /// Sends what a turn leads to; how many copies went out.
    fn send(&mut self, turn: Turn, wire: &mut impl Write) -> usize {
        let (mut block, mut copies) = (Vec::with_capacity(2 * BLOCK), 0);
        for out in turn.outbox {
            match out {
                Out::Book(delta) => self.book.apply(delta),
                Out::Stanza(text) | Out::Presence(text) | Out::Question(text) | Out::About { text, .. } => {
                    block.extend_from_slice(text.as_bytes())
                }
                Out::Fan(fan) => {
                    let (mut cursor, recipients) = (Cursor::default(), self.book.recipients(&fan));
                    while !self.book.write(&fan, &recipients, &mut cursor, BLOCK, &mut block) {
                        wire.write_all(&block).expect("a reading socket");
                        block.clear();
                    }
                    copies += cursor.copies;
                }
            }
        }
        wire.write_all(&block).expect("a reading socket");
        copies
    }

    fn message(n: usize) -> String {
        format!(
            "<message from='u0@users.bench/r' to='c0@mix.bench' id='m{n}' type='groupchat'><body>{BODY}</body>\
             <origin-id xmlns='urn:xmpp:sid:0' id='o{n}'/></message>"
        )
    }

    fn fill(&mut self, participants: usize) {
        let create = "<iq type='set' from='u0@users.bench/r' to='mix.bench' id='c'><create xmlns='urn:xmpp:mix:core:1' \
                      channel='c0'/></iq>";
        let turn = self.turn(&[create.to_owned()]);
        self.send(turn, &mut std::io::sink());
        let joins: Vec<String> = (0..participants)
            .map(|u| {
                format!(
                    "<iq type='set' from='u{u}@users.bench' to='c0@mix.bench' id='j{u}'><join xmlns='urn:xmpp:mix:core:1'>\
                     <nick>n{u}</nick><subscribe node='urn:xmpp:mix:nodes:messages'/></join></iq>"
                )
            })
            .collect();
        for some in joins.chunks(500) {
            let turn = self.turn(some);
            self.send(turn, &mut std::io::sink());
        }
    }
}

/// A socket that somebody reads as fast as possible.
fn reading_socket() -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (mut peer, _) = listener.accept().expect("a connection");
    std::thread::spawn(move || {
        let mut sink = vec![0; 256 * 1024];
        while peer.read(&mut sink).is_ok_and(|n| n > 0) {}
    });
    stream.set_nodelay(true).expect("an option");
    stream
}

/// The ideal component: no state, no archive, no checks. It splices the recipients into a stanza that is there.
fn ideal(head: &str, tail: &str, recipients: &[String], wire: &mut impl Write) {
    let mut block = Vec::with_capacity(2 * BLOCK);
    for to in recipients {
        for part in [head, " to='", to, "'", tail] {
            block.extend_from_slice(part.as_bytes());
        }
        if block.len() >= BLOCK {
            wire.write_all(&block).expect("a reading socket");
            block.clear();
        }
    }
    wire.write_all(&block).expect("a reading socket");
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn measure(participants: usize, messages: usize, batch: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut service = Service::open(&folder.path().join("store"));
    service.fill(participants);
    let mut wire = reading_socket();
    let turn = service.turn(&[Service::message(usize::MAX)]);
    let fan = turn.outbox.iter().find_map(|out| match out {
        Out::Fan(fan) => Some(fan.clone()),
        _ => None,
    });
    let fan = fan.expect("a fan-out");
    service.send(turn, &mut wire);
    let recipients: Vec<String> = (0..participants).map(|u| format!("u{u}@users.bench")).collect();
    let mut bytes = Vec::new();
    ideal(&fan.head, &fan.tail, &recipients, &mut bytes);
    let deliveries = (participants * messages) as f64;
    let (mut ours, mut ideals, mut raws, mut sinks) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut n = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..messages / batch {
            let stanzas: Vec<String> = (0..batch).map(|i| Service::message(n + i)).collect();
            n += batch;
            let turn = service.turn(&stanzas);
            assert_eq!(service.send(turn, &mut wire), participants * batch);
        }
        ours.push(start.elapsed().as_nanos() as f64 / deliveries);
        let start = Instant::now();
        (0..messages).for_each(|_| ideal(&fan.head, &fan.tail, &recipients, &mut wire));
        ideals.push(start.elapsed().as_nanos() as f64 / deliveries);
        let start = Instant::now();
        for block in (0..messages).flat_map(|_| bytes.chunks(BLOCK)) {
            wire.write_all(block).expect("a reading socket");
        }
        raws.push(start.elapsed().as_nanos() as f64 / deliveries);
        let start = Instant::now();
        let mut turn = Turn::default();
        turn.outbox = vec![Out::Fan(fan.clone()); messages];
        service.send(turn, &mut std::io::sink());
        sinks.push(start.elapsed().as_nanos() as f64 / deliveries);
    }
    let (ours, ideal, raw, sink) = (median(ours), median(ideals), median(raws), median(sinks));
    println!(
        "N={participants:<6} turns of {batch:<3} {bytes} B a delivery | ours, durable {ours:>6.0} ns | ideal splice {ideal:>6.0} ns | \
         raw write {raw:>6.0} ns | our splice alone {sink:>5.0} ns | rate of ours/ideal {ratio:.2}",
        bytes = bytes.len() / participants,
        ratio = ideal / ours,
    );
}

fn main() {
    for (participants, messages, batch) in [(1000, 200, 1), (1000, 200, 8), (10_000, 40, 8), (10, 4000, 64)] {
        measure(participants, messages, batch);
    }
}
