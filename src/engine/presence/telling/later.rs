//! What goes on with presence over turns and ticks: newcomers are brought up to date, what waits is told, and whoever may be
//! gone is asked.

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

/// How much of what is owed a turn looks at.
const OWED_LOOKED_AT: usize = 1000;
/// To how many channels a turn brings what accounts say to all of theirs, and of one account at least.
const BROUGHT: usize = 1024;
const BROUGHT_EACH: usize = 16;

impl Engine {
    /// Brings newcomers up to date, as many as there is room for in a turn.
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
                Some(name) => self.flood(*tag, name, whom, turn),
                None => true,
            };
            if is_done {
                self.presence.online.settled(&owed);
            }
        }
    }

    /// The turn ends.
    pub(in crate::engine) fn settle_presence(&mut self, turn: &mut Turn) {
        self.settle_due();
        self.deliver_waiting(turn);
    }

    /// Brings what accounts say to all channels at once to their channels, where it was loaded which those are.
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
            // Where there may be more, it goes on with the next turn.
            self.presence.online.note_spread(&account, names.last().filter(|_| names.len() == share));
        }
    }

    /// Brings what an account says to all channels at once to one of them: what its server would send there by itself
    /// (XEP-0405 §2.9), of the resources that take MIX traffic.
    pub(super) fn spread_to(&mut self, name: &ChannelName, account: &BareJid) {
        let mut said = self.presence.online.broadcasts_of(account);
        said.retain(|(full, _)| self.people.accounts().takes(full));
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

    /// The resources of a guest are online, of which nobody is told: they are sent the presence of everybody.
    fn greet_guest(&mut self, tag: u64, name: &ChannelName, account: &BareJid) {
        let Some(channel) = self.channels.channel(name) else { return };
        if !channel.subscriptions_of(account).contains(Node::Presence) {
            return;
        }
        for (full, _) in self.presence.online.broadcasts_of(account) {
            if self.people.accounts().takes(&full) {
                let whom = OwedTo::Resource(account.clone(), full.resource().to_string());
                self.presence.online.deliver_later(tag, whom);
            }
        }
    }

    /// What has to be looked up so that what accounts say to all channels can be brought to theirs.
    pub(in crate::engine) fn need_of_presence(&self, needs: &mut Needs) {
        let unknown = self.presence.online.due().filter(|account| self.channels.places_of(account).is_none());
        needs.accounts.extend(unknown.take(READ_MAX / 2).cloned());
    }

    /// Has a channel ask its participants for their presence, once a link (XEP-0403 §5): those who share it, and only
    /// where somebody wants to know.
    pub(in crate::engine) fn ask_for_presence(&mut self, name: &ChannelName) {
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
        // In the order of ids: whoever answers is told of in that order.
        let asked = channel.participants_by_id();
        for member in asked.rising(0).filter(|member| shares(channel, member)) {
            self.presence.online.spread(&member.jid);
            self.presence.online.probe(name, &member.jid);
        }
    }

    /// The link is up.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub(in crate::engine) fn presence_link_up(&mut self) {
        self.presence.link_up(self.steady);
        self.presence.chores.uncalled =
            self.channels.shelf().channels().map(|channel| channel.name().clone()).collect();
    }

    /// Has some of the channels that were in memory when the link came up ask their participants.
    fn call_on(&mut self) {
        let PresenceChores { calling, uncalled, .. } = &mut self.presence.chores;
        let names = calling.step(|_, count| uncalled.iter().take(count).cloned().collect());
        for name in names {
            self.presence.chores.calling.done(&name);
            self.presence.chores.uncalled.remove(&name);
            self.ask_for_presence(&name);
        }
    }

    /// Goes on with what had to wait, and asks for what is not known.
    pub(in crate::engine) fn presence_tick(&mut self, turn: &mut Turn) {
        self.call_on();
        self.settle_due();
        let online = &mut self.presence.online;
        for probe in self.presence.chores.probing.step(|_, count| online.next_probes(count)) {
            self.presence.chores.probing.done(&probe);
            let (name, account) = probe;
            // Where presence comes for everybody, nobody has to be asked.
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
            self.ask_whether_there(&full, turn);
        }
    }

    /// Channels in which somebody is to be told something, some of them.
    pub(in crate::engine) fn next_presence(&mut self) -> Vec<ChannelName> {
        let (shelf, Sharing { online, chores, .. }) = (self.channels.shelf(), &mut self.presence);
        let tags = chores.telling.step(|behind, count| online.channels_to_tell(behind, count));
        let mut names = Vec::with_capacity(tags.len());
        for tag in tags {
            match online.name_of(tag) {
                Some(name) if shelf.may_be(name, tag) => names.push(name.clone()),
                // Its commit was refused, and nothing of it is stored.
                Some(_) => {
                    chores.telling.done(&tag);
                    online.drop_channel(tag);
                }
                // Nobody is there any more of whom there is something to tell.
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

    /// Tells what had to wait in a channel, as much as this tick may, and what is owed there.
    pub(in crate::engine) fn tell_presence_in(&mut self, name: &ChannelName, turn: &mut Turn) {
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
            self.tell_of(&place, turn);
        }
        let owed: Vec<_> = self.presence.online.undelivered_in(tag).take(OWED_LOOKED_AT).collect();
        for owed in owed {
            if turn.flood < FLOOD_STANZAS && self.flood(tag, name, &owed.1, turn) {
                self.presence.online.settled(&owed);
            }
        }
    }
}
