//! What only a disk can get wrong: restarts, crashes, damage, other people's folders.

use crate::fixture::{DAY_MS, NOON, Room, loaded};
use mixd::channel::{Change, Stamp};
use mixd::store::{CommitError, PagePlan, Record, SledOptions, SledStore, Store};
use std::fs;
use std::path::Path;

pub fn open(path: &Path) -> SledStore {
    try_open(path).unwrap()
}

fn try_open(path: &Path) -> Result<SledStore, mixd::store::StoreError> {
    SledStore::open(SledOptions { cache_bytes: 16 << 20, old_months_max: 2, ..SledOptions::at(path) })
}

fn why(path: &Path) -> String {
    try_open(path).err().expect("it opens").to_string()
}

/// What a crash of the process leaves: the files as they are while it runs.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target)
        } else {
            fs::copy(entry.path(), target).map(|_| ()).unwrap()
        }
    }
}

#[test]
fn everything_is_there_after_a_restart_and_the_key_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let key = store.sealing_key();
    let mut room = Room::chat(&store, "coven", 4, 120, 70);
    drop(store);
    for n in 0..2 {
        let store = open(folder.path());
        assert_eq!(store.replayed(), 0);
        assert_eq!(store.sealing_key(), key);
        assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
        let plan = PagePlan { max: 1000, ..room.plan() };
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
        room.say(&store, "p1", &format!("after restart {n}"));
    }
    assert!(key != [0; 16]);
}

#[test]
fn a_store_is_made_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("var/mixd");
    drop(open(&path));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("archive"))), (0o700, 0o700));
    let theirs = folder.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o750)).unwrap();
    drop(open(&theirs));
    assert_eq!(mode(&theirs), 0o750, "what was there stays as its owner wants it");
}

#[test]
fn two_stores_have_different_keys() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_ne!(open(one.path()).sealing_key(), open(other.path()).sealing_key());
}

#[test]
fn what_the_state_had_not_got_when_the_process_died_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let mut room = Room::create(&store, "coven", 1);
    let mut replayed = 0;
    for n in 0..6 {
        room.now = Stamp(NOON.0 + n * 17 * DAY_MS);
        room.join(&store, &format!("p{n}"));
        room.say(&store, "p0", "hello");
        let crashed = folder.path().join(format!("crashed{n}"));
        copy(&folder.path().join("live"), &crashed);
        let found = open(&crashed);
        replayed += found.replayed();
        assert_eq!(loaded(&found, "coven").unwrap(), room.channel);
        drop(found);
        assert_eq!(open(&crashed).replayed(), 0, "what was replayed is kept");
    }
    assert!(replayed > 0, "no copy was taken before the state was written");
}

/// Copies of a store at rest at two times, between which members joined and rows were said.
fn early_and_late(folder: &Path) -> Room {
    let store = open(&folder.join("live"));
    let mut early = Room::create(&store, "coven", 1);
    early.join(&store, "p0");
    early.say(&store, "p0", "hello");
    store.idle(Stamp(NOON.0 + 5000)).unwrap();
    copy(&folder.join("live"), &folder.join("early"));
    let mut late = Room::resume(early.channel.clone(), 2);
    for n in 1..50 {
        late.join(&store, &format!("p{n}"));
        late.say(&store, "p0", "hello");
    }
    ["p3", "p4"].iter().for_each(|who| late.leave(&store, who));
    drop(store);
    copy(&folder.join("live"), &folder.join("late"));
    late
}

pub fn mix(folder: &Path, state: &str, archive: &str) -> std::path::PathBuf {
    let mixed = folder.join("mixed");
    copy(&folder.join(archive), &mixed);
    fs::remove_dir_all(mixed.join("state")).unwrap();
    copy(&folder.join(state).join("state"), &mixed.join("state"));
    mixed
}

#[test]
fn a_state_that_is_as_old_as_its_last_sync_catches_up() {
    let folder = tempfile::tempdir().unwrap();
    let late = early_and_late(folder.path());
    let store = open(&mix(folder.path(), "early", "late"));
    assert_eq!(store.replayed(), 51);
    assert_eq!(loaded(&store, "coven").unwrap(), late.channel);
    assert_eq!(store.channels_of(&crate::fixture::jid("p3")).unwrap(), vec![]);
    assert_eq!(store.channels_of(&crate::fixture::jid("p7")).unwrap().len(), 1);
}

