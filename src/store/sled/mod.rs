//! The store on disk: `state/` for everything but rows, `archive/YYYY-MM/` for the rows of a month.
//!
//! `FORMAT` marks the folder and its version, `LOCK` keeps a second process out. See `docs/storage.md`.

mod backup;
mod compact;
mod disk;
mod exchange;
mod fill;
mod folder;
mod layout;
mod months;
mod options;
mod restore;
mod scribe;
mod succession;
mod tap;
mod unsent;
mod upgrade;
mod writer;

use super::backup::{Manifest, Watch};
use super::databases::Space;
use super::{
    Bounds, Erased, StoreCensus, Unsent, VerifyEvent, acquaintance, erase, facts, keyspace, look_for, paging, past,
    pieces, reader, receipts, retention, stops, trace, verify,
};
use super::{
    CommitError, Directory, Mentions, PagePlan, Record, Retention, RowPage, Sizes, Store, StoreError, Sweep, Trace,
    Unrecorded, Whereabouts,
};
use crate::channel::whom::Whom;
use crate::channel::{
    Actor, Channel, ChannelName, Facts, Head, Member, ParticipantId, Progress, Receipt, Report, Row, Stamp, Status,
    Tombstone,
};
pub use compact::Compacted;
pub use options::SledOptions;
pub use restore::Restored;
pub use upgrade::{Aged, UPGRADED_AT_START_BYTES_MAX, Upgraded};

use disk::Disk;
use folder::Folder;
use jid::BareJid;
pub use layout::folder_bytes;
use months::Disks;
use rand::{TryRngCore, rngs::OsRng};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use writer::StoreWriter;

/// A store on disk.
pub struct SledStore {
    writer: Mutex<StoreWriter>,
    disks: Disks,
    sealing_key: [u8; 16],
    replayed: usize,
    reserve_bytes: u64,
    // Last, because the lock goes when everything else is closed.
    folder: Arc<Folder>,
}

impl SledStore {
    /// Opens a store. Where the options say so, makes one if the folder is missing or empty.
    ///
    /// # Errors
    /// A folder that belongs to something else, is in use, of another version, damaged or not writable; the text says
    /// what to do.
    pub fn open(options: SledOptions) -> Result<SledStore, StoreError> {
        let folder = Folder::claim_with(&options.path, options.create, options.lock.as_deref())?;
        SledStore::open_in(Arc::new(folder), options)
    }

    fn open_in(folder: Arc<Folder>, options: SledOptions) -> Result<SledStore, StoreError> {
        let months = folder.months()?;
        let state = Disk::open(&folder.state(), options.cache_bytes / 4, options.flush_ms, months.is_empty())?;
        let sealing_key = sealing_key(&state, months.is_empty())?;
        let (reserve_bytes, mut writer) = (options.reserve_bytes, StoreWriter::of(options.epoch));
        let disks = Disks::new(state, folder.archive(), options);
        if let Some(&newest) = months.last() {
            let disk = disks.begin(newest)?;
            let is_whole = disk.number(keyspace::NEWEST)?.is_some();
            let replayed = writer.resume(&disks, &months)?;
            if !is_whole {
                writer.mark(&disks, &disk).map_err(StoreError)?;
            }
            return Ok(SledStore { writer: Mutex::new(writer), disks, sealing_key, replayed, reserve_bytes, folder });
        }
        writer.resume(&disks, &months)?;
        Ok(SledStore { writer: Mutex::new(writer), disks, sealing_key, replayed: 0, reserve_bytes, folder })
    }

    /// How many commits were replayed at opening, because the last process had not synced the state.
    pub fn replayed(&self) -> usize {
        self.replayed
    }

    /// Checks everything, and reports what is wrong. Nothing else may write meanwhile.
    ///
    /// # Errors
    /// A folder that cannot be read. What is wrong inside is reported, and is no error.
    pub fn verify(&self, watch: &mut dyn FnMut(VerifyEvent)) -> Result<StoreCensus, StoreError> {
        Ok(verify::verify(&self.disks, self.folder.months()?, true, watch))
    }

