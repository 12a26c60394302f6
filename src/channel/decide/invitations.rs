//! XEP-0407 §6: giving invitations, joining by one, and how they end.

use super::Outcome;
use super::draft::Draft;
use crate::channel::answer::Page;
use crate::channel::command::Slice;
use crate::channel::group_create::check_named;
use crate::channel::invitation::{Claim, Invitation, InvitationFault, OPEN_INVITATIONS, Token};
use crate::channel::rules::Rules;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, JoinWish, Limits, Member, Node, Refusal, Role, Stamp,
    Status,
};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The most invitations that are too old and end when one is given.
const OUTDATED_MAX: usize = 16;
/// The most invitations on a page of a list. Each may name two long addresses.
const PAGE_MAX: usize = 50;

impl Channel {
    /// Gives an invitation. Asked again for the same invitee, it gives the same one, and its time begins anew.
    pub(super) fn invite(&self, actor: &Actor, invitee: BareJid, context: &mut Context<'_>) -> Outcome {
        let limits = context.limits;
        let role = self.require(actor, Action::Add, limits)?;
        if invitee.node().is_none() {
            return Err(Refusal::Invalid { field: "invitee", why: format!("'{invitee}' is no account") });
        }
        if self.is_banned(&invitee) && !self.knows(&invitee) {
            return Err(Refusal::Forbidden("this account is banned from the channel"));
        }
        let mut draft = Draft::new(self, context.live.now, context.limits);
        draft.changes.extend(self.outdated_invitations(context));
        if self.open_invitation(&invitee, actor, context).is_none() {
            self.check_invitations(&actor.account, 1, context)?;
        }
        let invitation = self.invitation(actor, (role, invitee), context);
        draft.changes.push(Change::InvitationSet(invitation.clone()));
        draft.finish(Answer::Invitation(invitation))
    }

    /// An invitation by the asker, whose role this is. One that is open goes on, and its time begins anew.
    pub(super) fn invitation(
        &self,
        actor: &Actor,
        (role, invitee): (Role, BareJid),
        context: &mut Context<'_>,
    ) -> Invitation {
        let past = self.open_invitation(&invitee, actor, context);
        let until = context.live.now.0.saturating_add(context.limits.invitation_s.saturating_mul(1000));
        Invitation {
            inviter: actor.account.clone(),
            by_operator: role == Role::Operator,
            token: past.map_or_else(|| Token::random(context.dice), |past| past.token.clone()),
            invitee,
            until: Stamp(until),
        }
    }

    /// The asker's invitation of somebody, unless it is too old.
    pub(super) fn open_invitation(
        &self,
        invitee: &BareJid,
        actor: &Actor,
        context: &Context<'_>,
    ) -> Option<&Invitation> {
        self.kept.invitations.get(invitee, &actor.account).filter(|it| it.until >= context.live.due)
    }

    /// Ends some of the invitations that are too old.
    pub(super) fn outdated_invitations(&self, context: &Context<'_>) -> impl Iterator<Item = Change> {
        self.kept.invitations.outdated(context.live.due).take(OUTDATED_MAX).map(ended)
    }

    /// Refuses more invitations where the channel has too many, or the inviter has used up its share. Those that are too
    /// old do not count.
    pub(super) fn check_invitations(
        &self,
        inviter: &BareJid,
        more: usize,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let (limits, due, own_domains) = (context.limits, context.live.due, context.own_domains);
        let (max, own_max) = (limits.invitations_max, limits.invitations_per_inviter_max);
        let all = &self.kept.invitations;
        let over = (all.len() + more).saturating_sub(max);
        let (domain, held) = (inviter.domain(), own_domains.held(inviter, all.tally()));
        let has_share = own_domains.may_settle(domain.as_str(), &held, more, max, true);
        if !has_share || all.outdated(due).take(over).count() < over {
            return Err(Refusal::TooMany { what: OPEN_INVITATIONS, max });
        }
        let over = (all.count_given_by(inviter) + more).saturating_sub(own_max);
        let is_old = |it: &&Invitation| it.until < due;
        if over > 0 && all.given_by(inviter).filter(is_old).take(over).count() < over {
            return Err(Refusal::TooMany { what: "open invitations of one inviter", max: own_max });
        }
        Ok(())
    }

