//! How far messages came at a member: its reports, and the sum of them.

use super::settings::Intervals;
use super::{ParticipantId, Progress, Stamp};
use serde::{Deserialize, Serialize};

/// The widest range from the first to the last row of one report. A wider report is divided. It bounds how far behind a
/// row the report that covers it is looked for.
pub const REPORT_ROWS_MAX: u64 = 1 << 17;

/// A report of a recipient. Its rows are in no earlier report of the same progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The participant who reports.
    pub member: ParticipantId,
    /// The number of this member's reports up to and with this one.
    pub number: u64,
    /// How far the rows came.
    pub progress: Progress,
    /// The rows that are new in this report, as ranges in order and apart, both ends included. Never empty.
    pub rows: Vec<(u64, u64)>,
    /// For a report that rows were read: those of them that had not been reported before, which arrived now as well.
    pub arrived: Vec<(u64, u64)>,
    /// For a report that rows were read: how far the member read, as row and ordinal.
    pub mark: Option<(u64, u64)>,
    /// When it came.
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

/// The sum of a member's reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// How many reports there were.
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

    /// Whether a row is new in this report.
    pub fn covers(&self, row: u64) -> bool {
        is_within(&self.rows, row)
    }

    /// Whether a row arrived with this report.
    pub fn brought(&self, row: u64) -> bool {
        match self.progress {
            Progress::Delivered => self.covers(row),
            Progress::Read => is_within(&self.arrived, row),
        }
    }
}

impl Reported {
    /// How far a row came. A row that was read arrived as well.
    pub fn of(&self, row: u64) -> Option<Progress> {
        match self.read.contains(row) {
            true => Some(Progress::Read),
            false => self.delivered.contains(row).then_some(Progress::Delivered),
        }
    }

    /// Adds a report. One that was added before changes nothing.
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

/// Whether a row is within one of the ranges, from the first row of each to the last.
pub fn is_within(ranges: &[(u64, u64)], row: u64) -> bool {
    ranges.iter().any(|&(first, last)| first <= row && row <= last)
}

/// Divides ranges into groups, each within [`REPORT_ROWS_MAX`].
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
