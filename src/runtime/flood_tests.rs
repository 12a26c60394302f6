//! Floods on the way out and in what is read beside the loop: one account floods, and what another one waits for is
//! counted.

use super::archive::waiting::QuestionQueues;
use super::line::Line;
use super::outbox::Parcel;
use crate::channel::Node;
use crate::engine::outgoing::outbox::{
    Audience, BookEntry, Delta, EntryNo, Fan, Lasting, ListId, Out, Placed, Rank, Reached,
};
use crate::engine::share::OwnDomains;
use crate::xep::List;
use jid::BareJid;

const MESSAGES: u64 = 8000;
const PEOPLE: u32 = 400;

fn list(tag: u64) -> ListId {
    ListId { tag, list: List::Node(Node::Messages) }
}

/// A parcel that makes this many people of one server subscribers of a channel.
fn subscribers(tag: u64, first: u32, count: u32) -> Parcel {
    let numbers: Vec<Placed> = (first..first + count).map(|place| (Rank::at(0), EntryNo::first(place))).collect();
    let account = |(_, no): &Placed| {
        let reached = Reached::Address(format!("u{}@h", no.place()).into());
        Out::Book(Delta::Entry { no: *no, entry: BookEntry { reached, marked: false, home: None } })
    };
    let mut outs: Vec<Out> = numbers.iter().map(account).collect();
    outs.push(Out::Book(Delta::Filled(list(tag), numbers)));
    Parcel { number: None, outs }
}

fn message(number: u64, tag: u64, body: &str) -> Parcel {
    let fan = Fan {
        audience: Audience::List(list(tag), None),
        head: format!("<message from='c{tag}@m/p'"),
        tail: format!("><body>{body}</body></message>"),
        groupchat: true,
        presence: false,
        decided: false,
        lasting: Lasting::Row,
        charge: None,
    };
    Parcel { number: Some(number), outs: vec![Out::Fan(fan)] }
}

#[test]
fn eight_thousand_messages_to_one_channel_keep_nobody_else_waiting() {
    let mut line = Line::new();
    line.push(subscribers(1, 0, PEOPLE), 0);
    line.push(subscribers(2, PEOPLE, 3), 0);
    (1..=MESSAGES).for_each(|n| line.push(message(n, 1, "flood"), 0));
    line.push(Parcel::of_stanza("<iq from='m' id='pong'/>".into()), 0);
    line.push(message(MESSAGES + 1, 2, "other"), 0);
    let (mut written, mut whole) = (0, String::new());
    while !(whole.contains("id='pong'") && whole.matches("other").count() == 3) {
        let mut block = Vec::new();
        line.fill(&mut block, 64 * 1024);
        assert!(!block.is_empty());
        written += block.len();
        whole.push_str(std::str::from_utf8(&block).unwrap());
    }
    let before = |text: &str| whole.find(text).unwrap();
    let (ping, other) = (before("id='pong'"), before("other"));
    // In all, some two hundred megabytes are written.
    assert!(ping < 1 << 20 && other < 1 << 20, "{ping} {other}");
    println!(
        "flood: 8,000 messages to 400 people: a ping waits for {ping} bytes, a message to another channel for {other}, \
         {} are written when both are there",
        written
    );
}

#[test]
fn ten_thousand_queries_of_one_domain_keep_nobody_else_waiting() {
    let questions = QuestionQueues::new(512, OwnDomains::new(["h".to_owned()]));
    let jid = |text: String| BareJid::new(&text).unwrap();
    let lost = (0..10_000).filter(|n| questions.push(&jid(format!("x@s{n}.away.example")), 0).is_some());
    let lost = lost.count();
    for account in ["b@far.example", "a@h"] {
        assert!((1..=20).all(|n| questions.push(&jid(account.into()), n) != Some(n)), "{account}");
    }
    questions.close();
    let order: Vec<i32> = std::iter::from_fn(|| questions.take()).collect();
    let first = order.iter().position(|question| *question == 1).unwrap();
    assert!(first < 3, "{first}");
    println!(
        "flood: 10,000 queries of one domain: {lost} are refused, none of the 40 of two others, whose first is number {first}"
    );
    assert_eq!((order.len(), order.iter().filter(|question| **question > 0).count()), (512, 40));
}
