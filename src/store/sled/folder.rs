//! The folder of a store: its format, whose it is, and the lock that one process holds.
//!
//! A folder is a store's where it holds a `FORMAT` file. A folder with other contents is refused, never started empty.

use super::super::backup::names::FOLDER;
use super::super::databases::Space;
use super::super::{StoreError, keyspace, keyspace::Month, upgrade};
use super::layout::{archive, create, folder_bytes, format_of, months, place, remove, sync, unusable, write_format};
use super::options::SledOptions;
use super::{exchange, succession};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What a folder may hold that is no store yet: traces of an interrupted start, and what file systems put there.
const HARMLESS: [&str; 4] = ["LOCK", "FORMAT.new", "admin.sock", "lost+found"];
/// The ending of the name of a folder that is to be removed.
const ASIDE: &str = "gone";
/// Marks a folder that a store is being restored into.
const RESTORING: &str = "RESTORING";

/// A folder that this process has for itself until this is dropped.
pub(super) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Folder {
    /// Claims a folder. Where it holds no store, makes it one if `make` says so.
    ///
    /// # Errors
    /// Why the folder cannot be claimed or is no store of this format.
    pub(super) fn claim(path: &Path, make: bool) -> Result<Folder, StoreError> {
        Folder::claim_with(path, make, None)
    }

    /// The same with a lock that this process has already.
    ///
    /// # Errors
    /// Likewise.
    pub(super) fn claim_with(path: &Path, make: bool, held: Option<&File>) -> Result<Folder, StoreError> {
        if !make && !path.join("FORMAT").exists() {
            return Err(StoreError(format!("{} is no store: there is no FORMAT file in it", path.display())));
        }
        if path.exists() && !path.is_dir() {
            return Err(StoreError(format!("{} is not a folder: name a folder for the store", path.display())));
        }
        create(path)?;
        let is_ours = path.join("FORMAT").exists();
        if !is_ours && path.join(RESTORING).exists() {
            return Err(StoreError(format!(
                "a restore into {} did not come to its end: run mixd restore again",
                path.display()
            )));
        }
        if !is_ours {
            refuse_foreign(path)?;
        }
        let lock = lock(&path.join("LOCK"), held)?;
        // Read again under the lock, because another process may have been at the same point.
        succession::take_up(path)?;
        if path.join("FORMAT").exists() {
            check_format(path)?;
        } else {
            write_format(path)?;
        }
        let folder = Folder { path: path.to_owned(), lock };
        exchange::take_up(path)?;
        create(&folder.archive())?;
        folder.remove_aside()?;
        Ok(folder)
    }

    /// Claims a store of an earlier format. Returns the format.
    ///
    /// # Errors
    /// One that is in use, or of a format that cannot be upgraded.
    pub(super) fn claim_outdated(options: &SledOptions) -> Result<(Folder, u8), StoreError> {
        let (path, held) = (&*options.path, options.lock.as_deref());
        if !path.join("FORMAT").exists() {
            return Err(StoreError(format!("{} is no store: there is no FORMAT file in it", path.display())));
        }
        let folder = Folder { path: path.to_owned(), lock: lock(&path.join("LOCK"), held)? };
        succession::take_up(path)?;
        match format_of(path)? {
            Some(format) if upgrade::is_upgradable(format) => {
                exchange::take_up(path)?;
                create(&folder.archive())?;
                folder.remove_aside()?;
                Ok((folder, format))
            }
            Some(keyspace::VERSION) => {
                Err(StoreError(format!("{} is of format {} already", path.display(), keyspace::VERSION)))
            }
            found => Err(unreadable_format(path, found)),
        }
    }

    /// The file that keeps other processes out, for the next program of this process.
    ///
    /// # Errors
    /// The system has no descriptor left.
    pub(super) fn lock(&self) -> std::io::Result<File> {
        self.lock.try_clone()
    }

    /// Refuses if less than `reserve_bytes` is free on the file system.
    ///
    /// # Errors
    /// How much is free, and what to do.
    pub(super) fn check_room(&self, reserve_bytes: u64) -> Result<(), StoreError> {
        let left = self.room()?;
        if left >= reserve_bytes {
            return Ok(());
        }
        Err(StoreError(format!(
            "{} has {left} bytes left, and {reserve_bytes} are to stay free (storage.reserve_bytes): make room there",
            self.path.display()
        )))
    }

    /// Refuses if there is no space to write these databases anew beside the old ones.
    ///
    /// # Errors
    /// How much is missing, and of what.
    pub(super) fn check_room_beside(&self, spaces: &[Space], reserve_bytes: u64) -> Result<(), StoreError> {
        let mut needed = reserve_bytes;
        for &space in spaces {
            let path = place(&self.path, space);
            needed += folder_bytes(&path).map_err(|error| unusable(&path, "cannot be read", &error))?;
        }
        let left = self.room()?;
        if left >= needed {
            return Ok(());
        }
        Err(StoreError(format!(
            "{} has {left} bytes left, and the upgrade takes up to {needed}, as what the store was is kept: make room there",
            self.path.display()
        )))
    }

    /// Refuses if there is no space for new databases of `bytes` beside the old ones.
    ///
    /// # Errors
    /// How much is missing, and of what.
    pub(super) fn check_room_to_compact(&self, bytes: u64, reserve_bytes: u64) -> Result<(), StoreError> {
        let (left, needed) = (self.room()?, bytes.saturating_add(reserve_bytes));
        if left >= needed {
            return Ok(());
        }
        Err(StoreError(format!(
            "{} has {left} bytes left, and compacting takes up to {needed} until it is done, as the old files go last: \
             make room there",
            self.path.display()
        )))
    }

    /// What is free on the file system, in bytes.
    fn room(&self) -> Result<u64, StoreError> {
        fs4::available_space(&self.path).map_err(|error| unusable(&self.path, "cannot be measured", &error))
    }

    /// Claims a folder to restore a store into. Clears away what an interrupted restore left.
    ///
    /// # Errors
    /// A folder that holds a store or anything else, or is in use.
    pub(super) fn begin_restore(path: &Path) -> Result<Folder, StoreError> {
        let is_store = || match path.join("FORMAT").exists() {
            true => Err(StoreError(format!("{} is a store already: move it away first", path.display()))),
            false => Ok(()),
        };
        is_store()?;
        create(path)?;
        let mark = path.join(RESTORING);
        if !mark.exists() {
            refuse_foreign(path)?;
        }
        let folder = Folder { path: path.to_owned(), lock: lock(&path.join("LOCK"), None)? };
        is_store()?;
        let write = || -> std::io::Result<()> {
            if mark.exists() {
                [folder.state(), folder.archive(), path.join(FOLDER), path.join(succession::DRAFT)]
                    .iter()
                    .filter(|path| path.exists())
                    .try_for_each(fs::remove_dir_all)?;
            }
            File::create(&mark)?.sync_all()
        };
        write().map_err(|error| unusable(path, "cannot be written", &error))?;
        sync(path)?;
        create(&folder.archive())?;
        Ok(folder)
    }

    /// Marks the folder as a store.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub(super) fn finish_restore(&self) -> Result<(), StoreError> {
        write_format(&self.path)?;
        let mark = self.path.join(RESTORING);
        fs::remove_file(&mark).map_err(|error| unusable(&mark, "cannot be removed", &error))?;
        sync(&self.path)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the state lies.
    pub(super) fn state(&self) -> PathBuf {
        place(&self.path, Space::State)
    }

    /// Where the months lie.
    pub(super) fn archive(&self) -> PathBuf {
        archive(&self.path)
    }

    /// Takes a month out of the archive by one rename. Returns the folder that is to be removed.
    ///
    /// # Errors
    /// A folder that cannot be renamed.
    pub(super) fn set_month_aside(&self, month: Month) -> Result<PathBuf, StoreError> {
        let path = place(&self.path, Space::Month(month));
        let aside = path.with_extension(ASIDE);
        fs::rename(&path, &aside).map_err(|error| unusable(&path, "cannot be renamed", &error))?;
        sync(&self.archive())?;
        Ok(aside)
    }

    /// Removes folders that an earlier process set aside.
    fn remove_aside(&self) -> Result<(), StoreError> {
        let archive = self.archive();
        let entries = fs::read_dir(&archive).map_err(|error| unusable(&archive, "cannot be read", &error))?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let is_aside = |path: &PathBuf| path.extension().is_some_and(|extension| extension == ASIDE);
        paths.filter(is_aside).try_for_each(|path| remove(&path))
    }

    /// The months that exist, oldest first.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub(super) fn months(&self) -> Result<Vec<Month>, StoreError> {
        months(&self.path)
    }
}

fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(path).map_err(|error| unusable(path, "cannot be read", &error))?;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if !HARMLESS.iter().any(|harmless| name == *harmless) {
            return Err(StoreError(format!(
                "{} holds {:?} and no FORMAT file, so it is no store: name an empty folder, or restore the store's own",
                path.display(),
                name
            )));
        }
    }
    Ok(())
}

/// Locks the file, or takes it as `held`, if that is the same file.
fn lock(path: &Path, held: Option<&File>) -> Result<File, StoreError> {
    let place = |metadata: std::io::Result<fs::Metadata>| metadata.ok().map(|it| (it.dev(), it.ino()));
    let there = place(fs::metadata(path));
    if let Some(held) = held.filter(|held| there.is_some() && place(held.metadata()) == there) {
        return held.try_clone().map_err(|error| unusable(path, "cannot be used", &error));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(path).map_err(|error| unusable(path, "cannot be written", &error))?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(fs4::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The process id only serves the message. What counts is that the lock is held.
            let _ = Read::by_ref(&mut file).take(20).read_to_string(&mut holder);
            return Err(StoreError(format!(
                "{} is locked by process {}: one store serves one process at a time. Stop mixd first, or, where that is a \
                 command of its own, wait for its end",
                path.display(),
                holder.trim()
            )));
        }
        Err(fs4::TryLockError::Error(error)) => return Err(unusable(path, "cannot be locked", &error)),
    }
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(|error| unusable(path, "cannot be written", &error))?;
    Ok(file)
}

pub(super) fn check_format(path: &Path) -> Result<(), StoreError> {
    match format_of(path)? {
        Some(keyspace::VERSION) => Ok(()),
        found => Err(unreadable_format(path, found)),
    }
}

/// The error for a store of another format: why it is not opened, and what to do.
fn unreadable_format(path: &Path, found: Option<u8>) -> StoreError {
    let (path, ours) = (path.join("FORMAT"), keyspace::VERSION);
    let path = path.display();
    match found {
        Some(found) if upgrade::is_upgradable(found) => StoreError(format!(
            "{path} says version {found}, and this program reads version {ours}: run mixd upgrade, which keeps a way back, \
             or use the program that wrote it"
        )),
        Some(found) if found > 0 => StoreError(format!(
            "{path} says version {found}, and this program reads version {ours}: use the program that wrote it"
        )),
        _ => StoreError(format!("{path} does not say which version it is: restore from a backup")),
    }
}
