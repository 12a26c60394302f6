//! Writes commits: one batch in the current month, one sync, then the state.
//!
//! sled cannot commit across two databases. So a batch holds its rows and one redo record of all its changes of the
//! state. The state applies them afterwards and is synced lazily; a start replays what the state does not have. A redo
//! record is dropped only when the state is synced with its changes. After a failure that leaves the disk unknown,
//! nothing is written any more.

use super::super::clear::Left;
use super::super::databases::{Databases, Order, Space};
use super::super::keyspace::{self, Month, Ops};
use super::super::plan::{self, Writes};
use super::super::seen::Seen;
use super::super::{CommitError, Record, StoreError, clear, near, pieces, receipts};
use super::disk::{Batch, Disk, put};
use super::months::Disks;
use super::unsent::UnsentParcels;
use crate::channel::Stamp;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// How much of the state may be unsynced, in bytes of entries. sled writes a few times as much, and cannot open a file
/// that lost more than its last segment of 512 KiB.
const UNSYNCED_BYTES_MAX: usize = 64 * 1024;
/// How long the state may stay unsynced, in milliseconds.
const UNSYNCED_MS_MAX: u64 = 1000;
/// How many redo records a commit drops.
const DROPPED_MAX: usize = 64;

/// Writes to a store. There is one writer, and one thread at a time uses it.
#[derive(Default)]
pub(super) struct StoreWriter {
    /// The epoch of this writer.
    epoch: u64,
    /// The epoch of the newest commit. Where it is later than that of this writer, this writer is fenced off.
    newest_epoch: u64,
    /// The number of the newest commit.
    commit: u64,
    /// The newest commit whose changes the state holds.
    applied: u64,
    /// The newest commit whose changes the state holds durably.
    synced: u64,
    /// The redo records of the current month, oldest first, and how many pieces follow each.
    redo: VecDeque<(u64, u16)>,
    /// What the host server is not yet known to have.
    unsent: UnsentParcels,
    unsynced_bytes: usize,
    unsynced_since: Option<Stamp>,
    graves: Left,
    seen: Seen,
    broken: Option<String>,
}

impl StoreWriter {
    /// A writer of an epoch.
    pub(super) fn of(epoch: u64) -> StoreWriter {
        StoreWriter { epoch, ..StoreWriter::default() }
    }

    /// Takes up a store: replays the commits that the state does not have. Returns how many that were.
    ///
    /// # Errors
    /// An archive that ends before the state does, and whatever cannot be read or written.
    pub(super) fn resume(&mut self, disks: &Disks, months: &[Month]) -> Result<usize, StoreError> {
        self.applied = disks.state.number(keyspace::APPLIED)?.unwrap_or(0);
        // A month without a number was still being created when the process ended.
        for &month in months.iter().rev() {
            let entry = disks.entry(Space::Month(month), keyspace::NEWEST)?;
            if let Some(entry) = entry {
                (self.commit, self.newest_epoch) = keyspace::decode_commit(pieces::start_of(&entry)?)?;
                self.unsent = UnsentParcels::take_up(disks, month)?;
                break;
            }
        }
        if self.commit < self.applied {
            return Err(StoreError(format!(
                "the archive ends at commit {} and the state knows commit {}: a part of the archive is lost, restore the store from a backup",
                self.commit, self.applied
            )));
        }
        let Some(&newest) = months.last() else { return Ok(0) };
        let dropped = disks.entry(Space::Month(newest), keyspace::DROPPED)?;
        let dropped: u64 = dropped.map_or(Ok(0), |entry| keyspace::decode_archived(pieces::start_of(&entry)?))?;
        if self.applied < dropped {
            return Err(StoreError(format!(
                "the state ends at commit {} and held commit {dropped}: a part of state/ is lost, restore the store from a backup",
                self.applied
            )));
        }
        let mut records: Vec<(u64, Ops)> = Vec::new();
        let space = Space::Month(newest);
        disks.scan(
            space,
            &keyspace::redo(0),
            &keyspace::behind(&keyspace::all(b'z')),
            Order::Rising,
            &mut |key, entry| {
                let commit = keyspace::number_of(key)?;
                if commit > self.applied {
                    records.push((commit, disks.whole(space, key, entry)?));
                }
                self.redo.push_back((commit, pieces::count_of(entry)?));
                Ok(ControlFlow::Continue(()))
            },
        )?;
        let replayed = records.len();
        for (commit, ops) in records {
            self.apply(disks, &ops, Some(commit), Stamp(0)).map_err(StoreError)?;
        }
        self.sync_state(disks).map_err(StoreError)?;
        self.graves = Left::Some;
        Ok(replayed)
    }

    /// The number of the newest commit.
    pub(super) fn commit_newest(&self) -> u64 {
        self.commit
    }

