//! The line: what it writes when, in which order, and what it writes again.

use super::*;
use crate::channel::Node;
use crate::engine::outgoing::outbox::{Audience, BookEntry, Delta, EntryNo, Fan, ListId, Placed, Rank, Reached};
use crate::xep::List;

pub(super) const HORIZON_MS: u64 = 1000;

pub(super) fn list(tag: u64) -> ListId {
    ListId { tag, list: List::Node(Node::Messages) }
}

fn placed(no: EntryNo) -> Placed {
    (Rank::at(no.place() as u64), no)
}

fn entry(addresses: &[&str]) -> BookEntry {
    let reached = Reached::new(addresses.iter().map(|&address| address.into()).collect(), None);
    BookEntry { reached, marked: false, home: None }
}

/// A parcel that makes accounts `0..count` subscribers of a channel.
pub(super) fn subscribers(tag: u64, count: u32) -> Parcel {
    let numbers: Vec<Placed> = (0..count).map(|place| placed(EntryNo::first(place))).collect();
    let account = |(_, no): &Placed| {
        let entry = entry(&[&format!("u{}@h", no.place())]);
        Out::Book(Delta::Entry { no: *no, entry })
    };
    let mut outs: Vec<Out> = numbers.iter().map(account).collect();
    outs.push(Out::Book(Delta::Filled(list(tag), numbers)));
    Parcel { number: None, outs }
}

pub(super) fn fan(tag: u64, body: &str, lasting: Lasting) -> Out {
    let (head, tail) = (format!("<message from='c{tag}@m/p'"), format!("><body>{body}</body></message>"));
    Out::Fan(Fan {
        audience: Audience::List(list(tag), None),
        head,
        tail,
        groupchat: true,
        presence: false,
        decided: false,
        lasting,
        charge: None,
    })
}

pub(super) fn parcel(number: u64, out: Out) -> Parcel {
    Parcel { number: Some(number), outs: vec![out] }
}

pub(super) fn stanza(from: &str, id: u32) -> Out {
    Out::Stanza(format!("<iq from='{from}' id='{id}'/>"))
}

pub(super) fn is_pending(line: &Line) -> bool {
    line.next < line.end() || !line.lanes.is_empty() || !line.recalls.is_empty()
}

pub(super) fn all(line: &mut Line) -> String {
    let mut block = Vec::new();
    line.fill(&mut block, usize::MAX);
    assert!(!is_pending(line));
    String::from_utf8(block).unwrap()
}

#[test]
fn what_is_confirmed_goes_and_what_is_not_is_written_again() {
    let mut line = Line::new();
    line.push(subscribers(1, 2), 0);
    line.push(parcel(5, fan(1, "one", Lasting::Row)), 0);
    assert_eq!(all(&mut line).matches("one").count(), 2);
    assert!(line.is_uncovered());
    let first = line.cover();
    line.push(parcel(6, fan(1, "two", Lasting::Row)), 0);
    assert_eq!(all(&mut line).matches("two").count(), 2);
    assert_eq!(line.confirm(0), None);
    assert_eq!(line.confirm(first), Some(5));
    line.rewind(HORIZON_MS, HORIZON_MS);
    let again = all(&mut line);
    assert_eq!((again.matches("one").count(), again.matches("two").count()), (0, 2));
    let second = line.cover();
    assert_eq!(line.confirm(second), Some(6));
    assert_eq!((line.bytes(), is_pending(&line), line.is_uncovered()), (0, false, false));
}

#[test]
fn what_is_of_the_moment_and_old_rows_are_not_written_again() {
    let mut line = Line::new();
    line.push(subscribers(1, 1), 0);
    line.push(parcel(1, fan(1, "old", Lasting::Row)), 0);
    line.push(parcel(2, fan(1, "event", Lasting::Kept)), 0);
    line.push(parcel(3, fan(1, "typing", Lasting::Fleeting)), 0);
    line.push(Parcel { number: None, outs: vec![Out::Question("<iq type='get'/>".into())] }, 0);
    line.push(Parcel::of_stanza("<iq type='result'/>".into()), 0);
    line.push(parcel(4, fan(1, "young", Lasting::Row)), 500);
    let first = all(&mut line);
    for body in ["old", "event", "typing", "get", "result", "young"] {
        assert!(first.contains(body), "{body} in {first}");
    }
    line.rewind(1001, HORIZON_MS);
    let again = all(&mut line);
    let seen = |body| again.contains(body);
    assert!(seen("event") && seen("result") && seen("young"), "{again}");
    assert!(!seen("old") && !seen("typing") && !seen("get"), "{again}");
}

