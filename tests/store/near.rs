//! What the loop may read: the state and the current month.

use crate::fixture::{DAY_MS, NOON, Room};
use mixd::channel::Stamp;
use mixd::store::{MemoryStore, Store, near};
use std::panic::{AssertUnwindSafe, catch_unwind};

claims!(rows_of_old_months_are_not_at_hand);

/// A channel with three rows of an old month, and one with three more of the current one.
fn rooms(store: &dyn Store) -> [Room; 2] {
    let mut rooms = [("quiet", 1), ("coven", 2)].map(|(name, seed)| Room::create(store, name, seed));
    for room in &mut rooms {
        room.join(store, "p1");
        (0..3).for_each(|n| room.say(store, "p1", &format!("{n}")));
    }
    rooms[1].now = Stamp(NOON.0 + 40 * DAY_MS);
    (3..6).for_each(|n| rooms[1].say(store, "p1", &format!("{n}")));
    rooms
}

fn rows_of_old_months_are_not_at_hand(store: &dyn Store) {
    let [quiet, coven] = rooms(store);
    let numbers: Vec<u64> = (0..9).collect();
    let old = coven.rows.iter().filter(|row| row.stamp.0 < NOON.0 + DAY_MS).map(|row| row.number).max().unwrap();
    let at_hand = store.at_hand(coven.tag(), &numbers).unwrap();
    assert_eq!(at_hand, numbers.iter().map(|&row| row == 0 || row > old).collect::<Vec<_>>());
    assert_eq!(store.at_hand(quiet.tag(), &[1, 2]).unwrap(), [false; 2], "where it ends has to be read there");
    assert_eq!(store.at_hand(coven.tag() ^ 1, &[1, 2]).unwrap(), [true; 2], "there are none");
    // And what is at hand is found without a look elsewhere.
    let found = near(|| store.facts(coven.tag(), &[0, old + 1, 99])).unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
}

/// So a test fails that has the loop do it.
#[test]
fn whoever_does_the_work_of_the_loop_opens_no_old_month() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryStore::new([7; 16]);
    let tags = rooms(&memory).map(|room| room.tag());
    rooms(&crate::disk::open(folder.path()));
    let disk = crate::disk::open(folder.path());
    for store in [&memory as &dyn Store, &disk] {
        let looks = || catch_unwind(AssertUnwindSafe(|| near(|| store.facts(tags[0], &[1]))));
        assert_eq!(looks().is_err(), cfg!(debug_assertions));
        assert!(store.facts(tags[0], &[1]).unwrap()[0].is_some(), "elsewhere it is read");
    }
}