#[test]
fn an_archive_that_is_older_than_its_state_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    early_and_late(folder.path());
    let told = why(&mix(folder.path(), "late", "early"));
    assert!(told.contains("a part of the archive is lost"), "{told}");
}

#[test]
fn a_state_that_is_older_than_what_its_archive_dropped_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    early_and_late(folder.path());
    // A start finds everything applied, and drops what has served.
    open(&folder.path().join("late")).idle(NOON).unwrap();
    let told = why(&mix(folder.path(), "early", "late"));
    assert!(told.contains("a part of state/ is lost"), "{told}");
}

#[test]
fn idle_time_syncs_the_state_so_that_nothing_is_left_to_replay() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let mut room = Room::create(&store, "coven", 1);
    (0..200).for_each(|n| room.join(&store, &format!("p{n}")));
    store.idle(Stamp(NOON.0 + 5000)).unwrap();
    copy(&folder.path().join("live"), &folder.path().join("crashed"));
    let found = open(&folder.path().join("crashed"));
    assert_eq!(found.replayed(), 0);
    assert_eq!(loaded(&found, "coven").unwrap(), room.channel);
}

#[test]
fn a_destroyed_channel_stays_destroyed_when_the_process_dies_while_clearing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let mut room = Room::create(&store, "coven", 1);
    (0..300).for_each(|n| room.join(&store, &format!("p{n}")));
    store.commit(NOON, &[room.record(Change::Destroyed(Default::default()))]).unwrap();
    copy(&folder.path().join("live"), &folder.path().join("crashed"));
    let found = open(&folder.path().join("crashed"));
    assert_eq!(loaded(&found, "coven"), None);
    assert_eq!(found.channels_of(&crate::fixture::jid("p7")).unwrap(), vec![]);
    (0..3).for_each(|_| found.idle(NOON).unwrap());
    let ids: Vec<_> = room.channel.members().map(|member| member.id.clone()).collect();
    assert!(found.people(room.tag(), &ids).unwrap().is_empty());
}

#[test]
fn no_value_is_so_long_that_it_leaves_the_synced_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut room = Room::create(&store, "coven", 1);
    room.join(&store, "p0");
    (0..40).for_each(|_| room.say(&store, "p0", &"z".repeat(131_000)));
    drop(store);
    for place in ["state", "archive/2026-11"] {
        assert_eq!(fs::read_dir(folder.path().join(place).join("blobs")).unwrap().count(), 0, "{place}");
    }
}

#[test]
fn a_second_opener_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let told = why(folder.path());
    assert!(told.contains("locked by process") && told.contains(&std::process::id().to_string()), "{told}");
    drop(store);
    open(folder.path());
}

#[test]
fn another_version_is_refused_with_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::write(folder.path().join("FORMAT"), "mixd store 42\n").unwrap();
    let told = why(folder.path());
    assert!(told.contains("version 42") && told.contains("version 8"), "{told}");
    fs::write(folder.path().join("FORMAT"), "gibberish").unwrap();
    assert!(why(folder.path()).contains("does not say which version"));
}

