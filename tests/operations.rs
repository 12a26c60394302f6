//! What an operator does from the command line, with the real program.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "store/fixture.rs"]
mod fixture;

use fixture::Room;
use mixd::store::{SledOptions, SledStore};
use std::path::Path;
use std::process::{Command, Output};

fn mixd(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mixd")).args(words).arg("--store").arg(folder).output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn build(folder: &Path) -> SledStore {
    let store = SledStore::open(SledOptions::at(folder)).unwrap();
    Room::chat(&store, "coven", 4, 60, 70);
    store
}

#[test]
fn verify_tells_a_whole_store_from_a_damaged_one_and_from_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let output = mixd(&["verify"], &path);
    assert!(output.status.code() == Some(1) && told(&output).contains("there is no FORMAT file"), "{}", told(&output));
    assert!(!path.exists(), "looking makes nothing");

    let store = build(&path);
    let output = mixd(&["verify"], &path);
    assert!(output.status.code() == Some(1) && told(&output).contains("is locked by process"), "{}", told(&output));
    drop(store);

    let output = mixd(&["verify"], &path);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("1 channels, 4 members, 60 rows in 3 months: nothing is wrong"));
    assert!(output.stdout.is_empty());

    std::fs::remove_dir_all(path.join("archive/2026-11")).unwrap();
    let output = mixd(&["verify"], &path);
    assert_eq!(output.status.code(), Some(65), "{}", told(&output));
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(found, "rows: channel coven, month 2026-11: the month is not there, and holds rows\n");
}

#[test]
fn the_settings_say_where_the_store_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("store"), folder.path().join("mixd.toml"));
    drop(build(&path));
    let text = format!("[component]\ndomain='mix.example'\nsecret='x'\n[storage]\npath='{}'", path.display());
    std::fs::write(&file, text).unwrap();
    let run =
        |file: &Path| Command::new(env!("CARGO_BIN_EXE_mixd")).args(["verify", "--config"]).arg(file).output().unwrap();
    assert_eq!(run(&file).status.code(), Some(0), "{}", told(&run(&file)));
    assert_eq!(run(&folder.path().join("none")).status.code(), Some(78));
}
