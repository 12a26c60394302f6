//! XEP-0045 §9.1 to §9.5, §10.3 to §10.8: affiliations. Each is made of what is there: rights, the lists of those who may
//! join and may not, and records.

use super::Outcome;
use super::attend::{choose_nick, seated};
use super::configuration::ADMINS_MAX;
use super::draft::Draft;
use super::lists::is_of;
use crate::channel::command::{AffiliationEdit, Slice};
use crate::channel::event::EventKind;
use crate::channel::group::Invitee;
use crate::channel::group_create::check_named;
use crate::channel::{
    Action, Actor, Affiliation, Answer, Change, Channel, Context, Decision, Limits, Member, Node, NodeSet, Refusal,
    Rights, Seats,
};
use jid::BareJid;
use std::collections::BTreeSet;

/// The longest reason of a ban, in bytes. It is cut.
const REASON_BYTES_MAX: usize = 256;

/// What it takes to give an affiliation to somebody who has one.
fn action_of_giving(is: Affiliation, wanted: Affiliation) -> Action {
    match wanted {
        Affiliation::Owner => Action::Configure,
        Affiliation::Admin => Action::Promote,
        Affiliation::Outcast => Action::Lists,
        Affiliation::Member => Action::Enrol,
        Affiliation::None if is == Affiliation::Outcast => Action::Lists,
        Affiliation::None => Action::Remove,
    }
}

impl Channel {
    pub(super) fn set_affiliations(
        &self,
        actor: &Actor,
        edits: Vec<AffiliationEdit>,
        context: &mut Context<'_>,
    ) -> Outcome {
        check_named("affiliations", edits.len(), context.limits)?;
        let mut rights = self.rights().clone();
        let mut named = BTreeSet::new();
        for edit in &edits {
            if !named.insert(&edit.jid) {
                return Err(Refusal::BadRequest("a request names each account once".into()));
            }
            self.check_affiliation(actor, edit, context)?;
            rights.owners.remove(&edit.jid);
            rights.admins.remove(&edit.jid);
        }
        for edit in &edits {
            match edit.affiliation {
                Affiliation::Owner => rights.owners.push(edit.jid.clone()),
                Affiliation::Admin => rights.admins.push(edit.jid.clone()),
                Affiliation::Member | Affiliation::None | Affiliation::Outcast => {}
            }
        }
        self.check_rights(&rights)?;
        let mut draft = Draft::new(self, context.live.now, context.limits).remembering(context.past);
        // What says who may be in the room comes before who goes and comes, so that whoever goes is told why.
        if !rights.owners.is_same_set(&self.rights().owners) || !rights.admins.is_same_set(&self.rights().admins) {
            draft.take_rights(actor, rights);
        }
        for edit in &edits {
            self.note_on_lists(&mut draft, edit, context)?;
        }
        draft.note_configured(actor);
        for edit in &edits {
            self.bring_or_take(&mut draft, actor, edit, context)?;
            if draft.is_part {
                break;
            }
        }
        if !draft.is_part {
            self.settle_roles(&mut draft);
        }
        draft.clear_away(context.limits);
        let people = edits.into_iter().map(|edit| (edit.jid, edit.reason)).collect();
        draft.finish(Answer::Ruled { of_roles: false, people })
    }

    /// Refuses to give an affiliation to somebody who is named by a nick, before it is told whether there is anybody of that.
    ///
    /// # Errors
    /// Those of a change of affiliations by somebody who may not make it.
    pub fn check_giver(
        &self,
        actor: &Actor,
        wanted: Affiliation,
        seats: &Seats,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        // Whoever has a nick here is no outcast.
        self.require_with_seats(actor, action_of_giving(Affiliation::None, wanted), seats, limits)
    }

