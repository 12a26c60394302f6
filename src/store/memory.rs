//! A store in memory, for tests and the simulation. It has the layout of the store on disk and shares the code that
//! reads.
//!
//! Clones share one store, so what was kept outlives whatever used it. Commits can be made to fail.

use super::databases::{Databases, Order, Space, Visitor};
use super::keyspace::{Month, Ops};
use super::seen::Seen;
use super::{
    Bounds, Erased, StoreCensus, Unsent, VerifyEvent, acquaintance, clear, erase, facts, keyspace, look_for, near,
    paging, past, pieces, plan, reader, receipts, retention, stops, trace, unsent, verify,
};
use super::{
    CommitError, Directory, Mentions, PagePlan, Record, Retention, RowPage, Store, StoreError, Sweep, Trace,
    Unrecorded, Whereabouts,
};
use crate::channel::whom::Whom;
use crate::channel::{
    Actor, Channel, ChannelName, Facts, Head, Member, Node, ParticipantId, Progress, Receipt, Report, Row, Stamp,
    Status, Tombstone,
};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a commit fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is refused, and nothing is applied.
    Refused,
    /// It is reported as unknown; everything was kept.
    UnknownKept,
    /// It is reported as unknown; everything was lost.
    UnknownLost,
    /// It is refused, because another process has a newer epoch.
    Fenced,
}

/// A store in memory.
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    sealing_key: [u8; 16],
}

/// The contents.
#[derive(Default)]
pub(super) struct Inner {
    spaces: BTreeMap<Space, BTreeMap<Vec<u8>, Vec<u8>>>,
    month: Month,
    seen: Seen,
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

    /// Damages a channel: it cannot be loaded any more, because its information is lost.
    pub fn damage(&self, tag: u64) {
        let mut inner = self.lock();
        let state = inner.spaces.entry(Space::State).or_default();
        state.remove(&keyspace::item(tag, Node::Info));
    }

