//! XEP-0045 §7.13, §8.6: a visitor asks for voice, and a moderator gives it.

use super::Outcome;
use crate::channel::command::{RoleEdit, VoiceGrant};
use crate::channel::{Action, Actor, Answer, Change, Channel, Context, Decision, OccupantRole, Refusal};
use jid::BareJid;

impl Channel {
    /// A visitor asks the moderators for voice. Whoever has it already is not told on to anybody.
    pub(super) fn request_voice(&self, actor: &Actor, context: &Context<'_>) -> Outcome {
        let own = self.occupant(&actor.account, context).ok_or(Refusal::NotOccupant)?;
        let is_heard = self.occupant_role(&actor.account, context.live.seats) != OccupantRole::Visitor;
        let asks = Change::VoiceRequested { account: own.jid.clone(), nick: own.nick.clone() };
        Ok(Decision::of(if is_heard { Vec::new() } else { vec![asks] }, Answer::Taken))
    }

    /// A moderator gives voice to whoever asked for it, or does not. That changes nothing for somebody who has it by now.
    pub(super) fn answer_voice_request(
        &self,
        actor: &Actor,
        grant: Option<VoiceGrant>,
        context: &mut Context<'_>,
    ) -> Outcome {
        let nothing = Decision::of(Vec::new(), Answer::Taken);
        let Some(VoiceGrant { nick, account }) = grant else { return Ok(nothing) };
        self.require_in_room(actor, Action::Voice, context)?;
        let seats = context.live.seats;
        // The nick may be somebody else's by now.
        let is_meant = |holder: &&BareJid| account.as_ref().is_none_or(|account| account == *holder);
        let holder = self.occupant_called(&nick, seats).filter(is_meant).ok_or(Refusal::NoSuchItem)?;
        if self.occupant_role(holder, seats) != OccupantRole::Visitor {
            return Ok(nothing);
        }
        self.set_roles(actor, vec![RoleEdit { nick, role: OccupantRole::Participant, reason: None }], context)
    }
}
