//! `mixd upgrade`, and a service that starts with a store of an earlier format.

use super::*;

/// That a command does what it is asked, or says no, with these words.
fn says(words: &[&str], folder: &Path, code: i32, expected: &str) {
    let output = mixd_on(words, folder);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {}", told(&output));
    assert!(told(&output).contains(expected), "{words:?}: {}", told(&output));
}

#[test]
fn every_command_says_what_to_run_and_the_upgrade_goes_back_and_forth() {
    for format in samples::FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        samples::lay(format, folder);
        for command in ["verify", "compact"] {
            says(&[command], folder, 1, "run mixd upgrade, which keeps a way back");
        }
        let (copy, restored) = (folder.join("copy"), folder.join("restored"));
        says(&["backup", copy.to_str().unwrap()], folder, 1, "run mixd upgrade");
        says(&["upgrade", "--back"], folder, 1, "run mixd upgrade");
        says(&["upgrade"], folder, 0, "looking at rows");
        says(&["upgrade"], folder, 1, "already");
        says(&["verify"], folder, 0, "nothing is wrong");
        says(&["upgrade", "--back"], folder, 0, "is what it was before its upgrade");
        says(&["verify"], folder, 1, &format!("says version {format}"));
        says(&["upgrade"], folder, 0, &format!("format {format} before"));
        says(&["upgrade", "--done"], folder, 0, "keeps nothing to go back to");
        says(&["upgrade", "--back"], folder, 1, "restore a backup");
        let backup = samples::backup(format);
        says(&["restore", backup.to_str().unwrap()], &restored, 0, "nothing is wrong");
        says(&["verify"], &restored, 0, "nothing is wrong");
    }
}

#[test]
fn a_service_upgrades_a_small_store_as_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    std::fs::create_dir(&path).unwrap();
    samples::lay(samples::FORMATS[0], &path);
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    drop(host.accept_authenticated());
    mixd.terminate();
    mixd.wait();
    says(&["verify"], &path, 0, "nothing is wrong");
    says(&["upgrade", "--back"], &path, 0, "is what it was");
}
