//! Presence over turns and ticks: delivers initial and waiting presence, and probes resources that may be gone.

use super::super::chores::PresenceChores;
use super::super::online::OwedTo;
use super::super::sharing::{FLOOD_STANZAS, Sharing, id_in, shares};
use crate::channel::crowd::Ordered;
use crate::channel::{ChannelName, Node};
use crate::engine::channels::errand::READ_MAX;
use crate::engine::channels::places::IN;
use crate::engine::{Engine, Needs, Turn};
use crate::xep::mix_presence;
use jid::BareJid;
use std::cmp::Ordering;

/// The most waiting recipients that one turn looks at.
const OWED_LOOKED_AT: usize = 1000;
/// The most channels that broadcast presence reaches in one turn, and the least of one account.
const BROUGHT: usize = 1024;
const BROUGHT_EACH: usize = 16;

impl Engine {
    /// Delivers the presence of all participants to waiting recipients, within the turn's bound.
    pub(super) fn deliver_waiting(&mut self, turn: &mut Turn) {
        for _ in 0..self.presence.online.undelivered_count().min(OWED_LOOKED_AT) {
            if turn.flood >= FLOOD_STANZAS {
                return;
            }
            let Some(owed) = self.presence.online.next_undelivered() else { return };
            let (tag, whom) = &owed;
            let name = self.presence.online.name_of(*tag).cloned();
            let is_done = match &name {
                Some(name) if self.channels.is_cold(name) => false,
                Some(name) => self.deliver_everybody(*tag, name, whom, turn),
                None => true,
            };
            if is_done {
                self.presence.online.settled(&owed);
            }
        }
    }

    /// Ends a turn.
    pub(in crate::engine) fn settle_presence(&mut self, turn: &mut Turn) {
        self.settle_due();
        self.deliver_waiting(turn);
    }

    /// Takes broadcast presence to the channels of accounts, if those channels were read.
    pub(super) fn settle_due(&mut self) {
        let due: Vec<BareJid> = self.presence.online.due().cloned().collect();
        let share = (BROUGHT / due.len().max(1)).max(BROUGHT_EACH);
        for account in due {
            let Some(channels) = self.channels.places_of(&account) else { continue };
            let is_proxied = self.people.hosts().proxies_pam(account.domain().as_str());
            let reached = self.presence.online.spread_up_to(&account);
            let from = reached.map_or(0, |last| {
                channels.rank(IN, |name| if name <= last { Ordering::Less } else { Ordering::Greater })
            });
            let names: Vec<ChannelName> =
                channels.rising(IN, from).take(if is_proxied { share } else { 0 }).cloned().collect();
            names.iter().for_each(|name| self.spread_to(name, &account));
            // If there may be more, the next turn continues.
            self.presence.online.note_spread(&account, names.last().filter(|_| names.len() == share));
        }
    }

    /// XEP-0405 §2.9: takes an account's broadcast presence to one channel, as its server would send it. Only resources
    /// that take MIX traffic count.
    pub(super) fn spread_to(&mut self, name: &ChannelName, account: &BareJid) {
        let mut said = self.presence.online.broadcasts_of(account);
        said.retain(|(full, _)| self.people.accounts().is_known(full, true));
        let Some(tag) = self.channels.tag_of(name).filter(|_| !said.is_empty()) else { return };
        let Some(channel) = self.channels.channel(name) else {
            return self.presence.online.bring_later(tag, name, account);
        };
        let Some(id) = id_in(channel, account, &self.service) else {
            return self.presence.online.bring_later(tag, name, account);
        };
        said.retain(|(full, _)| self.has_use(channel, full));
        for (full, says) in said {
            if let Some(place) = self.presence.online.say(tag, name, &id, &full, says) {
                self.presence.online.wait(place);
            }
        }
    }

    /// A guest's own presence is not delivered. Its resources that are online get that of all participants.
    fn greet_guest(&mut self, tag: u64, name: &ChannelName, account: &BareJid) {
        let Some(channel) = self.channels.channel(name) else { return };
        if !channel.subscriptions_of(account).contains(Node::Presence) {
            return;
        }
        for (full, _) in self.presence.online.broadcasts_of(account) {
            if self.people.accounts().is_known(&full, true) {
                let whom = OwedTo::Resource(account.clone(), full.resource().to_string());
                self.presence.online.deliver_later(tag, whom);
            }
        }
    }

    /// Needs the channels of accounts whose broadcast presence is queued.
    pub(in crate::engine) fn need_of_presence(&self, needs: &mut Needs) {
        let unknown = self.presence.online.due().filter(|account| self.channels.places_of(account).is_none());
        needs.accounts.extend(unknown.take(READ_MAX / 2).cloned());
    }

