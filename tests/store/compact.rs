//! A compacted store is the same one: what anybody can reach is there under the same numbers, the rest is gone, and
//! whenever it is cut short there is the old store or the new one.

use crate::backup::{backup, is_whole, pages_agree};
use crate::disk::{copy, open};
use crate::fixture::{DAY_MS, NOON, Room, jid, loaded};
use mixd::channel::{Command, Stamp};
use mixd::store::{Compacted, Manifest, SledOptions, SledStore, Store, StoreError, WorkProgress, folder_bytes};
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

fn compact(path: &Path) -> Result<Compacted, StoreError> {
    let mut go_on = |_: &WorkProgress| ControlFlow::Continue(());
    SledStore::compact(SledOptions { cache_bytes: 16 << 20, ..SledOptions::at(path) }, &mut go_on, &mut |_| {})
}

/// Every entry of a store, as the digests of a backup.
fn entries(path: &Path, to: &Path) -> Manifest {
    backup(&open(path), to).unwrap()
}

/// So that nothing is left that was put off.
fn settle(store: SledStore, path: &Path, now: Stamp) {
    store.idle(Stamp(now.0 + 5000)).unwrap();
    drop(store);
    open(path).idle(now).unwrap();
}

#[test]
fn every_entry_that_can_be_reached_is_there_and_numbers_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let store = open(&live);
    let mut room = Room::chat(&store, "coven", 30, 3000, 100);
    let long = room.message(&"x".repeat(60_000));
    room.run(&store, "p0", Command::Publish(long));
    let (key, empty) = (store.sealing_key(), Room::create(&store, "empty", 9));
    settle(store, &live, room.now);
    let before = entries(&live, &folder.path().join("before"));
    let done = compact(&live).unwrap();
    assert!(done.census.rows == 3001 && done.census.wrong == 0, "{done:?}");
    let bytes = |part: &str| folder_bytes(&live.join(part)).unwrap();
    assert_eq!(done.bytes_after, bytes("state") + bytes("archive"));
    let after = entries(&live, &folder.path().join("after"));
    assert_eq!(before.files, after.files);
    assert_eq!(before.commit, after.commit);

    let store = open(&live);
    is_whole(&store);
    assert_eq!((store.replayed(), store.sealing_key()), (0, key));
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    assert_eq!(loaded(&store, "empty").unwrap(), empty.channel);
    pages_agree(&store, &room);
    room.say(&store, "p1", "and on");
    assert_eq!(room.rows.last().unwrap().number, 3002);
    pages_agree(&store, &room);
    drop(store);
    assert_eq!(loaded(&open(&live), "coven").unwrap(), room.channel);
}

/// A store of which much cannot be reached, with the channels that are left.
fn worn(path: &Path) -> [Room; 2] {
    let store = open(path);
    // Its tag is drawn from the seed, and has to be another one.
    let mut gone = Room::create(&store, "gone", 8);
    (0..40).for_each(|n| gone.join(&store, &format!("p{n}")));
    for n in 0..60 {
        gone.now = Stamp(NOON.0 + n * DAY_MS);
        let said = (0..50).map(|k| gone.message(&format!("{n} {k}"))).collect::<Vec<_>>();
        let records = said.into_iter().flat_map(|it| gone.decide(&jid("p7"), Command::Publish(it))).collect::<Vec<_>>();
        store.commit(gone.now, &records).unwrap();
    }
    gone.destroy(&store);
    let mut old = Room::chat(&store, "old", 10, 2000, 100);
    // Neither the end of a block nor that of a month.
    let last = old.rows[1277].clone();
    let base = mixd::channel::Head { row: last.number, ordinal: last.ordinal, stamp: last.stamp };
    let records = old.apply(vec![old.expired(base)]);
    store.commit(old.now, &records).unwrap();
    let mut kept = Room::create(&store, "kept", 3);
    kept.now = Stamp(NOON.0 + 101 * DAY_MS);
    kept.join(&store, "p1");
    (0..300).for_each(|n| kept.say(&store, "p1", &format!("{n}")));
    [old, kept]
}

#[test]
fn what_nobody_can_reach_is_left_out_and_the_store_becomes_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let rooms = worn(&live);
    let entries_of = |manifest: &Manifest| manifest.files.iter().map(|file| file.entries).sum::<u64>();
    let before = entries(&live, &folder.path().join("before"));
    let months = || fs::read_dir(live.join("archive")).unwrap().count();
    let all = months();
    let done = compact(&live).unwrap();
    assert!(done.bytes_after < done.bytes_before * 2 / 3, "{done:?}");
    assert_eq!(done.census.rows, 2000 - 1278 + 300);
    let after = entries(&live, &folder.path().join("after"));
    // Rows of what is left, their indexes, and some more; of the rest nothing.
    let (before, after) = (entries_of(&before), entries_of(&after));
    assert!(before > 5300 && after < 2500, "{before} entries, then {after}");
    assert!(months() < all, "a month that nobody has rows in is there");
    let mut store = open(&live);
    for round in 0..2 {
        is_whole(&store);
        for room in &rooms {
            assert_eq!(loaded(&store, room.channel.name().as_str()).unwrap(), room.channel, "round {round}");
            pages_agree(&store, room);
        }
        assert!(loaded(&store, "gone").is_none());
        assert_eq!(store.channels_of(&jid("p39")).unwrap().len(), 0);
        drop(store);
        // A second time there is nothing to be gained, and nothing is lost.
        let again = compact(&live).unwrap();
        assert!(again.bytes_after < again.bytes_before + (64 << 10), "{again:?}");
        store = open(&live);
    }
}

