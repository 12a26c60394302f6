//! Giving invitations, getting in by one, and their end (XEP-0407 §6).

use super::Outcome;
use super::draft::Draft;
use crate::channel::command::Slice;
use crate::channel::invitation::{Claim, Fault, Invitation, Token};
use crate::channel::rules::Rules;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, JoinWish, Limits, Member, Node, Refusal, Role, Stamp,
    Status,
};
use jid::BareJid;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Invitations that are too old and go with one that is given, at most.
const OUTDATED_MAX: usize = 16;

impl Channel {
    /// Gives an invitation. To ask again for the same invitee is to get the same one, with its time begun anew.
    pub(super) fn invite(&self, actor: &Actor, invitee: BareJid, context: &mut Context<'_>) -> Outcome {
        let limits = context.limits;
        let role = self.require(actor, Action::Add, limits)?;
        if invitee.node().is_none() {
            return Err(Refusal::Invalid { field: "invitee", why: format!("'{invitee}' is no account") });
        }
        if self.is_banned(&invitee) && !self.knows(&invitee) {
            return Err(Refusal::Forbidden("this account is banned from the channel"));
        }
        let mut draft = Draft::new(self, context.now);
        let (outdated, open): (Vec<&Invitation>, Vec<&Invitation>) =
            self.invitations().partition(|invitation| invitation.until < context.due);
        draft.changes.extend(outdated.into_iter().take(OUTDATED_MAX).map(ended));
        let past = open.iter().find(|it| it.invitee == invitee && it.inviter == actor.account);
        let own = open.iter().filter(|it| it.inviter == actor.account).count();
        let (max, own_max) = (limits.invitations_max, limits.invitations_per_inviter_max);
        if past.is_none() && open.len() >= max {
            return Err(Refusal::TooMany { what: "open invitations of a channel", max });
        }
        if past.is_none() && own >= own_max {
            return Err(Refusal::TooMany { what: "open invitations of one inviter", max: own_max });
        }
        let invitation = Invitation {
            inviter: actor.account.clone(),
            by_operator: role == Role::Operator,
            invitee,
            token: past.map_or_else(|| Token::random(context.dice), |past| past.token.clone()),
            until: Stamp(context.now.0.saturating_add(limits.invitation_s.saturating_mul(1000))),
        };
        draft.changes.push(Change::InvitationSet(invitation.clone()));
        draft.finish(Answer::Invitation(invitation))
    }

    /// The invitation without which somebody would not get in; `None` where it gets in anyway, and then no invitation is
    /// looked at: an old one, or one that was used by a join whose answer got lost, keeps nobody out.
    pub(super) fn invitation_needed(
        &self,
        actor: &Actor,
        wish: &JoinWish,
        context: &Context<'_>,
    ) -> Result<Option<&Invitation>, Refusal> {
        let may_join = self.require(actor, Action::Join, context.limits);
        if may_join.is_ok() && self.is_admitted(&actor.account) {
            return Ok(None);
        }
        let not_admitted = Refusal::NotAllowed("you may not join this channel");
        let Some(claim) = &wish.claim else { return Err(may_join.err().unwrap_or(not_admitted)) };
        let invitation = self.shown(actor, claim).ok_or_else(|| self.refusal_of_claim(actor, claim))?;
        if invitation.until < context.due {
            return Err(Refusal::BadInvitation(Fault::Expired));
        }
        if !self.upholds(invitation, context.limits) {
            return Err(Refusal::BadInvitation(Fault::Unknown));
        }
        if self.is_banned(&actor.account) { Err(not_admitted) } else { Ok(Some(invitation)) }
    }

    /// The end of the invitation that somebody shows who is in already.
    pub(super) fn used_again(&self, seated: &Member, claim: Option<&Claim>) -> Option<Change> {
        let is_it = |it: &&Invitation| it.invitee == seated.jid && claim.is_some_and(|claim| it.answers_to(claim));
        self.invitations().find(is_it).map(ended)
    }

