//! How far the newest rows came at everybody, kept from one report to the next.

use super::{Member, Progress};
use crate::steps::Counted;
use std::collections::VecDeque;
use std::sync::OnceLock;

/// Of how many rows at the end of an archive it is kept how far they came.
pub(super) const NEWEST: usize = 512;

/// What is counted of a row: who got it, where it arrived, who read it; of all records, and then of those who are in.
pub(super) type Count = [usize; 6];

/// How far the newest rows came at everybody, their authors included: counted when that is asked for, and kept up to date by
/// reports and new rows until somebody comes or goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(pub(super) OnceLock<Newest>);

/// See [`Tallies`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Newest {
    /// The number of the first of these rows; they have all numbers from there on.
    pub(super) first: u64,
    pub(super) counts: VecDeque<Count>,
}

/// What is kept may have been counted or not.
impl PartialEq for Tallies {
    fn eq(&self, _: &Tallies) -> bool {
        true
    }
}

impl Tallies {
    /// Somebody has another record: one that counts otherwise has everybody counted anew.
    pub fn replace(&mut self, past: Option<&Member>, next: &Member) {
        let counted = |member: &Member| (member.is_joined(), member.ended);
        let is_alike = |past: &Member| {
            past.id == next.id
                && counted(past) == counted(next)
                && past.windows == next.windows
                && past.own.reported == next.own.reported
        };
        if !past.is_some_and(is_alike) {
            self.forget();
        }
    }

    /// Everybody is counted anew.
    pub fn forget(&mut self) {
        self.0.take();
    }

    /// Somebody is about to report these rows.
    pub fn remove_of(&mut self, member: &Member, rows: &[(u64, u64)]) {
        self.each(rows, |row, count| less(count, member, row));
    }

    /// Somebody reported these rows.
    pub fn add_of(&mut self, member: &Member, rows: &[(u64, u64)]) {
        self.each(rows, |row, count| more(count, member, row));
    }

    fn each(&mut self, rows: &[(u64, u64)], shift: impl Fn(u64, &mut Count)) {
        let Some(Newest { first, counts }) = self.0.get_mut() else { return };
        for &(from, to) in rows {
            let from = from.max(*first);
            let counts = counts.iter_mut().skip((from - *first) as usize).counted();
            (from..=to).zip(counts).for_each(|(row, count)| shift(row, count));
        }
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.get().map_or(0, |newest| size_of::<Count>() * newest.counts.len())
    }

    /// A row came, which so many are in to get; whoever leaves sees the row of that, which is no message.
    pub fn note(&mut self, row: u64, joined: usize) {
        let Some(Newest { first, counts }) = self.0.get_mut() else { return };
        if *first + counts.len() as u64 != row {
            // Numbers were passed over: it is counted anew.
            self.0.take();
            return;
        }
        counts.push_back([joined, 0, 0, joined, 0, 0]);
        if counts.len() > NEWEST {
            counts.pop_front();
            *first += 1;
        }
    }
}

impl Newest {
    /// What is counted of a row, where it is one of them.
    pub(super) fn of(&self, row: u64) -> Option<&Count> {
        row.checked_sub(self.first).and_then(|at| self.counts.get(at as usize))
    }
}

/// What somebody counts for at a row.
fn count_of(member: &Member, row: u64) -> Count {
    let progress = member.own.reported.of(row).filter(|_| member.was_in_at(row));
    let all = [member.was_in_at(row), progress.is_some(), progress == Some(Progress::Read)].map(usize::from);
    let joined = usize::from(member.is_joined());
    [all[0], all[1], all[2], all[0] * joined, all[1] * joined, all[2] * joined]
}

/// Somebody counts for it.
pub(super) fn more(count: &mut Count, member: &Member, row: u64) {
    count.iter_mut().zip(count_of(member, row)).for_each(|(count, of_it)| *count += of_it);
}

/// Somebody counts for it no more.
pub(super) fn less(count: &mut Count, member: &Member, row: u64) {
    count.iter_mut().zip(count_of(member, row)).for_each(|(count, of_it)| *count = count.saturating_sub(of_it));
}
