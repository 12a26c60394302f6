//! What a commit writes: records in, entries of the current month and changes of the state out.
//!
//! Nothing is written here, and what is returned is the same for every backend. Applied twice, the changes of the state
//! give what they give applied once, which is what lets a start replay them.

use super::keyspace::{self, BLOCK_ROWS, Entry, Membership, Month, Ops, Span, Spans};
use super::shelf::{Order, Shelf, Space};
use super::{Record, StoreError, Whereabouts};
use crate::channel::{Change, ChannelName, Member, Node, Row};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;

/// How many entries of the author index are remembered as written.
const SEEN_MAX: usize = 16_384;
/// How many members of a destroyed channel are cleared away at a time.
const CLEARED_MAX: usize = 256;

/// What a commit writes.
#[derive(Default)]
pub(super) struct Writes {
    /// Values of the current month by key.
    pub(super) archive: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Changes of the state that have to survive a crash.
    pub(super) kept: Ops,
    /// Changes of the state that a crash may lose.
    pub(super) lazy: Ops,
}

/// Entries of the current month's author index that are known to be there, so that they are not written over and over.
#[derive(Default)]
pub(super) struct Seen(HashSet<Vec<u8>>);

impl Seen {
    /// Remembers what was written.
    pub(super) fn note(&mut self, writes: &Writes) {
        let blocks = writes.archive.keys().filter(|key| key.starts_with(b"b"));
        for block in blocks {
            if self.0.len() >= SEEN_MAX {
                self.0.clear();
            }
            self.0.insert(block.clone());
        }
    }

    /// Forgets everything, as a new month knows nothing.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Plans a commit into `month`; reads the state and changes nothing.
///
/// # Errors
/// Those of reading.
pub(super) fn plan(shelf: &impl Shelf, month: Month, seen: &Seen, records: &[Record]) -> Result<Writes, StoreError> {
    let mut draft = Draft { shelf, month, seen, spans: HashMap::new(), writes: Writes::default() };
    for record in records {
        match record {
            Record::Channel { name, tag, change } => draft.change(name, *tag, change)?,
            Record::Whereabouts { account, known } => draft.whereabouts(account, known.as_ref())?,
        }
    }
    Ok(draft.writes)
}

struct Draft<'a, S> {
    shelf: &'a S,
    month: Month,
    seen: &'a Seen,
    spans: HashMap<u64, Spans>,
    writes: Writes,
}

impl<S: Shelf> Draft<'_, S> {
    fn change(&mut self, name: &ChannelName, tag: u64, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Created { profile, settings, rights, info } => {
                let entry = Entry {
                    name: name.clone(),
                    tag,
                    listed: profile.listed,
                    gid: profile.gid,
                    profile: profile.clone(),
                    settings: settings.clone(),
                    rights: rights.clone(),
                };
                self.put(keyspace::channel(name), keyspace::encode(&entry)?);
                self.put(keyspace::info(tag), keyspace::encode(info)?);
            }
            Change::Destroyed => self.destroy(name, tag)?,
            Change::Joined(member) | Change::Left(member) | Change::Renamed(member) | Change::Subscribed(member) => {
                self.member(name, tag, member)?;
            }
            Change::Published(row) => self.row(tag, row)?,
            Change::ItemSet { node: Node::Info, item } => self.put(keyspace::info(tag), keyspace::encode(item)?),
            _ => {}
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.kept.insert(key, Some(value));
    }

    /// The directory entry goes at once, and with it the account index, whose entries count only while the directory
    /// knows their tag. The members are cleared away later; the rows go with their month.
    fn destroy(&mut self, name: &ChannelName, tag: u64) -> Result<(), StoreError> {
        self.spans.insert(tag, Spans::default());
        for key in [keyspace::channel(name), keyspace::info(tag), keyspace::spans(tag)] {
            self.writes.kept.insert(key, None);
        }
        self.put(keyspace::grave(tag), keyspace::encode(&(tag, name))?);
        Ok(())
    }

    fn member(&mut self, name: &ChannelName, tag: u64, member: &Member) -> Result<(), StoreError> {
        self.put(keyspace::member(tag, &member.id), keyspace::encode(member)?);
        let membership = Membership { name: name.clone(), tag, joined: member.is_joined() };
        self.put(keyspace::membership(&member.jid, name), keyspace::encode(&membership)?);
        Ok(())
    }

    fn row(&mut self, tag: u64, row: &Row) -> Result<(), StoreError> {
        if !self.spans.contains_key(&tag) {
            let spans = self.shelf.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
            self.spans.insert(tag, spans);
        }
        let spans = self.spans.entry(tag).or_default();
        if spans.months.last().is_none_or(|span| span.month != self.month) {
            spans.months.push(Span { month: self.month, first: row.number, since: row.stamp });
            let value = keyspace::encode(spans)?;
            self.put(keyspace::spans(tag), value);
        }
        let archive = &mut self.writes.archive;
        archive.insert(keyspace::row(tag, row.number), keyspace::encode(row)?);
        if let Some(target) = row.target {
            archive.insert(keyspace::target(tag, target, row.number), Vec::new());
        }
        let block = keyspace::block(tag, &row.author, row.number / BLOCK_ROWS);
        if !self.seen.0.contains(&block) {
            archive.insert(block, Vec::new());
        }
        Ok(())
    }

    fn whereabouts(&mut self, account: &BareJid, known: Option<&Whereabouts>) -> Result<(), StoreError> {
        let value = known.map(|known| keyspace::encode(&(account, known))).transpose()?;
        self.writes.lazy.insert(keyspace::whereabouts(account), value);
        Ok(())
    }
}

/// Whether destroyed channels are left to be cleared away.
///
/// # Errors
/// Those of reading.
pub(super) fn has_graves(shelf: &impl Shelf) -> Result<bool, StoreError> {
    Ok(!shelf.values::<(u64, ChannelName)>(Space::State, &keyspace::all(b'g'), 1)?.is_empty())
}

/// What clears away some members of one destroyed channel; nothing when none is left.
///
/// # Errors
/// Those of reading.
pub(super) fn clear_some(shelf: &impl Shelf) -> Result<Ops, StoreError> {
    let graves = shelf.values::<(u64, ChannelName)>(Space::State, &keyspace::all(b'g'), 1)?;
    let Some((tag, name)) = graves.into_iter().next() else { return Ok(Ops::new()) };
    let prefix = keyspace::members(tag);
    let mut members = Vec::new();
    shelf.scan(Space::State, &prefix, &keyspace::behind(&prefix), Order::Rising, &mut |key, entry| {
        members.push((key.to_vec(), shelf.whole::<Member>(Space::State, key, entry)?));
        Ok(if members.len() < CLEARED_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    let mut ops = Ops::new();
    // The mark goes last and alone: a crash in between must not leave members that nobody clears away.
    if members.is_empty() {
        ops.insert(keyspace::grave(tag), None);
    }
    for (key, member) in members {
        ops.insert(key, None);
        let index = keyspace::membership(&member.jid, &name);
        // The account may have joined a later channel of that name.
        if shelf.value::<Membership>(Space::State, &index)?.is_some_and(|found| found.tag == tag) {
            ops.insert(index, None);
        }
    }
    Ok(ops)
}
