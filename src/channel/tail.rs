//! The newest rows that are something to read, by author: whose messages a report is about, and how far authors read.
//!
//! An author has read what came before its own newest message. That needs no record of its own as long as a load sees
//! the message among the newest rows; when it falls behind, the decision that pushes it out saves the author's mark.

use super::dedup::REPEATS_MAX;
use super::{ParticipantId, Row, RowKind};
use std::collections::{BTreeMap, VecDeque};

/// How many of the newest rows of a channel are looked at; a load hands over as many.
const TAIL_ROWS: u64 = REPEATS_MAX as u64;

/// What is remembered; it depends on the newest rows alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail(VecDeque<(u64, ParticipantId)>);

/// Whether a row is a message with something to read.
pub fn counts(row: &Row) -> bool {
    row.counted && row.kind == RowKind::Message
}

impl Tail {
    /// Remembers a row, and forgets what is too far behind it.
    pub fn note(&mut self, row: &Row) {
        if counts(row) {
            self.0.push_back((row.number, row.author.clone()));
        }
        while self.0.front().is_some_and(|&(number, _)| number + TAIL_ROWS <= row.number) {
            self.0.pop_front();
        }
    }

    /// Forgets the rows up to one.
    pub fn forget(&mut self, up_to: u64) {
        while self.0.front().is_some_and(|&(number, _)| number <= up_to) {
            self.0.pop_front();
        }
    }

    /// The rows that will be too far behind when the row `next` comes, with their authors.
    pub fn leaving(&self, next: u64) -> impl Iterator<Item = (u64, &ParticipantId)> {
        let behind = self.0.iter().take_while(move |&&(number, _)| number + TAIL_ROWS <= next);
        behind.map(|(number, author)| (*number, author))
    }

    /// The authors of the rows within these ranges, each with the newest of them.
    pub fn authors(&self, ranges: &[(u64, u64)]) -> BTreeMap<ParticipantId, u64> {
        let within = |number: u64| ranges.iter().any(|&(first, last)| first <= number && number <= last);
        self.0.iter().filter(|(number, _)| within(*number)).map(|(number, author)| (author.clone(), *number)).collect()
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        56 * self.0.len()
    }
}