    /// Drops months. A month that nothing refers to stays so, because rows come into the current month alone.
    fn drop_old(&self, retention: &Retention) -> Result<(usize, usize), StoreError> {
        succession::close_old(self.folder.path(), retention.now)?;
        let Some(oldest) = retention.oldest_month() else { return Ok((0, 0)) };
        let used = retention::months_in_use(&self.disks)?;
        let (mut gone, mut waiting) = (0, 0);
        for month in self.folder.months()?.into_iter().filter(|month| *month < oldest) {
            // Between two commits, so that the month does not become the current one or part of a backup meanwhile.
            let writer = self.writer().map_err(|error| StoreError(error.to_string()))?;
            let is_current = self.disks.current().is_some_and(|(current, _)| current == month);
            if is_current || used.contains(&month) || self.disks.tap.is_open() || !self.disks.close(month) {
                waiting += usize::from(!is_current);
                continue;
            }
            // The databases that an upgrade kept would miss this month.
            succession::close(self.folder.path())?;
            let set_aside = self.folder.set_month_aside(month)?;
            drop(writer);
            layout::remove(&set_aside)?;
            gone += 1;
        }
        Ok((gone, waiting))
    }

    fn writer(&self) -> Result<MutexGuard<'_, StoreWriter>, CommitError> {
        self.writer.lock().map_err(|_| CommitError::Unknown("an earlier commit did not come to its end".into()))
    }
}

/// The sealing key of the store. It is drawn for a new store.
fn sealing_key(state: &Disk, is_new: bool) -> Result<[u8; 16], StoreError> {
    if let Some(entry) = state.entry(keyspace::SEALING)? {
        return keyspace::decode(pieces::start_of(&entry)?);
    }
    if !is_new {
        return Err(StoreError("state/ lost what it held, its key at least: restore the store from a backup".into()));
    }
    let mut key = [0; 16];
    OsRng.try_fill_bytes(&mut key).map_err(|error| StoreError(format!("the system gives no randomness: {error}")))?;
    let mut batch = disk::Batch::default();
    disk::put(&mut batch, keyspace::SEALING, &keyspace::encode(&key)?).map_err(StoreError)?;
    state.apply(batch).and_then(|()| state.sync()).map_err(StoreError)?;
    Ok(key)
}

impl Drop for SledStore {
    fn drop(&mut self) {
        if let Ok(mut writer) = self.writer.lock() {
            // What is not synced is replayed by the next start.
            let _ = writer.sync_state(&self.disks);
        }
    }
}

impl Store for SledStore {
    fn load(&self, names: &[ChannelName]) -> Result<Vec<Option<Channel>>, StoreError> {
        names.iter().map(|name| reader::load(&self.disks, name)).collect()
    }

    fn directory(&self) -> Result<Directory, StoreError> {
        reader::directory(&self.disks)
    }

    fn whereabouts(&self) -> Result<Vec<(BareJid, Whereabouts)>, StoreError> {
        reader::whereabouts(&self.disks)
    }

    fn channels_of(&self, account: &BareJid) -> Result<Vec<ChannelName>, StoreError> {
        reader::channels_of(&self.disks, account)
    }

    fn mentions_of(&self, account: &BareJid) -> Result<Mentions, StoreError> {
        reader::mentions_of(&self.disks, account)
    }