    /// Checks everything, and reports what is wrong.
    pub fn verify(&self, watch: &mut dyn FnMut(VerifyEvent)) -> StoreCensus {
        let inner = self.lock();
        verify::verify(&*inner, inner.months().collect(), false, watch)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Databases for Inner {
    fn entry(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.reach(space);
        Ok(self.spaces.get(&space).and_then(|entries| entries.get(key)).cloned())
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        order: Order,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        self.reach(space);
        let Some(entries) = self.spaces.get(&space) else { return Ok(()) };
        if from >= to {
            return Ok(());
        }
        let mut range = entries.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        while let Some((key, entry)) = if order == Order::Rising { range.next() } else { range.next_back() } {
            crate::steps::take(1);
            if visit(key, entry)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Reading an older month counts as slow, as it is on disk.
    fn reach(&self, space: Space) {
        if matches!(space, Space::Month(month) if month != self.month) {
            near::reach_far();
        }
    }

    fn commit(&mut self, now: Stamp, records: &[Record]) -> Result<(), CommitError> {
        let failure = self.failures.1.filter(|_| self.failures.0 > 0);
        self.failures.0 = self.failures.0.saturating_sub(1);
        if failure == Some(Failure::Fenced) {
            return Err(CommitError::Fenced { ours: 0, theirs: 1 });
        }
        if failure == Some(Failure::Refused) {
            return Err(CommitError::Refused("told to refuse".into()));
        }
        if failure != Some(Failure::UnknownLost) {
            self.keep(now, records).map_err(|error| CommitError::Refused(error.0))?;
        }
        failure.map_or(Ok(()), |_| Err(CommitError::Unknown("told to fail".into())))
    }

    /// All of it is planned and cut before anything is applied.
    fn keep(&mut self, now: Stamp, records: &[Record]) -> Result<(), StoreError> {
        let month = self.month.max(Month::of(now));
        if month != self.month {
            self.seen.clear();
        }
        let mut writes = near::near(|| plan::plan(self, month, &self.seen, records))?;
        let mut archive = Vec::new();
        for (key, value) in &writes.archive {
            archive.extend(pieces::cut(key, value)?);
        }
        let mut ops = std::mem::take(&mut writes.kept);
        ops.append(&mut writes.lazy);
        let mut state = self.cut(&ops)?;
        state.extend(self.cut(&receipts::sums(self, &ops)?)?);
        self.month = month;
        self.seen.note(std::mem::take(&mut writes.news));
        self.spaces.entry(Space::Month(month)).or_default().extend(archive);
        self.drop_unsent(writes.sent)?;
        self.apply(state);
        let is_unsent = |number| self.is_unsent(number);
        let (cleared, _) = clear::clear_some(self, is_unsent)?;
        let cleared = self.cut(&cleared)?;
        self.apply(cleared);
        Ok(())
    }

    fn is_unsent(&self, number: u64) -> bool {
        let months = self.spaces.iter().filter(|(space, _)| **space != Space::State);
        months.into_iter().any(|(_, entries)| entries.contains_key(&keyspace::unsent(number)))
    }

    fn drop_unsent(&mut self, up_to: u64) -> Result<(), StoreError> {
        let months: Vec<Space> = self.spaces.keys().copied().filter(|space| *space != Space::State).collect();
        for space in months {
            for (number, pieces) in unsent::numbers(self, space)? {
                let key = keyspace::unsent(number);
                let Some(entries) = self.spaces.get_mut(&space).filter(|_| number <= up_to) else { continue };
                (0..pieces).for_each(|piece| drop(entries.remove(&pieces::piece_key(&key, piece))));
                entries.remove(&key);
            }
        }
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

impl Inner {
    fn months(&self) -> impl Iterator<Item = Month> {
        self.spaces.keys().filter_map(|space| match space {
            Space::Month(month) => Some(*month),
            Space::State => None,
        })
    }
}

impl erase::Scribe for MemoryStore {
    type Databases = Inner;

    fn rewrite<T>(
        &self,
        plan: impl FnOnce(&Inner) -> Result<(Vec<(Space, Ops)>, T), StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.lock();
        let (writes, told) = plan(&inner)?;
        for (space, ops) in writes {
            let edits = pieces::cut_ops(&ops, |key| inner.entry(space, key))?;
            let entries = inner.spaces.entry(space).or_default();
            for (key, entry) in edits {
                match entry {
                    Some(entry) => entries.insert(key, entry),
                    None => entries.remove(&key),
                };
            }
        }
        Ok(told)
    }
}

impl Store for MemoryStore {
    fn load(&self, names: &[ChannelName]) -> Result<Vec<Option<Channel>>, StoreError> {
        let inner = self.lock();
        names.iter().map(|name| reader::load(&*inner, name)).collect()
    }

    fn directory(&self) -> Result<Directory, StoreError> {
        reader::directory(&*self.lock())
    }

    fn whereabouts(&self) -> Result<Vec<(BareJid, Whereabouts)>, StoreError> {
        reader::whereabouts(&*self.lock())
    }

    fn channels_of(&self, account: &BareJid) -> Result<Vec<ChannelName>, StoreError> {
        reader::channels_of(&*self.lock(), account)
    }

    fn mentions_of(&self, account: &BareJid) -> Result<Mentions, StoreError> {
        reader::mentions_of(&*self.lock(), account)
    }

    fn groups_of(&self, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError> {
        reader::groups_of(&*self.lock(), account)
    }

    fn reports(&self, tag: u64, member: &ParticipantId) -> Result<Vec<Report>, StoreError> {
        receipts::of_member(&*self.lock(), tag, member)
    }

    fn erase(&self, account: &BareJid, unrecorded: Unrecorded<'_>) -> Result<Erased, StoreError> {
        erase::erase(self, account, unrecorded)
    }

    fn look_for(&self, account: &BareJid) -> Result<Vec<String>, StoreError> {
        let inner = self.lock();
        let months: Vec<Month> = inner.months().collect();
        look_for::look_for(&*inner, &months, account)
    }

    fn trace(&self, accounts: &BTreeSet<BareJid>, from: &[u8], max: usize) -> Result<Trace, StoreError> {
        trace::trace(&*self.lock(), accounts, from, max)
    }

    fn channels_behind(
        &self,
        account: &BareJid,
        behind: Option<&ChannelName>,
        count: usize,
    ) -> Result<Vec<ChannelName>, StoreError> {
        stops::channels_behind(&*self.lock(), account, behind, count)
    }

    fn is_known_to(&self, name: &ChannelName, actor: &Actor) -> Result<bool, StoreError> {
        acquaintance::is_known_to(&*self.lock(), name, actor)
    }

    fn head_at(&self, tag: u64, stamp: Stamp) -> Result<Head, StoreError> {
        stops::head_at(&*self.lock(), tag, stamp)
    }

    fn facts(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError> {
        facts::facts(&*self.lock(), tag, numbers)
    }

    fn at_hand(&self, tag: u64, numbers: &[u64]) -> Result<Vec<bool>, StoreError> {
        let inner = self.lock();
        facts::at_hand(&*inner, inner.month, tag, numbers)
    }

    fn tombstones(&self, tag: u64, numbers: &[u64]) -> Result<BTreeMap<u64, Tombstone>, StoreError> {
        facts::tombstones(&*self.lock(), tag, numbers)
    }

    fn receipts(
        &self,
        tag: u64,
        row: u64,
        reached: &[(ParticipantId, Progress)],
    ) -> Result<HashMap<ParticipantId, Receipt>, StoreError> {
        receipts::receipts(&*self.lock(), tag, row, reached)
    }

    fn commit(&self, now: Stamp, records: &[Record]) -> Result<(), CommitError> {
        self.lock().commit(now, records)
    }

    fn sweep(&self, retention: &Retention, from: &[u8], count: usize) -> Result<Sweep, StoreError> {
        let inner = self.lock();
        retention::sweep(&*inner, inner.month, retention, from, count)
    }

    fn drop_months(&self, retention: &Retention) -> Result<(usize, usize), StoreError> {
        let mut inner = self.lock();
        let Some(oldest) = retention.oldest_month() else { return Ok((0, 0)) };
        let (used, current) = (retention::months_in_use(&*inner)?, inner.month);
        let old = |space: &Space| matches!(space, Space::Month(month) if *month < oldest && *month != current);
        let old: Vec<Space> = inner.spaces.keys().copied().filter(old).collect();
        let (stay, go): (Vec<Space>, _) =
            old.into_iter().partition(|space| matches!(space, Space::Month(month) if used.contains(month)));
        go.iter().for_each(|space| drop(inner.spaces.remove(space)));
        Ok((go.len(), stay.len()))
    }

    fn page(&self, plan: &PagePlan) -> Result<RowPage, StoreError> {
        paging::page(&*self.lock(), plan)
    }

    fn rows(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError> {
        facts::rows(&*self.lock(), tag, numbers)
    }

    fn bounds(&self, tag: u64) -> Result<Option<Bounds>, StoreError> {
        reader::bounds(&*self.lock(), tag)
    }

    fn people(&self, tag: u64, ids: &[ParticipantId]) -> Result<HashMap<ParticipantId, Member>, StoreError> {
        reader::people(&*self.lock(), tag, ids)
    }

    fn past(&self, tag: u64, accounts: &[BareJid]) -> Result<HashMap<BareJid, Member>, StoreError> {
        past::of_accounts(&*self.lock(), tag, accounts)
    }

    fn given_up(&self, tag: u64, account: &BareJid) -> Result<Vec<Member>, StoreError> {
        past::all_of(&*self.lock(), tag, account)
    }

    fn remains(&self, tag: u64, whom: &Whom) -> Result<Vec<BareJid>, StoreError> {
        unsent::remains(&*self.lock(), tag, whom)
    }

    fn unsent(&self) -> Result<Vec<Unsent>, StoreError> {
        let inner = self.lock();
        let months = inner.spaces.keys().copied().filter(|space| *space != Space::State);
        let read: Result<Vec<_>, _> = months.map(|space| unsent::read(&*inner, space)).collect();
        Ok(read?.into_iter().flatten().collect())
    }

    fn sealing_key(&self) -> [u8; 16] {
        self.sealing_key
    }
}

#[cfg(test)]
mod layout_tests;