    /// XEP-0045 §9, §10: what the asker and the account have to be for this.
    fn check_affiliation(&self, actor: &Actor, edit: &AffiliationEdit, context: &Context<'_>) -> Result<(), Refusal> {
        let (is, wanted) = (self.affiliation_of(&edit.jid), edit.affiliation);
        self.require_in_room(actor, action_of_giving(is, wanted), context)?;
        if wanted == Affiliation::Outcast {
            if is_of(&edit.jid, &actor.account) {
                return Err(Refusal::Oneself);
            }
            let is_above =
                |account: &BareJid| is_of(&edit.jid, account) && self.affiliation_of(account) > Affiliation::Member;
            let rank = self.rank_of(actor);
            let holders = || self.rights().owners.iter().chain(&self.rights().admins);
            if rank < Affiliation::Owner && holders().any(is_above) {
                return Err(Refusal::NotAllowed("you may not ban this account"));
            }
        } else if edit.jid.node().is_none() {
            let is_lifted = wanted == Affiliation::None && self.is_entry(Node::Banned, &edit.jid);
            let why = || Refusal::BadRequest("an affiliation is that of an account".into());
            return if is_lifted { Ok(()) } else { Err(why()) };
        }
        match is {
            Affiliation::Owner if wanted != is => self.require_in_room(actor, Action::Configure, context),
            Affiliation::Admin if wanted < is => self.require_in_room(actor, Action::Demote, context),
            _ => Ok(()),
        }?;
        if self.is_group() && wanted >= Affiliation::Admin && self.participant(&edit.jid).is_none() {
            // In a group, only participants have rights.
            return Err(Refusal::NoSuchItem);
        }
        match wanted >= Affiliation::Member && wanted != is && self.is_barred(&edit.jid) {
            true => Err(Refusal::NotAllowed("the domain of this account is banned")),
            false => Ok(()),
        }
    }

    /// Whether the domain of an account is banned.
    fn is_barred(&self, account: &BareJid) -> bool {
        self.is_entry(Node::Banned, &BareJid::from_parts(None, account.domain()))
    }

    fn is_entry(&self, node: Node, jid: &BareJid) -> bool {
        let list = if node == Node::Allowed { &self.kept.allowed } else { &self.kept.banned };
        list.as_ref().is_some_and(|list| list.contains(jid))
    }

    fn check_rights(&self, rights: &Rights) -> Result<(), Refusal> {
        if rights.owners.is_empty() && !self.rights().owners.is_empty() {
            return Err(Refusal::LastOwner);
        }
        match rights.owners.len().max(rights.admins.len()) > ADMINS_MAX {
            true => Err(Refusal::TooMany { what: "admins", max: ADMINS_MAX }),
            false => Ok(()),
        }
    }

    /// Puts somebody on the lists of those who may join and who may not, or takes it off.
    fn note_on_lists(
        &self,
        draft: &mut Draft<'_>,
        edit: &AffiliationEdit,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let (is_out, is_in) = (edit.affiliation == Affiliation::Outcast, edit.affiliation >= Affiliation::Member);
        let is_made = draft.changes.iter().any(|change| matches!(change, Change::ListMade { node: Node::Banned, .. }));
        if is_out && self.kept.banned.is_none() && !is_made {
            draft.changes.push(Change::ListMade { node: Node::Banned, exists: true });
        }
        let has_allowed = self.kept.allowed.is_some() && !self.is_closed();
        // Owners and admins need no entry; it would outlast their right.
        let is_listed = is_in && edit.affiliation == Affiliation::Member;
        for (node, present) in [(Node::Banned, is_out), (Node::Allowed, is_listed && has_allowed)] {
            let was = self.is_entry(node, &edit.jid);
            let (reason, stays) = (edit.reason.as_ref().filter(|_| is_out), node == Node::Allowed && is_in);
            let is_told_why = was && present && self.kept.reasons.get(&edit.jid) != reason;
            if (was == present && !is_told_why) || (was && stays) {
                continue;
            }
            let list = if node == Node::Allowed { &self.kept.allowed } else { &self.kept.banned };
            let max = context.limits.participants_max;
            if present && list.as_ref().is_some_and(|list| list.len() + 1 > max) {
                return Err(Refusal::TooMany { what: "entries of a list", max });
            }
            let reason = reason.filter(|_| present).map(|reason| cut(reason));
            draft.changes.push(Change::Listed { node, jid: edit.jid.clone(), present, reason });
        }
        Ok(())
    }

