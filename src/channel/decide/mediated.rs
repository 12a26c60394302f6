//! XEP-0045 §7.8.2: inviting people through a room, and declining that.

use super::Outcome;
use super::draft::Draft;
use super::invitations::ended;
use crate::channel::group::Invitee;
use crate::channel::rules::Rules;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, Invitation, InviterName, Member, Node, Refusal,
    RoomDecline, RoomInvitation, RoomInvitee, Status,
};
use jid::BareJid;
use std::collections::BTreeSet;

impl Channel {
    /// Invites people through the room. Where everybody may enter, that gives no right. Else whoever may add people puts
    /// those who are invited on the list of those who may join, or adds them to the group.
    pub(super) fn invite_by_room(
        &self,
        actor: &Actor,
        invitees: Vec<RoomInvitee>,
        context: &mut Context<'_>,
    ) -> Outcome {
        let nick = self.occupant(&actor.account, context).ok_or(Refusal::NotOccupant)?.nick.clone();
        let max = context.limits.part_max;
        if invitees.len() > max {
            return Err(Refusal::TooMany { what: "people whom one message invites", max });
        }
        let mut named = BTreeSet::new();
        let invitees: Vec<RoomInvitee> = invitees.into_iter().filter(|it| named.insert(it.jid.clone())).collect();
        let mut changes = if self.is_group() {
            let add = invitees.iter().map(|it| Invitee { jid: it.jid.clone(), nick: None }).collect();
            self.edit_members(actor, add, Vec::new(), context)?.changes
        } else if self.kept.allowed.is_some() {
            self.let_in(actor, &invitees, context)?
        } else {
            Vec::new()
        };
        let inviter = &actor.account;
        let invited = invitees.into_iter().map(|invitee| {
            Change::InvitedByRoom(RoomInvitation { inviter: inviter.clone(), nick: nick.clone(), invitee })
        });
        changes.extend(invited);
        Ok(Decision::of(changes, Answer::Taken))
    }

    /// Puts those on the list of those who may join who are not there, with an invitation of MIX (XEP-0407 §6).
    fn let_in(
        &self,
        actor: &Actor,
        invitees: &[RoomInvitee],
        context: &mut Context<'_>,
    ) -> Result<Vec<Change>, Refusal> {
        let (role, rules) = (self.require(actor, Action::Add, context.limits)?, Rules::of(self));
        if invitees.iter().any(|it| rules.bans(&it.jid)) {
            return Err(Refusal::NotAllowed("somebody of these is banned from the room"));
        }
        let new: Vec<&BareJid> = invitees.iter().map(|it| &it.jid).filter(|jid| !self.is_admitted(jid)).collect();
        let (count, max) = (self.kept.allowed.as_ref().map_or(0, |list| list.len()), context.limits.participants_max);
        if count + new.len() > max {
            return Err(Refusal::TooMany { what: "entries of a list", max });
        }
        let more = new.iter().filter(|jid| self.open_invitation(jid, actor, context).is_none()).count();
        if more > 0 {
            self.check_invitations(&actor.account, more, context)?;
        }
        let mut changes: Vec<Change> = self.outdated_invitations(context).collect();
        for jid in new {
            changes.push(Change::Listed { node: Node::Allowed, jid: jid.clone(), present: true, reason: None });
            let invitation = self.invitation(actor, (role, jid.clone()), context);
            changes.push(Change::InvitationSet(invitation));
        }
        Ok(changes)
    }

    /// Declines an invitation. Whoever was not invited by whom it names changes nothing and reaches nobody. Who was let in
    /// by the invitation comes off the list, or out of the group.
    pub(super) fn decline_to_room(
        &self,
        actor: &Actor,
        inviter: &InviterName,
        reason: Option<String>,
        context: &mut Context<'_>,
    ) -> Outcome {
        let invitee = &actor.account;
        let is_seated = context.live.seats.is_seated(invitee);
        let was_added = self.is_group() && !is_seated && self.member(invitee).is_some_and(was_added);
        let inviter = self.inviter(inviter, invitee, context);
        let invitation = inviter.as_ref().and_then(|inviter| self.kept.invitations.get(invitee, inviter));
        let inviter = inviter.filter(|inviter| {
            let is_noted = context.live.invited.was_by(invitee, inviter);
            is_noted || invitation.is_some() || (was_added && self.participant(inviter).is_some())
        });
        let mut changes = match invitation {
            _ if was_added => self.leave(actor, context)?.changes,
            Some(invitation) => self.give_back(invitation, context)?,
            None => Vec::new(),
        };
        let told = inviter.map(|inviter| RoomDecline { inviter, invitee: invitee.clone(), reason });
        changes.extend(told.map(Change::DeclinedToRoom));
        Ok(Decision::of(changes, Answer::Taken))
    }

    /// Ends an invitation, and what it gave.
    fn give_back(&self, invitation: &Invitation, context: &Context<'_>) -> Result<Vec<Change>, Refusal> {
        let (mut draft, invitee) = (Draft::new(self, context.live.now, context.limits), &invitation.invitee);
        draft.changes.push(ended(invitation));
        let is_listed = self.kept.allowed.as_ref().is_some_and(|list| list.contains(invitee));
        if is_listed && self.participant(invitee).is_none() {
            let (node, jid) = (Node::Allowed, invitee.clone());
            draft.changes.push(Change::Listed { node, jid, present: false, reason: None });
        }
        Ok(draft.finish(Answer::Taken)?.changes)
    }

    /// The account that a decline names.
    fn inviter(&self, name: &InviterName, invitee: &BareJid, context: &Context<'_>) -> Option<BareJid> {
        let inviter = match name {
            InviterName::Account(account) => Some(account),
            InviterName::Nick(nick) => {
                let invited = context.live.invited.by_nick(invitee, nick);
                invited.or_else(|| context.live.seats.holder_of(nick)).or_else(|| self.holder_of(nick))
            }
        };
        inviter.cloned()
    }

    /// Whoever sits in the room, or is shown there because what is said reaches it by MIX.
    pub(super) fn occupant<'a>(&'a self, account: &BareJid, context: &Context<'a>) -> Option<&'a Member> {
        let seats = context.live.seats;
        let is_shown = |member: &&Member| seats.is_seated(account) || member.subscriptions.contains(Node::Messages);
        seats.passer_by(account).or_else(|| self.participant(account).filter(is_shown))
    }
}

/// Whether others put somebody into the group who did nothing there so far.
fn was_added(member: &Member) -> bool {
    member.status == Status::Waiting || (member.is_joined() && !member.named && !member.spoke)
}
