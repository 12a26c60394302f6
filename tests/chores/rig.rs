//! The worker's loop over a store in memory, with reads that take their time.

use jid::BareJid;
use mixd::channel::{Limits, Rates, Stamp};
use mixd::engine::channels::parking::Candidate;
use mixd::engine::{Arrival, Engine, Errand, Inbound, Out, Pam, Parking, ServiceSettings};
use mixd::runtime::load::{fetch, prepare};
use mixd::store::{Failure, MemoryStore, Store};
use mixd::xmpp::Stanza;
use std::collections::VecDeque;

pub const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";
pub const GROUP: &str = "xmlns='urn:mixd:group:1'";
pub const MEMORY_BYTES_MAX: usize = 64 << 10;

/// The loop, with a channel coming into memory at each step at most.
pub struct Rig {
    pub engine: Engine,
    pub store: MemoryStore,
    pub parking: Parking,
    pub loads: VecDeque<mixd::channel::ChannelName>,
    pub reads: VecDeque<Errand>,
    /// Whether nothing is read for now, but for channels.
    pub is_slow: bool,
    pub next: Vec<Inbound>,
    pub deferred: Vec<Candidate<Inbound>>,
    pub now: u64,
    /// What was in memory at most after a turn, in bytes.
    pub most_bytes: usize,
    /// How many turns the store refuses, of every so many.
    pub refuses: Option<u64>,
    pub turns: u64,
    /// What found no room to wait in, where something may not.
    pub refused: Option<Vec<Inbound>>,
    /// How many records the last turn made.
    pub changes: usize,
    /// How fast things may come.
    rates: Rates,
}

pub fn start(store: &MemoryStore, channels_memory_bytes_max: usize, rates: Rates) -> Engine {
    let mut limits = Limits { rates, ..Limits::default() };
    limits.groups.participants_max = 1000;
    let settings = ServiceSettings {
        domain: jid::DomainPart::new("mix.h").unwrap().into_owned(),
        name: String::new(),
        operators: Vec::new(),
        creators: vec!["*".into()],
        limits,
        page_default: 20,
        page_max: 100,
        channels_memory_bytes_max,
        pam: [("h".to_owned(), Pam::Standard)].into(),
        multicast: Default::default(),
    };
    let directory = store.directory().unwrap();
    Engine::new(settings, store.sealing_key(), [1; 32], directory, store.whereabouts().unwrap())
}

impl Rig {
    pub fn new() -> Rig {
        Rig::at(Rates::unlimited())
    }

    /// One in which things come so fast at most.
    pub fn at(rates: Rates) -> Rig {
        let store = MemoryStore::new([7; 16]);
        let engine = start(&store, MEMORY_BYTES_MAX, rates.clone());
        let parking = Parking::new(1000, usize::MAX, Default::default());
        let (loads, reads, next, deferred) = Default::default();
        Rig {
            engine,
            store,
            parking,
            loads,
            reads,
            is_slow: false,
            next,
            deferred,
            now: 1000,
            most_bytes: 0,
            refuses: None,
            turns: 0,
            refused: None,
            changes: 0,
            rates,
        }
    }

    /// The process ends, and starts again.
    pub fn restart(&mut self) {
        self.begin_anew(MEMORY_BYTES_MAX);
    }

    /// The same, with room for all channels in memory.
    pub fn restart_with_room(&mut self) {
        self.begin_anew(usize::MAX);
    }

    fn begin_anew(&mut self, memory_bytes_max: usize) {
        self.engine = start(&self.store, memory_bytes_max, self.rates.clone());
        self.parking = Parking::new(1000, usize::MAX, Default::default());
        self.loads.clear();
        self.reads.clear();
        self.next.clear();
        self.deferred.clear();
    }

