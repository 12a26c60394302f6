//! A backup is the store at one point, whatever is written meanwhile; a restored store goes on where no client has been.

use crate::disk::open;
use crate::fixture::{DAY_MS, NOON, Room, jid, loaded, wrong};
use mixd::channel::{Command, Stamp};
use mixd::store::{Bounds, Manifest, PagePlan, Restored, SledOptions, SledStore, Store, StoreError, WorkProgress};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

const TAKEN: Stamp = Stamp(NOON.0 + 80 * DAY_MS);

fn go_on(_: &WorkProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub fn backup(store: &SledStore, to: &Path) -> Result<Manifest, StoreError> {
    store.backup(to, &|| TAKEN, &mut go_on)
}

fn restore(from: &Path, to: &Path) -> Result<(SledStore, Restored), StoreError> {
    SledStore::restore(from, SledOptions { cache_bytes: 16 << 20, ..SledOptions::at(to) }, TAKEN, &mut go_on)
}

pub fn is_whole(store: &SledStore) {
    assert_eq!(wrong(|watch| store.verify(watch).unwrap()), Vec::<String>::new());
}

#[test]
fn a_restored_store_holds_what_the_backup_does_and_passes_over_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("backup"), folder.path().join("restored"));
    let store = open(&folder.path().join("live"));
    let mut room = Room::chat(&store, "coven", 4, 120, 70);
    let empty = Room::create(&store, "empty", 9);
    let video = folder.path().join("live/files/of-coven");
    fs::create_dir(video.parent().unwrap()).unwrap();
    fs::write(&video, [7; 300_000]).unwrap();
    let manifest = backup(&store, &first).unwrap();
    assert_eq!((manifest.channels, manifest.taken()), (2, TAKEN));
    // What comes after it is lost, and its numbers are not given again.
    let before = room.channel.head().row;
    let mut lost = Room::resume(loaded(&store, "coven").unwrap(), 5);
    (0..3).for_each(|_| lost.say(&store, "p1", "lost"));
    drop(store);

    let (store, restored) = restore(&first, &second).unwrap();
    is_whole(&store);
    assert_eq!(fs::read(second.join("files/of-coven")).unwrap(), [7; 300_000]);
    assert_eq!(restored, Restored { manifest, skipped: 1_000_000 });
    assert_eq!(loaded(&store, "empty").unwrap().head().row, 1_000_000);
    assert_eq!(store.directory().unwrap().gid_highest, 9 + 10_000);
    room.channel = loaded(&store, "coven").unwrap();
    assert_eq!(room.channel.head().row, before + 1_000_000);
    let gap = (before + 1, before + 1_000_000);
    let bounds = store.bounds(room.tag()).unwrap().unwrap();
    assert_eq!(bounds, Bounds { oldest: 1, newest: before, gaps: vec![gap] });
    assert!(bounds.holds(before) && !bounds.holds(before + 1));
    assert_eq!(store.bounds(empty.tag()).unwrap(), None);
    pages_agree(&store, &room);

    room.now = TAKEN;
    room.say(&store, "p2", "after");
    room.say(&store, "p2", "and again");
    assert_eq!(room.rows.last().unwrap().number, gap.1 + 2);
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    pages_agree(&store, &room);
    is_whole(&store);
    drop(store);
    let store = open(&second);
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    pages_agree(&store, &room);
    // A backup of it knows the gap.
    backup(&store, &folder.path().join("later")).unwrap();
    let (store, _) = restore(&folder.path().join("later"), &folder.path().join("again")).unwrap();
    is_whole(&store);
    assert_eq!(store.bounds(room.tag()).unwrap().unwrap().gaps, [gap, (gap.1 + 3, gap.1 + 1_000_002)]);
}

/// Pages of every size, from both ends and from the middle, are those of a look at every row.
pub fn pages_agree(store: &dyn Store, room: &Room) {
    let numbers: Vec<u64> = room.rows.iter().map(|row| row.number).collect();
    let (last, middle) = (*numbers.last().unwrap(), numbers[numbers.len() / 2]);
    for max in [0, 1, 7, 50, 1000] {
        for from_end in [false, true] {
            for (low, high) in [(1, u64::MAX), (middle, last + 5), (last + 1, u64::MAX), (2, last - 1), (1, last + 900)]
            {
                let plan = PagePlan { first: low, last: high, max, from_end, ..room.plan() };
                assert_eq!(store.page(&plan).unwrap(), room.naive(&plan), "{plan:?}");
            }
            for row in room.rows.iter().rev().take(10) {
                let (start, end) = (Some(row.stamp), Some(Stamp(row.stamp.0 + 10 * DAY_MS)));
                let plan = PagePlan { start, end, max, from_end, ..room.plan() };
                assert_eq!(store.page(&plan).unwrap(), room.naive(&plan), "{plan:?}");
                let plan = PagePlan { author: Some(row.author.clone()), max, from_end, ..room.plan() };
                assert_eq!(store.page(&plan).unwrap(), room.naive(&plan), "{plan:?}");
            }
        }
    }
}

