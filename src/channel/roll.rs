//! An ordered list of keys with marks. Any part of those with some mark is found by looking at few entries, however
//! long the list is.
//!
//! Entries are in chunks. Each chunk knows how many of its entries have each mark. A place is found by a walk over
//! chunks, then one within a chunk.

use crate::steps::{self, Counted};
use std::cmp::Ordering;
use std::fmt;

/// The marks of an entry, one bit each.
pub type Marks = u32;

/// The mark for lists that need one mark alone.
pub const LISTED: Marks = 1;
/// The number of possible marks.
const KINDS: usize = 20;
/// The most entries of a chunk.
const CHUNK_MAX: usize = 256;

/// A list with marks. An entry has one at most of the marks that are asked for together.
#[derive(Clone)]
pub struct Roll<K> {
    chunks: Vec<Chunk<K>>,
    counts: Counts,
    len: usize,
}

#[derive(Clone)]
struct Chunk<K> {
    entries: Vec<(K, Marks)>,
    counts: Counts,
}

/// How many entries have each mark.
#[derive(Clone, Copy, Default)]
struct Counts([u32; KINDS]);

impl Counts {
    fn add(&mut self, marks: Marks) {
        bits(marks).for_each(|bit| self.0[bit] += 1);
    }

    fn subtract(&mut self, marks: Marks) {
        bits(marks).for_each(|bit| self.0[bit] -= 1);
    }

    fn of(&self, wanted: Marks) -> usize {
        bits(wanted).map(|bit| self.0[bit] as usize).sum()
    }
}

fn bits(mut marks: Marks) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = marks.trailing_zeros() as usize;
        marks &= marks.wrapping_sub(1);
        (bit < KINDS).then_some(bit)
    })
}

impl<K> Default for Roll<K> {
    fn default() -> Roll<K> {
        Roll { chunks: Vec::new(), counts: Counts::default(), len: 0 }
    }
}

impl<K: Ord> Roll<K> {
    /// The marks of an entry. None where there is no such entry.
    pub fn marks(&self, key: &K) -> Marks {
        self.find(|other| other.cmp(key)).map_or(0, |(chunk, at)| self.chunks[chunk].entries[at].1)
    }

    /// Sets the marks of an entry. Without marks, the entry is removed.
    pub fn set(&mut self, key: K, marks: Marks) {
        match self.find(|other| other.cmp(&key)) {
            Ok((chunk, at)) if marks == 0 => self.take_out(chunk, at),
            Ok((chunk, at)) => {
                let entry = &mut self.chunks[chunk].entries[at].1;
                let past = std::mem::replace(entry, marks);
                for counts in [&mut self.chunks[chunk].counts, &mut self.counts] {
                    counts.subtract(past);
                    counts.add(marks);
                }
            }
            Err(_) if marks == 0 => {}
            Err((chunk, at)) => self.put_in(chunk, at, key, marks),
        }
    }

    fn take_out(&mut self, chunk: usize, at: usize) {
        let (_, past) = self.chunks[chunk].entries.remove(at);
        self.chunks[chunk].counts.subtract(past);
        self.counts.subtract(past);
        self.len -= 1;
        if self.chunks[chunk].entries.is_empty() {
            self.chunks.remove(chunk);
        }
    }

    fn put_in(&mut self, chunk: usize, at: usize, key: K, marks: Marks) {
        if self.chunks.is_empty() {
            self.chunks.push(Chunk { entries: Vec::new(), counts: Counts::default() });
        }
        let is_end = chunk + 1 == self.chunks.len();
        let filled = &mut self.chunks[chunk];
        filled.entries.insert(at, (key, marks));
        filled.counts.add(marks);
        self.counts.add(marks);
        self.len += 1;
        if filled.entries.len() > CHUNK_MAX {
            // Where an entry comes last, it begins a new chunk alone, so that the one before stays full.
            let is_last = is_end && at == CHUNK_MAX;
            let entries = filled.entries.split_off(if is_last { CHUNK_MAX } else { CHUNK_MAX / 2 });
            let mut counts = Counts::default();
            entries.iter().for_each(|(_, marks)| counts.add(*marks));
            entries.iter().for_each(|(_, marks)| filled.counts.subtract(*marks));
            self.chunks.insert(chunk + 1, Chunk { entries, counts });
        }
    }

