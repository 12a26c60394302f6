//! What a destroyed channel leaves under its name, who may create a channel of that name, and when the name is free.

use super::super::{Engine, Turn};
use super::gone::GonePast;
use crate::channel::crowd::Ordered;
use crate::channel::gone::{HELD_MS, PEOPLE_MAX, kept_reason};
use crate::channel::{AccountMark, Change, Channel, ChannelName, Farewell, GoneChannel, Refusal, Stamp, Style};
use crate::store::Record;
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How many names are freed, or lose an account that is no more, at a time.
const NAMES_MAX: usize = 64;

impl super::Channels {
    /// Restores what a refused commit had changed.
    pub(in crate::engine) fn undo_gone(&mut self, past: Vec<GonePast>) {
        for (name, past) in past.into_iter().rev() {
            self.gone.set(&name, past);
        }
    }
}

impl Engine {
    /// A change of a channel is about to be applied: what does it mean for its name?
    pub(in crate::engine) fn note_name(&mut self, name: &ChannelName, change: &Change, turn: &mut Turn) {
        if let Change::Created { .. } = change {
            self.reclaim(name, turn);
        }
        if let Change::Destroyed(farewell) = change {
            self.keep_gone(name, farewell, turn);
        }
    }

    /// A channel is about to end: its name is its owners' for a while, unless it is free at once.
    fn keep_gone(&mut self, name: &ChannelName, farewell: &Farewell, turn: &mut Turn) {
        if farewell.frees_name || self.is_locked(name) {
            return;
        }
        let Some(channel) = self.channels.channel(name) else { return };
        let gone = self.left_of(channel, farewell);
        let (freed, has_room) = self.channels.gone.make_room(&gone);
        turn.records.extend(freed.iter().map(|(name, _)| Record::Gone { name: name.clone(), gone: None }));
        turn.gone_past.extend(freed);
        if has_room {
            self.set_gone(name, Some(gone), turn);
        }
    }

    fn left_of(&self, channel: &Channel, farewell: &Farewell) -> GoneChannel {
        let (profile, rights) = (channel.profile(), channel.rights());
        let mark = |account: &BareJid| self.service.sealer.account(account);
        let is_open = channel.is_listed() && channel.settings().style != Style::Group;
        let owners: BTreeSet<AccountMark> = rights.owners.iter().map(mark).collect();
        let seats = self.occupants.seats(profile.tag);
        let people: BTreeSet<AccountMark> = match is_open {
            true => BTreeSet::new(),
            false => {
                let admitted = channel.admitted();
                let passing = seats.passers_by().map(|it| &it.jid);
                let all = rights.admins.iter().chain(admitted.rising(0)).chain(passing);
                all.take(PEOPLE_MAX).map(mark).collect()
            }
        };
        GoneChannel {
            name: channel.name().clone(),
            tag: profile.tag,
            creator: profile.creator.clone(),
            until: Stamp(self.due.0.saturating_add(HELD_MS)),
            is_open,
            owners: owners.into_iter().collect(),
            people: people.into_iter().collect(),
            reason: farewell.reason.as_deref().map(kept_reason),
            venue: farewell.venue.clone(),
        }
    }

    fn set_gone(&mut self, name: &ChannelName, gone: Option<GoneChannel>, turn: &mut Turn) {
        let gone = gone.map(Arc::new);
        let past = self.channels.gone.set(name, gone.clone());
        turn.gone_past.push((name.clone(), past));
        turn.records.push(Record::Gone { name: name.clone(), gone });
    }

    /// A channel has its name again.
    fn reclaim(&mut self, name: &ChannelName, turn: &mut Turn) {
        if self.channels.gone.of(name, Stamp(0)).is_some() {
            self.set_gone(name, None, turn);
        }
    }

    /// Whether a name is held for others than this account. An operator may free it.
    pub(in crate::engine) fn is_held_from(&self, name: &ChannelName, account: &BareJid) -> bool {
        let gone = self.channels.gone.of(name, self.due);
        let may = |gone: &GoneChannel| gone.is_owner(self.service.sealer.account(account));
        gone.is_some_and(|gone| !may(gone) && !self.service.operators.contains(account))
    }

    /// XEP-0045 §10.9: a client enters a room that was destroyed, and may know that. An owner that enters again at once
    /// brings the room back.
    pub(in crate::engine) fn refuse_gone(&mut self, name: &ChannelName, full: &FullJid) -> Result<(), Refusal> {
        let (account, now_ms) = (full.to_bare(), self.steady.0);
        let mark = self.service.sealer.account(&account);
        let Some(gone) = self.channels.gone.of(name, self.due).filter(|gone| gone.is_known_to(mark)) else {
            return Ok(());
        };
        let gone = gone.clone();
        if !self.is_held_from(name, &account) && self.channels.gone.asks_again(name, full, now_ms) {
            return Ok(());
        }
        Err(Refusal::Gone { reason: gone.reason.clone(), venue: gone.venue.clone() })
    }

    /// At a tick: names that were held for long enough are free.
    pub(in crate::engine) fn free_names(&mut self, turn: &mut Turn) {
        for name in self.channels.gone.over(self.due, NAMES_MAX) {
            self.set_gone(&name, None, turn);
        }
    }

    /// An account is no more: no destroyed channel knows it. Does a part of that; whether all is done.
    pub(in crate::engine) fn forget_in_gone(&mut self, account: &BareJid, turn: &mut Turn) -> bool {
        let mark = self.service.sealer.account(account);
        let names = self.channels.gone.naming(account, mark, NAMES_MAX);
        for name in &names {
            let rest = self.channels.gone.of(name, Stamp(0)).map(|gone| gone.without(account, mark));
            self.set_gone(name, rest, turn);
        }
        names.len() < NAMES_MAX
    }
}