    /// One round of the loop; what goes out, as text.
    pub fn step(&mut self, batch: Vec<Inbound>) -> String {
        if let Some(name) = self.loads.pop_front() {
            let channel = self.store.load(std::slice::from_ref(&name)).unwrap().remove(0);
            self.parking.arrive(Arrival::new(name, channel));
        }
        if !self.is_slow
            && let Some(errand) = self.reads.pop_front()
        {
            self.parking.bring(&mut self.engine, &errand, fetch(&self.store, &errand).unwrap());
        }
        self.parking.advance(&mut self.engine, 1000);
        let mut all = std::mem::take(&mut self.deferred);
        all.append(&mut self.parking.freed((1000, usize::MAX)));
        all.extend(batch.into_iter().chain(std::mem::take(&mut self.next)).map(Candidate::from));
        let (parted, read) = prepare(&mut self.engine, &mut self.parking, &self.store, all);
        read.unwrap();
        match &mut self.refused {
            Some(refused) => refused.extend(parted.refused),
            None => assert!(parted.refused.is_empty()),
        }
        let (numbers, ready) = Candidate::apart(parted.ready);
        let mut turn = self.engine.turn(Stamp(self.now), ready);
        self.next.append(&mut turn.next);
        self.deferred.extend(Candidate::deferred(std::mem::take(&mut turn.deferred), &numbers));
        self.changes = turn.records.len();
        self.turns += 1;
        let refuses = self.refuses.is_some_and(|every| self.turns.is_multiple_of(every));
        self.store.fail_next_commits(usize::from(refuses), Failure::Refused);
        let outs = match self.store.commit(Stamp(self.now), &turn.records) {
            Ok(()) => turn.outbox,
            Err(_) => self.engine.abandon(turn),
        };
        self.store.fail_next_commits(0, Failure::Refused);
        self.loads.extend(self.parking.wanted());
        self.reads.extend(self.parking.errands(&mut self.engine));
        self.engine.pin(self.parking.pins());
        self.most_bytes = self.most_bytes.max(self.engine.census().memory_bytes);
        let text = |out: Out| match out {
            Out::Stanza(text) | Out::About { text, .. } => text,
            Out::Fan(fan) => fan.head + &fan.tail,
            _ => String::new(),
        };
        outs.into_iter().map(text).collect()
    }

    pub fn is_idle(&self) -> bool {
        self.loads.is_empty() && self.next.is_empty() && self.deferred.is_empty() && self.parking.is_empty()
    }

    /// Goes on until nothing is left to do at once.
    pub fn settle(&mut self) -> String {
        let mut sent = String::new();
        while !self.is_idle() {
            sent += &self.step(Vec::new());
        }
        sent
    }

    /// Sends something and goes on until it is answered.
    pub fn ask(&mut self, xml: &str) -> String {
        let mut sent = self.step(vec![stanza(xml)]);
        sent += &self.settle();
        sent
    }

    pub fn tick(&mut self) -> String {
        self.now += 1000;
        let mut sent = self.step(vec![Inbound::Tick]);
        sent += &self.settle();
        sent
    }

    pub fn tours(&self) -> usize {
        self.store.directory().unwrap().tours.len()
    }

    /// A group `g…` for each number: `boss` made it, `amy` is in it, and there is a message.
    pub fn groups(&mut self, count: usize) {
        for n in 0..count {
            let create = format!(
                "<create {CORE} channel='g{n}'><group {GROUP}><name>g</name><member jid='amy@h'/></group></create>"
            );
            self.ask(&format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'>{create}</iq>"));
            self.say(n, "boss", "before");
        }
    }

    pub fn say(&mut self, n: usize, who: &str, text: &str) {
        self.now += 1;
        let body = format!("<body>{text}</body>");
        self.ask(&format!("<message type='groupchat' id='m' from='{who}@h/r' to='g{n}@mix.h'>{body}</message>"));
    }

    /// How far an account cleared each group, and its nick there.
    pub fn records(&self, account: &str, count: usize) -> Vec<(u64, String)> {
        let account = BareJid::new(account).unwrap();
        let names: Vec<_> = (0..count).map(|n| mixd::channel::ChannelName::new(&format!("g{n}")).unwrap()).collect();
        let channels = self.store.load(&names).unwrap();
        let record = |channel: Option<mixd::channel::Channel>| {
            let channel = channel.unwrap();
            let member = channel.member(&account).unwrap();
            (member.own.cleared, member.nick.as_str().to_owned())
        };
        channels.into_iter().map(record).collect()
    }
}

pub fn stanza(xml: &str) -> Inbound {
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap_or_else(|_| panic!("{xml}")))
}
