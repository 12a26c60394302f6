//! A commit that fails: what the store in memory can be told to do, for the simulation.

use crate::fixture::{Room, is_unknown, jid, loaded};
use mixd::channel::Command;
use mixd::store::{CommitError, Failure, MemoryStore, Store};

#[test]
fn a_refused_commit_leaves_nothing_and_the_next_one_passes() {
    let store = MemoryStore::new([1; 16]);
    let mut room = Room::create(&store, "coven", 1);
    let before = loaded(&store, "coven");
    let records = room.decide(&jid("hag66"), Command::Join(Default::default()));
    store.fail_next_commits(2, Failure::Refused);
    for _ in 0..2 {
        assert!(matches!(store.commit(room.now, &records), Err(CommitError::Refused(_))));
        assert_eq!(loaded(&store, "coven"), before);
    }
    store.commit(room.now, &records).unwrap();
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
}

#[test]
fn an_unknown_commit_was_kept_or_lost_as_told_and_another_handle_sees_it() {
    let store = MemoryStore::new([1; 16]);
    let mut room = Room::create(&store, "coven", 1);
    let after_restart = store.clone();
    for (failure, is_kept) in [(Failure::UnknownLost, false), (Failure::UnknownKept, true)] {
        let before = loaded(&store, "coven").unwrap();
        let records = room.decide(&jid("owner"), Command::Join(Default::default()));
        store.fail_next_commits(1, failure);
        assert!(is_unknown(store.commit(room.now, &records)));
        let found = loaded(&after_restart, "coven").unwrap();
        assert_eq!(found, if is_kept { room.channel.clone() } else { before.clone() });
        room.channel = found;
    }
}
