//! Rooms (XEP-0045) of thousands, in process: what they cost in stanzas, bytes and allocations, which no busy machine changes.
//! `cargo test --test rooms -- --nocapture` prints the figures (M3 to M6 in docs/performance.md).

#![allow(clippy::unwrap_used)]

use mixd::channel::{Limits, Rates, Stamp};
use mixd::engine::{AddressBook, Engine, Inbound, Moment, Out, Pacing, ServiceSettings};
use mixd::runtime::load::load_all;
use mixd::store::{MemoryStore, Record, Store};
use mixd::xmpp::Stanza;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes are counted for the whole program.
static ALONE: Mutex<()> = Mutex::new(());

const KEY: [u8; 16] = [5; 16];

/// Rooms of 100 people, all of which are in [`ROOMS_OF_STRANGERS`] in any room for the first time.
const ROOMS: usize = 300;
const ROOMS_OF_STRANGERS: usize = 100;

struct Service {
    settings: ServiceSettings,
    engine: Engine,
    store: MemoryStore,
    book: AddressBook,
    pacing: Pacing,
    now: u64,
    /// Whether what is to be stored is.
    keeps: bool,
}

fn start(settings: &ServiceSettings, store: &MemoryStore) -> Engine {
    Engine::new(settings.clone(), KEY, [3; 32], store.directory().unwrap(), store.whereabouts().unwrap())
}

impl Service {
    /// Rooms that nobody is in.
    fn of(rooms: usize, limits: Limits) -> Service {
        let settings = ServiceSettings {
            domain: "mix.h".parse().unwrap(),
            name: String::new(),
            operators: Vec::new(),
            creators: vec!["*".into()],
            limits: Limits { rates: Rates::unlimited(), ..limits },
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: 1 << 30,
            pam: Default::default(),
            multicast: Default::default(),
        };
        let store = MemoryStore::new(KEY);
        let (engine, pacing) = (start(&settings, &store), Pacing::new(32 << 20, Default::default()));
        let mut service = Service {
            settings,
            engine,
            store,
            book: AddressBook::default(),
            pacing,
            now: 1_795_428_000_000,
            keeps: true,
        };
        service.take(vec![Inbound::LinkUp]);
        let create = |n| {
            format!(
                "<iq type='set' id='1' from='o@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='c{n}'/></iq>"
            )
        };
        (0..rooms).for_each(|n| drop(service.say(&[create(n)])));
        service
    }

    fn say(&mut self, stanzas: &[String]) -> Vec<Out> {
        self.take(stanzas.iter().map(|xml| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())).collect())
    }

    /// What a batch leads to, with what goes on after it. The address book learns of it.
    fn take(&mut self, batch: Vec<Inbound>) -> Vec<Out> {
        self.turns(batch).0
    }

    /// The same, and whether nothing had to be stored that a commit waits for.
    fn turns(&mut self, batch: Vec<Inbound>) -> (Vec<Out>, bool) {
        let moment = Moment { wall: Stamp(self.now), steady_ms: self.now };
        let ready = self.pacing.pass(&mut self.engine, moment, batch);
        let (mut out, mut next, mut is_lazy) = (Vec::new(), VecDeque::from([ready]), true);
        while let Some(batch) = next.pop_front() {
            load_all(&mut self.engine, &self.store, &batch).unwrap();
            let turn = self.engine.turn(moment, batch);
            is_lazy &= turn.records.iter().all(|it| matches!(it, Record::Seat { .. } | Record::Clock(_)));
            if self.keeps {
                self.store.commit(self.engine.dial().due, &turn.records).unwrap();
            }
            next.extend(turn.next.into_iter().map(|inbound| vec![inbound]));
            out.extend(turn.outbox);
        }
        (out, is_lazy)
    }

    /// The book learns, and whatever is sent counts as written.
    fn learn(&mut self, outs: Vec<Out>) {
        for out in outs {
            match out {
                Out::Book(delta) => self.book.apply(delta),
                Out::Fan(fan) => self.engine.relieve(fan.charge.as_slice()),
                _ => {}
            }
        }
    }

    /// How many stanzas go to each address.
    fn copies(&mut self, outs: Vec<Out>) -> BTreeMap<String, usize> {
        let mut copies = BTreeMap::new();
        for out in outs {
            let mut text = Vec::new();
            self.book.pass(out, &mut text);
            let text = String::from_utf8(text).unwrap();
            for (at, _) in text.match_indices(" to='") {
                let to = text[at + 5..].split('\'').next().unwrap();
                *copies.entry(to.to_owned()).or_default() += 1;
            }
        }
        copies
    }

    /// Clients enter a room in one turn.
    fn fill(&mut self, room: usize, people: std::ops::Range<usize>) {
        let stanzas: Vec<String> = people.map(|n| enter(n, room)).collect();
        let out = self.say(&stanzas);
        self.learn(out);
        // Whoever had to wait for others.
        self.now += 1000;
        let out = self.take(Vec::new());
        self.learn(out);
    }
}

