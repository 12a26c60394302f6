//! XEP-0406 §2.2, §2.3: who may join and who may not: the nodes `allowed` and `banned`.
//!
//! In a closed channel, the allowed are the participants and those who wait. Putting somebody on that list adds it to
//! the channel.

use super::Outcome;
use super::draft::Draft;
use crate::channel::group::Invitee;
use crate::channel::rules::Rules;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, Limits, Node, Refusal, Roll, Standing,
};
use jid::BareJid;

impl Channel {
    /// Whether the lists let an account join. Owners and admins may always join.
    pub(in crate::channel) fn is_admitted(&self, account: &BareJid) -> bool {
        Rules::of(self).admit(account) || self.participant(account).is_some()
    }

    /// XEP-0369 §6.2: whether an account outside the channel finds it in the list of channels: the channel is listed,
    /// and its lists let the account in. Owners and admins find it even if they are banned.
    pub fn is_found_by(&self, account: &BareJid) -> bool {
        let rules = Rules::of(self);
        let administers = rules.standing_of(account) != Standing::Member;
        self.profile().listed && rules.lists(account) && (administers || !rules.bans(account))
    }

    /// Whether an account or its domain is on the list of those who may not join.
    pub fn is_banned(&self, account: &BareJid) -> bool {
        Rules::of(self).bans(account)
    }

    pub(super) fn put_on_list(
        &self,
        actor: &Actor,
        node: Node,
        jid: BareJid,
        present: bool,
        context: &mut Context<'_>,
    ) -> Outcome {
        if node == Node::Allowed && self.is_closed() {
            let invitee = Invitee { jid: jid.clone(), nick: None };
            let (add, remove) = if present { (vec![invitee], Vec::new()) } else { (Vec::new(), vec![jid]) };
            let decision = self.edit_members(actor, add, remove, context)?;
            return Ok(Decision { answer: Answer::Done, ..decision });
        }
        self.require(actor, Action::Lists, context.limits)?;
        if self.list(node)?.is_none() && !(self.is_group() && present) {
            return Err(if self.is_group() { Refusal::NoSuchItem } else { Refusal::NoSuchNode });
        }
        self.put_on(actor, node, jid, present, context)
    }

    /// Bans an account or a domain. Without a list of those who may not join, it makes one.
    pub(super) fn ban(&self, actor: &Actor, jid: BareJid, context: &mut Context<'_>) -> Outcome {
        self.require(actor, Action::Lists, context.limits)?;
        self.put_on(actor, Node::Banned, jid, true, context)
    }

    /// Puts somebody on a list or takes it off. Where there is no such list, it makes one.
    fn put_on(&self, actor: &Actor, node: Node, jid: BareJid, present: bool, context: &Context<'_>) -> Outcome {
        let list = self.list(node)?;
        if list.is_some_and(|list| list.contains(&jid)) == present {
            return if present { Ok(Decision::answer(Answer::Done)) } else { Err(Refusal::NoSuchItem) };
        }
        let max = context.limits.participants_max;
        if present && list.is_some_and(|list| list.len() >= max) {
            return Err(Refusal::TooMany { what: "entries of a list", max });
        }
        let mut draft = Draft::new(self, context.live.now, context.limits);
        if list.is_none() {
            draft.changes.push(Change::ListMade { node, exists: true });
            draft.note_configured(actor);
        }
        draft.changes.push(Change::Listed { node, jid: jid.clone(), present, reason: None });
        if present && node == Node::Banned {
            self.throw_out(&mut draft, actor, &jid, context.limits)?;
            draft.clear_away(context.limits);
        }
        draft.finish(Answer::Done)
    }

    /// XEP-0406 §3.3: removes those whom a ban concerns.
    fn throw_out(&self, draft: &mut Draft<'_>, actor: &Actor, entry: &BareJid, limits: &Limits) -> Result<(), Refusal> {
        let by = self.participant(&actor.account);
        let rights = self.rights();
        let is_meant = |account: &BareJid| is_of(entry, account);
        if !self.is_group() && rights.admins.iter().any(is_meant) {
            // With a right, it could join again.
            self.require(actor, Action::Demote, limits)?;
            let mut next = rights.clone();
            next.admins.retain(|admin| !is_meant(admin));
            draft.take_rights(actor, next);
            draft.note_configured(actor);
        }
        if rights.owners.iter().any(|owner| is_meant(owner) && self.knows(owner)) {
            return Err(Refusal::Forbidden("an owner cannot be banned"));
        }
        if entry.node().is_some() {
            self.take_out(draft, by, entry);
        } else if self.count_of_domain(entry.domain().as_str()) > 0 {
            for member in draft.some_of_domain(entry.domain().as_str(), &actor.account) {
                self.take_out(draft, by, &member.jid);
            }
        }
        self.settle_roles(draft);
        Ok(())
    }

    pub(super) fn make_list(&self, actor: &Actor, node: Node, exists: bool, context: &mut Context<'_>) -> Outcome {
        let mut draft = Draft::new(self, context.live.now, context.limits);
        let closed = node == Node::Allowed && self.is_closed();
        if !exists && !closed && self.list(node)?.is_none() {
            self.require(actor, Action::Lists, context.limits)?;
            return Err(Refusal::NoSuchNode);
        }
        draft.changes.extend(self.list_switched(actor, node, exists, context.limits)?);
        self.keep_holders(&mut draft, context.live.seats);
        draft.note_configured(actor);
        draft.finish(Answer::Done)
    }

    /// The changes that make a list or delete it. None where nothing changes.
    pub(super) fn list_switched(
        &self,
        actor: &Actor,
        node: Node,
        exists: bool,
        limits: &Limits,
    ) -> Result<Option<Change>, Refusal> {
        self.require(actor, Action::Lists, limits)?;
        if node == Node::Allowed && self.is_closed() {
            return match exists {
                true => Ok(None),
                false => Err(Refusal::NotAllowed("who is in this group is settled by adding and removing people")),
            };
        }
        let differs = self.list(node)?.is_some() != exists;
        Ok(differs.then_some(Change::ListMade { node, exists }))
    }

    /// Empties a list. Participants stay, since the list only says who may join.
    pub(super) fn purge_list(&self, actor: &Actor, node: Node, context: &mut Context<'_>) -> Outcome {
        self.require(actor, Action::Lists, context.limits)?;
        if node == Node::Allowed && self.is_closed() {
            return Err(Refusal::NotAllowed("who is in this group is settled by adding and removing people"));
        }
        let list = self.list(node)?.ok_or(Refusal::NoSuchNode)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        if !list.is_empty() {
            draft.changes.push(Change::ListPurged { node });
        }
        draft.finish(Answer::Done)
    }

    fn list(&self, node: Node) -> Result<Option<&Roll<BareJid>>, Refusal> {
        match node {
            Node::Allowed => Ok(self.kept.allowed.as_ref()),
            Node::Banned => Ok(self.kept.banned.as_ref()),
            _ => Err(Refusal::NotAllowed("this node holds no accounts")),
        }
    }
}

/// Whether an entry of a list concerns an account.
pub(super) fn is_of(entry: &BareJid, account: &BareJid) -> bool {
    if entry.node().is_some() { entry == account } else { entry.domain() == account.domain() }
}
