//! What the host server is not known to have is kept until it is.

use crate::fixture::{DAY_MS, NOON, Room, name};
use mixd::channel::{Node, Stamp};
use mixd::store::{Halves, Part, Record, Store, Unsent};

fn unsent(number: u64) -> Unsent {
    let stanza = Halves { head: "<message".into(), tail: "x".repeat(10_000), groupchat: true };
    let parts = vec![
        Part::Row { name: name("coven"), tag: 7, row: number },
        Part::List { name: name("coven"), tag: 7, node: Node::Participants, except: None, stanza },
        Part::Stanza("<iq/>".into()),
    ];
    Unsent { number, stamp: NOON, parts }
}

fn numbers(store: &dyn Store) -> Vec<u64> {
    store.unsent().unwrap().iter().map(|unsent| unsent.number).collect()
}

fn what_is_unsent_is_kept_with_its_turn_and_goes_when_it_is_sent(store: &dyn Store) {
    assert_eq!(numbers(store), [] as [u64; 0]);
    for number in [1, 2, 300, 301] {
        store.commit(NOON, &[Record::Unsent(unsent(number))]).unwrap();
    }
    assert_eq!(store.unsent().unwrap()[2], unsent(300));
    store.commit(NOON, &[Record::Sent(2)]).unwrap();
    store.idle(NOON).unwrap();
    assert_eq!(numbers(store), [300, 301]);
    store.commit(NOON, &[Record::Unsent(unsent(302)), Record::Sent(300)]).unwrap();
    assert_eq!(numbers(store), [301, 302]);
}

fn a_new_month_begins_with_what_is_unsent(store: &dyn Store) {
    store.commit(NOON, &[Record::Unsent(unsent(1)), Record::Unsent(unsent(2)), Record::Sent(1)]).unwrap();
    let later = Stamp(NOON.0 + 40 * DAY_MS);
    store.commit(later, &[Record::Unsent(unsent(3))]).unwrap();
    assert_eq!(numbers(store), [2, 3]);
    store.commit(later, &[Record::Sent(2)]).unwrap();
    store.idle(later).unwrap();
    assert_eq!(numbers(store), [3]);
}

fn a_clean_stop_leaves_nothing_of_what_was_sent(store: &dyn Store) {
    for number in 1..=2000 {
        let parts = vec![Part::Stanza("<iq/>".into())];
        store.commit(NOON, &[Record::Unsent(Unsent { number, stamp: NOON, parts })]).unwrap();
    }
    store.commit(NOON, &[Record::Sent(1999)]).unwrap();
    store.finish(NOON).unwrap();
    assert_eq!(numbers(store), [2000]);
}

claims! {
    a_clean_stop_leaves_nothing_of_what_was_sent,
    what_is_unsent_is_kept_with_its_turn_and_goes_when_it_is_sent,
    a_new_month_begins_with_what_is_unsent,
}

#[test]
fn what_is_unsent_is_there_after_a_restart_and_after_another_month() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::disk::open(folder.path());
    Room::create(&store, "coven", 1);
    store.commit(NOON, &[Record::Unsent(unsent(1)), Record::Unsent(unsent(2))]).unwrap();
    drop(store);
    let store = crate::disk::open(folder.path());
    assert_eq!(numbers(&store), [1, 2]);
    store.commit(NOON, &[Record::Sent(1)]).unwrap();
    let later = Stamp(NOON.0 + 40 * DAY_MS);
    store.commit(later, &[Record::Unsent(unsent(3))]).unwrap();
    drop(store);
    let store = crate::disk::open(folder.path());
    assert_eq!(store.unsent().unwrap(), [unsent(2), unsent(3)]);
}
