//! Files of entries: written once from front to end, and read back with a check of every byte.
//!
//! A file is `mixd entries 1`, a line feed, then the records. A record is: the database (a month as in `Month`, 0 for
//! the state), the length of the key, the length of the entry (`u32::MAX` for one that was removed), the key, the
//! entry. The three numbers have four bytes each, big-endian.

use super::super::databases::Space;
use super::super::keyspace::Month;
use super::super::{StoreError, pieces::Edits};
use super::FileRecord;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const HEAD: &[u8] = b"mixd entries 1\n";
const REMOVED: u32 = u32::MAX;
/// An upper bound of the length of keys and of entries in any store, in bytes.
const LENGTH_MAX: u32 = 1 << 20;
const BUFFER_BYTES: usize = 256 << 10;

/// A file that is being written.
pub(in super::super) struct EntryWriter {
    path: PathBuf,
    name: String,
    file: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
    entries: u64,
}

impl EntryWriter {
    /// Creates the file, readable by its owner alone.
    pub(in super::super) fn create(folder: &Path, name: String) -> Result<EntryWriter, StoreError> {
        let path = folder.join(&name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.map_err(|error| unwritten(&path, &error))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        let mut writer = EntryWriter { path, name, file, digest: Sha256::new(), bytes: 0, entries: 0 };
        writer.write(HEAD)?;
        Ok(writer)
    }

    /// How many entries were written so far.
    pub(in super::super) fn entries(&self) -> u64 {
        self.entries
    }

    pub(in super::super) fn put(&mut self, space: Space, key: &[u8], entry: Option<&[u8]>) -> Result<(), StoreError> {
        let month = if let Space::Month(month) = space { month.number() } else { 0 };
        let length = entry.map_or(REMOVED, |entry| entry.len() as u32);
        let head = [month, key.len() as u32, length].map(u32::to_be_bytes).concat();
        self.write(&head)?;
        self.write(key)?;
        self.write(entry.unwrap_or_default())?;
        self.entries += 1;
        Ok(())
    }

    pub(in super::super) fn put_all(&mut self, writes: &[(Space, Edits)]) -> Result<(), StoreError> {
        for (space, edits) in writes {
            for (key, entry) in edits {
                self.put(*space, key, entry.as_deref())?;
            }
        }
        Ok(())
    }

    /// Makes the file durable, and returns its line of the manifest.
    pub(in super::super) fn finish(self) -> Result<FileRecord, StoreError> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all()).map_err(|error| unwritten(&self.path, &error))?;
        let sha256 = hex::encode(self.digest.finalize());
        Ok(FileRecord { name: self.name, entries: self.entries, bytes: self.bytes, sha256 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| unwritten(&self.path, &error))
    }
}

/// A file that is being read.
pub(in super::super) struct EntryReader {
    path: PathBuf,
    file: BufReader<File>,
    digest: Sha256,
    expected: FileRecord,
    entries: u64,
    left: u64,
}

/// One record of a file.
pub(in super::super) type BackupEntry = (Space, Vec<u8>, Option<Vec<u8>>);

impl EntryReader {
    pub(in super::super) fn open(folder: &Path, expected: &FileRecord) -> Result<EntryReader, StoreError> {
        let path = folder.join(&expected.name);
        let file =
            File::open(&path).map_err(|error| StoreError(format!("{} cannot be read: {error}", path.display())))?;
        let file = BufReader::with_capacity(BUFFER_BYTES, file);
        let (expected, left) = (expected.clone(), expected.bytes);
        let mut reader = EntryReader { path, file, digest: Sha256::new(), expected, entries: 0, left };
        if reader.read(HEAD.len())? != HEAD {
            return Err(reader.damaged());
        }
        Ok(reader)
    }

    /// The next record; `None` behind the last one, once the digest of the whole file was found to be right.
    pub(in super::super) fn next(&mut self) -> Result<Option<BackupEntry>, StoreError> {
        if self.left == 0 {
            let sha256 = hex::encode(self.digest.clone().finalize());
            let is_whole = sha256 == self.expected.sha256 && self.entries == self.expected.entries;
            return if is_whole { Ok(None) } else { Err(self.damaged()) };
        }
        let [month, key, entry] = [self.number()?, self.number()?, self.number()?];
        let space = match month {
            0 => Some(Space::State),
            month => Month::from_number(month).map(Space::Month),
        };
        let (Some(space), true, true) = (space, key <= LENGTH_MAX, entry <= LENGTH_MAX || entry == REMOVED) else {
            return Err(self.damaged());
        };
        let key = self.read(key as usize)?;
        let entry = if entry == REMOVED { None } else { Some(self.read(entry as usize)?) };
        self.entries += 1;
        Ok(Some((space, key, entry)))
    }

    fn number(&mut self) -> Result<u32, StoreError> {
        let bytes = self.read(4)?;
        bytes.try_into().map(u32::from_be_bytes).map_err(|_| self.damaged())
    }

    fn read(&mut self, length: usize) -> Result<Vec<u8>, StoreError> {
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| self.damaged())?;
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes).map_err(|_| self.damaged())?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    fn damaged(&self) -> StoreError {
        StoreError(format!("{} is not what was written: the backup is damaged, use another one", self.path.display()))
    }
}

fn unwritten(path: &Path, error: &io::Error) -> StoreError {
    StoreError(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path, record: &FileRecord) -> Result<Vec<BackupEntry>, StoreError> {
        let mut reader = EntryReader::open(folder, record)?;
        std::iter::from_fn(|| reader.next().transpose()).collect()
    }

    #[test]
    fn entries_come_back_and_any_other_byte_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let month = Space::Month(Month::from_text("2026-11").unwrap());
        let entries: Vec<BackupEntry> = vec![
            (Space::State, b"a".to_vec(), Some(vec![1; 5000])),
            (month, b"row".to_vec(), Some(Vec::new())),
            (month, b"row".to_vec(), None),
        ];
        let mut writer = EntryWriter::create(folder.path(), "state.entries".into()).unwrap();
        for (space, key, entry) in &entries {
            writer.put(*space, key, entry.as_deref()).unwrap();
        }
        let record = writer.finish().unwrap();
        assert_eq!(read(folder.path(), &record).unwrap(), entries);
        let path = folder.path().join("state.entries");
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(whole.len() as u64, record.bytes);
        for at in (0..whole.len()).step_by(7).chain([15, 16, 20, 24, whole.len() - 1]) {
            let mut spoilt = whole.clone();
            spoilt[at] ^= 0x41;
            std::fs::write(&path, spoilt).unwrap();
            assert!(read(folder.path(), &record).is_err(), "byte {at} is another, and nobody noticed");
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(read(folder.path(), &record).is_err());
    }
}
