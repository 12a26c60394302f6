//! The files beside the databases: videos and their pictures, each named by its content and never changed.

use super::super::StoreError;
use super::manifest::FileRecord;
use super::names::{FOLDER, is_one};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const BUFFER_BYTES: usize = 256 << 10;

/// Copies the files that are there and not among `copied` yet. Files that come or go meanwhile do not matter: no record
/// refers to them yet, or any more.
pub(in super::super) fn copy_all(store: &Path, backup: &Path, copied: &mut Vec<FileRecord>) -> Result<(), StoreError> {
    let folder = store.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError(format!("{} cannot be read: {error}", folder.display()))),
    };
    for entry in entries.filter_map(Result::ok) {
        let Ok(plain) = entry.file_name().into_string() else { continue };
        let name = format!("{FOLDER}/{plain}");
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !is_one(&name) || copied.iter().any(|file| file.name == name) {
            continue;
        }
        match copy(&store.join(&name), &backup.join(&name)) {
            Ok((bytes, sha256)) => copied.push(FileRecord { name, entries: 0, bytes, sha256 }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !entry.path().exists() => {}
            Err(error) => return Err(StoreError(format!("{name} cannot be copied: {error}"))),
        }
    }
    match backup.join(FOLDER).exists() {
        true => File::open(backup.join(FOLDER)).and_then(|folder| folder.sync_all()),
        false => Ok(()),
    }
    .map_err(|error| StoreError(format!("the copied files cannot be synced: {error}")))
}

/// Puts one file back where it was, and checks its digest.
pub(in super::super) fn put_back(backup: &Path, store: &Path, file: &FileRecord) -> Result<(), StoreError> {
    let (path, told) = (store.join(&file.name), &file.name);
    let (_, sha256) = copy(&backup.join(&file.name), &path)
        .and_then(|copied| File::open(store.join(FOLDER))?.sync_all().map(|()| copied))
        .map_err(|error| StoreError(format!("{told} cannot be copied: {error}")))?;
    if sha256 == file.sha256 {
        return Ok(());
    }
    Err(StoreError(format!("{told} is not what was written: the backup is damaged, use another one")))
}

/// Copies one file, readable by its owner alone. Returns its length in bytes and its SHA-256.
fn copy(from: &Path, to: &Path) -> io::Result<(u64, String)> {
    let mut source = File::open(from)?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut target = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER_BYTES]);
    loop {
        match source.read(&mut buffer)? {
            0 => break,
            length => {
                digest.update(&buffer[..length]);
                target.write_all(&buffer[..length])?;
                bytes += length as u64;
            }
        }
    }
    target.sync_all()?;
    Ok((bytes, hex::encode(digest.finalize())))
}