    fn groups_of(&self, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError> {
        reader::groups_of(&self.disks, account)
    }

    fn reports(&self, tag: u64, member: &ParticipantId) -> Result<Vec<Report>, StoreError> {
        receipts::of_member(&self.disks, tag, member)
    }

    fn erase(&self, account: &BareJid, unrecorded: Unrecorded<'_>) -> Result<Erased, StoreError> {
        // The databases that an upgrade kept hold what is to be erased, and could not read months that this version
        // wrote to.
        succession::close(self.folder.path())?;
        let erased = erase::erase(self, account, unrecorded)?;
        // Redo records may hold what was erased.
        let mut writer = self.writer().map_err(|error| StoreError(error.to_string()))?;
        writer.catch_up(&self.disks).map_err(|error| StoreError(error.to_string()))?;
        Ok(erased)
    }

    fn look_for(&self, account: &BareJid) -> Result<Vec<String>, StoreError> {
        look_for::look_for(&self.disks, &self.folder.months()?, account)
    }

    fn trace(&self, accounts: &BTreeSet<BareJid>, from: &[u8], max: usize) -> Result<Trace, StoreError> {
        trace::trace(&self.disks, accounts, from, max)
    }

    fn channels_behind(
        &self,
        account: &BareJid,
        behind: Option<&ChannelName>,
        count: usize,
    ) -> Result<Vec<ChannelName>, StoreError> {
        stops::channels_behind(&self.disks, account, behind, count)
    }

    fn is_known_to(&self, name: &ChannelName, actor: &Actor) -> Result<bool, StoreError> {
        acquaintance::is_known_to(&self.disks, name, actor)
    }

    fn head_at(&self, tag: u64, stamp: Stamp) -> Result<Head, StoreError> {
        stops::head_at(&self.disks, tag, stamp)
    }

    fn facts(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError> {
        facts::facts(&self.disks, tag, numbers)
    }

    fn at_hand(&self, tag: u64, numbers: &[u64]) -> Result<Vec<bool>, StoreError> {
        let current = self.disks.current().map(|(month, _)| month).unwrap_or_default();
        facts::at_hand(&self.disks, current, tag, numbers)
    }

    fn tombstones(&self, tag: u64, numbers: &[u64]) -> Result<BTreeMap<u64, Tombstone>, StoreError> {
        facts::tombstones(&self.disks, tag, numbers)
    }

    fn receipts(
        &self,
        tag: u64,
        row: u64,
        reached: &[(ParticipantId, Progress)],
    ) -> Result<HashMap<ParticipantId, Receipt>, StoreError> {
        receipts::receipts(&self.disks, tag, row, reached)
    }

    fn commit(&self, now: Stamp, records: &[Record]) -> Result<(), CommitError> {
        // A commit that only lets parcels go is taken even when the disk is full.
        if !records.iter().all(|record| matches!(record, Record::Sent(_))) {
            self.folder.check_room(self.reserve_bytes).map_err(|error| CommitError::Refused(error.0))?;
        }
        self.writer()?.commit(&self.disks, now, records)
    }

    fn idle(&self, now: Stamp) -> Result<(), CommitError> {
        self.writer()?.idle(&self.disks, now)
    }

    fn finish(&self, now: Stamp) -> Result<(), CommitError> {
        let mut writer = self.writer()?;
        writer.idle(&self.disks, now)?;
        writer.forget_sent(&self.disks)
    }

    fn sweep(&self, retention: &Retention, from: &[u8], count: usize) -> Result<Sweep, StoreError> {
        let current = self.disks.current().map(|(month, _)| month).unwrap_or_default();
        retention::sweep(&self.disks, current, retention, from, count)
    }

    fn drop_months(&self, retention: &Retention) -> Result<(usize, usize), StoreError> {
        self.drop_old(retention)
    }

    fn page(&self, plan: &PagePlan) -> Result<RowPage, StoreError> {
        paging::page(&self.disks, plan)
    }

    fn rows(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError> {
        facts::rows(&self.disks, tag, numbers)
    }

    fn backup(&self, to: &Path, clock: &dyn Fn() -> Stamp, watch: &mut Watch<'_>) -> Result<Manifest, StoreError> {
        self.copy_to(to, clock, watch)
    }

    fn bounds(&self, tag: u64) -> Result<Option<Bounds>, StoreError> {
        reader::bounds(&self.disks, tag)
    }

    fn people(&self, tag: u64, ids: &[ParticipantId]) -> Result<HashMap<ParticipantId, Member>, StoreError> {
        reader::people(&self.disks, tag, ids)
    }

    fn past(&self, tag: u64, accounts: &[BareJid]) -> Result<HashMap<BareJid, Member>, StoreError> {
        past::of_accounts(&self.disks, tag, accounts)
    }

    fn given_up(&self, tag: u64, account: &BareJid) -> Result<Vec<Member>, StoreError> {
        past::all_of(&self.disks, tag, account)
    }

    fn sizes(&self) -> Result<Sizes, StoreError> {
        let bytes = |path: PathBuf| {
            folder_bytes(&path).map_err(|error| StoreError(format!("{} cannot be read: {error}", path.display())))
        };
        Ok(Sizes {
            state_bytes: bytes(self.folder.state())?,
            archive_bytes: bytes(self.folder.archive())?,
            months: self.folder.months()?.len() as u64,
        })
    }

    fn remains(&self, tag: u64, whom: &Whom) -> Result<Vec<BareJid>, StoreError> {
        super::unsent::remains(&self.disks, tag, whom)
    }

    fn unsent(&self) -> Result<Vec<Unsent>, StoreError> {
        match self.disks.current() {
            Some((month, _)) => super::unsent::read(&self.disks, Space::Month(month)),
            None => Ok(Vec::new()),
        }
    }

    fn lock(&self) -> Option<std::fs::File> {
        self.folder.lock().ok()
    }

    fn sealing_key(&self) -> [u8; 16] {
        self.sealing_key
    }
}
