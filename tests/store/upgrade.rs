//! A store of an earlier format becomes one of this format and means what it meant, whatever ends the process meanwhile;
//! and it can be had back as it was.

use crate::disk::open;
use crate::fixture::wrong;
use crate::{meaning, samples};
use mixd::channel::{ChannelName, Stamp};
use mixd::store::{CommitError, Record, Retention, SledOptions, SledStore, Store, Upgraded, VerifyEvent, Whereabouts};
use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The format of this program.
const OURS: u8 = 8;

fn upgrade(root: &Path) -> Upgraded {
    let mut found = Vec::new();
    let mut sight = |sighting| {
        if let VerifyEvent::Wrong(finding) = sighting {
            found.push(finding.to_string());
        }
    };
    let done = SledStore::upgrade(SledOptions::at(root), &mut |_| ControlFlow::Continue(()), &mut sight).unwrap();
    assert_eq!(found, Vec::<String>::new());
    done
}

fn laid(format: u8) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    samples::lay(format, root.path());
    root
}

/// That a folder holds the store of a sample, upgraded and whole, and nothing of an upgrade under way.
fn check_upgraded(format: u8, root: &Path) {
    let store = open(root);
    same_meaning(&meaning::of(&store), &samples::meaning(format));
    assert_eq!(wrong(|watch| store.verify(watch).unwrap()), Vec::<String>::new());
    assert_eq!(fs::read_to_string(root.join("FORMAT")).unwrap(), format!("mixd store {OURS}\n"));
    assert!(["upgrading", "upgraded", "returning"].iter().all(|it| !root.join(it).exists()));
}

/// That a folder holds the store of a sample as it lay, byte for byte.
fn check_untouched(format: u8, root: &Path) {
    assert_eq!(fs::read_to_string(root.join("FORMAT")).unwrap(), format!("mixd store {format}\n"));
    for (place, entries) in samples::databases(format) {
        assert_eq!(samples::read(root, &place), entries, "{place}");
    }
}

fn same_meaning(found: &str, expected: &str) {
    let lines = found.lines().zip(expected.lines()).enumerate();
    let other = lines.into_iter().find(|(_, (found, expected))| found != expected);
    assert_eq!(other, None, "the first line that means something else");
    assert_eq!(found.lines().count(), expected.lines().count());
}

/// How many entries there are of each kind; a piece is none by itself.
fn kinds(entries: &[(Vec<u8>, Vec<u8>)]) -> BTreeMap<char, usize> {
    let mut kinds = BTreeMap::new();
    entries
        .iter()
        .filter(|(key, _)| key[0] != b'x')
        .for_each(|(key, _)| *kinds.entry(key[0] as char).or_insert(0) += 1);
    kinds
}

#[test]
fn a_sample_of_each_format_means_what_it_meant_and_is_had_back_as_it_was() {
    for format in samples::FORMATS {
        let root = laid(format);
        let root = root.path();
        let told = SledStore::open(SledOptions::at(root)).err().unwrap().to_string();
        assert!(told.contains(&format!("version {format}")) && told.contains("run mixd upgrade"), "{told}");
        assert_eq!(SledStore::outdated(root).unwrap().unwrap().format, format);
        let Upgraded { from, to, census } = upgrade(root);
        assert_eq!((from, to, census.wrong, SledStore::outdated(root).unwrap()), (format, OURS, 0, None));
        check_upgraded(format, root);
        for (place, entries) in samples::databases(format) {
            let (old, new) = (kinds(&entries), kinds(&samples::read(root, &place)));
            let missing: Vec<_> = old.iter().filter(|(kind, count)| new.get(kind) < Some(count)).collect();
            assert!(missing.is_empty(), "{place}: of {missing:?} there are {new:?}");
        }
        // What comes then is written, and lost by who goes back.
        let store = open(root);
        let account = jid::BareJid::new("late@host.example").unwrap();
        let late = Record::Whereabouts { account, known: Some(Whereabouts::default()) };
        let nick = Record::Nick { account: jid::BareJid::new("late@host.example").unwrap(), nick: None };
        let later = Stamp(store.unsent().unwrap().last().unwrap().stamp.0 + 40 * crate::fixture::DAY_MS);
        store.commit(later, &[late, nick]).unwrap();
        drop(store);
        SledStore::go_back(root).unwrap();
        check_untouched(format, root);
        assert!(SledStore::go_back(root).is_err());
        upgrade(root);
        check_upgraded(format, root);
        SledStore::close_way_back(root).unwrap();
        assert!(SledStore::go_back(root).unwrap_err().to_string().contains("keeps nothing"));
    }
}

#[test]
fn a_backup_of_each_format_is_restored() {
    for format in samples::FORMATS {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("store");
        let mut watch = |_: &mixd::store::WorkProgress| ControlFlow::Continue(());
        let now = Stamp(2_000_000_000_000);
        let restored = SledStore::restore(&samples::backup(format), SledOptions::at(&path), now, &mut watch);
        drop(restored.unwrap());
        let store = open(&path);
        assert_eq!(wrong(|watch| store.verify(watch).unwrap()), Vec::<String>::new());
        // A restore passes over numbers of channels and rows, which these lines tell.
        let is_kept = |line: &&str| !line.starts_with("highest number ") && !line.starts_with("archive ");
        let rest = |text: String| text.lines().filter(is_kept).collect::<Vec<_>>().join("\n");
        same_meaning(&rest(meaning::of(&store)), &rest(samples::meaning(format)));
        assert!(!path.join("before-upgrade").exists());
    }
}