#[test]
fn numbers_that_clients_may_know_are_passed_over_at_each_restore() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    Room::create(&store, "coven", 1);
    backup(&store, &folder.path().join("backup")).unwrap();
    let (mut seen, times_ms) = (0, [0, 1000, 9000, DAY_MS, 2 * DAY_MS, 30 * DAY_MS]);
    for (n, &time_ms) in times_ms.iter().enumerate() {
        let (to, now) = (folder.path().join(n.to_string()), Stamp(TAKEN.0 + time_ms));
        let (store, _) =
            SledStore::restore(&folder.path().join("backup"), SledOptions::at(&to), now, &mut go_on).unwrap();
        let head = loaded(&store, "coven").unwrap().head().row;
        assert!(head > seen, "the numbers of {time_ms} ms later begin at {head}, and {seen} were given");
        // As many rows as a channel can get until the next one.
        seen = head + (times_ms.get(n + 1).unwrap_or(&time_ms) - time_ms) * 99;
    }
}

/// Everything of a store, read one by one.
fn contents(store: &SledStore, rooms: &[&str]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for room in rooms {
        let Some(channel) = loaded(store, room) else { continue };
        let bounds = store.bounds(channel.profile().tag).unwrap();
        let rows = bounds.map(|bounds| {
            let numbers: Vec<u64> = (bounds.oldest..=bounds.newest).collect();
            store.rows(channel.profile().tag, &numbers).unwrap()
        });
        all.insert(format!("{room} rows"), format!("{rows:?}"));
        let mut members: Vec<String> = channel.members().map(|member| format!("{member:?}")).collect();
        members.sort();
        all.insert(format!("{room} members"), members.join("\n"));
    }
    all
}

#[test]
fn a_backup_beside_commits_is_the_store_between_two_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let mut room = Room::chat(&store, "coven", 30, 3000, 50);
    // Long values, so that there are pieces to be torn.
    let long = mixd::channel::Message { payload: "x".repeat(60_000), ..room.message("") };
    room.run(&store, "p0", Command::Publish(long));
    let stop = AtomicBool::new(false);
    let backups: Vec<_> = (0..4).map(|n| folder.path().join(format!("backup{n}"))).collect();
    let commits = std::thread::scope(|scope| {
        // One commit says its number in a row, in a member's record and in another channel.
        let busy = scope.spawn(|| {
            let mut commits = 0u64;
            while !stop.load(Ordering::Relaxed) {
                commits += 1;
                room.now = Stamp(NOON.0 + (60 + commits / 40) * DAY_MS);
                let who = jid(&format!("q{commits}"));
                let mut records = room.decide(&who, Command::Join(Default::default()));
                let payload = format!("{commits} {}", "y".repeat(if commits.is_multiple_of(5) { 20_000 } else { 100 }));
                let message = mixd::channel::Message { payload, ..room.message("") };
                records.extend(room.decide(&who, Command::Publish(message)));
                let (side, created) = Room::draft("side", 1000 + commits.div_ceil(2));
                let destroyed = side.record(mixd::channel::Change::Destroyed(Default::default()));
                records.push(if commits % 2 == 1 { created } else { destroyed });
                store.commit(room.now, &records).unwrap();
                store.idle(room.now).unwrap();
            }
            commits
        });
        backups.iter().for_each(|to| drop(backup(&store, to).unwrap()));
        stop.store(true, Ordering::Relaxed);
        busy.join().unwrap()
    });
    assert!(commits > 20, "only {commits} commits were made");
    let mut counts = Vec::new();
    for (n, from) in backups.iter().enumerate() {
        let (copy, _) = restore(from, &folder.path().join(format!("copy{n}"))).unwrap();
        is_whole(&copy);
        let channel = loaded(&copy, "coven").unwrap();
        let newest = copy.bounds(room.tag()).unwrap().unwrap().newest;
        let row = copy.rows(room.tag(), &[newest]).unwrap().remove(0).unwrap();
        let said: u64 = row.payload.split(' ').next().unwrap().parse().unwrap_or(0);
        assert_eq!(channel.participant_count() as u64, 30 + said, "people and rows are of different commits");
        assert_eq!(loaded(&copy, "side").is_some(), said % 2 == 1);
        let all = contents(&copy, &["coven"]);
        let live = contents(&store, &["coven"]);
        assert!(live["coven rows"].starts_with(all["coven rows"].trim_end_matches("])")));
        counts.push(said);
    }
    assert!(counts.is_sorted() && counts[0] < counts[3], "nothing was written meanwhile: {counts:?}");
}