    /// The invitation that somebody needs to get in. `None` where it gets in anyway: its invitation is then not looked
    /// at, so that one that is old, or was used by a join whose answer got lost, keeps nobody out.
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
        if invitation.until < context.live.due {
            return Err(Refusal::BadInvitation(InvitationFault::Expired));
        }
        if !self.upholds(invitation, context.limits) {
            return Err(Refusal::BadInvitation(InvitationFault::Unknown));
        }
        if self.is_banned(&actor.account) { Err(not_admitted) } else { Ok(Some(invitation)) }
    }

    /// The invitation that an account shows, where it holds.
    pub(super) fn valid_claim(&self, actor: &Actor, claim: &Claim, context: &Context<'_>) -> Option<&Invitation> {
        let holds = |it: &&Invitation| it.until >= context.live.due && self.upholds(it, context.limits);
        self.shown(actor, claim).filter(holds)
    }

    /// Ends the invitation that a participant shows.
    pub(super) fn used_again(&self, seated: &Member, claim: Option<&Claim>) -> Option<Change> {
        claim.and_then(|claim| self.shown_by(&seated.jid, claim)).map(ended)
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
                draft.changes.push(Change::Listed { node, jid, present: true, reason: None });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends an invitation because the invitee declines it.
    pub(super) fn decline(&self, actor: &Actor, claim: &Claim) -> Outcome {
        let invitation = self.shown(actor, claim).ok_or_else(|| self.refusal_of_claim(actor, claim))?;
        let ended = Change::InvitationEnded { invitation: invitation.clone(), declined: true };
        Ok(Decision::of(vec![ended], Answer::Taken))
    }

    /// Ends all invitations of some invitees that the asker may take back: those it gave, those it got, and where it
    /// may remove people, all others.
    pub(super) fn revoke_invitations(&self, actor: &Actor, invitees: &[BareJid], context: &Context<'_>) -> Outcome {
        check_named("invitee", invitees.len(), context.limits)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        let (sees_all, invitations) = (self.sees_all_invitations(actor, context.limits)?, &self.kept.invitations);
        for invitee in invitees.iter().collect::<BTreeSet<_>>() {
            let revoked: Vec<&Invitation> = match sees_all || *invitee == actor.account {
                true => invitations.got_by(invitee).collect(),
                false => invitations.get(invitee, &actor.account).into_iter().collect(),
            };
            if revoked.is_empty() {
                return Err(Refusal::NoSuchItem);
            }
            draft.changes.extend(revoked.into_iter().map(ended));
        }
        draft.finish(Answer::Done)
    }

    /// A page of the invitations that the asker may take back.
    pub(super) fn list_invitations(&self, actor: &Actor, slice: &Slice, context: &Context<'_>) -> Outcome {
        let (due, invitations) = (context.live.due, &self.kept.invitations);
        let is_open = |it: &&Invitation| it.until >= due;
        let page = if self.sees_all_invitations(actor, context.limits)? {
            let count = invitations.count_open();
            let range = slice.cut(count, PAGE_MAX, |name| invitations.position(name))?;
            // Some may have become too old since they were marked.
            let entries = invitations.open_from(range.start).take(range.len()).filter(is_open).cloned().collect();
            Page { entries, count, index: range.start }
        } else {
            let own: Vec<&Invitation> = self.invitations_of(&actor.account).into_iter().filter(is_open).collect();
            let name = |it: &&Invitation| format!("{} {}", it.invitee, it.inviter);
            let range = slice.cut(own.len(), PAGE_MAX, |wanted| own.iter().position(|it| name(it) == wanted))?;
            let index = range.start;
            Page { entries: own[range].iter().copied().cloned().collect(), count: own.len(), index }
        };
        Ok(Decision::answer(Answer::Invitations(page)))
    }

    /// Whether an account sees all invitations, because it may remove people. Others see those that they gave or got.
    fn sees_all_invitations(&self, actor: &Actor, limits: &Limits) -> Result<bool, Refusal> {
        let role = self.require(actor, Action::See, limits)?;
        Ok(self.allows(role, Action::Remove, limits))
    }

    /// The invitations that an account gave or got, in the order of invitees.
    pub(super) fn invitations_of<'a>(&'a self, account: &BareJid) -> Vec<&'a Invitation> {
        let invitations = &self.kept.invitations;
        let got = invitations.got_by(account).filter(|it| it.inviter != *account);
        let mut own: Vec<&Invitation> = invitations.given_by(account).chain(got).collect();
        own.sort_unstable_by(|a, b| (&a.invitee, &a.inviter).cmp(&(&b.invitee, &b.inviter)));
        own
    }

    /// The asker's invitation that a claim shows.
    fn shown(&self, actor: &Actor, claim: &Claim) -> Option<&Invitation> {
        self.shown_by(&actor.account, claim)
    }

    fn shown_by(&self, account: &BareJid, claim: &Claim) -> Option<&Invitation> {
        let invitation = self.kept.invitations.of_token(&claim.token)?;
        (invitation.invitee == *account && invitation.answers_to(claim)).then_some(invitation)
    }

    /// Whether a claim shows an invitation of the asker's own. It may then know of the channel.
    pub(super) fn is_shown_its_own(&self, actor: &Actor, claim: &Claim) -> bool {
        self.shown(actor, claim).is_some()
    }

    /// Why a claim is not accepted. Only those who may know of the channel are told.
    fn refusal_of_claim(&self, actor: &Actor, claim: &Claim) -> Refusal {
        if self.is_closed() && self.role_of(&actor.account, actor.operator) <= Role::Former {
            return Refusal::NoSuchChannel;
        }
        let is_other = claim.invitee.as_ref().is_some_and(|invitee| *invitee != actor.account);
        let of_token = || self.kept.invitations.of_token(&claim.token);
        let of_other = || of_token().is_some_and(|it| it.invitee != actor.account);
        Refusal::BadInvitation(if is_other || of_other() { InvitationFault::Foreign } else { InvitationFault::Unknown })
    }

    /// Ends invitations that could not be given any more after the changes: the inviter lost the right, or the invitee
    /// was banned or has ended.
    pub(super) fn invitations_void(&self, changes: &[Change], limits: &Limits) -> Vec<Change> {
        let decides = |change: &Change| match change {
            Change::RightsSet(_) | Change::Configured(_) | Change::Listed { node: Node::Banned, .. } => true,
            change => change.member().is_some_and(|member| member.status != Status::Joined),
        };
        if self.kept.invitations.is_empty() || !changes.iter().any(decides) {
            return Vec::new();
        }
        let after = Rules::after(self, changes);
        let concerned = self.invitations_concerned(changes, &after, limits);
        // The last change of each member counts. `None` is for members that have ended or whose record is dropped.
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
        let open = concerned.into_iter().filter(|it| !gone.contains(&it.key())).chain(given);
        open.filter(is_void).map(ended).collect()
    }

    /// The invitations that the changes may end: those of people who lost a right, left, were banned or have ended. It
    /// is all invitations only where a domain is banned, or a role may not invite any more.
    fn invitations_concerned<'a>(
        &'a self,
        changes: &[Change],
        after: &Rules<'_>,
        limits: &Limits,
    ) -> Vec<&'a Invitation> {
        let (before, past, mut any) = (Rules::of(self), self.rights(), false);
        let (mut inviters, mut invitees) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            match change {
                Change::RightsSet(next) => {
                    inviters.extend(past.owners.iter().filter(|jid| !next.owners.contains(jid)));
                    let is_less = |jid: &&BareJid| !next.owners.contains(jid) && !next.admins.contains(jid);
                    inviters.extend(past.admins.iter().filter(is_less));
                }
                Change::Configured(next) => {
                    let may_less = |role: &Role| {
                        before.allow(*role, Action::Add, limits) && !after.allow(*role, Action::Add, limits)
                    };
                    any |= next.style != self.settings().style || Role::ALL.iter().any(may_less);
                }
                Change::Listed { node: Node::Banned, jid, present, .. } if jid.node().is_none() => any |= present,
                Change::Listed { node: Node::Banned, jid, .. } => drop(invitees.insert(jid)),
                change => {
                    if let Some(member) = change.member().filter(|member| member.status != Status::Joined) {
                        inviters.insert(&member.jid);
                        invitees.extend(member.ended.then_some(&member.jid));
                    }
                }
            }
        }
        let all = &self.kept.invitations;
        if any {
            return all.iter().collect();
        }
        let given = inviters.iter().flat_map(|inviter| all.given_by(inviter));
        let got = invitees.iter().flat_map(|invitee| all.got_by(invitee));
        let concerned: BTreeMap<_, _> = given.chain(got).map(|it| ((&it.invitee, &it.inviter), it)).collect();
        concerned.into_values().collect()
    }
}

impl Draft<'_> {
    /// Ends all invitations of somebody who joined, since they are used.
    pub fn end_invitations_of(&mut self, account: &BareJid) {
        self.changes.extend(self.channel.kept.invitations.got_by(account).map(ended));
    }
}

pub(super) fn ended(invitation: &Invitation) -> Change {
    Change::InvitationEnded { invitation: invitation.clone(), declined: false }
}
