//! The newest rows that count as unread, by author. They tell whose messages a report is about, and how far authors
//! read.
//!
//! An author has read everything before its own newest message. This is not stored while that message is among the
//! newest rows, which every load reads. When it falls out of them, the same decision stores the author's mark.

use super::dedup::REPEATS_MAX;
use super::{ParticipantId, Row, RowKind};
use crate::steps::Counted;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many of the newest rows of a channel are kept. A load reads as many.
const TAIL_ROWS: u64 = REPEATS_MAX as u64;

/// The newest rows that count as unread. Its contents depend on the newest rows alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    rows: VecDeque<(u64, ParticipantId)>,
    /// The corrections among them, each with the row that it corrects.
    corrections: BTreeMap<u64, u64>,
    /// The rows among them that were retracted.
    retracted: BTreeSet<u64>,
}

/// Whether a row counts as unread.
pub fn counts(row: &Row) -> bool {
    row.counted && row.kind == RowKind::Message
}

impl Tail {
    /// Adds a row, and drops rows that are too old by number.
    pub fn note(&mut self, row: &Row) {
        if counts(row) {
            self.rows.push_back((row.number, row.author.clone()));
            self.corrections.extend(row.corrected().map(|target| (row.number, target)));
        }
        while self.rows.front().is_some_and(|&(number, _)| number + TAIL_ROWS <= row.number) {
            self.pop();
        }
    }

    /// Notes that a row was retracted. It does not count as unread any more, nor do its corrections.
    pub fn retract(&mut self, row: u64) {
        let corrections = self.corrections.iter().filter(|(_, target)| **target == row).map(|(number, _)| *number);
        self.retracted.extend(corrections);
        if self.rows.binary_search_by_key(&row, |(number, _)| *number).is_ok() {
            self.retracted.insert(row);
        }
    }

    /// The row that a row corrects, else the row itself.
    pub fn corrected(&self, row: u64) -> u64 {
        self.corrections.get(&row).copied().unwrap_or(row)
    }

    /// Whether a row was retracted.
    pub fn is_retracted(&self, row: u64) -> bool {
        self.retracted.contains(&row)
    }

    /// The rows behind `row` that would count as unread if they had not been retracted.
    pub fn retracted_behind(&self, row: u64) -> impl Iterator<Item = u64> {
        self.retracted.range(row.saturating_add(1)..).copied()
    }

    fn pop(&mut self) {
        if let Some((number, _)) = self.rows.pop_front() {
            self.retracted.remove(&number);
            self.corrections.remove(&number);
        }
    }

    /// Drops the rows up to `up_to`.
    pub fn forget(&mut self, up_to: u64) {
        while self.rows.front().is_some_and(|&(number, _)| number <= up_to) {
            self.pop();
        }
    }

    /// The rows that fall out when the row `next` comes, with their authors.
    pub fn leaving(&self, next: u64) -> impl Iterator<Item = (u64, &ParticipantId)> {
        let behind = self.rows.iter().take_while(move |&&(number, _)| number + TAIL_ROWS <= next);
        behind.map(|(number, author)| (*number, author))
    }

    /// The authors of the rows in these ranges, each with its newest row there: at most `max` authors, those of the
    /// newest rows. The ranges are in order and apart.
    pub fn authors(&self, ranges: &[(u64, u64)], max: usize) -> BTreeMap<ParticipantId, u64> {
        let within = |number: u64| {
            let at = ranges.partition_point(|&(_, last)| last < number);
            ranges.get(at).is_some_and(|&(first, _)| first <= number)
        };
        let mut authors = BTreeMap::new();
        for (number, author) in self.rows.iter().rev().counted().filter(|(number, _)| within(*number)) {
            if authors.len() >= max {
                break;
            }
            if !authors.contains_key(author) {
                authors.insert(author.clone(), *number);
            }
        }
        authors
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        56 * self.rows.len() + 16 * self.retracted.len() + 24 * self.corrections.len()
    }
}