/// What an exchange does, one step after the other, to a copy of the old store and a copy of the new one.
fn steps(store: &Path, new: &Path) -> Vec<Box<dyn Fn()>> {
    let (store, new) = (store.to_owned(), new.to_owned());
    let rename = |from: &str, to: &str| {
        let (from, to) = (store.join(from), store.join(to));
        Box::new(move || fs::rename(&from, &to).unwrap()) as Box<dyn Fn()>
    };
    let remove = |path: &str| {
        let path = store.join(path);
        Box::new(move || fs::remove_dir_all(&path).unwrap()) as Box<dyn Fn()>
    };
    let make = {
        let store = store.clone();
        Box::new(move || {
            copy(&new.join("state"), &store.join("compacting/state"));
            copy(&new.join("archive"), &store.join("compacting/archive"));
        }) as Box<dyn Fn()>
    };
    vec![
        make,
        rename("compacting", "compacted"),
        rename("state", "compacted/state.old"),
        rename("compacted/state", "state"),
        rename("archive", "compacted/archive.old"),
        rename("compacted/archive", "archive"),
        remove("compacted/archive.old"),
        remove("compacted/state.old"),
    ]
}

#[test]
fn an_exchange_that_ends_after_any_step_is_undone_or_finished_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    let rooms = worn(&old);
    drop(open(&old));
    copy(&old, &new);
    compact(&new).unwrap();
    drop(open(&new));
    let bytes_new = folder_bytes(&new).unwrap();
    for count in 0..=8 {
        let store = folder.path().join(count.to_string());
        copy(&old, &store);
        steps(&store, &new).iter().take(count).for_each(|step| step());
        let found = open(&store);
        is_whole(&found);
        for room in &rooms {
            assert_eq!(loaded(&found, room.channel.name().as_str()).unwrap(), room.channel, "step {count}");
            pages_agree(&found, room);
        }
        drop(found);
        assert!(!store.join("compacting").exists() && !store.join("compacted").exists());
        let is_new = folder_bytes(&store).unwrap() < bytes_new + (64 << 10);
        assert_eq!(is_new, count >= 2, "step {count}");
        fs::remove_dir_all(&store).unwrap();
    }
}

#[test]
fn a_store_that_is_wrong_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let store = open(&live);
    let room = Room::chat(&store, "coven", 4, 300, 70);
    settle(store, &live, room.now);
    fs::remove_dir_all(live.join("archive/2026-12")).unwrap();
    let before = entries(&live, &folder.path().join("before"));
    let done = compact(&live).unwrap();
    assert_eq!(done.census.wrong, 1);
    assert!(!live.join("compacting").exists());
    assert_eq!(entries(&live, &folder.path().join("after")).files, before.files);
}

#[test]
fn what_cannot_be_done_is_told_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let told = compact(&live).unwrap_err().to_string();
    assert!(told.contains("there is no FORMAT file") && !live.exists(), "{told}");
    let store = open(&live);
    Room::chat(&store, "coven", 4, 300, 70);
    let told = compact(&live).unwrap_err().to_string();
    assert!(told.contains("is locked by process") && told.contains("Stop mixd first"), "{told}");
    drop(store);
    let mut go_on = |_: &WorkProgress| ControlFlow::Continue(());
    let options = SledOptions { reserve_bytes: 1 << 60, ..SledOptions::at(&live) };
    let told = SledStore::compact(options, &mut go_on, &mut |_| {}).unwrap_err().to_string();
    assert!(told.contains("compacting takes up to"), "{told}");
    let mut stop =
        |step: &WorkProgress| if step.what == "state" { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let told = SledStore::compact(SledOptions::at(&live), &mut stop, &mut |_| {}).unwrap_err().to_string();
    assert!(told.contains("stopped"), "{told}");
    assert!(!live.join("compacting").exists());
    // An archive on another disk, by a link.
    let away = folder.path().join("away");
    fs::rename(live.join("archive"), &away).unwrap();
    std::os::unix::fs::symlink(&away, live.join("archive")).unwrap();
    let told = compact(&live).unwrap_err().to_string();
    assert!(told.contains("is a link"), "{told}");
    is_whole(&open(&live));
}