#[test]
fn what_the_state_had_not_got_of_the_last_commits_is_replayed() {
    for format in samples::FORMATS {
        let root = laid(format);
        let applied = b"sapplied";
        let state = samples::database(&root.path().join("state"));
        let mut entry = state.get(applied).unwrap().unwrap().to_vec();
        // The number of a commit is the varint behind the length and the version; one less is the one before.
        entry[3] -= 1;
        state.insert(applied, entry).unwrap();
        state.flush().unwrap();
        drop(state);
        upgrade(root.path());
        check_upgraded(format, root.path());
    }
}

/// Moves what is in the way away, as an upgrade does it, one rename after the other.
fn renames(root: &Path) -> Vec<(PathBuf, PathBuf)> {
    let (decided, kept) = (root.join("upgraded"), root.join("before-upgrade"));
    let mut moves: Vec<_> = ["FORMAT", "MONTHS"].iter().map(|it| (decided.join(it), kept.join(it))).collect();
    let newest = fs::read_dir(decided.join("archive")).unwrap().next().unwrap().unwrap().file_name();
    for part in ["state".into(), format!("archive/{}", newest.to_str().unwrap())] {
        moves.push((root.join(&part), kept.join(&part)));
        moves.push((decided.join(&part), root.join(&part)));
    }
    moves
}

#[test]
fn whatever_ends_an_upgrade_leaves_the_store_as_it_was_or_as_it_is_to_be() {
    let format = samples::FORMATS[0];
    // Undecided, it counts for nothing.
    let root = laid(format);
    fs::create_dir_all(root.path().join("upgrading/state")).unwrap();
    upgrade(root.path());
    check_upgraded(format, root.path());
    for done in 0..=6 {
        // The state right behind the decision is made of what is there when all is done.
        let root = laid(format);
        let root = root.path();
        upgrade(root);
        let (decided, kept) = (root.join("upgraded"), root.join("before-upgrade"));
        fs::create_dir_all(decided.join("archive")).unwrap();
        let newest = fs::read_dir(kept.join("archive")).unwrap().next().unwrap().unwrap().file_name();
        for part in ["state".into(), format!("archive/{}", newest.to_str().unwrap())] {
            fs::rename(root.join(&part), decided.join(&part)).unwrap();
            fs::rename(kept.join(&part), root.join(&part)).unwrap();
        }
        ["FORMAT", "MONTHS"].iter().for_each(|it| fs::rename(kept.join(it), decided.join(it)).unwrap());
        fs::copy(decided.join("FORMAT"), root.join("FORMAT")).unwrap();
        for (from, to) in renames(root).into_iter().take(done) {
            fs::rename(from, to).unwrap();
        }
        check_upgraded(format, root);
        SledStore::go_back(root).unwrap();
        check_untouched(format, root);
    }
}

#[test]
fn the_way_back_closes_when_something_of_it_goes_and_after_a_week() {
    let format = samples::FORMATS[0];
    let root = laid(format);
    let kept = root.path().join("before-upgrade");
    upgrade(root.path());
    let now_ms = fs::metadata(kept.join("MONTHS")).unwrap().modified().unwrap();
    let now_ms = now_ms.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
    let store = open(root.path());
    for (days, is_there) in [(6, true), (8, false)] {
        let now = Stamp(now_ms + days * crate::fixture::DAY_MS);
        store.drop_months(&Retention { now, keep_days: 0 }).unwrap();
        assert_eq!(kept.exists(), is_there, "after {days} days");
    }
    drop(store);
    let root = laid(format);
    upgrade(root.path());
    SledStore::compact(SledOptions::at(root.path()), &mut |_| ControlFlow::Continue(()), &mut |_| {}).unwrap();
    assert!(!root.path().join("before-upgrade").exists());
    check_upgraded(format, root.path());
}

#[test]
fn a_store_refuses_commits_of_an_epoch_that_is_over() {
    let root = tempfile::tempdir().unwrap();
    let of = |epoch| SledStore::open(SledOptions { epoch, ..SledOptions::at(root.path()) }).unwrap();
    let record = || Record::Nick { account: crate::fixture::jid("ann"), nick: None };
    of(2).commit(crate::fixture::NOON, &[record()]).unwrap();
    let store = of(1);
    let refused = store.commit(crate::fixture::NOON, &[record()]);
    assert!(matches!(refused, Err(CommitError::Fenced { ours: 1, theirs: 2 })), "{refused:?}");
    assert!(store.idle(crate::fixture::NOON).is_err(), "it writes nothing at all");
    assert_eq!(store.load(&[ChannelName::new("none").unwrap()]).unwrap(), [None], "it still reads");
    drop(store);
    of(2).commit(crate::fixture::NOON, &[record()]).unwrap();
    of(3).commit(crate::fixture::NOON, &[record()]).unwrap();
    assert!(of(2).commit(crate::fixture::NOON, &[record()]).is_err());
}