    /// XEP-0407 §6: "If the allowed node is present and the invitee is not matched against any item, the channel MUST add
    /// the invitee".
    pub(super) fn list_invitee(&self, draft: &mut Draft<'_>, account: &BareJid, max: usize) -> Result<(), Refusal> {
        match &self.kept.allowed {
            Some(list) if !self.is_closed() && !Rules::of(self).lists(account) => {
                if list.len() >= max {
                    return Err(Refusal::TooMany { what: "entries of a list", max });
                }
                let (node, jid) = (Node::Allowed, account.clone());
                draft.changes.push(Change::Listed { node, jid, present: true });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The invitee turns an invitation down.
    pub(super) fn decline(&self, actor: &Actor, claim: &Claim) -> Outcome {
        let invitation = self.shown(actor, claim).ok_or_else(|| self.refusal_of_claim(actor, claim))?;
        let ended = Change::InvitationEnded { invitation: invitation.clone(), declined: true };
        Ok(Decision { changes: vec![ended], answer: Answer::Taken })
    }

    /// Takes every invitation of some accounts back that the asker gave, or got, or may take back because it may remove
    /// people.
    pub(super) fn revoke_invitations(&self, actor: &Actor, invitees: &[BareJid], context: &Context<'_>) -> Outcome {
        let mut draft = Draft::new(self, context.now);
        let own = self.invitations_before(actor, context.limits)?;
        let named: BTreeSet<&BareJid> = invitees.iter().collect();
        let revoked: Vec<&Invitation> = own.into_iter().filter(|it| named.contains(&it.invitee)).collect();
        let found: BTreeSet<&BareJid> = revoked.iter().map(|it| &it.invitee).collect();
        draft.changes.extend(revoked.iter().copied().map(ended));
        if found == named { draft.finish(Answer::Done) } else { Err(Refusal::NoSuchItem) }
    }

    /// The invitations that the asker may take back.
    pub(super) fn list_invitations(&self, actor: &Actor, slice: Slice, context: &Context<'_>) -> Outcome {
        let own = self.invitations_before(actor, context.limits)?.into_iter();
        let open = own.filter(|invitation| invitation.until >= context.due).cloned().collect();
        Ok(Decision::answer(Answer::Invitations { open, slice }))
    }

    /// What is there for somebody: all to those who may remove people, to others what they gave and what they got.
    fn invitations_before(&self, actor: &Actor, limits: &Limits) -> Result<Vec<&Invitation>, Refusal> {
        let role = self.require(actor, Action::See, limits)?;
        let all = self.allows(role, Action::Remove, limits);
        let is_own = |it: &&Invitation| all || it.inviter == actor.account || it.invitee == actor.account;
        Ok(self.invitations().filter(is_own).collect())
    }

    /// The invitation of the asker that it shows.
    fn shown(&self, actor: &Actor, claim: &Claim) -> Option<&Invitation> {
        self.invitations().find(|invitation| invitation.invitee == actor.account && invitation.answers_to(claim))
    }

    /// Whether somebody shows an invitation of its own, and so may know of the channel.
    pub(super) fn is_shown_its_own(&self, actor: &Actor, claim: &Claim) -> bool {
        self.shown(actor, claim).is_some()
    }

    /// Why a claim is good for nothing, told only to those who may know of the channel.
    fn refusal_of_claim(&self, actor: &Actor, claim: &Claim) -> Refusal {
        if self.is_closed() && self.role_of(&actor.account, actor.operator) <= Role::Former {
            return Refusal::NoSuchChannel;
        }
        let is_other = claim.invitee.as_ref().is_some_and(|invitee| *invitee != actor.account);
        let of_other = || self.invitations().any(|it| it.token.as_str() == claim.token && it.invitee != actor.account);
        Refusal::BadInvitation(if is_other || of_other() { Fault::Foreign } else { Fault::Unknown })
    }

    /// The end of invitations that could not be given any more after what was decided: their inviter lost the right, or
    /// their invitee was banned or is no account any more.
    pub(super) fn invitations_void(&self, changes: &[Change], limits: &Limits) -> Vec<Change> {
        let decides = |change: &Change| match change {
            Change::RightsSet(_) | Change::Configured(_) | Change::Listed { node: Node::Banned, .. } => true,
            change => change.member().is_some_and(|member| member.status != Status::Joined),
        };
        if self.kept.invitations.is_empty() || !changes.iter().any(decides) {
            return Vec::new();
        }
        let after = Rules::after(self, changes);
        // The last word of each counts; of an account that is no more, and of a record that is gone, there is none.
        let mut members: HashMap<&BareJid, Option<&Member>> = HashMap::new();
        let (mut gone, mut over, mut given) = (HashSet::new(), HashSet::new(), Vec::new());
        for change in changes {
            match change {
                Change::Struck(member) => drop(members.insert(&member.jid, None)),
                Change::InvitationEnded { invitation, .. } => drop(gone.insert(invitation.key())),
                Change::InvitationSet(invitation) => given.push(invitation),
                change => {
                    if let Some(member) = change.member() {
                        over.extend(member.ended.then_some(&member.jid));
                        members.insert(&member.jid, Some(member).filter(|member| !member.ended));
                    }
                }
            }
        }
        let record = |jid: &BareJid| members.get(jid).copied().unwrap_or_else(|| self.member(jid));
        let upholds = |it: &Invitation| {
            let role = after.role_of(&it.inviter, record(&it.inviter), false);
            it.by_operator || after.allow(role, Action::Add, limits)
        };
        let is_void = |it: &&Invitation| !upholds(it) || after.bans(&it.invitee) || over.contains(&it.invitee);
        let open = self.invitations().filter(|it| !gone.contains(&it.key())).chain(given);
        open.filter(is_void).map(ended).collect()
    }
}

impl Draft<'_> {
    /// Ends every invitation of somebody who is in: what it was invited to happened.
    pub fn end_invitations_of(&mut self, account: &BareJid) {
        if self.is_invited(account) {
            let of_it = self.channel.invitations().filter(|invitation| invitation.invitee == *account);
            self.changes.extend(of_it.map(ended));
        }
    }
}

fn ended(invitation: &Invitation) -> Change {
    Change::InvitationEnded { invitation: invitation.clone(), declined: false }
}