    /// Makes somebody a member, or ends that it is one.
    fn bring_or_take(
        &self,
        draft: &mut Draft<'_>,
        actor: &Actor,
        edit: &AffiliationEdit,
        context: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let by = self.participant(&actor.account);
        match edit.affiliation {
            Affiliation::Member => self.enrol(draft, by, edit, context),
            Affiliation::None | Affiliation::Outcast if edit.jid.node().is_some() => {
                self.take_out(draft, by, &edit.jid);
                Ok(())
            }
            Affiliation::Outcast if self.count_of_domain(edit.jid.domain().as_str()) > 0 => {
                for member in draft.some_of_domain(edit.jid.domain().as_str(), &actor.account) {
                    self.take_out(draft, by, &member.jid);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// XEP-0045 §9.3: a member that subscribes to nothing. In a group somebody is added.
    fn enrol(
        &self,
        draft: &mut Draft<'_>,
        by: Option<&Member>,
        edit: &AffiliationEdit,
        context: &mut Context<'_>,
    ) -> Result<(), Refusal> {
        let account = &edit.jid;
        let asker = Actor { account: account.clone(), operator: false };
        if let Some(member) = self.participant(account) {
            let nick = edit.nick.clone().filter(|nick| *nick != member.nick);
            let nick = nick.map(|nick| self.free_in_room(&asker, nick, context)).transpose()?;
            let change = if nick.is_some() { Change::Renamed } else { Change::Noted };
            if nick.is_some() || !member.granted {
                let nick = nick.unwrap_or_else(|| member.nick.clone());
                draft.put(change, Member { nick, granted: true, ..member.clone() });
            }
            return Ok(());
        }
        let is_new = !self.has_place(account);
        if is_new {
            self.check_room(1, context.limits)?;
        }
        if self.is_group() {
            if is_new {
                let invitee = Invitee { jid: account.clone(), nick: edit.nick.clone() };
                self.bring_in(draft, by, &invitee, context);
            }
            return Ok(());
        }
        let passer_by = context.live.seats.passer_by(account);
        let nick = match &edit.nick {
            Some(nick) => self.free_in_room(&asker, nick.clone(), context)?,
            None => {
                let past = passer_by.or(draft.member(account)).map(|member| member.nick.clone());
                let wish = past.or_else(|| self.registered_nick(account, context.registry));
                let wish = wish.or_else(|| self.neutral_nick(context));
                choose_nick(draft, account, wish, context)
            }
        };
        let id = passer_by.filter(|_| draft.member(account).is_none()).map(|passer_by| passer_by.id.clone());
        let member = seated(draft, account, nick, NodeSet::default(), context);
        let named = passer_by.is_some_and(|passer_by| passer_by.nick == member.nick);
        let spoke = member.spoke || passer_by.is_some_and(|passer_by| passer_by.spoke);
        let member = Member { id: id.unwrap_or(member.id.clone()), granted: true, named, spoke, ..member };
        draft.put(Change::Joined, member.clone());
        draft.event(EventKind::MemberAdded, by, Some(&member), Some("joined"));
        Ok(())
    }

    pub(super) fn list_affiliations(
        &self,
        actor: &Actor,
        affiliation: Affiliation,
        slice: Slice,
        context: &Context<'_>,
    ) -> Outcome {
        if affiliation == Affiliation::None {
            return Err(Refusal::BadRequest("there is no list of those who are nothing to the room".into()));
        }
        match self.lists_affiliation_to(actor, affiliation, context.limits) {
            true => Ok(Decision::answer(Answer::Affiliations { affiliation, slice })),
            false => Err(Refusal::Forbidden("you may not read this list of the room")),
        }
    }
}

/// The beginning of a reason.
fn cut(reason: &str) -> String {
    let end = (0..=REASON_BYTES_MAX.min(reason.len())).rev().find(|&at| reason.is_char_boundary(at));
    reason[..end.unwrap_or(0)].to_owned()
}
