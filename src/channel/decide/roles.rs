//! Making admins and unmaking them, and the settings of a group.

use super::Outcome;
use super::draft::Draft;
use super::membership::edited;
use crate::channel::event::EventKind;
use crate::channel::group::Patch;
use crate::channel::{Action, Actor, Answer, Change, Channel, Context, GroupAnswer, Refusal, Settings, Status};
use jid::BareJid;
use std::collections::BTreeSet;

/// Admins of one channel.
const ADMINS_MAX: usize = 1000;

impl Channel {
    pub(super) fn edit_admins(
        &self,
        actor: &Actor,
        add: Vec<BareJid>,
        remove: Vec<BareJid>,
        context: &mut Context<'_>,
    ) -> Outcome {
        self.require(actor, Action::See, context.limits)?;
        if add.is_empty() && remove.is_empty() {
            return Err(Refusal::Invalid { field: "admins", why: "name somebody".into() });
        }
        if !add.is_empty() {
            self.require(actor, Action::Promote, context.limits)?;
        }
        if !remove.is_empty() {
            self.require(actor, Action::Demote, context.limits)?;
        }
        // A request may name thousands.
        let unmade: BTreeSet<&BareJid> = remove.iter().collect();
        if let Some(jid) = add.iter().find(|jid| unmade.contains(jid)) {
            return Err(Refusal::Invalid { field: "jid", why: format!("'{jid}' is both made and unmade") });
        }
        let mut rights = self.rights().clone();
        if remove.iter().any(|jid| rights.owners.contains(jid)) {
            return Err(Refusal::Forbidden("an owner is an admin always"));
        }
        let strangers = add.iter().chain(&remove).any(|jid| self.participant(jid).is_none());
        if self.is_group() && strangers {
            return Err(Refusal::NoSuchItem);
        }
        if add.len().max(remove.len()) > ADMINS_MAX || rights.admins.len() + add.len() > ADMINS_MAX + remove.len() {
            return Err(Refusal::TooMany { what: "admins", max: ADMINS_MAX });
        }
        let by = self.participant(&actor.account);
        let mut draft = Draft::new(self, context.now);
        let mut told = Vec::new();
        for jid in &add {
            if !rights.owners.contains(jid) && !rights.admins.contains(jid) {
                rights.admins.push(jid.clone());
                told.push((EventKind::AdminAdded, jid));
            }
        }
        for jid in &remove {
            if rights.admins.contains(jid) {
                rights.admins.retain(|admin| admin != jid);
                told.push((EventKind::AdminRemoved, jid));
            }
        }
        if rights != *self.rights() {
            draft.set_rights(rights);
        }
        for (kind, jid) in told {
            let role = if kind == EventKind::AdminAdded { "admin" } else { "member" };
            draft.event(kind, by, self.participant(jid), Some(role));
        }
        let answer = edited(&draft, [add, remove].concat());
        draft.finish(answer)
    }

    pub(super) fn configure(&self, actor: &Actor, patch: &Patch, context: &mut Context<'_>) -> Outcome {
        let limits = context.limits;
        self.require(actor, Action::Configure, limits)?;
        if !self.is_group() {
            return Err(Refusal::NotAllowed("only groups have these settings"));
        }
        let past = self.settings();
        let max = limits.groups.participants_max.max(past.participants_max);
        if patch.participants_max.is_some_and(|wanted| wanted == 0 || wanted > max) {
            return Err(Refusal::Invalid { field: "participants_max", why: format!("a number from 1 to {max}") });
        }
        let settings = Settings {
            style: past.style,
            membership: patch.membership.unwrap_or(past.membership),
            history: patch.history.unwrap_or(past.history),
            events: patch.events.unwrap_or(past.events),
            receipts: patch.receipts.unwrap_or(past.receipts),
            members_add: patch.members_add.unwrap_or(past.members_add),
            participants_max: patch.participants_max.unwrap_or(past.participants_max),
            subject_chars_max: past.subject_chars_max,
            access: patch.access.unwrap_or(past.access),
            notices: past.notices,
            retract_window_s: patch.retract_window_s.unwrap_or(past.retract_window_s),
        };
        let mut draft = Draft::new(self, context.now);
        if settings != *past {
            draft.changes.push(Change::Configured(settings));
        }
        draft.finish(Answer::Group(GroupAnswer::Done))
    }

    /// Whether somebody is in or waits.
    pub(super) fn knows(&self, jid: &BareJid) -> bool {
        self.member(jid).is_some_and(|member| member.status != Status::Left)
    }
}
