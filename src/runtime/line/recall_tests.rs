//! What is written again after a multicast service refused it or vanished.

use super::super::tests::{HORIZON_MS, all, fan, is_pending, parcel, subscribers};
use super::*;
use crate::engine::outgoing::outbox::{Delta, Lasting, MulticastService, Out};

/// Lets accounts `0..count` share stanzas.
fn multicast(line: &mut Line, tag: u64, count: u32, addresses_max: usize) {
    let home = HomeNo::new(0).unwrap();
    let mut parcel = subscribers(tag, count);
    for out in &mut parcel.outs {
        if let Out::Book(Delta::Entry { entry, .. }) = out {
            entry.home = Some(home);
        }
    }
    let service = Some(MulticastService { to: "m.h".into(), addresses_max, presence_max: None, as_text: false });
    parcel.outs.push(Out::Book(Delta::Multicast { home, service }));
    line.push(parcel, 0);
}

fn named_fan(tag: u64, id: &str) -> Out {
    let Out::Fan(fan) = fan(tag, id, Lasting::Row) else { panic!("a fan-out") };
    Out::Fan(Fan { head: format!("<message from='c{tag}@m/p' id='{id}'"), ..fan })
}

fn refused(id: Option<&str>) -> Refused {
    Refused { by: "m.h".into(), message: id.map(|id| ("c1@m/p".to_owned(), id.to_owned())) }
}

#[test]
fn what_a_multicast_service_refuses_is_written_again_as_copies_and_once() {
    let mut line = Line::new();
    multicast(&mut line, 1, 10, 4);
    line.push(parcel(1, named_fan(1, "one")), 0);
    line.push(parcel(2, named_fan(1, "two")), 0);
    let lists = all(&mut line);
    assert_eq!((lists.matches("<addresses").count(), lists.matches("<address ").count()), (6, 20));
    assert_eq!(line.take_services(), ["m.h"]);
    let ping = line.cover();
    assert_eq!(line.recall(&refused(Some("one"))), 1);
    assert_eq!(line.recall(&refused(Some("one"))), 0, "its other lists say the same");
    assert_eq!(line.confirm(ping), None, "it is not yet written again");
    line.push(parcel(3, named_fan(1, "three")), 0);
    let copies = all(&mut line);
    assert!(!copies.contains("<address"), "{copies}");
    assert_eq!((copies.matches("id='one'").count(), copies.matches("id='three'").count()), (10, 10));
    assert!(copies.find("id='one'") < copies.find("id='three'") && !copies.contains("id='two'"));
    assert_eq!((line.take_services().len(), line.is_uncovered()), (0, true));
    let ping = line.cover();
    assert_eq!((line.confirm(ping), line.bytes()), (Some(3), 0));
}

#[test]
fn a_service_that_vanished_has_everything_written_again_that_it_is_not_known_to_have() {
    let mut line = Line::new();
    multicast(&mut line, 1, 3, 20);
    line.push(parcel(1, named_fan(1, "known")), 0);
    all(&mut line);
    let ping = line.cover();
    line.push(parcel(2, named_fan(1, "unknown")), 0);
    all(&mut line);
    assert_eq!(line.confirm(ping), Some(1));
    let other = Refused { by: "elsewhere".into(), message: None };
    assert_eq!(line.recall(&other), 0);
    assert_eq!(line.recall(&refused(None)), 1);
    let again = all(&mut line);
    assert_eq!((again.matches("id='unknown'").count(), again.contains("known'>")), (3, false));
}

#[test]
fn of_a_long_fan_out_only_what_was_written_is_written_again() {
    let mut line = Line::new();
    multicast(&mut line, 1, 5000, 50);
    line.push(parcel(1, named_fan(1, &"x".repeat(60))), 0);
    let mut block = Vec::new();
    line.fill(&mut block, 64 * 1024);
    line.fill(&mut block, 64 * 1024);
    let begun = String::from_utf8(block).unwrap().matches("<address ").count();
    assert!(begun > 500 && begun < 5000, "{begun}");
    assert_eq!(line.recall(&refused(Some(&"x".repeat(60)))), 1);
    let mut rest = String::new();
    while is_pending(&line) {
        let mut block = Vec::new();
        line.fill(&mut block, 64 * 1024);
        rest.push_str(std::str::from_utf8(&block).unwrap());
    }
    assert_eq!((rest.matches(" to='u").count(), rest.contains("<address")), (5000, false));
    let ping = line.cover();
    assert_eq!((line.confirm(ping), line.bytes()), (Some(1), 0));
}

#[test]
fn a_link_that_is_lost_before_it_is_written_again_loses_nothing() {
    let mut line = Line::new();
    multicast(&mut line, 1, 3, 20);
    line.push(parcel(1, named_fan(1, "one")), 0);
    all(&mut line);
    line.recall(&refused(Some("one")));
    line.rewind(0, HORIZON_MS);
    let again = all(&mut line);
    assert_eq!((again.matches("id='one'").count(), again.contains("<address")), (3, false));
    let ping = line.cover();
    assert_eq!((line.confirm(ping), line.bytes()), (Some(1), 0));
}