    /// Makes records durable.
    pub(super) fn commit(&mut self, disks: &Disks, now: Stamp, records: &[Record]) -> Result<(), CommitError> {
        self.check_right()?;
        let current = disks.current();
        let month = Month::of(now).max(current.as_ref().map_or(Month::default(), |(month, _)| *month));
        let disk = current.filter(|(current, _)| *current == month).map(|(_, disk)| disk);
        if disk.is_none() {
            self.seen.clear();
        }
        let mut writes = near(|| plan::plan(disks, month, &self.seen, records)).map_err(refused)?;
        self.unsent.sent(writes.sent);
        if !writes.archive.is_empty() || !writes.kept.is_empty() {
            let disk = match disk {
                Some(disk) => disk,
                None => self.begin(disks, month)?,
            };
            let batch = self.batch(&writes, month).map_err(refused)?;
            let kept = disk.apply(batch).and_then(|()| disk.sync());
            kept.map_err(|why| self.fail(why))?;
            self.commit += 1;
            self.seen.note(std::mem::take(&mut writes.news));
            if !writes.kept.is_empty() {
                let commit = self.commit;
                self.apply(disks, &writes.kept, Some(commit), now).map_err(|why| self.fail(why))?;
            }
            if writes.kept.keys().any(|key| key.starts_with(b"g")) {
                self.graves = Left::Some;
            }
        }
        self.apply(disks, &writes.lazy, None, now).map_err(|why| self.fail(why))?;
        self.settle(disks, now).map_err(|why| self.fail(why))
    }

    /// Does a part of the work that was put off.
    pub(super) fn idle(&mut self, disks: &Disks, now: Stamp) -> Result<(), CommitError> {
        self.check_right()?;
        self.settle(disks, now).map_err(|why| self.fail(why))?;
        let Some((_, disk)) = disks.current() else { return Ok(()) };
        let mut batch = Batch::default();
        let dropped = self.unsent.drop_sent(&mut batch);
        if self.drop_redo(&mut batch, DROPPED_MAX).map_err(|why| self.fail(why))? || dropped {
            disk.apply(batch).map_err(|why| self.fail(why))?;
        }
        Ok(())
    }

    /// Drops all parcels that were sent, so that the next start sends none of them again.
    ///
    /// # Errors
    /// As for a commit.
    pub(super) fn forget_sent(&mut self, disks: &Disks) -> Result<(), CommitError> {
        self.check_right()?;
        let Some((_, disk)) = disks.current() else { return Ok(()) };
        loop {
            let mut batch = Batch::default();
            if !self.unsent.drop_sent(&mut batch) {
                return disk.sync().map_err(|why| self.fail(why));
            }
            disk.apply(batch).map_err(|why| self.fail(why))?;
        }
    }

    /// Does all work that was put off. Afterwards nothing is left of destroyed channels, unless their people are still
    /// to be told, nor of redo records that have served.
    ///
    /// # Errors
    /// As for a commit.
    pub(super) fn catch_up(&mut self, disks: &Disks) -> Result<(), CommitError> {
        self.check_right()?;
        while self.can_clear() {
            self.settle(disks, Stamp(0)).map_err(|why| self.fail(why))?;
        }
        self.sync_state(disks).map_err(|why| self.fail(why))?;
        let Some((_, disk)) = disks.current() else { return Ok(()) };
        let mut batch = Batch::default();
        if self.drop_redo(&mut batch, usize::MAX).map_err(|why| self.fail(why))? {
            disk.apply(batch).and_then(|()| disk.sync()).map_err(|why| self.fail(why))?;
        }
        Ok(())
    }

    /// Syncs the state.
    pub(super) fn sync_state(&mut self, disks: &Disks) -> Result<(), String> {
        if self.unsynced_since.is_some() {
            disks.state.sync()?;
        }
        self.unsynced_since = None;
        self.unsynced_bytes = 0;
        self.synced = self.applied;
        Ok(())
    }

    /// Writes changes of the state that belong to no commit, and makes them durable.
    ///
    /// # Errors
    /// Those of reading and writing.
    pub(super) fn write_state(&mut self, disks: &Disks, ops: &Ops) -> Result<(), String> {
        self.apply(disks, ops, None, Stamp(0))?;
        self.sync_state(disks)
    }

    /// Begins a month. The state is synced first, so that only the newest month has redo records that count.
    fn begin(&mut self, disks: &Disks, month: Month) -> Result<std::sync::Arc<Disk>, CommitError> {
        self.sync_state(disks).map_err(|why| self.fail(why))?;
        if let Some((_, before)) = disks.current() {
            let mut batch = Batch::default();
            if self.drop_redo(&mut batch, usize::MAX).map_err(|why| self.fail(why))? {
                before.apply(batch).and_then(|()| before.sync()).map_err(|why| self.fail(why))?;
            }
        }
        let disk = disks.begin(month).map_err(refused)?;
        self.mark(disks, &disk).map_err(|why| self.fail(why))?;
        Ok(disk)
    }

    /// Completes a month that was just created: writes the number of the newest commit, by which a start recognises it,
    /// and the parcels that are left of the month before.
    pub(super) fn mark(&mut self, disks: &Disks, disk: &Disk) -> Result<(), String> {
        let mut batch = Batch::default();
        self.unsent.carry(disks, &mut batch)?;
        put(&mut batch, keyspace::NEWEST, &self.newest(self.commit)?)?;
        put(&mut batch, keyspace::DROPPED, &number(self.synced)?)?;
        disk.apply(batch).and_then(|()| disk.sync())
    }

