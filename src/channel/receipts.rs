//! How far messages came at a member: what it reported, and what its reports amount to.

use super::settings::Intervals;
use super::{ParticipantId, Progress, Stamp};
use serde::{Deserialize, Serialize};

/// How far apart the first and the last row of one report are, at most; a report about more becomes several. It bounds
/// how far behind a row the report that covers it is looked for.
pub const REPORT_ROWS_MAX: u64 = 1 << 17;

/// One report of a recipient. No other of its reports that says the same covers any of its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Who reports.
    pub member: ParticipantId,
    /// How many reports of this member there are with it.
    pub number: u64,
    /// How far.
    pub progress: Progress,
    /// The rows that it is newly about, in order and apart, first and last included; never empty.
    pub rows: Vec<(u64, u64)>,
    /// Where they were read: those of them that nothing had been reported about, and which so arrived, too.
    pub arrived: Vec<(u64, u64)>,
    /// Where they were read: how far the reader's reading came by it, as row and ordinal.
    pub mark: Option<(u64, u64)>,
    /// When.
    pub stamp: Stamp,
}

/// When a message arrived at one of its recipients and was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// When it arrived.
    pub delivered: Option<Stamp>,
    /// When it was read.
    pub read: Option<Stamp>,
}

/// What the reports of a member amount to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// How many there were.
    pub reports: u64,
    /// The rows that arrived.
    pub delivered: Intervals,
    /// The rows that were read.
    pub read: Intervals,
}

impl Report {
    /// The first and the last of its rows.
    pub fn ends(&self) -> (u64, u64) {
        let (first, last) = (self.rows.first(), self.rows.last());
        (first.map_or(0, |rows| rows.0), last.map_or(0, |rows| rows.1))
    }

    /// Whether it is newly about a row.
    pub fn covers(&self, row: u64) -> bool {
        is_within(&self.rows, row)
    }

    /// Whether a row arrived by it.
    pub fn brought(&self, row: u64) -> bool {
        match self.progress {
            Progress::Delivered => self.covers(row),
            Progress::Read => is_within(&self.arrived, row),
        }
    }
}

impl Reported {
    /// How far a row came; reading implies arriving.
    pub fn of(&self, row: u64) -> Option<Progress> {
        match self.read.contains(row) {
            true => Some(Progress::Read),
            false => self.delivered.contains(row).then_some(Progress::Delivered),
        }
    }

    /// Takes one up. Of a report that was taken up before, nothing comes.
    pub fn take(&mut self, report: &Report) {
        if report.number <= self.reports {
            return;
        }
        self.reports = report.number;
        for &(first, last) in &report.rows {
            self.delivered.insert(first, last);
            if report.progress == Progress::Read {
                self.read.insert(first, last);
            }
        }
    }
}

fn is_within(ranges: &[(u64, u64)], row: u64) -> bool {
    ranges.iter().any(|&(first, last)| first <= row && row <= last)
}

/// Cuts ranges into groups of which none reaches farther than [`REPORT_ROWS_MAX`].
pub(super) fn cut(ranges: Vec<(u64, u64)>) -> Vec<Vec<(u64, u64)>> {
    let mut groups: Vec<Vec<(u64, u64)>> = Vec::new();
    for (mut first, last) in ranges {
        while first <= last {
            let begun = groups.last().and_then(|group| group.first()).map(|rows| rows.0);
            let from = begun.filter(|from| first - from < REPORT_ROWS_MAX);
            let to = last.min(from.unwrap_or(first) + (REPORT_ROWS_MAX - 1));
            match groups.last_mut().filter(|_| from.is_some()) {
                Some(group) => group.push((first, to)),
                None => groups.push(vec![(first, to)]),
            }
            first = to + 1;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_report_reaches_too_far_and_no_row_is_lost() {
        const MAX: u64 = REPORT_ROWS_MAX;
        let cases = [
            (vec![], 0),
            (vec![(1, MAX)], 1),
            (vec![(1, MAX + 1)], 2),
            (vec![(1, 1), (MAX, MAX)], 1),
            (vec![(1, 1), (MAX + 1, MAX + 1)], 2),
            (vec![(5, 5), (MAX - 1, 3 * MAX)], 3),
        ];
        for (ranges, count) in cases {
            let groups = cut(ranges.clone());
            assert_eq!(groups.len(), count, "{ranges:?}");
            assert!(groups.iter().all(|group| group.last().unwrap().1 - group[0].0 < MAX), "{groups:?}");
            let rows = |ranges: &[(u64, u64)]| ranges.iter().map(|(first, last)| last - first + 1).sum::<u64>();
            assert_eq!(rows(&groups.concat()), rows(&ranges));
        }
    }
}