#[test]
fn what_reached_nobody_needs_no_confirmation() {
    let mut line = Line::new();
    line.push(parcel(9, fan(7, "nobody", Lasting::Row)), 0);
    line.push(subscribers(1, 3), 0);
    assert_eq!(all(&mut line), "");
    assert!(!line.is_uncovered());
    assert_eq!((line.confirm(0), line.bytes()), (Some(9), 0));
}

#[test]
fn a_long_fan_out_lets_others_pass_and_keeps_the_order_of_its_own_address() {
    let mut line = Line::new();
    line.push(subscribers(1, 5000), 0);
    line.push(subscribers(2, 2), 0);
    line.push(parcel(1, fan(1, &"x".repeat(200), Lasting::Row)), 0);
    line.push(Parcel::of_stanza("<iq from='c1@m' id='behind'/>".into()), 0);
    line.push(parcel(2, fan(1, "second", Lasting::Row)), 0);
    line.push(parcel(3, fan(2, "other", Lasting::Row)), 0);
    line.push(Parcel { number: None, outs: vec![stanza("m", 1)] }, 0);
    let (mut blocks, mut whole) = (Vec::new(), String::new());
    while is_pending(&line) {
        let mut block = Vec::new();
        line.fill(&mut block, 64 * 1024);
        assert!(block.len() < 65 * 1024 + 300, "{}", block.len());
        whole.push_str(std::str::from_utf8(&block).unwrap());
        blocks.push(block);
    }
    assert!(blocks.len() > 10);
    let place = |text: &str| whole.find(text).unwrap();
    let last_of_long = whole.rfind("xxx").unwrap();
    assert!(place("other") < 2 * 64 * 1024 && place("from='m' id='1'") < 2 * 64 * 1024);
    assert!(last_of_long < place("behind") && place("behind") < place("second"));
    assert_eq!((whole.matches("xxx</body>").count(), whole.matches("second").count()), (5000, 5000));
    let ping = line.cover();
    assert_eq!((line.confirm(ping), line.bytes()), (Some(3), 0));
}

#[test]
fn a_long_fan_out_that_is_cut_by_a_lost_link_is_written_whole() {
    let mut line = Line::new();
    line.push(subscribers(1, 5000), 0);
    line.push(parcel(1, fan(1, &"x".repeat(200), Lasting::Row)), 0);
    let mut block = Vec::new();
    line.fill(&mut block, 64 * 1024);
    let ping = line.cover();
    assert_eq!(line.confirm(ping), None, "it is not wholly written");
    // An account that joins meanwhile is no recipient.
    let (no, entry) = (EntryNo::first(5000), entry(&["late@h"]));
    let joined = vec![Out::Book(Delta::Entry { no, entry }), Out::Book(Delta::Added(list(1), placed(no)))];
    line.push(Parcel { number: None, outs: joined }, 0);
    line.rewind(0, HORIZON_MS);
    let again = all(&mut line);
    assert_eq!((again.matches("xxx</body>").count(), again.contains("late@h")), (5000, false));
}

#[test]
fn what_does_not_fit_is_let_go_from_the_oldest_and_the_book_still_learns() {
    let mut line = Line::new();
    line.push(subscribers(1, 2), 0);
    for number in 1..=10 {
        line.push(parcel(number, fan(1, &format!("m{number}."), Lasting::Row)), 0);
    }
    let bytes = line.bytes();
    assert_eq!(line.shed(bytes), None);
    let settled = line.shed(bytes / 3).unwrap();
    assert!(line.bytes() <= bytes / 3 && settled > 3 && settled < 10);
    assert_eq!(line.take_dropped(), settled);
    let rest = all(&mut line);
    assert_eq!(rest.matches("m10.").count(), 2, "{rest}");
    assert!(!rest.contains("m1."), "{rest}");
}

#[test]
fn where_something_waits_no_block_is_empty() {
    let mut line = Line::new();
    line.push(subscribers(1, 100), 0);
    let body = "x".repeat(10_000);
    for number in 1..=3 {
        line.push(parcel(number, fan(1, &body, Lasting::Row)), 0);
        while is_pending(&line) {
            let mut block = Vec::new();
            line.fill(&mut block, 64 * 1024);
            assert!(!block.is_empty(), "fan-out {number} is stuck");
        }
    }
}

