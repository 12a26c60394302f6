//! A page of an archive: which rows are asked for, and which were found.

use crate::channel::{MediaKind, ParticipantId, Row, Stamp, Tombstone};
use std::collections::BTreeMap;

/// Which rows to read: a range of numbers, narrowed, and cut to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagePlan {
    /// The channel's tag.
    pub tag: u64,
    /// The first row wanted.
    pub first: u64,
    /// The last row wanted.
    pub last: u64,
    /// Only rows of this stamp or later.
    pub start: Option<Stamp>,
    /// Only rows of this stamp or earlier.
    pub end: Option<Stamp>,
    /// Only rows of this author.
    pub author: Option<ParticipantId>,
    /// How many rows at most.
    pub max: usize,
    /// Whether a page that is cut keeps its newest rows.
    pub from_end: bool,
    /// What else the rows have to be.
    pub narrow: Narrow,
}

/// Further conditions on the rows of a page; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Only rows within these windows, first and last included, in order and apart; all rows where `None`. Each window
    /// costs a page one seek.
    pub windows: Option<Vec<(u64, u64)>>,
    /// Without these rows, in order.
    pub hidden: Vec<u64>,
    /// Without events.
    pub no_events: bool,
    /// Only rows with a file of one of these kinds, found by their index. A retracted row has no files.
    pub media: Option<Vec<MediaKind>>,
}

/// A page of rows, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// Whether more rows match than `max`.
    pub cut: bool,
    /// How many rows match in all, and how many of them come before the page; `None` where only a scan would tell.
    pub counted: Option<(u64, u64)>,
    /// The tombstones of those rows that were retracted. The payload of a retracted row must not be shown.
    pub tombstones: BTreeMap<u64, Tombstone>,
}

/// The rows that an archive still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The number of the oldest one.
    pub oldest: u64,
    /// The number of the newest one.
    pub newest: u64,
    /// Numbers without a row, first and last included, in order: rows that the restored backup did not have may have
    /// had them.
    pub gaps: Vec<(u64, u64)>,
}

impl Bounds {
    /// Whether there is a row of this number.
    pub fn holds(&self, row: u64) -> bool {
        let in_gap = self.gaps.iter().any(|&(first, last)| first <= row && row <= last);
        self.oldest <= row && row <= self.newest && !in_gap
    }
}