fn enter(who: usize, room: usize) -> String {
    format!(
        "<presence from='u{who}@h/r' to='c{room}@mix.h/u{who}'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='https://client.example' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>"
    )
}

fn fans(outs: &[Out]) -> usize {
    outs.iter().filter(|out| matches!(out, Out::Fan(_))).count()
}

/// M1: what crosses the link when 500 clients enter one room at once, where one stanza reaches many.
#[test]
fn a_storm_of_entries_costs_the_link_some_stanzas_a_client_and_not_one_for_each_pair() {
    let _alone = ALONE.lock();
    let mut service = Service::of(1, Limits { presence_participants_max: 1000, ..Limits::default() });
    // The first ones are there when the others come, some at a time as the link brings them.
    let (mut stanzas, mut presences) = (0, 0);
    for step in 0..60 {
        service.now += 20;
        let batch: Vec<String> = (step * 10..(step * 10 + 10).min(500)).map(|n| enter(n, 0)).collect();
        for out in service.say(&batch) {
            // They are all of one home server, and their lists are short: one stanza a fan.
            let is_fan = matches!(out, Out::Fan(_));
            stanzas += usize::from(is_fan);
            let copies = service.copies(vec![out]).values().sum::<usize>();
            presences += if is_fan { copies } else { 0 };
        }
    }
    println!("M1: {stanzas} stanzas for {presences} that clients are sent, {:.1} % of 500²", stanzas as f64 / 2500.0);
    // Everybody is sent everybody, itself included, and the subject.
    assert_eq!(presences, 500 * 500 + 500);
    assert!(stanzas <= 500 * 500 / 20, "{stanzas}");
}

/// M3: a room of 5,000, and 200 entries a second.
#[test]
fn a_room_of_thousands_sends_few_stanzas_to_whoever_enters_and_has_nobody_wait_long() {
    let _alone = ALONE.lock();
    let mut service = Service::of(1, Limits::default());
    (0..10).for_each(|n| service.fill(0, n * 500..(n + 1) * 500));
    // Some speak, and are shown from then on.
    for who in 0..40 {
        let out = service.say(&[format!(
            "<message type='groupchat' from='u{who}@h/r' to='c0@mix.h' id='m'><body>Hi</body></message>"
        )]);
        service.learn(out);
    }
    let (mut came, mut told, mut total) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::<String, usize>::new());
    for step in 0..300 {
        service.now += 5;
        let stanzas: Vec<String> = (step < 200).then(|| enter(10_000 + step, 0)).into_iter().collect();
        came.extend((step < 200).then(|| (format!("u{}@h/r", 10_000 + step), service.now)));
        let out = service.say(&stanzas);
        for (to, count) in service.copies(out) {
            told.entry(to.clone()).or_insert(service.now);
            *total.entry(to).or_default() += count;
        }
    }
    let most = came.keys().map(|who| total[who]).max().unwrap();
    let waited = came.iter().map(|(who, at)| told[who] - at).max().unwrap();
    let others = total.keys().filter(|to| !came.contains_key(*to)).count();
    println!(
        "M3: {most} stanzas at most to each of 200 who enter a room of 5,000, {others} others are told, {waited} ms of waiting"
    );
    assert!(most <= 60 && others == 0 && waited <= 100, "{most} stanzas, {others} others, {waited} ms");
}