#[test]
fn what_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(why(&file).contains("not a folder"));
    assert!(why(&file.join("below")).contains("cannot be made"));
    assert!(why(folder.path()).contains("no FORMAT file"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let fresh = folder.path().join("fresh/below");
    fs::create_dir_all(fresh.join("lost+found")).unwrap();
    open(&fresh);
}

/// A closed store of 5 months, damaged, and what opening and reading it says.
fn told_after(damage: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let room = Room::chat(&store, "coven", 4, 400, 130);
    drop(store);
    damage(folder.path());
    let outcome = try_open(folder.path()).and_then(|store| {
        store.load(&[crate::fixture::name("coven")])?;
        store.page(&PagePlan { max: 1000, ..room.plan() })
    });
    let told = outcome.map(|page| page.rows.len()).expect_err("the damage goes unseen").to_string();
    assert!(told.contains("backup"), "{told}");
    told
}

const NEWEST: &str = "archive/2027-04/db";
const OLDEST: &str = "archive/2026-11/db";

#[test]
fn a_file_that_was_emptied_is_an_error_and_never_an_empty_store() {
    for file in ["state/db", NEWEST, OLDEST] {
        told_after(|path| drop(fs::File::create(path.join(file)).unwrap()));
    }
}

#[test]
fn a_file_that_lost_its_end_is_an_error() {
    for file in ["state/db", NEWEST, OLDEST] {
        told_after(|path| {
            let bytes = fs::read(path.join(file)).unwrap();
            let used = bytes.iter().rposition(|&byte| byte != 0).unwrap();
            fs::write(path.join(file), &bytes[..used / 2]).unwrap();
        });
    }
}

#[test]
fn a_file_of_garbage_is_an_error_and_no_panic() {
    for file in ["state/db", NEWEST, OLDEST] {
        told_after(|path| {
            let length = fs::metadata(path.join(file)).unwrap().len() as usize;
            let garbage: Vec<u8> = (0..length).map(|n| (n * n / 7 + n) as u8).collect();
            fs::write(path.join(file), garbage).unwrap();
        });
    }
}

#[test]
fn a_folder_that_is_missing_is_an_error() {
    for folder in ["state", "archive/2027-04", "archive/2027-01", "archive"] {
        told_after(|path| fs::remove_dir_all(path.join(folder)).unwrap());
    }
}

#[test]
fn a_start_that_was_interrupted_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let room = Room::chat(&store, "coven", 2, 10, 1);
    drop(store);
    // The next month was being made.
    drop(crate::samples::database(&folder.path().join("archive/2026-12")));
    let store = open(folder.path());
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    let mut room = room;
    room.now = Stamp(NOON.0 + 20 * DAY_MS);
    room.say(&store, "p0", "in december");
    drop(store);
    assert_eq!(loaded(&open(folder.path()), "coven").unwrap(), room.channel);
    // The store itself was being made.
    let fresh = tempfile::tempdir().unwrap();
    fs::write(fresh.path().join("LOCK"), "1\n").unwrap();
    fs::write(fresh.path().join("FORMAT.new"), "mixd").unwrap();
    drop(open(fresh.path()));
    fs::remove_dir_all(fresh.path().join("state")).unwrap();
    open(fresh.path());
}

#[test]
fn what_is_to_stay_free_is_kept_free_and_the_store_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut room = Room::chat(&open(folder.path()), "coven", 4, 120, 70);
    let store = SledStore::open(SledOptions { reserve_bytes: u64::MAX, ..SledOptions::at(folder.path()) }).unwrap();
    let name = room.channel.name().clone();
    let records =
        [Record::Channel { name, tag: room.channel.profile().tag, change: Change::Destroyed(Default::default()) }];
    match store.commit(NOON, &records) {
        Err(CommitError::Refused(why)) => assert!(why.contains("storage.reserve_bytes"), "{why}"),
        other => panic!("{other:?}"),
    }
    store.commit(NOON, &[]).unwrap();
    // What lets something go takes no room.
    store.commit(NOON, &[Record::Sent(1)]).unwrap();
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    drop(store);
    let store = open(folder.path());
    room.say(&store, "p1", "there is room again");
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
}

/// It is left behind when the process is killed, or finds the disk full, while sled opens a database.
#[test]
fn a_snapshot_that_was_not_finished_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let room = Room::chat(&store, "coven", 4, 120, 70);
    drop(store);
    let months = fs::read_dir(folder.path().join("archive")).unwrap().map(|month| month.unwrap().path());
    for database in months.chain([folder.path().join("state")]) {
        fs::write(database.join("snap.7FFFFFFFFFFFFFFE.generating"), b"").unwrap();
        fs::write(database.join("snap.7FFFFFFFFFFFFFFF.generating"), b"the beginning of a snapshot").unwrap();
    }
    let store = open(folder.path());
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    let plan = PagePlan { max: 1000, ..room.plan() };
    assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
}

#[test]
fn readers_of_every_month_and_the_writer_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(SledOptions { old_months_max: 1, ..SledOptions::at(folder.path()) }).unwrap();
    let mut room = Room::chat(&store, "coven", 3, 120, 120);
    let plan = PagePlan { last: 120, max: 120, ..room.plan() };
    let wanted = room.naive(&plan);
    std::thread::scope(|scope| {
        for start in [1, 40, 80] {
            let (store, plan, wanted) = (&store, &plan, &wanted);
            scope.spawn(move || {
                for turn in 0..12 {
                    assert_eq!(store.page(plan).unwrap().rows, wanted.rows);
                    let one = store.rows(plan.tag, &[start + turn]).unwrap().remove(0);
                    assert_eq!(one.as_ref(), wanted.rows.get(start as usize + turn as usize - 1));
                }
            });
        }
        for n in 0..40 {
            room.now = Stamp(NOON.0 + (120 + 5 * n) * DAY_MS);
            room.say(&store, "p0", "meanwhile");
        }
    });
    let plan = PagePlan { max: 1000, ..room.plan() };
    assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
}
