//! One sled database with writes that are surely durable.
//!
//! sled's own flush hands its buffers to the kernel and does not wait for the disk. So the file is opened a second time
//! and synced through that handle. sled panics on some damaged files; such a panic becomes an error here.

use super::super::databases::{Order, Space, Visitor};
use super::super::pieces::{self, Edits};
use super::super::{StoreError, keyspace};
use super::layout;
use super::tap::Tap;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often opening is tried, every 10 ms, while this process still closes the same database.
const TRIES_MAX: u32 = 500;
/// How often it is checked, every 10 ms, whether a database is closed. Writing what is left may take a while.
const CLOSING_TRIES_MAX: u32 = 12_000;

/// The ending of a snapshot that sled has not finished.
const UNFINISHED: &str = ".generating";

/// One database.
pub(super) struct Disk {
    db: ::sled::Db,
    file: File,
    place: String,
    /// Which database this is, and the tap that notes what is written to it.
    tapped: Option<(Space, Arc<Tap>)>,
}

/// Entries to write and to remove, in order, all or nothing.
#[derive(Default)]
pub(super) struct Batch(Edits);

impl Batch {
    pub(super) fn insert(&mut self, key: impl Into<Vec<u8>>, entry: impl Into<Vec<u8>>) {
        self.0.push((key.into(), Some(entry.into())));
    }

    pub(super) fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.0.push((key.into(), None));
    }
}

/// Puts a value into a batch. Returns how many pieces follow its entry.
pub(super) fn put(batch: &mut Batch, key: &[u8], value: &[u8]) -> Result<u16, String> {
    if let Some(entry) = pieces::sole(value) {
        batch.insert(key, entry);
        return Ok(0);
    }
    let entries = pieces::cut(key, value).map_err(|error| error.0)?;
    let pieces = entries.len() as u16 - 1;
    entries.into_iter().for_each(|(key, entry)| batch.insert(key, entry));
    Ok(pieces)
}

impl Disk {
    /// Opens a database, or makes it where `create` says so.
    ///
    /// # Errors
    /// One that is missing or damaged; the text says what to do.
    pub(super) fn open(path: &Path, cache_bytes: u64, flush_ms: u64, create: bool) -> Result<Disk, StoreError> {
        let place = path.display().to_string();
        let is_there = path.join("db").exists();
        if !is_there && !create {
            return Err(StoreError(format!("{place} is missing: restore it from a backup")));
        }
        layout::create(path)?;
        if is_there {
            // What a killed process had written may be in the kernel alone. From here on it counts as stored: it is
            // read, its redo records are dropped, and sled takes a snapshot of it that is synced.
            sync_file(&path.join("db")).map_err(|error| StoreError(format!("{place} cannot be synced: {error}")))?;
            remove_unfinished(path).map_err(|error| StoreError(format!("{place} cannot be cleared: {error}")))?;
        }
        let config = ::sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(Some(flush_ms));
        let db = open_patiently(&config).map_err(|why| {
            StoreError(format!("{place} cannot be opened ({why}): if it is damaged, restore the store from a backup"))
        })?;
        let file = File::options().read(true).write(true).open(path.join("db"));
        let file = file.map_err(|error| StoreError(format!("{place} cannot be opened: {error}")))?;
        let disk = Disk { db, file, place, tapped: None };
        if !is_there {
            disk.sync().map_err(StoreError)?;
            layout::sync(path)?;
        }
        Ok(disk)
    }

    /// Has everything that is applied noted by a tap, too.
    pub(super) fn tapped(self, space: Space, tap: &Arc<Tap>) -> Disk {
        Disk { tapped: Some((space, tap.clone())), ..self }
    }

    /// The entry under a key.
    pub(super) fn entry(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = guarded(|| self.db.get(key)).map_err(|why| self.unreadable(&why))?;
        Ok(found.map(|entry| entry.to_vec()))
    }

    /// The number stored under a key.
    pub(super) fn number(&self, key: &[u8]) -> Result<Option<u64>, StoreError> {
        self.entry(key)?.map(|entry| keyspace::decode_archived(pieces::start_of(&entry)?)).transpose()
    }

    /// Visits a range of entries.
    pub(super) fn scan(&self, from: &[u8], to: &[u8], order: Order, visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut range = self.db.range(from..to);
        let mut next = || {
            guarded(|| (if order == Order::Rising { range.next() } else { range.next_back() }).transpose())
                .map_err(|why| self.unreadable(&why))
        };
        while let Some((key, entry)) = next()? {
            if visit(&key, &entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Applies a batch as a whole. It is not durable yet.
    pub(super) fn apply(&self, batch: Batch) -> Result<(), String> {
        let mut writes = ::sled::Batch::default();
        for (key, entry) in &batch.0 {
            match entry {
                Some(entry) => writes.insert(key.as_slice(), entry.as_slice()),
                None => writes.remove(key.as_slice()),
            }
        }
        guarded(|| self.db.apply_batch(writes)).map_err(|why| format!("{} cannot be written: {why}", self.place))?;
        if let Some((space, tap)) = &self.tapped {
            tap.note(*space, batch.0);
        }
        Ok(())
    }

    /// Makes everything that was applied durable.
    pub(super) fn sync(&self) -> Result<(), String> {
        guarded(|| self.db.flush()).map_err(|why| format!("{} cannot be flushed: {why}", self.place))?;
        self.file.sync_data().map_err(|error| format!("{} cannot be synced: {error}", self.place))
    }

    fn unreadable(&self, why: &str) -> StoreError {
        StoreError(format!("{} cannot be read ({why}): restore the store from a backup", self.place))
    }
}

/// Removes a snapshot that sled had not finished when the process was killed or the disk was full. It would count as
/// the newest one, and sled opens no database whose newest snapshot is damaged. The snapshot before it is still there.
fn remove_unfinished(path: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Waits until this process has closed a database completely: sled goes on closing in its own threads.
///
/// # Errors
/// One that stays open, and a file that cannot be locked.
pub(super) fn wait_until_closed(path: &Path) -> Result<(), StoreError> {
    let unusable = |error: std::io::Error| layout::unusable(path, "cannot be locked", &error);
    let file = File::options().read(true).write(true).open(path.join("db")).map_err(unusable)?;
    for _ in 0..CLOSING_TRIES_MAX {
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => return Ok(()),
            Err(fs4::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            Err(fs4::TryLockError::Error(error)) => return Err(unusable(error)),
        }
    }
    Err(StoreError(format!("{} does not close: try again", path.display())))
}

fn sync_file(path: &Path) -> std::io::Result<()> {
    File::options().read(true).write(true).open(path)?.sync_data()
}

/// Opens a database. Waits for an earlier handle of this process, which sled closes in its own threads.
fn open_patiently(config: &::sled::Config) -> Result<::sled::Db, String> {
    let mut tries = 0;
    loop {
        match guarded(|| config.open()) {
            Err(why) if why.contains("could not acquire lock") && tries < TRIES_MAX => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            outcome => return outcome,
        }
    }
}

/// Runs sled's code; a panic becomes an error.
fn guarded<T>(work: impl FnOnce() -> ::sled::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word");
            Err(format!("sled panicked: {text}"))
        }
    }
}
