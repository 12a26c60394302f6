//! What one account may have in the line, over all channels: the engine and the line together, without the threads between.

use super::Line;
use crate::channel::{Limits, Rates, Stamp};
use crate::engine::outbox::{Charge, Out};
use crate::engine::{Engine, Inbound, Pam, Settings};
use crate::runtime::outbox::Parcel;
use crate::xmpp::Stanza;

/// What an account may have there, in bytes.
const BOUND: usize = 64 * 1024;
const CHANNELS: usize = 1000;
/// How many people are in each channel.
const PEOPLE: usize = 5;
const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";

struct Bench {
    engine: Engine,
    line: Line,
    now: u64,
}

impl Bench {
    /// A service where `eve` is in all channels with the same people.
    fn new() -> Bench {
        // How fast things come is not what is tried here.
        let rates = Rates::unlimited();
        let limits = Limits { account_sending_bytes_max: BOUND, rates, ..Limits::default() };
        let settings = Settings {
            domain: "mix.h".parse().unwrap(),
            name: String::new(),
            operators: Vec::new(),
            creators: vec!["*".into()],
            limits,
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: 1 << 30,
            pam: [("h".to_owned(), Pam::Standard)].into(),
            multicast: Default::default(),
        };
        let engine = Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new());
        let mut bench = Bench { engine, line: Line::new(), now: 0 };
        let subscribe = "<subscribe node='urn:xmpp:mix:nodes:messages'/>";
        for channel in 0..CHANNELS {
            bench.take(&format!(
                "<iq type='set' id='1' from='o@h/r' to='mix.h'><create {CORE} channel='c{channel}'/></iq>"
            ));
            for who in ["eve", "u1", "u2", "u3", "bob"].iter().take(PEOPLE) {
                bench.take(&format!(
                    "<iq type='set' id='2' from='{who}@h' to='c{channel}@mix.h'><join {CORE}>{subscribe}</join></iq>"
                ));
            }
            bench.write(usize::MAX);
        }
        bench
    }

    /// Gives the engine a stanza, and the line what comes of it; what of that is charged to somebody.
    fn take(&mut self, xml: &str) -> Vec<Charge> {
        self.now += 1;
        let batch = vec![Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())];
        let turn = self.engine.turn(Stamp(self.now), batch);
        let charge = |out: &Out| if let Out::Fan(fan) = out { fan.charge.clone() } else { None };
        let charges = turn.outbox.iter().filter_map(charge).collect();
        self.line.push(Parcel { number: None, outs: turn.outbox }, 0);
        charges
    }

    /// What is written next, up to so much; the engine is told what went.
    fn write(&mut self, bytes_max: usize) -> String {
        let mut block = Vec::new();
        self.line.fill(&mut block, bytes_max);
        let ping = self.line.cover();
        self.line.confirm(ping);
        self.engine.relieve(&self.line.take_relieved());
        String::from_utf8(block).unwrap()
    }

    /// Has somebody speak in a channel; what it is charged for that, nothing where it has to wait.
    fn say(&mut self, who: &str, channel: usize) -> usize {
        let body = "x".repeat(1000);
        let charges = self.take(&format!(
            "<message type='groupchat' id='{who}' from='{who}@h/r' to='c{channel}@mix.h'><body>{who} {channel} {body}</body></message>"
        ));
        charges.iter().map(|charge| charge.bytes).sum()
    }
}

#[test]
fn one_account_in_a_thousand_channels_has_no_more_in_the_line_than_its_bound_and_others_pass() {
    let mut bench = Bench::new();
    let said: Vec<usize> = (0..CHANNELS).map(|channel| bench.say("eve", channel)).collect();
    let (loaded, largest) = (said.iter().sum::<usize>(), said.iter().max().copied().unwrap());
    assert!(largest > PEOPLE * 1000 && loaded >= BOUND && loaded < BOUND + largest, "{loaded}");
    // Whoever sends little is not held back by it, and waits for no more than that.
    let charged = bench.say("bob", 999);
    assert!(charged > PEOPLE * 1000);
    let mut before = 0;
    loop {
        let block = bench.write(8 * 1024);
        assert!(!block.is_empty());
        let at = block.find("bob 999");
        // Errors of those that have to wait are not counted.
        let messages = block[..at.unwrap_or(block.len())].split_inclusive("</message>");
        before += messages.filter(|message| !message.contains("type='error'")).map(str::len).sum::<usize>();
        if at.is_some() {
            break;
        }
    }
    assert!(before < 2 * BOUND, "{before} bytes of somebody else's");
    // What went is free again: all of it goes in time.
    let mut waiting: Vec<usize> = (0..CHANNELS).filter(|&channel| said[channel] == 0).collect();
    for _ in 0..2 * CHANNELS {
        bench.write(usize::MAX);
        let Some(first) = waiting.iter().position(|&channel| bench.say("eve", channel) == 0) else {
            waiting.clear();
            break;
        };
        waiting.drain(..first);
    }
    assert!(waiting.is_empty(), "{} messages never went", waiting.len());
}

/// One message may always be under way, however many get it.
#[test]
fn a_message_that_is_larger_than_the_bound_goes_alone() {
    let mut bench = Bench::new();
    let body = "y".repeat(BOUND / PEOPLE + 1000);
    let xml = |n: usize| {
        format!("<message type='groupchat' id='{n}' from='eve@h/r' to='c1@mix.h'><body>{n}{body}</body></message>")
    };
    assert!(bench.take(&xml(1))[0].bytes > BOUND);
    assert!(bench.take(&xml(2)).is_empty());
    bench.write(usize::MAX);
    assert_eq!(bench.take(&xml(2)).len(), 1);
}

/// Without a link there is nobody to pass, and what is said is stored and sent later.
#[test]
fn without_a_link_nobody_is_held_back() {
    let mut bench = Bench::new();
    bench.engine.turn(Stamp(1_000_000), vec![Inbound::LinkDown]);
    assert!((0..100).all(|channel| bench.say("eve", channel) > 0));
    bench.engine.turn(Stamp(1_000_000), vec![Inbound::LinkUp]);
    assert_eq!(bench.say("eve", 1), 0);
}
