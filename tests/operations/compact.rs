//! `mixd compact`: only for a store that nobody has open, and whatever kills it leaves a whole store.

use super::killed::cut_short;
use super::*;
use mixd::store::PagePlan;

fn compact(folder: &Path) -> Output {
    mixd_on(&["compact"], folder)
}

/// What a whole store holds, and that it is whole.
fn look(folder: &Path, room: &Room) {
    let output = mixd_on(&["verify"], folder);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(!folder.join("compacting").exists() && !folder.join("compacted").exists());
    let store = SledStore::open(SledOptions::at(folder)).unwrap();
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    assert!(loaded(&store, "gone").is_none());
    let plan = PagePlan { max: usize::MAX, ..room.plan() };
    assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
}

/// A store with something to gain: a channel, and what is left of another one.
fn worn(folder: &Path, rows: usize, days: u64) -> Room {
    let store = SledStore::open(SledOptions::at(folder)).unwrap();
    let mut gone = Room::create(&store, "gone", 8);
    gone.join(&store, "p0");
    for _ in 0..60 {
        let said: Vec<_> = (0..50).map(|n| gone.message(&format!("{n} {}", "x".repeat(2000)))).collect();
        let said = said.into_iter().map(mixd::channel::Command::Publish);
        let records: Vec<_> = said.flat_map(|it| gone.decide(&fixture::jid("p0"), it)).collect();
        store.commit(gone.now, &records).unwrap();
    }
    gone.destroy(&store);
    Room::chat(&store, "coven", 8, rows, days)
}

#[test]
fn a_compacted_store_is_smaller_and_the_service_goes_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let output = compact(&store);
    assert!(output.status.code() == Some(1) && told(&output).contains("there is no FORMAT file"), "{}", told(&output));
    let room = worn(&store, 300, 60);
    let output = compact(&store);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let said = String::from_utf8(output.stdout.clone()).unwrap();
    let (before, after) = said.trim().rsplit_once(": ").unwrap().1.split_once(", ").unwrap();
    let bytes = |text: &str| text.split(' ').next().unwrap().parse::<u64>().unwrap();
    assert!(bytes(after) < bytes(before), "{said}");
    for step in ["state\n", "2026-11\n", "looking at rows\n", "300 rows in 3 months: nothing is wrong"] {
        assert!(told(&output).contains(step), "{step:?} is not in {}", told(&output));
    }
    look(&store, &room);

    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    // A service has it: it is told what to do.
    let output = compact(&store);
    assert_eq!(output.status.code(), Some(1));
    let expected =
        format!("is locked by process {}: one store serves one process at a time. Stop mixd first", mixd.pid());
    assert!(told(&output).contains(&expected), "{}", told(&output));
    peer.check_alive("1");
    mixd.terminate();
    mixd.wait();
    look(&store, &room);
}

#[test]
fn no_service_starts_on_a_store_that_is_being_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let room = worn(&store, 3000, 100);
    let mut child = traced(&[], &store).spawn().unwrap();
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    };
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while !store.join("compacting").exists() {
        assert!(std::time::Instant::now() < until, "it does not come that far");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal("-STOP");
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let (status, _) = mixd.wait();
    assert_eq!(status.code(), Some(1));
    mixd.wait_for_log("is locked by process", 1);
    assert!(store.join("compacting").exists());
    signal("-CONT");
    assert!(child.wait().unwrap().success());
    look(&store, &room);
}

fn traced(strace: &[&str], store: &Path) -> Command {
    let words = [strace, &[env!("CARGO_BIN_EXE_mixd"), "compact", "--store"]].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(store).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn killed_at_each_step_of_the_exchange_it_leaves_the_old_store_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let room = worn(&store, 100, 20);
    // The folders that are exchanged and removed, with nothing of what lies in them.
    let places = ["", "compacting", "compacted", "state", "archive", "compacted/state", "compacted/archive"];
    let old = ["compacted/state.old", "compacted/archive.old", "compacted/state.old/db"];
    let places: Vec<_> = places.iter().chain(&old).map(|place| store.join(place)).collect();
    let places: Vec<_> = places.iter().flat_map(|place| ["-P", place.to_str().unwrap()]).collect();
    for (call, steps_min) in [("rename", 5), ("unlink,unlinkat,rmdir", 3)] {
        let mut killed = 0;
        loop {
            let inject = format!("inject={call}:signal=KILL:when={}", killed + 1);
            let trace = format!("trace={call}");
            let words = ["strace", "-f", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let words = words.iter().chain(&places).copied().collect::<Vec<_>>();
            if traced(&words, &store).status().unwrap().success() {
                break;
            }
            killed += 1;
            assert!(killed < 100, "it never comes to its end");
            look(&store, &room);
        }
        assert!(killed >= steps_min, "{call}: only {killed} steps were found");
    }
    look(&store, &room);
}

#[test]
fn killed_at_any_time_it_leaves_a_whole_store_and_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let room = worn(&store, 3000, 100);
    let mut cut = 0;
    for n in 0..8u64 {
        let after = Duration::from_millis(10 + 70 * n);
        cut += u32::from(cut_short(&["compact", "--store", store.to_str().unwrap()], after));
        look(&store, &room);
    }
    assert!(cut > 0, "nothing was killed in the middle");
    let output = compact(&store);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    look(&store, &room);
}
