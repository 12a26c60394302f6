//! groups.md §1 rule 8: retracting one's own messages and those of others.

use super::Outcome;
use super::draft::Draft;
use crate::channel::group::Facts;
use crate::channel::limits::check;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, GroupAnswer, Member, Message, ParticipantId, Refusal, Row,
    RowKind, Tombstone,
};

impl Channel {
    /// XEP-0424: a message that retracts another one.
    pub(super) fn retract_by_message(
        &self,
        actor: &Actor,
        author: &Member,
        message: Message,
        context: &mut Context<'_>,
    ) -> Outcome {
        let facts = self.fact(Some(author), message.target.unwrap_or(0), context)?;
        let kind = self.kind_of_retraction(actor, Some(author), facts, context)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        // It does not count as unread, whatever its fallback text says.
        let message = Message { counted: false, ..message };
        let row = Row { kind, ..self.row_of(&draft, author, message, context) };
        let by = Some(row.author.clone());
        self.entomb(&mut draft, row, facts, by, None);
        draft.trace(author);
        draft.finish(Answer::Taken)
    }

    /// XEP-0425: a retraction without a message.
    pub(super) fn moderate(
        &self,
        actor: &Actor,
        row: u64,
        reason: Option<String>,
        context: &mut Context<'_>,
    ) -> Outcome {
        check(context.limits.features.retraction, "retraction")?;
        self.require(actor, Action::See, context.limits)?;
        let member = self.participant(&actor.account);
        if member.is_none() {
            self.require_in_room(actor, Action::Moderate, context)?;
        }
        // A moderator who passes by sees what moderators see, and goes by its nick in the room.
        let by = member.or_else(|| context.live.seats.passer_by(&actor.account));
        if reason.as_ref().is_some_and(|reason| reason.len() > context.limits.info_bytes_max) {
            return Err(Refusal::TooLong { what: "the reason", max: context.limits.info_bytes_max });
        }
        let facts = self.fact(member, row, context)?;
        let kind = self.kind_of_retraction(actor, by, facts, context)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        if !facts.entombed {
            // An operator, or an owner, who is neither in the channel nor in the room has no nick there.
            let (id, nick) = match by {
                Some(by) => (by.id.clone(), by.nick.as_str().to_owned()),
                None => (facts.row.author.clone(), facts.row.nick.clone()),
            };
            let row = Row { kind, target: Some(row), ..draft.blank_row(id, nick) };
            self.entomb(&mut draft, row, facts, by.map(|by| by.id.clone()), reason);
        }
        draft.finish(Answer::Group(GroupAnswer::Done))
    }

    /// Whether it is a retraction by the author, or by somebody with the right to moderate. `by` is who retracts, where
    /// it is somebody in the channel.
    fn kind_of_retraction(
        &self,
        actor: &Actor,
        by: Option<&Member>,
        facts: &Facts,
        context: &Context<'_>,
    ) -> Result<RowKind, Refusal> {
        if facts.row.kind != RowKind::Message {
            return Err(Refusal::NotAllowed("only messages can be retracted"));
        }
        let own = by.is_some_and(|by| by.id == facts.row.author);
        let window_ms = self.settings().retract_window_s.saturating_mul(1000);
        let in_time = window_ms == 0 || context.live.due.0.saturating_sub(facts.row.stamp.0) <= window_ms;
        let taken_back = self.speaker(actor, Action::Retract, context.live.seats, context.limits);
        if own && in_time && taken_back.is_ok() {
            return Ok(RowKind::Retraction);
        }
        match (self.require_in_room(actor, Action::Moderate, context), taken_back) {
            (Ok(_), _) => Ok(RowKind::Moderation),
            (Err(_), Err(refusal)) if own && in_time => Err(refusal),
            (Err(_), _) if own => Err(Refusal::Forbidden("the time to retract this message is over")),
            (Err(refusal), _) => Err(refusal),
        }
    }

    /// Adds the row of a retraction and the tombstone of the message. A correction is retracted with the message that
    /// it corrects.
    fn entomb(
        &self,
        draft: &mut Draft<'_>,
        row: Row,
        facts: &Facts,
        by: Option<ParticipantId>,
        reason: Option<String>,
    ) {
        let tombstone = Tombstone {
            row: facts.row.number,
            retraction: row.number,
            stamp: row.stamp,
            by,
            moderated: row.kind == RowKind::Moderation,
            reason,
        };
        draft.row(row);
        if facts.entombed {
            return;
        }
        draft.changes.push(Change::Entombed(tombstone));
    }
}
