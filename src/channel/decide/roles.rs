//! Making and unmaking admins, and the settings of a group.

use super::Outcome;
use super::configuration::ADMINS_MAX;
use super::draft::Draft;
use super::membership::edited;
use super::room_settings;
use crate::channel::event::EventKind;
use crate::channel::group::Patch;
use crate::channel::{
    Action, Actor, Answer, Channel, Context, GroupAnswer, Limits, Refusal, Rights, Settings, Standing, Status,
    Visibility,
};
use jid::BareJid;
use std::collections::BTreeSet;

/// The longest time that a channel may keep its rows, in days. 0 keeps them longer.
const RETENTION_DAYS_MAX: u64 = 36_500;

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
        let mut draft = Draft::new(self, context.live.now, context.limits);
        add.iter().filter(|jid| !rights.owners.contains(jid)).for_each(|jid| rights.admins.push(jid.clone()));
        rights.admins.retain(|admin| !unmade.contains(admin));
        draft.take_rights(actor, rights);
        draft.note_configured(actor);
        let answer = edited(&draft, [add, remove].concat(), &BTreeSet::new());
        draft.finish(answer)
    }

    pub(super) fn configure(&self, actor: &Actor, patch: &Patch, context: &mut Context<'_>) -> Outcome {
        self.require_patch(actor, patch, context.limits)?;
        let settings = self.patched(patch, context)?;
        let mut draft = Draft::new(self, context.live.now, context.limits);
        if settings != *self.settings() && !draft.take_settings(settings) {
            return draft.finish(Answer::Group(GroupAnswer::Done));
        }
        draft.note_configured(actor);
        draft.finish(Answer::Group(GroupAnswer::Done))
    }

    /// Refuses the patch where the asker may not change all of it.
    pub(super) fn require_patch(&self, actor: &Actor, patch: &Patch, limits: &Limits) -> Result<(), Refusal> {
        let retention_days = patch.retention_days;
        let alone = Patch { retention_days, ..Patch::default() };
        let action = if retention_days.is_some() && *patch == alone { Action::Retain } else { Action::Configure };
        self.require(actor, action, limits).map(drop)
    }

    /// The settings after the changes.
    pub(super) fn patched(&self, patch: &Patch, context: &Context<'_>) -> Result<Settings, Refusal> {
        let limits = context.limits;
        self.check_patch(patch)?;
        let Patch { guests, members_add, visibility, private_messages, presence, .. } = *patch;
        if let Some(Some(end)) = patch.end_of_life
            && end <= context.live.due
        {
            return Err(Refusal::Invalid { field: "End of Life", why: "expected a time to come".into() });
        }
        let past = self.settings();
        let max = limits.groups.participants_max.max(past.participants_max);
        if patch.participants_max.is_some_and(|wanted| wanted == 0 || wanted > max) {
            return Err(Refusal::Invalid { field: "participants_max", why: format!("a number from 1 to {max}") });
        }
        if patch.retention_days.is_some_and(|days| days > RETENTION_DAYS_MAX) {
            let why = format!("a number of days from 0 to {RETENTION_DAYS_MAX}");
            return Err(Refusal::Invalid { field: "retention-days", why });
        }
        let room = patch.room.clone().unwrap_or_else(|| past.room.clone());
        if room != past.room {
            room_settings::check(&room, limits)?;
        }
        Ok(Settings {
            style: past.style,
            membership: patch.membership.unwrap_or(past.membership),
            history: patch.history.unwrap_or(past.history),
            events: patch.events.unwrap_or(past.events),
            receipts: patch.receipts.unwrap_or(past.receipts),
            members_add: members_add.unwrap_or(past.members_add),
            participants_max: patch.participants_max.unwrap_or(past.participants_max),
            subject_chars_max: past.subject_chars_max,
            end_of_life: patch.end_of_life.unwrap_or(past.end_of_life),
            switched_off: patch.switched_off.unwrap_or(past.switched_off),
            access: patch.access.unwrap_or(guests.map_or(past.access, |guests| past.access.with_guests(guests))),
            grants: patch.grants.unwrap_or(past.grants),
            visibility: visibility.unwrap_or(past.visibility),
            private_messages: private_messages.unwrap_or(past.private_messages),
            presence: presence.unwrap_or(past.presence),
            open_presence: patch.open_presence.unwrap_or(past.open_presence),
            presence_required: patch.presence_required.unwrap_or(past.presence_required),
            notices: past.notices,
            room,
            retract_window_s: patch.retract_window_s.unwrap_or(past.retract_window_s),
            retention_days: patch.retention_days.unwrap_or(past.retention_days),
        })
    }

    /// Refuses settings that only groups have, or only plain channels.
    fn check_patch(&self, patch: &Patch) -> Result<(), Refusal> {
        let of_groups = Patch {
            membership: patch.membership,
            history: patch.history,
            events: patch.events,
            receipts: patch.receipts,
            participants_max: patch.participants_max,
            retract_window_s: patch.retract_window_s,
            ..Patch::default()
        };
        if !self.is_group() {
            let is_plain = of_groups == Patch::default();
            return if is_plain { Ok(()) } else { Err(Refusal::NotAllowed("only groups have these settings")) };
        }
        if patch.visibility.is_some_and(|wanted| wanted != Visibility::Visible) {
            return Err(Refusal::NotAllowed("the people of a group know one another by their JIDs"));
        }
        let past = self.settings();
        let of_service = patch.grants.is_some() || patch.access.is_some_and(|access| !access.lists_as(&past.access));
        if of_service {
            return Err(Refusal::NotAllowed("who may do what in groups is settled by the service"));
        }
        match patch.switched_off.is_some_and(|nodes| !nodes.is_empty()) {
            true => Err(Refusal::NotAllowed("every group has these nodes")),
            false => Ok(()),
        }
    }

    /// Whether somebody is a participant or waits.
    pub(super) fn knows(&self, jid: &BareJid) -> bool {
        self.member(jid).is_some_and(|member| member.status != Status::Left)
    }
}

impl Draft<'_> {
    /// Sets the roles, with an event for everybody whose role changed.
    pub fn take_rights(&mut self, actor: &Actor, rights: Rights) {
        let past = self.channel.rights().clone();
        if rights == past {
            return;
        }
        let standing = |rights: &Rights, jid: &BareJid| match () {
            _ if rights.owners.contains(jid) => Standing::Owner,
            _ if rights.admins.contains(jid) => Standing::Admin,
            _ => Standing::Member,
        };
        let concerned =
            [&rights.owners, &rights.admins, &past.owners, &past.admins].into_iter().flat_map(|it| it.iter());
        let mut seen = BTreeSet::new();
        let concerned: Vec<&BareJid> = concerned.filter(|jid| seen.insert(*jid)).collect();
        self.set_rights(rights.clone());
        let channel = self.channel;
        let by = channel.participant(&actor.account);
        for jid in concerned {
            let (was, is) = (standing(&past, jid), standing(&rights, jid));
            let kind = if is == Standing::Member { EventKind::AdminRemoved } else { EventKind::AdminAdded };
            let role = match is {
                Standing::Owner => "owner",
                Standing::Admin => "admin",
                Standing::Member => "member",
            };
            if was != is {
                self.event(kind, by, channel.participant(jid), Some(role));
            }
        }
    }
}
