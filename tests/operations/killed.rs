//! Commands that are killed in the middle.

use super::*;

/// Starts a command and kills it after a while; whether it was still at it.
pub fn cut_short(words: &[&str], after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mixd"))
        .args(words)
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(after);
    let was_at_it = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    was_at_it
}

#[test]
fn whatever_is_killed_in_the_middle_leaves_what_was_there_and_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let store = SledStore::open(SledOptions::at(path("store"))).unwrap();
    let room = Room::chat(&store, "coven", 20, 4000, 100);
    drop(store);
    let mut cut = [0, 0];
    for n in 0..6u64 {
        let saved = path(&format!("saved{n}"));
        let after = Duration::from_millis(10 + 50 * n);
        let was_at_it = cut_short(&["backup", &saved, "--store", &path("store")], after);
        // What is killed behind the last step leaves a whole backup.
        if was_at_it && !Path::new(&saved).join("MANIFEST.json").exists() {
            cut[0] += 1;
            let refused = run(&["restore", &saved, "--store", &path("never")]);
            assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
            assert!(!Path::new(&path("never")).exists());
        }
    }
    let saved = path("whole");
    assert_eq!(run(&["backup", &saved, "--store", &path("store")]).status.code(), Some(0));
    for n in 0..6u64 {
        let to = path(&format!("restored{n}"));
        if cut_short(&["restore", &saved, "--store", &to], Duration::from_millis(10 + 80 * n)) {
            let is_made = Path::new(&to).join("FORMAT").exists();
            cut[1] += u32::from(!is_made);
            if !is_made {
                // It is no store until it is done again.
                let output = run(&["verify", "--store", &to]);
                assert_eq!(output.status.code(), Some(1), "{}", told(&output));
                let output = run(&["restore", &saved, "--store", &to]);
                assert_eq!(output.status.code(), Some(0), "{}", told(&output));
            }
            let output = run(&["verify", "--store", &to]);
            assert_eq!(output.status.code(), Some(0), "{}", told(&output));
        }
    }
    assert!(cut.iter().all(|times| *times > 0), "nothing was killed in the middle: {cut:?}");
    let store = SledStore::open(SledOptions::at(path("store"))).unwrap();
    assert_eq!(loaded(&store, "coven").unwrap(), room.channel);
    assert_eq!(store.bounds(room.tag()).unwrap().unwrap().newest, 4000);
}