/// M4: a restart with 20,000 sessions in 40 rooms.
#[test]
fn a_restart_tells_twenty_thousand_sessions_nothing_and_asks_them_all_within_ten_minutes() {
    let _alone = ALONE.lock();
    let mut service = Service::of(40, Limits { presence_participants_max: 1000, ..Limits::default() });
    (0..40).for_each(|room| service.fill(room, room * 500..(room + 1) * 500));
    let begun = Instant::now();
    service.engine = start(&service.settings, &service.store);
    service.book = AddressBook::default();
    let out = service.take(vec![Inbound::LinkUp]);
    let copies = service.copies(out);
    assert!(!copies.keys().any(|to| to.contains("/r")), "clients are told of it");
    let out = service
        .say(&["<message type='groupchat' from='u700@h/r' to='c1@mix.h' id='m'><body>Hi</body></message>".to_owned()]);
    let copies = service.copies(out);
    let live_ms = begun.elapsed().as_millis();
    assert_eq!((copies.len(), copies["u700@h/r"]), (500, 1));
    let (mut asked, mut seconds) = (BTreeMap::<String, usize>::new(), 0);
    while asked.len() < 19_999 && seconds < 700 {
        (seconds, service.now) = (seconds + 1, service.now + 1000);
        let out = service.take(vec![Inbound::Tick]);
        let is_of_client = |(to, _): &(String, usize)| to.contains("/r");
        asked.extend(service.copies(out).into_iter().filter(is_of_client));
    }
    println!("M4: 20,000 sessions are back; the first message after {live_ms} ms; all are asked within {seconds} s");
    assert!(seconds <= 600 && asked.values().all(|&count| count == 1), "{} asked in {seconds} s", asked.len());
}

/// M5: what sessions take in memory, in the engine and in the address book.
#[test]
fn a_session_takes_some_hundred_bytes() {
    let _alone = ALONE.lock();
    let mut service = Service::of(ROOMS, Limits::default());
    service.keeps = false;
    // What grows at first is there, and each of the sizes of tables is met by some room.
    let mut each: Vec<isize> = (0..ROOMS)
        .map(|room| {
            let who = room % ROOMS_OF_STRANGERS * 100;
            let region = Region::new(ALLOCATOR);
            service.fill(room, who..who + 100);
            let of = region.change();
            (of.bytes_allocated as isize - of.bytes_deallocated as isize) / 100
        })
        .collect();
    let median = |each: &mut [isize]| {
        each.sort_unstable();
        each[each.len() / 2]
    };
    let first = median(&mut each[1..ROOMS_OF_STRANGERS]);
    let next = median(&mut each[ROOMS_OF_STRANGERS..]);
    println!("M5: {next} bytes a session at the median of rooms of 100; {first} where it is the account's first");
    assert!(next <= 700 && first <= 1200, "{next}, {first}");
}

/// M6: what others are told of somebody is rendered once a form, and an entry waits for no commit of its own.
#[test]
fn what_is_told_of_somebody_costs_the_same_however_many_hear_of_it() {
    let _alone = ALONE.lock();
    let allocations = |people: usize| {
        let mut service = Service::of(1, Limits { presence_participants_max: 10_000, ..Limits::default() });
        service.fill(0, 0..people);
        let away = |n: usize| {
            vec![Inbound::Stanza(
                Stanza::parse(
                    format!("<presence from='u{n}@h/r' to='c0@mix.h/u{n}'><show>away</show></presence>").as_bytes(),
                )
                .unwrap(),
            )]
        };
        (0..4).for_each(|n| drop(service.take(away(n))));
        let all: Vec<usize> = (4..8)
            .map(|n| {
                let batch = away(n);
                let region = Region::new(ALLOCATOR);
                let (out, is_lazy) = service.turns(batch);
                assert!(is_lazy && fans(&out) == 2, "{out:?}");
                region.change().allocations
            })
            .collect();
        let (out, is_lazy) = service.turns(vec![Inbound::Stanza(Stanza::parse(enter(people, 0).as_bytes()).unwrap())]);
        // Everybody, itself, the subject, and one for all others.
        assert!(is_lazy && fans(&out) == people + 3);
        *all.iter().min().unwrap()
    };
    let (few, many) = (allocations(10), allocations(1000));
    println!("M6: a presence takes {few} allocations in a room of 10, {many} in a room of 1,000");
    assert!(many <= few + 8, "{few}, {many}");
}
