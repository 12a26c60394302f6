//! The bound of what one account may have in the line, over all channels: the parts that hold it back, the engine and
//! the line together, without threads.

use super::Line;
use crate::channel::{Limits, Rates, Stamp};
use crate::engine::outgoing::outbox::{Charge, Out};
use crate::engine::{Engine, Inbound, Pacing, Pam, ServiceSettings};
use crate::runtime::outbox::Parcel;
use crate::xmpp::Stanza;

/// The bound, in bytes.
const BOUND: usize = 64 * 1024;
const CHANNELS: usize = 1000;
/// How many people are in each channel.
const PEOPLE: usize = 5;
const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";

struct Bench {
    pacing: Pacing,
    engine: Engine,
    line: Line,
    now: u64,
    /// The channels of eve's messages, in the order in which they were decided.
    decided: Vec<usize>,
    /// How much of them the line has not written, in bytes, and the maximum of that.
    under_way: usize,
    most: usize,
}

impl Bench {
    /// A service where `eve` is in all channels with the same people.
    fn new() -> Bench {
        // Rates are not tested here.
        let rates = Rates::unlimited();
        let limits = Limits { account_sending_bytes_max: BOUND, rates, ..Limits::default() };
        let settings = ServiceSettings {
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
        let pacing = Pacing::new(32 << 20, engine.own_domains().clone());
        let (decided, under_way, most) = Default::default();
        let mut bench = Bench { pacing, engine, line: Line::new(), now: 0, decided, under_way, most };
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

    /// Takes a stanza. Returns the charges since then.
    fn take(&mut self, xml: &str) -> Vec<Charge> {
        self.step(vec![Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())])
    }

    /// Has the engine take what is due, and the line what comes of it. Returns the charges.
    fn step(&mut self, batch: Vec<Inbound>) -> Vec<Charge> {
        self.now += 1;
        let batch = self.pacing.pass(&mut self.engine, Stamp(self.now), batch);
        let turn = self.engine.turn(Stamp(self.now), batch);
        assert!(turn.refusals.is_empty(), "{:?}", turn.refusals);
        let fans = turn.outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(fan) } else { None });
        let mut charges = Vec::new();
        for fan in fans {
            let channel = fan.tail.split_once("<body>eve ").and_then(|(_, said)| said.split_once(' '));
            self.decided.extend(channel.map(|(channel, _)| channel.parse::<usize>().unwrap()));
            charges.extend(fan.charge.clone());
        }
        self.under_way += charges.iter().map(|charge| charge.bytes).sum::<usize>();
        self.most = self.most.max(self.under_way);
        self.line.push(Parcel { number: None, outs: turn.outbox }, 0);
        charges
    }

    /// What is written next, up to `bytes_max`. The engine is told what left the line.
    fn write(&mut self, bytes_max: usize) -> String {
        let mut block = Vec::new();
        self.line.fill(&mut block, bytes_max);
        let ping = self.line.cover();
        self.line.confirm(ping);
        let relieved = self.line.take_relieved();
        self.under_way -= relieved.iter().map(|charge| charge.bytes).sum::<usize>();
        self.engine.relieve(&relieved);
        String::from_utf8(block).unwrap()
    }

    /// Has an account speak in a channel. Returns what it is charged, 0 where it has to wait.
    fn say(&mut self, who: &str, channel: usize) -> usize {
        self.take(&message(who, channel)).iter().map(|charge| charge.bytes).sum()
    }
}

fn message(who: &str, channel: usize) -> String {
    let body = "x".repeat(1000);
    format!(
        "<message type='groupchat' id='{who}' from='{who}@h/r' to='c{channel}@mix.h'><body>{who} {channel} {body}</body></message>"
    )
}

#[test]
fn one_account_in_a_thousand_channels_has_no_more_in_the_line_than_its_bound_and_others_pass() {
    let mut bench = Bench::new();
    let said: Vec<usize> = (0..CHANNELS).map(|channel| bench.say("eve", channel)).collect();
    let (loaded, largest) = (said.iter().sum::<usize>(), said.iter().max().copied().unwrap());
    assert!(largest > PEOPLE * 1000 && loaded >= BOUND && loaded < BOUND + largest, "{loaded}");
    // An account that sends little is not held back, and waits for no more than the bound.
    let charged = bench.say("bob", 999);
    assert!(charged > PEOPLE * 1000);
    let mut before = 0;
    loop {
        let block = bench.write(8 * 1024);
        assert!(!block.is_empty());
        let at = block.find("bob 999");
        before += at.unwrap_or(block.len());
        if at.is_some() {
            break;
        }
    }
    assert!(before < 2 * BOUND, "{before} bytes of somebody else's");
}

/// All at once, as a client does that was offline: what is let in together counts together.
#[test]
fn beyond_the_bound_messages_wait_in_order_and_none_is_lost() {
    let mut bench = Bench::new();
    let all = (0..CHANNELS).map(|channel| Inbound::Stanza(Stanza::parse(message("eve", channel).as_bytes()).unwrap()));
    let mut charged = bench.step(all.collect()).len();
    assert!((1..50).contains(&charged), "{charged} at once");
    assert_eq!(bench.pacing.next_in_ms(&bench.engine), Some(0), "what is left is looked at again");
    let mut written = String::new();
    for _ in 0..10 * CHANNELS {
        written += &bench.write(32 * 1024);
        charged += bench.step(Vec::new()).len();
    }
    assert_eq!((charged, bench.decided.len(), bench.pacing.depth(), bench.under_way), (CHANNELS, CHANNELS, (0, 0), 0));
    assert!(bench.decided.is_sorted(), "the order in which they came");
    assert!(bench.most < BOUND + 2 * PEOPLE * 2000, "{} bytes at once", bench.most);
    let to_one: Vec<usize> = written
        .split_inclusive("</message>")
        .filter(|copy| copy.contains("to='u1@h'"))
        .filter_map(|copy| copy.split_once("<body>eve ")?.1.split_once(' ')?.0.parse().ok())
        .collect();
    assert!(to_one.len() == CHANNELS && to_one.is_sorted(), "each gets each once, in order over all channels");
}

/// One message may always be under way, however many recipients it has.
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
    assert_eq!(bench.step(Vec::new()).len(), 1);
}

/// Without a link nobody has to wait for anybody: messages are stored and sent later.
#[test]
fn without_a_link_nobody_is_held_back() {
    let mut bench = Bench::new();
    bench.step(vec![Inbound::LinkDown]);
    assert!((0..100).all(|channel| bench.say("eve", channel) > 0));
    bench.step(vec![Inbound::LinkUp]);
    assert_eq!(bench.say("eve", 1), 0);
}