/// Writes everything in blocks. Returns how many bytes precede the first occurrence of each text.
fn waits(line: &mut Line, texts: &[&str]) -> Vec<usize> {
    let mut whole = String::new();
    while is_pending(line) {
        let mut block = Vec::new();
        line.fill(&mut block, 64 * 1024);
        whole.push_str(std::str::from_utf8(&block).unwrap());
    }
    texts.iter().map(|text| whole.find(text).unwrap_or_else(|| panic!("{text} was not written"))).collect()
}

#[test]
fn one_channel_floods_with_short_messages_and_nobody_else_waits_for_more_than_a_turn() {
    let mut line = Line::new();
    line.push(subscribers(1, 400), 0);
    line.push(subscribers(2, 3), 0);
    (0..2000).for_each(|n| line.push(parcel(n + 1, fan(1, "short", Lasting::Row)), 0));
    line.push(Parcel::of_stanza("<iq from='m' id='pong'/>".into()), 0);
    line.push(Parcel::of_stanza("<iq from='c1@m' id='own'/>".into()), 0);
    line.push(parcel(2001, fan(2, "other", Lasting::Row)), 0);
    let waits = waits(&mut line, &["id='pong'", "other", "id='own'"]);
    let turn = lanes::TURN_BYTES as usize;
    assert!(waits[0] < 2 * turn && waits[1] < 3 * turn, "{waits:?}");
    assert!(waits[2] > 2000 * 400 * 50, "what the channel itself answers keeps its place: {waits:?}");
    let ping = line.cover();
    assert_eq!((line.confirm(ping), line.bytes()), (Some(2001), 0));
}

#[test]
fn many_channels_take_turns_by_bytes_and_each_keeps_its_order() {
    let mut line = Line::new();
    (1..=50).for_each(|tag| line.push(subscribers(tag, 20), 0));
    for n in 0..40 {
        (1..=50).for_each(|tag| line.push(parcel(n * 50 + tag, fan(tag, &format!("{tag}:{n};"), Lasting::Row)), 0));
    }
    line.push(Parcel::of_stanza("<iq from='m' id='pong'/>".into()), 0);
    let mut whole = String::new();
    while is_pending(&line) {
        let mut block = Vec::new();
        line.fill(&mut block, 64 * 1024);
        whole.push_str(std::str::from_utf8(&block).unwrap());
    }
    assert!(whole.find("pong").unwrap() < 51 * (lanes::TURN_BYTES as usize + 100));
    for tag in 1..=50 {
        let places: Vec<usize> = (0..40).map(|n| whole.find(&format!(">{tag}:{n};")).unwrap()).collect();
        assert!(places.is_sorted(), "{tag}: {places:?}");
        assert_eq!(whole.matches(&format!(">{tag}:")).count(), 40 * 20);
    }
}

#[test]
fn what_participants_say_and_what_the_service_says_about_a_channel_keeps_its_place_there() {
    let mut line = Line::new();
    line.push(subscribers(1, 400), 0);
    (0..200).for_each(|n| line.push(parcel(n + 1, fan(1, "before", Lasting::Row)), 0));
    line.push(Parcel::of_stanza("<message from='7#c1@m/r' id='private'/>".into()), 0);
    let about = Out::About { channel: "c1@m".into(), text: "<iq from='m' id='left'/>".into() };
    line.push(Parcel { number: None, outs: vec![about] }, 0);
    line.push(parcel(201, fan(1, "behind", Lasting::Row)), 0);
    line.push(Parcel::of_stanza("<iq from='m' id='pong'/>".into()), 0);
    let mut block = Vec::new();
    line.fill(&mut block, usize::MAX);
    let text = String::from_utf8(block).unwrap();
    let (last, private, left) =
        (text.rfind("before").unwrap(), text.find("private").unwrap(), text.find("left").unwrap());
    assert!(last < private && private < left && left < text.find("behind").unwrap());
    assert!(text.find("pong").unwrap() < 2 * lanes::TURN_BYTES as usize);
}

