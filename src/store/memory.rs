//! A store in memory: the same layout and the same reading over ordered maps, for tests and the simulation.
//!
//! A clone is another handle of the same store, so that what was kept outlives whatever used it. It can be told to fail.

use super::keyspace::{Month, Ops};
use super::shelf::{Order, Shelf, Space, Visit};
use super::{CommitError, Listing, Page, PagePlan, Record, Store, StoreError, Whereabouts};
use super::{clear, facts, paging, pieces, plan, reader};
use crate::channel::{
    Channel, ChannelName, Facts, Head, Member, ParticipantId, Progress, Row, Stamp, Status, Tombstone,
};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a commit is made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is refused, and nothing is applied.
    Refused,
    /// It is told as unknown, and everything was kept.
    UnknownKept,
    /// It is told as unknown, and everything was lost.
    UnknownLost,
}

/// A store in memory.
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    sealing_key: [u8; 16],
}

#[derive(Default)]
struct Inner {
    spaces: BTreeMap<Space, BTreeMap<Vec<u8>, Vec<u8>>>,
    month: Month,
    seen: plan::Seen,
    failures: (usize, Option<Failure>),
}

impl MemoryStore {
    /// An empty store.
    pub fn new(sealing_key: [u8; 16]) -> MemoryStore {
        MemoryStore { inner: Arc::default(), sealing_key }
    }

    /// Makes the next `n` commits fail.
    pub fn fail_next_commits(&self, n: usize, failure: Failure) {
        self.lock().failures = (n, Some(failure));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf for Inner {
    fn entry(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.spaces.get(&space).and_then(|entries| entries.get(key)).cloned())
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), StoreError> {
        let Some(entries) = self.spaces.get(&space) else { return Ok(()) };
        if from >= to {
            return Ok(());
        }
        let mut range = entries.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        while let Some((key, entry)) = if order == Order::Rising { range.next() } else { range.next_back() } {
            if visit(key, entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Inner {
    fn commit(&mut self, now: Stamp, records: &[Record]) -> Result<(), CommitError> {
        let failure = self.failures.1.filter(|_| self.failures.0 > 0);
        self.failures.0 = self.failures.0.saturating_sub(1);
        if failure == Some(Failure::Refused) {
            return Err(CommitError::Refused("told to refuse".into()));
        }
        if failure != Some(Failure::UnknownLost) {
            self.keep(now, records).map_err(|error| CommitError::Refused(error.0))?;
        }
        failure.map_or(Ok(()), |_| Err(CommitError::Unknown("told to fail".into())))
    }

    /// Plans and cuts everything before anything is applied.
    fn keep(&mut self, now: Stamp, records: &[Record]) -> Result<(), StoreError> {
        let month = self.month.max(Month::of(now));
        if month != self.month {
            self.seen.clear();
        }
        let mut writes = plan::plan(self, month, &self.seen, records)?;
        let mut archive = Vec::new();
        for (key, value) in &writes.archive {
            archive.extend(pieces::cut(key, value)?);
        }
        let mut ops = std::mem::take(&mut writes.kept);
        ops.append(&mut writes.lazy);
        let state = self.cut(&ops)?;
        self.month = month;
        self.seen.note(&writes);
        self.spaces.entry(Space::Month(month)).or_default().extend(archive);
        self.apply(state);
        let cleared = clear::clear_some(self)?;
        let cleared = self.cut(&cleared)?;
        self.apply(cleared);
        Ok(())
    }

    fn cut(&self, ops: &Ops) -> Result<pieces::Edits, StoreError> {
        pieces::cut_ops(ops, |key| self.entry(Space::State, key))
    }

    fn apply(&mut self, entries: pieces::Edits) {
        let state = self.spaces.entry(Space::State).or_default();
        for (key, entry) in entries {
            match entry {
                Some(entry) => state.insert(key, entry),
                None => state.remove(&key),
            };
        }
    }
}

impl Store for MemoryStore {
    fn load(&self, names: &[ChannelName]) -> Result<Vec<Option<Channel>>, StoreError> {
        let inner = self.lock();
        names.iter().map(|name| reader::load(&*inner, name)).collect()
    }

    fn directory(&self) -> Result<Vec<Listing>, StoreError> {
        reader::directory(&*self.lock())
    }

    fn whereabouts(&self) -> Result<Vec<(BareJid, Whereabouts)>, StoreError> {
        reader::whereabouts(&*self.lock())
    }

    fn channels_of(&self, account: &BareJid) -> Result<Vec<ChannelName>, StoreError> {
        reader::channels_of(&*self.lock(), account)
    }

    fn groups_of(&self, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError> {
        reader::groups_of(&*self.lock(), account)
    }

    fn facts(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError> {
        facts::facts(&*self.lock(), tag, numbers)
    }

    fn tombstones(&self, tag: u64, numbers: &[u64]) -> Result<BTreeMap<u64, Tombstone>, StoreError> {
        facts::tombstones(&*self.lock(), tag, numbers)
    }

    fn reports(
        &self,
        tag: u64,
        row: u64,
        progress: Progress,
        members: &[ParticipantId],
    ) -> Result<HashMap<ParticipantId, Stamp>, StoreError> {
        facts::reports(&*self.lock(), tag, row, progress, members)
    }

    fn commit(&self, now: Stamp, records: &[Record]) -> Result<(), CommitError> {
        self.lock().commit(now, records)
    }

    fn page(&self, plan: &PagePlan) -> Result<Page, StoreError> {
        paging::page(&*self.lock(), plan)
    }

    fn rows(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError> {
        facts::rows(&*self.lock(), tag, numbers)
    }

    fn bounds(&self, tag: u64) -> Result<Option<(u64, Head)>, StoreError> {
        reader::bounds(&*self.lock(), tag)
    }

    fn people(&self, tag: u64, ids: &[ParticipantId]) -> Result<HashMap<ParticipantId, Member>, StoreError> {
        reader::people(&*self.lock(), tag, ids)
    }

    fn sealing_key(&self) -> [u8; 16] {
        self.sealing_key
    }
}
