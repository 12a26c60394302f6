//! XEP-0406 §3.2: the configuration node, which settles owners, admins, settings and lists, all or none.

use super::Outcome;
use super::draft::Draft;
use crate::channel::group::{Configuration, Patch};
use crate::channel::{Action, Actor, Answer, Change, Channel, Context, Holders, Item, Node, Refusal, Rights, Status};
use jid::BareJid;

/// The most owners of a channel, and the most admins.
pub const ADMINS_MAX: usize = 1000;

impl Channel {
    pub(super) fn reconfigure(&self, actor: &Actor, wanted: Configuration, context: &mut Context<'_>) -> Outcome {
        self.reconfigure_with(actor, wanted, None, context)
    }

    /// Changes the configuration, and with it the item of the information node, all or nothing.
    pub(super) fn reconfigure_with(
        &self,
        actor: &Actor,
        wanted: Configuration,
        info: Option<Item>,
        context: &mut Context<'_>,
    ) -> Outcome {
        self.require(actor, Action::Lists, context.limits)?;
        let rights = self.rights_wanted(actor, &wanted, context)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        draft.take_rights(actor, rights);
        if wanted.patch != Patch::default() {
            self.require_patch(actor, &wanted.patch, context.limits)?;
            let settings = self.patched(&wanted.patch, context)?;
            if settings != *self.settings() && !draft.take_settings(settings) {
                return draft.finish(Answer::Done);
            }
        }
        for (node, exists) in [(Node::Allowed, wanted.allowed), (Node::Banned, wanted.banned)] {
            if exists.is_some_and(|exists| self.has(node) != exists) {
                draft.changes.extend(self.list_switched(actor, node, exists == Some(true), context.limits)?);
            }
        }
        self.keep_holders(&mut draft, context.live.seats);
        if let Some(info) = info {
            self.place(&mut draft, actor, Node::Info, info);
        }
        draft.note_configured(actor);
        let id = draft.changes.iter().find_map(|change| match change {
            Change::ItemSet { node: Node::Config, item } => Some(item.id.clone()),
            _ => None,
        });
        let id = id.unwrap_or_else(|| self.configuration_id());
        draft.finish(Answer::ItemSet { node: Node::Config, id })
    }

    /// XEP-0406 §2.4: the id of the item of the configuration node, which is the time of its last change.
    pub fn configuration_id(&self) -> String {
        self.item(Node::Config).map_or_else(|| self.profile().created.to_xmpp(), |item| item.id.clone())
    }

    /// The owners and admins after the change, where the asker may change them.
    fn rights_wanted(&self, actor: &Actor, wanted: &Configuration, context: &Context<'_>) -> Result<Rights, Refusal> {
        let past = self.rights();
        if wanted.owners.is_none() && wanted.admins.is_none() {
            return Ok(past.clone());
        }
        let owners = wanted.owners.clone().map_or_else(|| past.owners.clone(), Holders::from);
        let mut admins = wanted.admins.clone().map_or_else(|| past.admins.clone(), Holders::from);
        // The wish is as long as its request. There may be many more admins.
        if wanted.admins.is_some() || owners.iter().any(|jid| admins.contains(jid)) {
            admins.retain(|jid| !owners.contains(jid));
        }
        if wanted.owners.is_some() && owners.is_empty() {
            return Err(Refusal::Invalid { field: "Owner", why: "a channel has an owner always".into() });
        }
        if owners.len().max(admins.len()) > ADMINS_MAX {
            return Err(Refusal::TooMany { what: "admins", max: ADMINS_MAX });
        }
        let stays_owned = owners.is_same_set(&past.owners);
        if !stays_owned {
            self.require(actor, Action::Configure, context.limits)?;
        }
        let stays_administered = admins.is_same_set(&past.admins);
        if !stays_administered && admins.iter().any(|jid| !past.admins.contains(jid) && !past.owners.contains(jid)) {
            self.require(actor, Action::Promote, context.limits)?;
        }
        if !stays_administered && past.admins.iter().any(|jid| !admins.contains(jid) && !owners.contains(jid)) {
            self.require(actor, Action::Demote, context.limits)?;
        }
        let is_in = |jid: &BareJid| self.member(jid).is_some_and(|member| member.status == Status::Joined);
        let is_one_out = |stays: bool, holders: &Holders| !stays && holders.iter().any(|jid| !is_in(jid));
        if self.is_group() && (is_one_out(stays_owned, &owners) || is_one_out(stays_administered, &admins)) {
            // In a group, only participants have rights.
            return Err(Refusal::NoSuchItem);
        }
        // The order stays if only the order differs, since the first owner is the one that is shown.
        let owners = if stays_owned { past.owners.clone() } else { owners };
        let admins = if stays_administered { past.admins.clone() } else { admins };
        Ok(Rights { owners, admins })
    }
}

impl Draft<'_> {
    /// Notes who changed the configuration last, and when, if anything changed.
    pub fn note_configured(&mut self, actor: &Actor) {
        let changes = self.changes.iter();
        let mut of_it = changes
            .filter(|change| matches!(change, Change::RightsSet(_) | Change::Configured(_) | Change::ListMade { .. }));
        if of_it.next().is_some() {
            let (id, label) = (self.now.to_xmpp(), Some(actor.account.to_string()));
            let item = Item { id, label, payload: String::new(), stamp: self.now };
            self.changes.push(Change::ItemSet { node: Node::Config, item });
        }
    }
}
