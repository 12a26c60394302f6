//! groups.md §3.5: a member's own view of the history: hiding rows, clearing, and forgetting the channel.

use super::Outcome;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, GroupAnswer, Head, Limits, Member, Refusal,
};

impl Channel {
    pub(super) fn hide(&self, actor: &Actor, rows: &[u64], context: &mut Context<'_>) -> Outcome {
        let mut member = self.own_record(actor, Action::OwnView, context.limits)?.clone();
        if rows.is_empty() {
            return Err(Refusal::Invalid { field: "item", why: "name a row".into() });
        }
        for &row in rows {
            let facts = self.fact(Some(&member), row, context)?;
            if row > member.own.cleared {
                member.own.hidden.insert(row, facts.row.counted);
            }
        }
        // Rows that have expired need no entry.
        member.own.hidden = member.own.hidden.split_off(&(self.base().row + 1));
        let max = context.limits.groups.hidden_max;
        if member.own.hidden.len() > max {
            return Err(Refusal::TooMany { what: "hidden rows", max });
        }
        Ok(self.noted(member))
    }

    pub(super) fn clear(&self, actor: &Actor, up_to: Option<u64>, context: &mut Context<'_>) -> Outcome {
        let mut member = self.own_record(actor, Action::OwnView, context.limits)?.clone();
        let (row, ordinal) = match up_to {
            Some(row) => (row, self.fact(Some(&member), row, context)?.row.ordinal),
            None => (self.head().row, self.head().ordinal),
        };
        clear_up_to(&mut member, row, ordinal);
        Ok(self.noted(member))
    }

    pub(super) fn clear_to(&self, actor: &Actor, head: Head, limits: &Limits) -> Outcome {
        let mut member = self.own_record(actor, Action::OwnView, limits)?.clone();
        clear_up_to(&mut member, head.row, head.ordinal);
        Ok(self.noted(member))
    }

    pub(super) fn forget(&self, actor: &Actor, limits: &Limits) -> Outcome {
        let mut member = self.own_record(actor, Action::Forget, limits)?.clone();
        // A member that comes back does not see these rows again.
        clear_up_to(&mut member, self.head().row, self.head().ordinal);
        member.own.forgotten = true;
        Ok(self.noted(member))
    }

    fn own_record(&self, actor: &Actor, action: Action, limits: &Limits) -> Result<&Member, Refusal> {
        // A member's own view goes by its own role. That it is an operator does not count.
        let itself = Actor { account: actor.account.clone(), operator: false };
        let role = self.require(&itself, action, limits)?;
        self.member(&actor.account).ok_or_else(|| self.refusal_of(role, action))
    }

    fn noted(&self, member: Member) -> Decision {
        let changed = self.member(&member.jid) != Some(&member);
        let changes = if changed { vec![Change::Noted(member)] } else { Vec::new() };
        Decision::of(changes, Answer::Group(GroupAnswer::Done))
    }
}

/// Clears the rows up to one. They do not count as unread any more.
fn clear_up_to(member: &mut Member, row: u64, ordinal: u64) {
    let own = &mut member.own;
    own.cleared = own.cleared.max(row);
    own.hidden = own.hidden.split_off(&(own.cleared + 1));
    own.mark = own.mark.max((row, ordinal));
}
