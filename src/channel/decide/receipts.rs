//! groups.md §1 rules 6, 7: reports of how far messages came, and what follows from them.

use super::Outcome;
use crate::channel::group::{Facts, Notice};
use crate::channel::limits::check;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, GroupAnswer, Member, ParticipantId, Progress, Refusal,
    RowKind,
};
use std::collections::BTreeMap;

/// The most authors who are told of one report: those of the newest rows.
const AUTHORS_MAX: usize = 64;

/// A report that was accepted.
pub(super) struct Taken<'a> {
    /// The changes. None where all of it was reported before.
    pub changes: Vec<Change>,
    /// The reporter's record afterwards.
    after: Member,
    /// The ranges of rows that are new in it, both ends included.
    told: Vec<(u64, u64)>,
    /// The row that it names.
    facts: &'a Facts,
}

impl Channel {
    /// Takes a report, and says which authors are told.
    pub(super) fn report(
        &self,
        actor: &Actor,
        row: u64,
        progress: Progress,
        exact: bool,
        context: &mut Context<'_>,
    ) -> Outcome {
        let taken = self.take_report(actor, row, progress, exact, context)?;
        let notices = match taken.changes.is_empty() {
            true => Vec::new(),
            false => self.notices(&taken.after, &taken.told, taken.facts, context),
        };
        Ok(Decision::of(taken.changes, Answer::Group(GroupAnswer::Reported(notices))))
    }

    /// Takes a report, without saying who is told.
    pub(super) fn take_report<'a>(
        &self,
        actor: &Actor,
        row: u64,
        progress: Progress,
        exact: bool,
        context: &Context<'a>,
    ) -> Result<Taken<'a>, Refusal> {
        check(context.limits.features.receipts, "receipts")?;
        let member = self.seat(actor, Action::Report, context.limits)?;
        let facts = self.fact(Some(member), row, context)?;
        let mut taken = Taken { changes: Vec::new(), after: member.clone(), told: Vec::new(), facts };
        if exact && (facts.row.author == member.id || !member.was_in_at(row)) {
            return Ok(taken);
        }
        let ranges = if exact { vec![(row, row)] } else { stays_up_to(member, row) };
        for report in member.reports(progress, &ranges, (row, facts.row.ordinal), context.live.now) {
            taken.after.own.take(&report);
            taken.told.extend(&report.rows);
            taken.changes.push(Change::Reported(report));
        }
        Ok(taken)
    }

    /// Who is told of a report: the authors of the rows that are new in it, each once, if these rows are among the
    /// newest or named. Only so many authors are told. Others see it when they ask.
    fn notices(&self, after: &Member, told: &[(u64, u64)], facts: &Facts, context: &Context<'_>) -> Vec<Notice> {
        if self.participant_count() > context.limits.groups.notices_members_max {
            return Vec::new();
        }
        let mut authors = self.tail.authors(told, AUTHORS_MAX);
        let named = &facts.row;
        let is_told = told.iter().any(|&(first, last)| first <= named.number && named.number <= last);
        if is_told && named.kind == RowKind::Message {
            authors.insert(named.author.clone(), named.number);
        }
        authors.remove(&after.id);
        let joined = authors.into_iter().filter_map(|(id, row)| {
            let author = self.member_of(&id).filter(|author| author.is_joined())?;
            Some((row, author))
        });
        let mut joined: Vec<(u64, &Member)> = joined.collect();
        joined.sort_by_key(|(row, _)| *row);
        let rows: Vec<(u64, &ParticipantId)> = joined.iter().map(|(row, author)| (*row, &author.id)).collect();
        // In the order of the authors' ids.
        let notices = joined.iter().zip(self.aggregates(&rows, after)).map(|((row, author), aggregate)| {
            let origin_id = match *row == named.number {
                true => named.origin_id.clone(),
                false => self.recent.origin_of(*row).map(str::to_owned),
            };
            (&author.id, Notice { author: author.jid.clone(), row: *row, origin_id, aggregate })
        });
        notices.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    pub(super) fn read_message_info(&self, actor: &Actor, row: u64, context: &mut Context<'_>) -> Outcome {
        check(context.limits.features.receipts, "receipts")?;
        let member = match actor.operator {
            true => self.participant(&actor.account),
            false => Some(self.seat(actor, Action::Report, context.limits)?),
        };
        if !self.is_group() {
            // The answer lists the people of that time.
            self.require(actor, Action::ListParticipants, context.limits)?;
        }
        let row = &self.fact(member, row, context)?.row;
        if row.kind != RowKind::Message {
            return Err(Refusal::NoSuchItem);
        }
        Ok(Decision::answer(Answer::Group(GroupAnswer::MessageInfo {
            row: row.number,
            recipients: self.recipients_of(row),
            aggregate: self.aggregate_of(row),
        })))
    }

    /// What is known of a row that somebody named. Refused where `by` neither sees the row nor said it. `by` is `None`
    /// for those who see every row.
    pub(super) fn fact<'a>(&self, by: Option<&Member>, row: u64, context: &Context<'a>) -> Result<&'a Facts, Refusal> {
        let is_kept = self.base().row < row && row <= self.head().row;
        // Whoever passes by has no windows, and what it said all the same.
        let is_shown = |facts: &Facts| by.is_none_or(|by| by.id == facts.row.author || self.sees(by, row));
        context.facts.get(&row).filter(|facts| is_kept && is_shown(facts)).ok_or(Refusal::NoSuchItem)
    }
}

/// The rows up to one that came while the member was in, as ranges.
fn stays_up_to(member: &Member, row: u64) -> Vec<(u64, u64)> {
    let stays = member.windows.iter().map(|&(first, last)| (first, last.unwrap_or(row).min(row)));
    stays.filter(|(first, last)| first <= last).collect()
}
