//! How far the newest rows came, kept between reports.

use super::{Member, Progress};
use crate::steps::Counted;
use std::collections::VecDeque;
use std::sync::OnceLock;

/// For how many of the newest rows it is kept.
pub(super) const NEWEST: usize = 512;

/// The counts of a row: who got it, where it arrived, who read it; first for all records, then for participants alone.
pub(super) type Count = [usize; 6];

/// How far the newest rows came at everybody, also at their authors. It is counted when it is first needed. Reports, new
/// rows, and people who come and go then update it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tallies(pub(super) OnceLock<Newest>);

/// The counts of the newest rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Newest {
    /// The number of the first of these rows. The others follow without gaps.
    pub(super) first: u64,
    pub(super) counts: VecDeque<Count>,
}

/// Whether the counts are there or not makes no difference.
impl PartialEq for Tallies {
    fn eq(&self, _: &Tallies) -> bool {
        true
    }
}

impl Tallies {
    /// Notes another record of somebody. That changes the counts of the rows that came while it was in the channel, so
    /// somebody new costs nothing.
    pub fn replace(&mut self, past: Option<&Member>, next: &Member) {
        let is_alike = |past: &Member| {
            past.id == next.id
                && past.is_joined() == next.is_joined()
                && past.windows == next.windows
                && past.own.reported() == next.own.reported()
        };
        // The record of an account that is no more replaces none of a later account of its name.
        let past = past.filter(|past| past.id == next.id || !next.ended);
        if !past.is_some_and(is_alike) {
            past.into_iter().for_each(|past| self.remove(past));
            self.add_of(next, &rows_of(next));
        }
    }

    /// Takes a record out of all counts.
    pub fn remove(&mut self, member: &Member) {
        self.remove_of(member, &rows_of(member));
    }

    /// Takes a member out of the counts of these rows, before its report is applied.
    pub fn remove_of(&mut self, member: &Member, rows: &[(u64, u64)]) {
        self.each(rows, |row, count| less(count, member, row));
    }

    /// Adds a member to the counts of these rows, after its report was applied.
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

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.get().map_or(0, |newest| size_of::<Count>() * newest.counts.len())
    }

    /// Adds a row that `joined` participants get. Somebody who leaves sees the row of that event, which is no message.
    pub fn note(&mut self, row: u64, joined: usize) {
        let Some(Newest { first, counts }) = self.0.get_mut() else { return };
        if *first + counts.len() as u64 != row {
            // Numbers were passed over, so the counts are dropped.
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

/// The rows that came while somebody was in the channel.
fn rows_of(member: &Member) -> Vec<(u64, u64)> {
    member.windows.iter().map(|&(first, last)| (first, last.unwrap_or(u64::MAX))).collect()
}

impl Newest {
    /// The counts of a row, if it is among the newest.
    pub(super) fn of(&self, row: u64) -> Option<&Count> {
        row.checked_sub(self.first).and_then(|at| self.counts.get(at as usize))
    }
}

/// What a member adds to the counts of a row.
fn count_of(member: &Member, row: u64) -> Count {
    let progress = member.own.reported().of(row).filter(|_| member.was_in_at(row));
    let all = [member.was_in_at(row), progress.is_some(), progress == Some(Progress::Read)].map(usize::from);
    let joined = usize::from(member.is_joined());
    [all[0], all[1], all[2], all[0] * joined, all[1] * joined, all[2] * joined]
}

/// Adds a member to the counts of a row.
pub(super) fn more(count: &mut Count, member: &Member, row: u64) {
    count.iter_mut().zip(count_of(member, row)).for_each(|(count, of_it)| *count += of_it);
}

/// Takes a member out of the counts of a row.
pub(super) fn less(count: &mut Count, member: &Member, row: u64) {
    count.iter_mut().zip(count_of(member, row)).for_each(|(count, of_it)| *count = count.saturating_sub(of_it));
}