/// The recipients of a message are settled by what came before it, however long it waits: a list changes in its
/// channel's lane.
#[test]
fn who_joins_or_leaves_while_messages_wait_gets_those_that_it_was_there_for() {
    let mut line = Line::new();
    line.push(subscribers(1, 100), 0);
    (0..200).for_each(|n| line.push(parcel(n + 1, fan(1, "filler", Lasting::Row)), 0));
    let (late, early) = (EntryNo::first(500), EntryNo::first(5));
    let outs = vec![
        fan(1, "one", Lasting::Row),
        Out::Book(Delta::Entry { no: late, entry: entry(&["late@h"]) }),
        Out::Book(Delta::Added(list(1), placed(late))),
        fan(1, "two", Lasting::Row),
        Out::Book(Delta::Removed(list(1), placed(early))),
        Out::Fan(Fan { audience: Audience::One(early), ..as_fan(fan(1, "bye", Lasting::Kept)) }),
        fan(1, "three", Lasting::Row),
        // It is in no channel any more.
        Out::Book(Delta::Entry { no: early, entry: entry(&[]) }),
        fan(1, "four", Lasting::Row),
        Out::Book(Delta::Dropped { tag: 1 }),
    ];
    line.push(Parcel { number: Some(999), outs }, 0);
    let mut block = Vec::new();
    line.fill(&mut block, 64 * 1024);
    assert!(!String::from_utf8_lossy(&block).contains(">one<"), "they wait");
    let text = String::from_utf8_lossy(&block).into_owned() + &all(&mut line);
    let got = |address: &str, body: &str| text.contains(&format!("to='{address}'><body>{body}</body>"));
    let of = |address: &str| ["one", "two", "bye", "three", "four"].map(|body| got(address, body));
    assert_eq!(of("late@h"), [false, true, false, true, true]);
    assert_eq!(of("u5@h"), [true, true, true, false, false]);
    assert_eq!(of("u6@h"), [true, true, false, true, true]);
    line.push(
        Parcel {
            number: None,
            outs: vec![Out::Fan(Fan { audience: Audience::One(early), ..as_fan(fan(1, "gone", Lasting::Kept)) })],
        },
        0,
    );
    line.push(parcel(1000, fan(1, "nobody", Lasting::Row)), 0);
    assert_eq!(all(&mut line), "");
}

fn as_fan(out: Out) -> Fan {
    let Out::Fan(fan) = out else { panic!("a fan-out") };
    fan
}

/// What was written before the link was lost is written again before the rest, channel by channel.
#[test]
fn what_waits_for_its_turn_when_the_link_is_lost_is_still_written_once() {
    let mut line = Line::new();
    line.push(subscribers(1, 100), 0);
    (0..300).for_each(|n| line.push(parcel(n + 1, fan(1, &format!("n{n}."), Lasting::Row)), 0));
    line.push(parcel(301, fan(1, "typing", Lasting::Fleeting)), 0);
    let mut block = Vec::new();
    line.fill(&mut block, 64 * 1024);
    let ping = line.cover();
    assert!(line.confirm(ping) > Some(1));
    line.rewind(0, HORIZON_MS);
    let written = String::from_utf8(block).unwrap();
    let again = all(&mut line);
    for n in 0..300 {
        let (before, after) = (written.matches(&format!(">n{n}.")).count(), again.matches(&format!(">n{n}.")).count());
        assert!(after == 100 || (before == 100 && after == 0), "{n}: {before} and {after}");
    }
    assert_eq!(again.matches("typing").count(), 100, "it was not sent yet");
}

/// The number of an account that is gone goes to another one while something waits.
#[test]
fn who_gets_the_number_of_somebody_who_is_gone_is_not_forgotten_with_it() {
    let mut line = Line::new();
    line.push(subscribers(1, 100), 0);
    (0..200).for_each(|n| line.push(parcel(n + 1, fan(1, "filler", Lasting::Row)), 0));
    let gone = EntryNo::first(5);
    let outs = vec![
        Out::Book(Delta::Entry { no: gone, entry: entry(&[]) }),
        Out::Book(Delta::Entry { no: gone.next(), entry: entry(&["heir@h"]) }),
    ];
    line.push(Parcel { number: None, outs }, 0);
    all(&mut line);
    let fan = Fan { audience: Audience::One(gone.next()), ..as_fan(fan(1, "hello", Lasting::Kept)) };
    line.push(Parcel { number: None, outs: vec![Out::Fan(fan)] }, 0);
    assert!(all(&mut line).contains("to='heir@h'><body>hello<"));
}