#[test]
fn months_that_are_over_are_the_same_file_in_every_backup() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let mut room = Room::chat(&store, "coven", 4, 300, 70);
    let one = backup(&store, &folder.path().join("one")).unwrap();
    room.say(&store, "p1", "more");
    let other = backup(&store, &folder.path().join("other")).unwrap();
    let find = |manifest: &Manifest, name: &str| manifest.files.iter().find(|file| file.name == name).cloned();
    for month in ["2026-11", "2026-12"] {
        let name = format!("{month}.entries");
        assert!(find(&one, &name).is_some());
        assert_eq!(find(&one, &name), find(&other, &name));
    }
    assert_ne!(find(&one, "state.entries"), None);
}

#[test]
fn a_backup_goes_into_a_folder_of_its_own_and_one_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    Room::chat(&store, "coven", 4, 30, 7);
    fs::create_dir(folder.path().join("full")).unwrap();
    fs::write(folder.path().join("full/photo"), "x").unwrap();
    let told = backup(&store, &folder.path().join("full")).unwrap_err().to_string();
    assert!(told.contains("is not empty"), "{told}");
    assert!(folder.path().join("full/photo").exists());

    let to = folder.path().join("stopped");
    let stopped = store.backup(&to, &|| TAKEN, &mut |_| ControlFlow::Break(()));
    assert!(stopped.unwrap_err().to_string().contains("stopped"));
    assert!(!to.exists());
    // And the next one may begin.
    backup(&store, &to).unwrap();
    let mode =
        |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777;
    assert_eq!((mode(&to), mode(&to.join("state.entries")), mode(&to.join("MANIFEST.json"))), (0o700, 0o600, 0o600));
}

#[test]
fn a_backup_that_is_not_whole_is_refused_and_leaves_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    Room::chat(&store, "coven", 4, 30, 7);
    let whole = folder.path().join("whole");
    fs::create_dir(folder.path().join("live/files")).unwrap();
    fs::write(folder.path().join("live/files/video"), "moving").unwrap();
    backup(&store, &whole).unwrap();
    type Damage<'a> = (&'a str, &'a dyn Fn(&Path), &'a str);
    let damages: [Damage; 8] = [
        ("unfinished", &|path| fs::remove_file(path.join("MANIFEST.json")).unwrap(), "did not come to its end"),
        ("a file went", &|path| fs::remove_file(path.join("2026-11.entries")).unwrap(), "cannot be read"),
        ("cut", &|path| edit(&path.join("state.entries"), |bytes| bytes.truncate(bytes.len() - 1)), "and should have"),
        ("spoilt", &|path| edit(&path.join("2026-11.entries"), |bytes| bytes[200] ^= 1), "is not what was written"),
        ("a video", &|path| edit(&path.join("files/video"), |bytes| bytes[0] ^= 1), "is not what was written"),
        ("outside", &|path| replace(&path.join("MANIFEST.json"), "files/video", "files/../../x"), "no backup has"),
        ("newer", &|path| replace(&path.join("MANIFEST.json"), "mixd backup 1", "mixd backup 2"), "\"mixd backup 2\""),
        ("no text", &|path| edit(&path.join("MANIFEST.json"), |bytes| bytes[0] = b'x'), "is damaged"),
    ];
    for (what, damage, expected) in damages {
        let (from, to) = (folder.path().join(what), folder.path().join(format!("{what}-store")));
        crate::disk::copy(&whole, &from);
        damage(&from);
        let told = restore(&from, &to).err().unwrap_or_else(|| panic!("{what} is restored")).to_string();
        assert!(told.contains(expected), "{what}: {told}");
        let opened = SledStore::open(SledOptions::at(&to)).err().map(|error| error.to_string());
        assert!(opened.is_none() || opened.is_some_and(|told| told.contains("restore")), "{what} left a store");
        // What it left does not stand in the way of a better backup, if nobody opened a store there.
        if !to.join("FORMAT").exists() {
            is_whole(&restore(&whole, &to).unwrap().0);
        }
    }
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn replace(path: &Path, what: &str, with: &str) {
    fs::write(path, fs::read_to_string(path).unwrap().replace(what, with)).unwrap();
}

#[test]
fn a_store_that_is_there_is_never_restored_over() {
    let folder = tempfile::tempdir().unwrap();
    let (live, saved) = (folder.path().join("live"), folder.path().join("backup"));
    let store = open(&live);
    let room = Room::chat(&store, "coven", 4, 30, 7);
    backup(&store, &saved).unwrap();
    drop(store);
    let told = restore(&saved, &live).err().unwrap().to_string();
    assert!(told.contains("is a store already"), "{told}");
    let told = restore(&saved, folder.path()).err().unwrap().to_string();
    assert!(told.contains("is no store"), "{told}");
    assert_eq!(loaded(&open(&live), "coven").unwrap(), room.channel);
}