    /// XEP-0403 §5: a channel probes its participants once a link, if it has subscribers to presence. Participants that
    /// do not share their presence are not probed.
    pub(in crate::engine) fn probe_participants(&mut self, name: &ChannelName) {
        let Some(channel) = self.channels.channel(name).filter(|channel| channel.settings().presence) else {
            return;
        };
        if self.presence.online.is_probed(channel.profile().tag) {
            return;
        }
        if self.is_crowded(channel)
            || !channel.has_subscribers(Node::Presence)
            || !self.presence.online.wants_probing(channel.profile().tag)
        {
            return;
        }
        // By participant id, because answers are delivered in this order.
        let asked = channel.participants_by_id();
        for member in asked.rising(0).filter(|member| shares(channel, member)) {
            self.presence.online.spread(&member.jid);
            self.presence.online.probe(name, &member.jid);
        }
    }

    /// The link came up.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub(in crate::engine) fn presence_link_up(&mut self) {
        self.presence.link_up(self.steady);
        self.presence.chores.uncalled =
            self.channels.shelf().channels().map(|channel| channel.name().clone()).collect();
    }

    /// Has some of the channels that were in memory when the link came up probe their participants.
    fn call_on(&mut self) {
        let PresenceChores { calling, uncalled, .. } = &mut self.presence.chores;
        let names = calling.step(|_, count| uncalled.iter().take(count).cloned().collect());
        for name in names {
            self.presence.chores.calling.done(&name);
            self.presence.chores.uncalled.remove(&name);
            self.probe_participants(&name);
        }
    }

    /// At a tick: delivers what waits, and sends probes.
    pub(in crate::engine) fn presence_tick(&mut self, turn: &mut Turn) {
        self.call_on();
        self.settle_due();
        let online = &mut self.presence.online;
        for probe in self.presence.chores.probing.step(|_, count| online.next_probes(count)) {
            self.presence.chores.probing.done(&probe);
            let (name, account) = probe;
            // A host server that sends all presence by privilege needs no probes.
            if !self.people.hosts().proxies_pam(account.domain().as_str()) {
                turn.tell(mix_presence::bare("probe", &self.service.address_of(&name), account.as_str()));
            }
        }
        if !self.presence.has_heard(self.steady) {
            return;
        }
        if self.presence.is_to_look(self.steady) {
            self.presence.online.doubt_where(|domain| self.people.hosts().is_forgetful(domain));
        }
        let online = &mut self.presence.online;
        for full in self.presence.chores.asking.step(|_, count| online.next_doubtful(count)) {
            self.presence.chores.asking.done(&full);
            self.probe_resource(&full, turn);
        }
    }

    /// The next channels with presence to deliver.
    pub(in crate::engine) fn next_presence(&mut self) -> Vec<ChannelName> {
        let (shelf, Sharing { online, chores, .. }) = (self.channels.shelf(), &mut self.presence);
        let tags = chores.telling.step(|behind, count| online.channels_to_tell(behind, count));
        let mut names = Vec::with_capacity(tags.len());
        for tag in tags {
            match online.name_of(tag) {
                Some(name) if shelf.may_be(name, tag) => names.push(name.clone()),
                // The channel's creation was not committed.
                Some(_) => {
                    chores.telling.done(&tag);
                    online.drop_channel(tag);
                }
                // Nobody is in the node any more.
                None => {
                    chores.telling.done(&tag);
                    online.drop_waiting(tag);
                }
            }
        }
        names
    }

    pub(in crate::engine) fn pass_presence(&mut self, name: &ChannelName) {
        self.channels.tag_of(name).map(|tag| self.presence.chores.telling.done(&tag));
    }

    /// Delivers what waits in a channel, within this tick's budget.
    pub(in crate::engine) fn deliver_presence_in(&mut self, name: &ChannelName, turn: &mut Turn) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        self.presence.chores.telling.done(&tag);
        let coming = self.presence.online.next_coming(tag, self.presence.chores.telling.room());
        self.presence.chores.telling.spend(coming.len());
        for account in &coming {
            let channel = self.channels.channel(name);
            match channel.and_then(|channel| id_in(channel, account, &self.service)) {
                Some(_) => self.spread_to(name, account),
                None => self.greet_guest(tag, name, account),
            }
        }
        let room = self.presence.chores.telling.room();
        let waiting = self.presence.online.waiting_in(tag).collect();
        let mut waiting = self.in_order_of_what_is_shown(tag, waiting);
        waiting.truncate(room);
        self.presence.chores.telling.spend(waiting.len());
        for place in waiting {
            self.presence.online.stop_waiting(&place);
            self.deliver_change(&place, turn);
        }
        let owed: Vec<_> = self.presence.online.undelivered_in(tag).take(OWED_LOOKED_AT).collect();
        for owed in owed {
            if turn.flood < FLOOD_STANZAS && self.deliver_everybody(tag, name, &owed.1, turn) {
                self.presence.online.settled(&owed);
            }
        }
    }
}
