//! Reports of how far messages came, and what they amount to (groups.md §1 rules 6 and 7).

use super::Outcome;
use crate::channel::event::Report;
use crate::channel::group::{Facts, Notice};
use crate::channel::limits::check;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, GroupAnswer, Member, Progress, Refusal, RowKind,
};

impl Channel {
    pub(super) fn report(
        &self,
        actor: &Actor,
        row: u64,
        progress: Progress,
        exact: bool,
        context: &mut Context<'_>,
    ) -> Outcome {
        check(context.limits.features.receipts, "receipts")?;
        let member = self.seat(actor, Action::Report, context.limits)?;
        let facts = self.fact(Some(member), row, context)?;
        let nothing = Ok(Decision::answer(Answer::Group(GroupAnswer::Reported(Vec::new()))));
        if exact && (facts.row.author == member.id || !member.was_in_at(row)) {
            return nothing;
        }
        let ranges = match exact {
            true => vec![(row, row)],
            false => stays_up_to(member, row),
        };
        let mut after = member.clone();
        let mut changes = Vec::new();
        let mut told = Vec::new();
        // Read implies delivered, and so is reported as both.
        let states = if progress == Progress::Read { &[Progress::Delivered, Progress::Read][..] } else { &[progress] };
        for &state in states {
            let covered = match state {
                Progress::Delivered => &mut after.own.delivered,
                Progress::Read => &mut after.own.read,
            };
            told = ranges.iter().flat_map(|&(first, last)| covered.gaps(first, last)).collect();
            for &(first, last) in &told {
                covered.insert(first, last);
                let report = Report { member: member.id.clone(), progress: state, first, last, stamp: context.now };
                changes.push(Change::Reported(report));
            }
        }
        if progress == Progress::Read {
            after.own.mark = after.own.mark.max((row, facts.row.ordinal));
        }
        if after == *member {
            return nothing;
        }
        let notices = self.notices(&after, &told, facts, context);
        changes.push(Change::Noted(after));
        Ok(Decision { changes, answer: Answer::Group(GroupAnswer::Reported(notices)) })
    }

    /// Whom a report has to be told: the authors of the rows that it is newly about, each once, as far as these rows are
    /// among the newest ones or named. The others see it when they ask.
    fn notices(&self, after: &Member, told: &[(u64, u64)], facts: &Facts, context: &Context<'_>) -> Vec<Notice> {
        if self.participant_count() > context.limits.groups.notices_members_max {
            return Vec::new();
        }
        let mut authors = self.tail.authors(told);
        let named = &facts.row;
        let is_told = told.iter().any(|&(first, last)| first <= named.number && named.number <= last);
        if is_told && named.kind == RowKind::Message {
            authors.insert(named.author.clone(), named.number);
        }
        authors.remove(&after.id);
        let joined = authors.into_iter().filter_map(|(id, row)| {
            let author = self.member_of(&id).filter(|author| author.is_joined())?;
            let origin_id = match row == named.number {
                true => named.origin_id.clone(),
                false => self.recent.origin_of(row).map(str::to_owned),
            };
            Some(Notice {
                author: author.jid.clone(),
                row,
                origin_id,
                aggregate: self.aggregate(row, &id, Some(after)),
            })
        });
        joined.collect()
    }

    pub(super) fn read_message_info(&self, actor: &Actor, row: u64, context: &mut Context<'_>) -> Outcome {
        check(context.limits.features.receipts, "receipts")?;
        let member = match actor.operator {
            true => self.participant(&actor.account),
            false => Some(self.seat(actor, Action::Report, context.limits)?),
        };
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

    /// What is known of a row that somebody named and may name; `None` stands for those who may name every row.
    pub(super) fn fact<'a>(&self, by: Option<&Member>, row: u64, context: &Context<'a>) -> Result<&'a Facts, Refusal> {
        let seen = by.is_none_or(|by| self.sees(by, row)) && row <= self.head().row;
        context.facts.get(&row).filter(|_| seen).ok_or(Refusal::NoSuchItem)
    }
}

/// The rows up to one that came while somebody was in.
fn stays_up_to(member: &Member, row: u64) -> Vec<(u64, u64)> {
    let stays = member.windows.iter().map(|&(first, last)| (first, last.unwrap_or(row).min(row)));
    stays.filter(|(first, last)| first <= last).collect()
}
