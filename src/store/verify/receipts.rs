//! Reports of recipients: they are of members and of rows that exist, no row is covered twice, and the stored sum of a
//! member is the sum of its reports.

use super::super::StoreError;
use super::super::archive::Archive;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, PastRecord, Sum};
use super::survey::Survey;
use crate::channel::{ChannelName, Member, ParticipantId, Progress, Report};
use std::collections::{BTreeMap, HashSet};

/// The rows that the reports of a member cover.
#[derive(Default)]
struct Covered {
    reports: u64,
    newest: u64,
    delivered: Ranges,
    read: Ranges,
    mark: (u64, u64),
}

/// Rows as ranges, in order and apart: the first row of each, and the last one.
#[derive(Default)]
struct Ranges(BTreeMap<u64, u64>);

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let Some(archive) = survey.archive(tag) else { return Ok(()) };
        let mut members = HashSet::new();
        survey.each::<Member>(Space::State, &keyspace::members(tag), |_, member| {
            members.insert(member.id);
            Ok(())
        })?;
        survey.each::<PastRecord>(Space::State, &keyspace::traces(tag), |_, trace| {
            members.insert(trace.id);
            Ok(())
        })?;
        let mut covered: BTreeMap<ParticipantId, Covered> = BTreeMap::new();
        survey.each::<Report>(Space::State, &keyspace::all_reports(tag), |key, report| {
            let (first, last) = report.ends();
            let place = || format!("channel {name}, report {} of member {}", report.number, report.member);
            survey.holds(key == keyspace::report(tag, &report), place, || "it lies under the key of another".into());
            survey.holds(members.contains(&report.member), place, || "of whom there is no record".into());
            survey.holds(0 < first && are_apart(&report.rows) && last <= archive.head().row, place, || {
                format!("there are no such rows, {first} to {last}: the archive ends at row {}", archive.head().row)
            });
            let of = covered.entry(report.member.clone()).or_default();
            let is_new = of.take(&report);
            survey.holds(is_new, place, || "another report covers some of its rows as well".into());
            Ok(())
        })?;
        check_sums(survey, tag, name, &archive, covered)
    })
}

fn check_sums<S: Databases>(
    survey: &Survey<'_, S>,
    tag: u64,
    name: &ChannelName,
    archive: &Archive<'_, S>,
    mut covered: BTreeMap<ParticipantId, Covered>,
) -> Result<(), StoreError> {
    let place = |member: &ParticipantId| format!("channel {name}, what the reports of member {member} amount to");
    survey.each::<Sum>(Space::State, &keyspace::all_sums(tag), |key, sum| {
        let place = || place(&sum.member);
        survey.holds(key == keyspace::sum(tag, &sum.member), place, || "it lies under the key of another".into());
        let of = covered.remove(&sum.member).unwrap_or_default();
        // Reports of rows that are too old are cleared away, while the sum stays.
        let all_there = archive.base().row == 0;
        let counts = of.reports == of.newest && of.newest == sum.reported.reports;
        survey.holds(counts || (!all_there && of.newest <= sum.reported.reports), place, || {
            format!("it counts {} reports, and there are {}", sum.reported.reports, of.reports)
        });
        // A sum of many ranges joins the oldest of them.
        let is_in = |ranges: &Ranges, covers: &dyn Fn(u64, u64) -> bool| ranges.0.iter().all(|(&f, &l)| covers(f, l));
        let (arrived, read) = (&sum.reported.delivered, &sum.reported.read);
        let agrees = is_in(&of.delivered, &|first, last| arrived.covers(first, last))
            && is_in(&of.read, &|first, last| read.covers(first, last))
            && (!all_there
                || (arrived.highest(), read.highest(), sum.mark)
                    == (of.delivered.highest(), of.read.highest(), of.mark));
        survey.holds(agrees, place, || "it is not what the reports say".into());
        let row = archive.row(sum.mark.0)?;
        survey.holds(row.is_none_or(|row| row.ordinal == sum.mark.1), place, || {
            format!("its mark says ordinal {} at row {}, which has another", sum.mark.1, sum.mark.0)
        });
        Ok(())
    })?;
    for member in covered.into_keys() {
        survey.wrong(place(&member), "there is none");
    }
    Ok(())
}

fn are_apart(rows: &[(u64, u64)]) -> bool {
    !rows.is_empty() && rows.iter().all(|rows| rows.0 <= rows.1) && rows.windows(2).all(|two| two[0].1 + 1 < two[1].0)
}

impl Covered {
    /// Adds a report. Returns whether no other report covers any of its rows.
    fn take(&mut self, report: &Report) -> bool {
        self.reports += 1;
        self.newest = self.newest.max(report.number);
        self.mark = self.mark.max(report.mark.unwrap_or_default());
        let mut is_new = true;
        for &(first, last) in &report.rows {
            let same = if report.progress == Progress::Read { &mut self.read } else { &mut self.delivered };
            is_new &= same.insert(first, last);
        }
        // What a report of reading counts as arrived was not reported as arrived before.
        for &(first, last) in report.arrived.iter().filter(|_| report.progress == Progress::Read) {
            is_new &= self.delivered.insert(first, last);
        }
        is_new
    }
}

impl Ranges {
    /// Adds rows. Returns whether none of them was there.
    fn insert(&mut self, first: u64, last: u64) -> bool {
        let (mut low, mut high, mut is_new) = (first, last, true);
        while let Some((&start, &end)) = self.0.range(..=high.saturating_add(1)).next_back() {
            if end.saturating_add(1) < low {
                break;
            }
            is_new &= end < first || last < start;
            (low, high) = (low.min(start), high.max(end));
            self.0.remove(&start);
        }
        self.0.insert(low, high);
        is_new
    }

    fn highest(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(_, &last)| last)
    }
}
