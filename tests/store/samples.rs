//! Stored samples of formats: a backup of each, as the program of that format made it, and what it means as text.

use std::fs;
use std::path::{Path, PathBuf};

/// A database: its folder within the store, and its entries.
pub type Database = (String, Vec<(Vec<u8>, Vec<u8>)>);

/// The formats of which there is a sample.
pub const FORMATS: [u8; 4] = [4, 5, 6, 7];

/// The backup of a format.
pub fn backup(format: u8) -> PathBuf {
    folder().join(format.to_string())
}

/// What a store of a format means, as its program said.
pub fn meaning(format: u8) -> String {
    fs::read_to_string(folder().join(format!("{format}.meaning.txt"))).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/samples")
}

/// The databases of a format as they lay.
pub fn databases(format: u8) -> Vec<Database> {
    let mut found = Vec::new();
    for file in fs::read_dir(backup(format)).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        match name.strip_suffix(".entries") {
            Some("state") => found.push(("state".to_owned(), entries(&file))),
            Some("changes") => assert!(entries(&file).is_empty(), "nothing was written while it was made"),
            Some(month) => found.push((format!("archive/{month}"), entries(&file))),
            None => assert_eq!(name, "MANIFEST.json"),
        }
    }
    found.sort();
    found
}

/// Makes the store of a format in a folder, as its program would have left it.
pub fn lay(format: u8, root: &Path) {
    fs::create_dir_all(root.join("archive")).unwrap();
    for (place, entries) in databases(format) {
        let database = database(&root.join(place));
        for (key, entry) in entries {
            database.insert(key, entry).unwrap();
        }
        database.flush().unwrap();
    }
    fs::write(root.join("FORMAT"), format!("mixd store {format}\n")).unwrap();
}

/// A database that nobody has open. Its lock may stay for a moment: threads of whoever had it end behind it, and a process
/// that another thread starts holds what was open until it is another program.
pub fn database(path: &Path) -> sled::Db {
    let tries = (0..500).find_map(|n| {
        std::thread::sleep(std::time::Duration::from_millis(n.min(10)));
        sled::open(path).ok()
    });
    tries.expect("the database opens once its last handle is gone")
}

/// What databases hold that nobody has open.
pub fn read(root: &Path, place: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let database = database(&root.join(place));
    let entries = database.iter().map(|entry| entry.unwrap());
    entries.map(|(key, entry)| (key.to_vec(), entry.to_vec())).collect()
}

/// The records of a file of a backup (`store::backup::entries`).
fn entries(file: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = fs::read(file).unwrap();
    let mut rest = bytes.strip_prefix(b"mixd entries 1\n").unwrap();
    let mut take = |length: usize| {
        let (taken, left) = rest.split_at(length.min(rest.len()));
        rest = left;
        taken.to_vec()
    };
    let mut found = Vec::new();
    loop {
        let head = take(12);
        if head.is_empty() {
            return found;
        }
        let number = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().unwrap()) as usize;
        found.push((take(number(4)), take(number(8))));
    }
}
