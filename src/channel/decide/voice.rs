//! XEP-0045 §8.2 to §8.5, §9.6 to §9.8: roles in the room: who is put out, who has voice, and who moderates for a visit.

use super::draft::Draft;
use super::{Outcome, ROLE_TOO_LOW};
use crate::channel::command::{RoleEdit, Slice};
use crate::channel::group_create::check_named;
use crate::channel::room::VOICES_MAX;
use crate::channel::{
    Action, Actor, Affiliation, Answer, Change, Channel, Context, Decision, Limits, OccupantRole, Refusal, Seats,
};
use jid::BareJid;
use std::collections::BTreeSet;

/// A refusal, as it is told somebody who is in the room.
pub(super) fn forbidden(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::NotJoined => ROLE_TOO_LOW,
        refusal => refusal,
    }
}

impl Channel {
    /// Refuses an action that moderators of the room may do as well.
    pub(super) fn require_in_room(&self, actor: &Actor, action: Action, context: &Context<'_>) -> Result<(), Refusal> {
        self.require_with_seats(actor, action, context.live.seats, context.limits)
    }

    /// The same, by who sits in the room.
    pub(super) fn require_with_seats(
        &self,
        actor: &Actor,
        action: Action,
        seats: &Seats,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        if self.is_let_as_moderator(&actor.account, action, seats, limits) {
            return Ok(());
        }
        self.require(actor, action, limits).map(drop).map_err(forbidden)
    }

    pub(super) fn set_roles(&self, actor: &Actor, edits: Vec<RoleEdit>, context: &mut Context<'_>) -> Outcome {
        check_named("roles", edits.len(), context.limits)?;
        self.require_in_room(actor, Action::Voice, context)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        let (mut named, mut ruled) = (BTreeSet::new(), Vec::new());
        for RoleEdit { nick, role, reason } in edits {
            let account = self.occupant_called(&nick, context.live.seats).ok_or(Refusal::NoSuchItem)?;
            if !named.insert(account) {
                return Err(Refusal::BadRequest("a request names each nick once".into()));
            }
            match role {
                OccupantRole::None => self.kick(&mut draft, actor, account, context)?,
                OccupantRole::Moderator => self.make_moderator(&mut draft, actor, account, context)?,
                OccupantRole::Participant => {
                    self.unmake_moderator(&mut draft, actor, account, context)?;
                    self.give_voice(&mut draft, account, true)?;
                }
                OccupantRole::Visitor => {
                    let affiliation = self.affiliation_of(account);
                    if affiliation >= Affiliation::Admin || affiliation > self.rank_of(actor) {
                        return Err(Refusal::NotAllowed("you may not take voice from this occupant"));
                    }
                    self.unmake_moderator(&mut draft, actor, account, context)?;
                    self.give_voice(&mut draft, account, false)?;
                }
            }
            ruled.push((account.clone(), reason));
        }
        self.settle_roles(&mut draft);
        draft.clear_away(context.limits);
        draft.finish(Answer::Ruled { of_roles: true, people: ruled })
    }

    /// XEP-0045 §8.2: puts somebody out of the room. A participant that is there by MIX alone is removed.
    fn kick(
        &self,
        draft: &mut Draft<'_>,
        actor: &Actor,
        account: &BareJid,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        self.require_in_room(actor, Action::Kick, context)?;
        let affiliation = self.affiliation_of(account);
        if affiliation > self.rank_of(actor) {
            return Err(Refusal::NotAllowed("you may not put this occupant out"));
        }
        if context.live.seats.is_seated(account) {
            draft.changes.push(Change::RoleSet { account: account.clone(), role: OccupantRole::None });
            return Ok(());
        }
        let is_removable = affiliation < Affiliation::Owner && *account != actor.account;
        if !is_removable || self.require(actor, Action::Remove, context.limits).is_err() {
            return Err(Refusal::NotAllowed("this occupant did not enter the room, and you may not remove it"));
        }
        self.take_out(draft, self.participant(&actor.account), account);
        Ok(())
    }

    /// XEP-0045 §9.6: makes somebody a moderator for its visit.
    fn make_moderator(
        &self,
        draft: &mut Draft<'_>,
        actor: &Actor,
        account: &BareJid,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        self.require_in_room(actor, Action::Enrol, context)?;
        let seats = context.live.seats;
        if self.occupant_role(account, seats) == OccupantRole::Moderator {
            return Ok(());
        }
        if !seats.is_seated(account) {
            return Err(Refusal::NotAllowed("this occupant did not enter the room"));
        }
        draft.changes.push(Change::RoleSet { account: account.clone(), role: OccupantRole::Moderator });
        Ok(())
    }

    /// XEP-0045 §9.7: somebody who is a moderator is one no longer.
    fn unmake_moderator(
        &self,
        draft: &mut Draft<'_>,
        actor: &Actor,
        account: &BareJid,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        if self.occupant_role(account, context.live.seats) != OccupantRole::Moderator {
            return Ok(());
        }
        self.require_in_room(actor, Action::Enrol, context)?;
        if self.affiliation_of(account) >= Affiliation::Admin {
            return Err(Refusal::NotAllowed("who administers the room is a moderator of it"));
        }
        draft.changes.push(Change::RoleSet { account: account.clone(), role: OccupantRole::Participant });
        Ok(())
    }

    /// XEP-0045 §8.3, §8.4: only what differs from what follows from the settings is kept.
    fn give_voice(&self, draft: &mut Draft<'_>, account: &BareJid, wanted: bool) -> Result<(), Refusal> {
        let usual = self.voice_by_settings(account, self.affiliation_of(account));
        let (before, voice) = (self.kept.voices.get(account).copied(), (wanted != usual).then_some(wanted));
        if before == voice {
            return Ok(());
        }
        let new =
            draft.changes.iter().filter(|change| matches!(change, Change::VoiceSet { voice: Some(_), .. })).count();
        if before.is_none() && self.kept.voices.len() + new >= VOICES_MAX {
            return Err(Refusal::TooMany { what: "accounts whose voice was settled", max: VOICES_MAX });
        }
        draft.changes.push(Change::VoiceSet { account: account.clone(), voice });
        Ok(())
    }

    pub(super) fn list_roles(&self, actor: &Actor, role: OccupantRole, slice: Slice, context: &Context<'_>) -> Outcome {
        match role {
            OccupantRole::Moderator => self.require_in_room(actor, Action::Enrol, context)?,
            OccupantRole::Participant | OccupantRole::Visitor => self.require_in_room(actor, Action::Voice, context)?,
            OccupantRole::None => return Err(Refusal::BadRequest("nobody in the room has this role".into())),
        }
        Ok(Decision::answer(Answer::Roles { role, slice }))
    }
}