    /// All entries, in order.
    pub fn into_keys(self) -> impl Iterator<Item = K> {
        self.chunks.into_iter().flat_map(|chunk| chunk.entries).map(|(key, _)| key)
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many entries have one of these marks.
    pub fn count(&self, wanted: Marks) -> usize {
        self.counts.of(wanted)
    }

    /// How many entries with one of these marks come before the first entry that does not compare as less.
    pub fn rank(&self, wanted: Marks, compare: impl Fn(&K) -> Ordering) -> usize {
        let (chunk, at) = self.begin_of(compare);
        let before: usize = self.chunks[..chunk].iter().counted().map(|chunk| chunk.counts.of(wanted)).sum();
        let within = self.chunks.get(chunk).map_or(0, |chunk| match chunk.counts.of(wanted) {
            0 => 0,
            all if all == chunk.entries.len() => at,
            _ => chunk.entries[..at].iter().counted().filter(|(_, marks)| marks & wanted != 0).count(),
        });
        before + within
    }

    /// The index of the first entry that compares as equal, among those with one of these marks. `None` where there is
    /// none.
    pub fn position(&self, wanted: Marks, compare: impl Fn(&K) -> Ordering) -> Option<usize> {
        self.get(wanted, &compare).map(|_| self.rank(wanted, &compare))
    }

    /// The first entry that compares as equal and has one of these marks.
    pub fn get(&self, wanted: Marks, compare: impl Fn(&K) -> Ordering) -> Option<&K> {
        let (chunk, at) = self.begin_of(&compare);
        let entries = self.chunks.iter().skip(chunk).flat_map(|chunk| &chunk.entries).skip(at);
        entries.counted().take_while(|(key, _)| compare(key).is_eq()).find(borne(wanted)).map(key)
    }

    /// The place of the first entry that does not compare as less.
    fn begin_of(&self, compare: impl Fn(&K) -> Ordering) -> (usize, usize) {
        let (Ok(place) | Err(place)) = self.find(|key| match compare(key) {
            Ordering::Less => Ordering::Less,
            _ => Ordering::Greater,
        });
        place
    }

    /// The entries with one of these marks, from index `from` on.
    pub fn rising(&self, wanted: Marks, from: usize) -> impl Iterator<Item = &K> {
        let (chunks, from) = self.chunks_from(wanted, from, self.chunks.iter());
        chunks.flat_map(|chunk| &chunk.entries).counted().filter(borne(wanted)).skip(from).map(key)
    }

    /// The entries with one of these marks before index `to`, the last one first.
    pub fn falling(&self, wanted: Marks, to: usize) -> impl Iterator<Item = &K> {
        let behind = self.count(wanted).saturating_sub(to);
        let (chunks, from) = self.chunks_from(wanted, behind, self.chunks.iter().rev());
        let entries = chunks.flat_map(|chunk| chunk.entries.iter().rev());
        entries.counted().filter(borne(wanted)).skip(from).map(key)
    }

    /// The chunks with entries that have one of these marks, from the one with index `from` on, and how many such
    /// entries come before that index in the first of them.
    fn chunks_from<'a>(
        &'a self,
        wanted: Marks,
        mut from: usize,
        mut chunks: impl Iterator<Item = &'a Chunk<K>>,
    ) -> (impl Iterator<Item = &'a Chunk<K>>, usize) {
        let mut first = None;
        // There may be no entry with this index.
        while from < self.count(wanted) && first.is_none() {
            let Some(chunk) = chunks.next() else { break };
            steps::take(1);
            let count = chunk.counts.of(wanted);
            if count > from { first = Some(chunk) } else { from -= count }
        }
        let rest = chunks.take(if first.is_some() { usize::MAX } else { 0 });
        (first.into_iter().chain(rest.filter(move |chunk| chunk.counts.of(wanted) > 0)), from)
    }

    /// Some entries behind a key, with their marks.
    pub fn behind(&self, key: Option<&K>, count: usize) -> Vec<(&K, Marks)> {
        let (mut chunk, mut at) = match key.map(|key| self.find(|other| other.cmp(key))) {
            None => (0, 0),
            Some(Ok((chunk, at))) => (chunk, at + 1),
            Some(Err(place)) => place,
        };
        let mut found = Vec::new();
        while let Some(filled) = self.chunks.get(chunk).filter(|_| found.len() < count) {
            let rest = &filled.entries[at.min(filled.entries.len())..];
            found.extend(rest.iter().counted().take(count - found.len()).map(|(key, marks)| (key, *marks)));
            (chunk, at) = (chunk + 1, 0);
        }
        found
    }

    /// The place of an entry, or the place where it would be inserted.
    fn find(&self, compare: impl Fn(&K) -> Ordering) -> Result<(usize, usize), (usize, usize)> {
        let is_behind = |chunk: &Chunk<K>| {
            steps::take(1);
            chunk.entries.first().is_some_and(|(key, _)| compare(key) == Ordering::Greater)
        };
        let chunk = self.chunks.partition_point(|chunk| !is_behind(chunk)).saturating_sub(1);
        let Some(filled) = self.chunks.get(chunk) else { return Err((0, 0)) };
        let found = filled.entries.binary_search_by(|(key, _)| {
            steps::take(1);
            compare(key)
        });
        found.map(|at| (chunk, at)).map_err(|at| (chunk, at))
    }
}

