//! What a message costs does not depend on how many get it: counted in allocations, which no busy machine changes.

#![allow(clippy::unwrap_used)]

use mixd::channel::{Limits, Rates, Stamp};
use mixd::engine::outgoing::book::Cursor;
use mixd::engine::outgoing::outbox::{HomeNo, MulticastService};
use mixd::engine::{AddressBook, Delta, Engine, Fan, Inbound, MulticastSettings, Out, Pam, ServiceSettings, Turn};
use mixd::xmpp::Stanza;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::sync::Mutex;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations are counted for the whole program.
static ALONE: Mutex<()> = Mutex::new(());

/// Messages that are counted, behind some that fill what grows.
const MESSAGES: usize = 64;

struct Service {
    engine: Engine,
    book: AddressBook,
    now: u64,
}

impl Service {
    /// A channel of so many participants, each reached at its bare JID.
    fn of(participants: usize) -> Service {
        let settings = ServiceSettings {
            domain: "mix.h".parse().unwrap(),
            name: String::new(),
            operators: Vec::new(),
            creators: vec!["*".into()],
            // How fast somebody may ask is not what is measured.
            limits: Limits { rates: Rates::unlimited(), ..Limits::default() },
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: 1 << 30,
            pam: [("h".to_owned(), Pam::Standard)].into(),
            multicast: [("h".to_owned(), MulticastSettings::default())].into(),
        };
        let engine = Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new());
        let mut service = Service { engine, book: AddressBook::default(), now: 0 };
        let core = "xmlns='urn:xmpp:mix:core:1'";
        let create = format!("<iq type='set' id='1' from='u0@h/r' to='mix.h'><create {core} channel='c'/></iq>");
        let join = |n: usize| {
            let subscribe = "<subscribe node='urn:xmpp:mix:nodes:messages'/>";
            format!("<iq type='set' id='2' from='u{n}@h' to='c@mix.h'><join {core}>{subscribe}</join></iq>")
        };
        for xml in std::iter::once(create).chain((0..participants).map(join)) {
            service.take(&xml);
        }
        service
    }

    fn turn(&mut self, stanza: Stanza) -> Turn {
        self.now += 1;
        self.engine.turn(Stamp(self.now), vec![Inbound::Stanza(stanza)])
    }

    /// What a stanza leads to; the address book learns.
    fn take(&mut self, xml: &str) -> Vec<Fan> {
        let turn = self.turn(Stanza::parse(xml.as_bytes()).unwrap());
        let mut fans = Vec::new();
        for out in turn.outbox {
            match out {
                Out::Book(delta) => self.book.apply(delta),
                Out::Fan(fan) => {
                    self.engine.relieve(fan.charge.as_slice());
                    fans.push(fan);
                }
                _ => {}
            }
        }
        fans
    }
}

fn message(n: usize) -> String {
    format!(
        "<message from='u0@h/r' to='c@mix.h' type='groupchat' id='{n:04}'><body>Double, double toil and trouble</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='{n:04}'/></message>"
    )
}

/// The allocations of most turns, and their bytes: a table that grows does so where the chance of its hashes wants it.
fn allocations_of_turns(participants: usize) -> (usize, usize) {
    let mut service = Service::of(participants);
    (0..MESSAGES).for_each(|n| drop(service.take(&message(n))));
    let count = |n| {
        let stanza = Stanza::parse(message(n).as_bytes()).unwrap();
        let region = Region::new(ALLOCATOR);
        let turn = service.turn(stanza);
        let change = region.change();
        assert_eq!((turn.records.is_empty(), turn.outbox.len()), (false, 1));
        let Out::Fan(fan) = &turn.outbox[0] else { panic!("no fan-out") };
        service.engine.relieve(fan.charge.as_slice());
        (change.allocations + change.reallocations, change.bytes_allocated)
    };
    let mut counts: Vec<(usize, usize)> = (MESSAGES..2 * MESSAGES).map(count).collect();
    counts.sort_unstable();
    let median = counts[MESSAGES / 2];
    let others = counts.iter().filter(|&&count| count != median).count();
    assert!(others <= MESSAGES / 8, "{participants} recipients: {counts:?}");
    median
}

#[test]
fn a_turn_costs_the_same_for_ten_recipients_and_for_ten_thousand() {
    let _alone = ALONE.lock().unwrap();
    let few = allocations_of_turns(10);
    assert!(few.0 > 0, "nothing was counted");
    assert_eq!(few, allocations_of_turns(10_000));
}

#[test]
fn a_copy_for_a_recipient_allocates_nothing() {
    let _alone = ALONE.lock().unwrap();
    let mut service = Service::of(10_000);
    let fans = service.take(&message(1));
    let [fan] = &fans[..] else { panic!("{} fan-outs", fans.len()) };
    let mut block = Vec::with_capacity(64 * 1024 + fan.head.len() + fan.tail.len() + 100);
    let recipients = service.book.recipients(fan);
    let mut cursor = Cursor::default();
    let region = Region::new(ALLOCATOR);
    while !service.book.write(fan, &recipients, &mut cursor, 64 * 1024, &mut block) {
        block.clear();
    }
    let change = region.change();
    assert_eq!((cursor.copies, cursor.used), (10_000, 0));
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}

#[test]
fn an_address_on_a_list_allocates_nothing() {
    let _alone = ALONE.lock().unwrap();
    let mut service = Service::of(10_000);
    let fans = service.take(&message(1));
    let [fan] = &fans[..] else { panic!("{} fan-outs", fans.len()) };
    let found =
        Some(MulticastService { to: "multicast.h".into(), addresses_max: 500, presence_max: None, as_text: false });
    service.book.apply(Delta::Multicast { home: HomeNo::new(0).unwrap(), service: found });
    let mut block = Vec::with_capacity(256 * 1024 + fan.head.len() + fan.tail.len() + 100);
    let recipients = service.book.recipients(fan);
    let mut cursor = Cursor::default();
    let region = Region::new(ALLOCATOR);
    while !service.book.write(fan, &recipients, &mut cursor, 64 * 1024, &mut block) {
        block.clear();
    }
    let change = region.change();
    assert_eq!((cursor.copies, cursor.used), (10_000, 1));
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