    /// The batch of a commit: rows, indexes, the redo record, and the removal of redo records that have served.
    fn batch(&mut self, writes: &Writes, month: Month) -> Result<Batch, StoreError> {
        let mut batch = Batch::default();
        for (key, value) in &writes.archive {
            let pieces = put(&mut batch, key, value).map_err(StoreError)?;
            self.unsent.note(key, pieces, month)?;
        }
        self.unsent.drop_sent(&mut batch);
        let newest = self.newest(self.commit + 1).map_err(StoreError)?;
        put(&mut batch, keyspace::NEWEST, &newest).map_err(StoreError)?;
        let redo = if writes.kept.is_empty() {
            None
        } else {
            let pieces = put(&mut batch, &keyspace::redo(self.commit + 1), &keyspace::encode(&writes.kept)?);
            Some((self.commit + 1, pieces.map_err(StoreError)?))
        };
        self.drop_redo(&mut batch, DROPPED_MAX).map_err(StoreError)?;
        self.redo.extend(redo);
        Ok(batch)
    }

    /// Adds to a batch the removal of redo records that the synced state has. Returns whether there were any.
    fn drop_redo(&mut self, batch: &mut Batch, max: usize) -> Result<bool, String> {
        let served = self.redo.iter().take(max).take_while(|(commit, _)| *commit <= self.synced).count();
        if let Some(&(newest, _)) = served.checked_sub(1).and_then(|last| self.redo.get(last)) {
            put(batch, keyspace::DROPPED, &number(newest)?)?;
        }
        for (commit, pieces) in self.redo.drain(..served) {
            let key = keyspace::redo(commit);
            (0..pieces).for_each(|number| batch.remove(pieces::piece_key(&key, number)));
            batch.remove(key);
        }
        Ok(served > 0)
    }

    /// Applies changes to the state, with what follows from them. The number of their commit comes last, because a part
    /// of them may be synced alone.
    fn apply(&mut self, disks: &Disks, ops: &Ops, commit: Option<u64>, now: Stamp) -> Result<(), String> {
        if ops.is_empty() {
            return Ok(());
        }
        let old = |key: &[u8]| disks.state.entry(key);
        let sums = receipts::sums(disks, ops).map_err(|error| error.0)?;
        let mut entries = pieces::cut_ops(ops, old).map_err(|error| error.0)?;
        entries.extend(pieces::cut_ops(&sums, old).map_err(|error| error.0)?);
        self.unsynced_since.get_or_insert(now);
        let mut batch = Batch::default();
        for (key, entry) in entries {
            self.unsynced_bytes += key.len() + entry.as_ref().map_or(0, Vec::len);
            match entry {
                Some(entry) => batch.insert(key, entry),
                None => batch.remove(key),
            }
            if self.unsynced_bytes >= UNSYNCED_BYTES_MAX {
                disks.state.apply(std::mem::take(&mut batch))?;
                disks.state.sync()?;
                self.unsynced_bytes = 0;
            }
        }
        if let Some(commit) = commit {
            put(&mut batch, keyspace::APPLIED, &number(commit)?)?;
            self.applied = commit;
        }
        disks.state.apply(batch)
    }

    /// Clears away some of what was destroyed, and syncs the state when it is due.
    fn settle(&mut self, disks: &Disks, now: Stamp) -> Result<(), String> {
        if self.can_clear() {
            let is_unsent = |number| self.unsent.holds(number);
            let (ops, left) = clear::clear_some(disks, is_unsent).map_err(|error| error.0)?;
            self.graves = left;
            self.apply(disks, &ops, None, now)?;
        }
        let waited = self.unsynced_since.map_or(0, |since| now.0.abs_diff(since.0));
        if waited >= UNSYNCED_MS_MAX { self.sync_state(disks) } else { Ok(()) }
    }

    /// Whether there may be something to clear away.
    fn can_clear(&self) -> bool {
        match self.graves {
            Left::Nothing => false,
            Left::Some => true,
            Left::Waits(parcel) => !self.unsent.holds(parcel),
        }
    }

    /// The encoding of a commit with this number and this writer's epoch.
    fn newest(&self, commit: u64) -> Result<Vec<u8>, String> {
        let newest: keyspace::Commit = (commit, self.epoch.max(self.newest_epoch));
        keyspace::encode(&newest).map_err(|error| error.0)
    }

    /// Refuses where this writer lost its epoch or failed before.
    fn check_right(&self) -> Result<(), CommitError> {
        if self.epoch < self.newest_epoch {
            return Err(CommitError::Fenced { ours: self.epoch, theirs: self.newest_epoch });
        }
        self.broken.clone().map_or(Ok(()), |why| Err(CommitError::Unknown(why)))
    }

    fn fail(&mut self, why: String) -> CommitError {
        self.broken = Some(why.clone());
        CommitError::Unknown(why)
    }
}

fn number(number: u64) -> Result<Vec<u8>, String> {
    keyspace::encode(&number).map_err(|error| error.0)
}

fn refused(error: StoreError) -> CommitError {
    CommitError::Refused(error.0)
}