fn borne<K>(wanted: Marks) -> impl Fn(&&(K, Marks)) -> bool {
    move |(_, marks)| marks & wanted != 0
}

fn key<K>((key, _): &(K, Marks)) -> &K {
    key
}

/// Lists with one mark, used as sets.
impl<K: Ord> Roll<K> {
    /// Whether the entry exists.
    pub fn contains(&self, key: &K) -> bool {
        self.marks(key) != 0
    }

    /// Adds an entry. Returns whether it is new.
    pub fn insert(&mut self, key: K) -> bool {
        let is_new = !self.contains(&key);
        if is_new {
            self.set(key, LISTED);
        }
        is_new
    }

    /// Removes an entry. Returns whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        let found = self.find(|other| other.cmp(key));
        if let Ok((chunk, at)) = found {
            self.take_out(chunk, at);
        }
        found.is_ok()
    }

    /// All entries in order.
    pub fn iter(&self) -> impl Iterator<Item = &K> {
        self.chunks.iter().flat_map(|chunk| &chunk.entries).counted().map(key)
    }
}

impl<K: Ord> FromIterator<K> for Roll<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Roll<K> {
        let mut roll = Roll::default();
        for key in keys {
            roll.insert(key);
        }
        roll
    }
}

impl<K: Ord> PartialEq for Roll<K> {
    fn eq(&self, other: &Roll<K>) -> bool {
        self.len == other.len && self.behind(None, usize::MAX) == other.behind(None, usize::MAX)
    }
}

impl<K: fmt::Debug> fmt::Debug for Roll<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.chunks.iter().flat_map(|chunk| &chunk.entries).map(|(key, marks)| (key, marks)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};
    use std::collections::BTreeMap;

    #[test]
    fn chunks_stay_full_in_whatever_order_entries_come() {
        let mut roll = Roll::default();
        (0..CHUNK_MAX as u32).for_each(|key| roll.set(key, 1));
        (10_000..20_000).rev().for_each(|key| roll.set(key, 1));
        assert!(roll.chunks.len() <= 3 * roll.len().div_ceil(CHUNK_MAX), "{} chunks", roll.chunks.len());
    }

    #[test]
    fn it_agrees_with_a_plain_list() {
        let mut dice = StdRng::seed_from_u64(5);
        let (mut roll, mut plain) = (Roll::default(), BTreeMap::new());
        for turn in 0..6000u32 {
            // It grows, and then it shrinks.
            let marks: Marks = if turn < 3000 || dice.random_ratio(1, 4) { dice.random_range(0..4) } else { 0 };
            let key: u32 = dice.random_range(0..2000);
            roll.set(key, marks);
            if marks == 0 {
                plain.remove(&key)
            } else {
                plain.insert(key, marks)
            };
            if turn % 50 > 0 {
                continue;
            }
            assert_eq!((roll.len(), roll.marks(&key)), (plain.len(), marks));
            for wanted in [1, 2] {
                let all: Vec<u32> =
                    plain.iter().filter(|(_, marks)| *marks & wanted != 0).map(|(key, _)| *key).collect();
                let from = dice.random_range(0..=all.len());
                assert_eq!(roll.count(wanted), all.len());
                assert_eq!(roll.rising(wanted, from).copied().collect::<Vec<_>>(), all[from..]);
                assert_eq!(
                    roll.falling(wanted, from).copied().collect::<Vec<_>>(),
                    all[..from].iter().rev().copied().collect::<Vec<_>>()
                );
                assert_eq!(roll.rank(wanted, |other| other.cmp(&key)), all.partition_point(|other| *other < key));
                assert_eq!(roll.position(wanted, |other| other.cmp(&key)), all.binary_search(&key).ok());
            }
            let rest: Vec<(&u32, Marks)> = plain.range(key + 1..).take(9).map(|(key, marks)| (key, *marks)).collect();
            assert_eq!(roll.behind(Some(&key), 9), rest);
        }
        assert!(
            roll == plain.keys().copied().fold(Roll::default(), |mut roll, key| {
                roll.set(key, plain[&key]);
                roll
            })
        );
    }

    #[test]
    fn a_part_of_a_long_list_is_found_by_a_look_at_few_entries() {
        let of = |count: u32| (0..count).collect::<Roll<u32>>();
        let (short, long) = (of(10_000), of(100_000));
        let look = |roll: &Roll<u32>| {
            let middle = roll.len() as u32 / 2;
            let before = steps::taken();
            let at = roll.position(LISTED, |other| other.cmp(&middle)).unwrap();
            assert_eq!(roll.rising(LISTED, at).nth(3).copied(), Some(middle + 3));
            assert_eq!(roll.falling(LISTED, at).nth(3).copied(), Some(middle - 4));
            steps::taken() - before
        };
        assert!(look(&long) < 3 * look(&short) && look(&long) < 1500, "{} and {}", look(&short), look(&long));
    }
}
