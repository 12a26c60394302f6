//! XEP-0403 §4: delivers presence to subscribers.

mod later;

use super::super::outgoing::outbox::{Audience, ListId};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::online::{OwedTo, ResourcePlace};
use super::sharing::{FLOOD_STANZAS, id_in, shares, visitor};
use crate::channel::{Change, Channel, ChannelName, Member, Node, ParticipantId};
use crate::xep::availability::{Availability, SharedPresence};
use crate::xep::mix_presence::{self, Resource};
use crate::xep::{List, proxy};
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, FullJid};
use minidom::Element;
use rand::Rng;

impl Engine {
    /// A resource sent `available` to a channel. It is parsed only once it is known to matter.
    pub(in crate::engine) fn take_available(
        &mut self,
        name: &ChannelName,
        full: &FullJid,
        presence: &Element,
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.channel(name) else { return };
        let (tag, account) = (channel.profile().tag, full.to_bare());
        if !channel.settings().presence || !self.has_use(channel, full) {
            return;
        }
        let has_room = || self.presence.online.account_count(tag) < self.service.limits.presence_participants_max;
        let is_known = || !self.presence.online.places_of(tag, &account).is_empty();
        if channel.participant(&account).is_none() && !has_room() && !is_known() {
            return;
        }
        let Some(id) = id_in(channel, &account, &self.service) else { return };
        if let Some(place) = self.presence.online.say(tag, name, &id, full, Availability::of(presence)) {
            self.deliver_change(&place, turn);
        }
    }

    /// Whether presence of a resource is kept. A crowded channel delivers no further resources.
    fn has_use(&self, channel: &Channel, full: &FullJid) -> bool {
        let place = || self.presence.online.place_of(channel.profile().tag, full);
        let is_shown =
            |place: &ResourcePlace| self.presence.online.entry(place).is_some_and(|entry| entry.told.is_some());
        !self.is_crowded(channel) || place().as_ref().is_some_and(is_shown)
    }

    pub(super) fn is_crowded(&self, channel: &Channel) -> bool {
        channel.participant_count() > self.service.limits.presence_participants_max
    }

    /// A resource sent `unavailable` to a channel.
    pub(in crate::engine) fn take_unavailable(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        if let Some(place) = self.presence.online.place_of(tag, full) {
            self.unavailable(&place, turn);
        }
    }

    /// An account sent `unsubscribe` to a channel: all of its resources become unavailable there.
    pub(in crate::engine) fn take_unsubscribe(&mut self, name: &ChannelName, account: &BareJid, turn: &mut Turn) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        self.presence.online.places_of(tag, account).iter().for_each(|place| self.unavailable(place, turn));
    }

    pub(super) fn unavailable(&mut self, place: &ResourcePlace, turn: &mut Turn) {
        if self.presence.online.unavailable(place) {
            self.deliver_change(place, turn);
        }
    }

    /// A resource is gone: it sent `unavailable` to the service, or a stanza to it bounced.
    pub(in crate::engine) fn vanish(&mut self, full: &FullJid, turn: &mut Turn) {
        self.people.gone(full, &mut turn.outbox);
        self.leave_rooms(full);
        self.end_watcher(full, turn);
        self.begin_anew(full, true, turn);
        self.presence.online.end_broadcast(full);
        self.presence.online.trust(full);
        // Channels that are not in memory deliver it later.
        for place in self.presence.online.places_of_resource(full) {
            self.presence.online.unavailable(&place);
            self.presence.online.wait(place);
        }
    }

    /// Delivers to the subscribers of a channel what changed of a resource.
    pub(super) fn deliver_change(&mut self, place: &ResourcePlace, turn: &mut Turn) {
        let Some(name) = self.presence.online.name_of(place.tag).cloned() else { return };
        if self.channels.is_cold(&name) {
            return self.presence.online.wait(place.clone());
        }
        let Some(channel) = self.channels.channel(&name).filter(|it| it.profile().tag == place.tag) else {
            return self.presence.online.drop_channel(place.tag);
        };
        let Some(account) = self.presence.online.account_at(place).cloned() else { return };
        let visitor = visitor(channel, &account, &self.service).or_else(|| self.passer_by(channel, &account).cloned());
        let member = channel.participant(&account).or(visitor.as_ref()).filter(|_| channel.settings().presence);
        if member.is_none() {
            self.presence.online.unavailable(place);
        }
        let Some(entry) = self.presence.online.entry(place) else { return };
        let says = entry.says.as_ref().zip(member.filter(|member| shares(channel, member)));
        let next = says.map(|(says, member)| SharedPresence::of(member, &place.resource, says, channel, &self.service));
        let is_told = entry.told.is_some();
        let crowded = self.is_crowded(channel);
        let settled = next == entry.told || (crowded && next.is_some());
        if crowded && !is_told {
            self.presence.online.stop_waiting(place);
            return self.presence.online.forget(place);
        }
        let is_welcome = entry.is_new && !crowded;
        if !settled && next.is_some() && self.presence.told.take(&account, self.steady.0).is_err() {
            return self.presence.online.wait(place.clone());
        }
        if is_welcome && turn.flood >= FLOOD_STANZAS {
            return self.presence.online.wait(place.clone());
        }
        self.presence.online.stop_waiting(place);
        // The resource gets the presence of all participants before they get its own.
        if self.presence.online.take_news(place) {
            let whom = OwedTo::Resource(account.clone(), place.resource.clone());
            if !self.deliver_everybody(place.tag, &name, &whom, turn) {
                self.presence.online.deliver_later(place.tag, whom);
            }
        }
        match settled {
            false => self.deliver_difference(place, &name, &account, next, turn),
            // A resource that came and went without a delivery is forgotten.
            true if !is_told => self.presence.online.tell(place, None),
            true => {}
        }
    }

    /// Delivers the new presence of a resource, after `unavailable` for one that goes by another address, and notes
    /// what was delivered.
    fn deliver_difference(
        &mut self,
        place: &ResourcePlace,
        name: &ChannelName,
        account: &BareJid,
        next: Option<SharedPresence>,
        turn: &mut Turn,
    ) {
        let channel = self.channels.channel(name);
        let hides = channel.is_some_and(|it| it.participant(account).is_some_and(|member| !shares(it, member)));
        // The channel does not say any more what the room was shown of whoever begins to hide it.
        let in_room = self.print_by_mix(name, account).filter(|_| !hides);
        let (channel, resource) = (self.service.address_of(name), &*place.resource);
        let told = self.presence.online.entry(place).and_then(|entry| entry.told.as_ref());
        let moved = told.filter(|told| next.as_ref().is_none_or(|next| !next.is_from_same(told)));
        // The id is drawn in any case, so that later ids do not depend on whether there are subscribers.
        let heard = self.channels.channel(name).is_some_and(|channel| channel.has_subscribers(Node::Presence));
        let gone = moved.map(|shared| (shared, self.dice.random()));
        let here = next.as_ref().map(|shared| (shared, self.dice.random()));
        if let Some((shared, draw)) = gone.filter(|_| heard) {
            let id = self.service.sealer.mark(place.tag, draw);
            fan_presence(place.tag, Resource { account, resource, shared }.unavailable(&channel, &id), turn);
        }
        if let Some((shared, draw)) = here.filter(|_| heard) {
            let id = self.service.sealer.mark(place.tag, draw);
            fan_presence(place.tag, Resource { account, resource, shared }.available(&channel, &id), turn);
        }
        if next.is_some() && self.channels.channel(name).is_some_and(|channel| channel.participant(account).is_some()) {
            self.presence.online.note_seen(place.tag, &place.id);
        }
        self.presence.online.tell(place, next);
        let since = turn.outbox.len();
        self.show_by_mix(name, account, in_room, turn);
        self.load(account, name, &mut turn.outbox[since..]);
    }

    /// Updates presence after an applied change.
    pub(in crate::engine) fn follow(&mut self, name: &ChannelName, tag: u64, change: &Change, turn: &mut Turn) {
        match change {
            // All participants joined after the link came up, so none is probed.
            Change::Created { .. } => drop(self.presence.online.wants_probing(tag)),
            Change::Destroyed(_) => self.close(name, tag, turn),
            // The lists decide which non-participants may share their presence.
            Change::Listed { .. } | Change::ListMade { .. } | Change::ListPurged { .. } => {
                if self.channels.channel(name).is_some_and(|channel| channel.settings().open_presence) {
                    self.tell_all(tag, turn);
                }
            }
            Change::Configured(settings) => {
                self.tell_all(tag, turn);
                match settings.presence {
                    true => self.probe_participants(name),
                    false => self.presence.online.probe_again(tag),
                }
            }
            Change::GuestSet { guest, .. } if guest.subscriptions.contains(Node::Presence) => {
                self.recall_passing(name, tag, turn);
            }
            _ => {
                // `Change::member` says of each change whether it sets a record, so no new change is missed here.
                if let Some(member) = change.member() {
                    self.follow_member(name, tag, member, turn);
                }
            }
        }
    }

    fn tell_all(&mut self, tag: u64, turn: &mut Turn) {
        let places = self.in_order_of_what_is_shown(tag, self.presence.online.places(tag));
        places.iter().for_each(|place| self.deliver_change(place, turn));
    }

    /// Orders entries by what is shown. The order of hidden JIDs would reveal something.
    fn in_order_of_what_is_shown(&self, tag: u64, mut places: Vec<ResourcePlace>) -> Vec<ResourcePlace> {
        let name = self.presence.online.name_of(tag);
        let Some(channel) = name.and_then(|name| self.channels.channel(name)) else { return places };
        places.sort_by_cached_key(|place| {
            let account = self.presence.online.account_at(place);
            let visitor = account.and_then(|account| visitor(channel, account, &self.service));
            let passer_by = || visitor.as_ref().or(self.passes_by_as(tag, &place.id));
            let member = account.and_then(|account| channel.member(account)).or_else(passer_by);
            let sealer = &self.service.sealer;
            let shown = member.map(|member| proxy::shown_resource(sealer, channel, member, &place.resource));
            (place.id.clone(), shown)
        });
        places
    }

    fn follow_member(&mut self, name: &ChannelName, tag: u64, member: &Member, turn: &mut Turn) {
        if member.is_joined() {
            // As a visitor it had another id.
            self.presence.online.identify(tag, &member.jid, &member.id);
        }
        let places = self.in_order_of_what_is_shown(tag, self.presence.online.places_of(tag, &member.jid));
        if !member.is_joined() {
            self.show_again(name, tag);
        }
        if member.is_joined() && member.subscriptions.contains(Node::Presence) {
            self.probe_participants(name);
            self.recall_passing(name, tag, turn);
        }
        if !member.is_joined() {
            for place in &places {
                self.presence.online.unavailable(place);
            }
        }
        places.iter().for_each(|place| self.deliver_change(place, turn));
        if !member.is_joined() {
            self.presence.online.forget_seen(tag, &member.id);
        }
        // An account that is online joins with its presence.
        if member.is_joined() && places.is_empty() && self.people.hosts().proxies_pam(member.jid.domain().as_str()) {
            self.spread_to(name, &member.jid);
            // If it subscribes to presence, all of its resources get that of the others.
            self.deliver_waiting(turn);
            let places = self.presence.online.places_of(tag, &member.jid);
            for place in self.in_order_of_what_is_shown(tag, places) {
                self.presence.online.take_news(&place);
                self.deliver_change(&place, turn);
            }
        }
    }

    /// XEP-0403 §5: a channel that is no longer crowded probes its participants, unless it did so recently.
    fn show_again(&mut self, name: &ChannelName, tag: u64) {
        let count = self.channels.channel(name).map_or(0, Channel::participant_count);
        let is_edge = count == self.service.limits.presence_participants_max;
        if is_edge && self.presence.shown_again.take(&tag, self.steady.0).is_ok() {
            self.presence.online.probe_again(tag);
            self.probe_participants(name);
        }
    }

    /// XEP-0403 §4.4: a destroyed channel delivers `unavailable` for all resources.
    fn close(&mut self, name: &ChannelName, tag: u64, turn: &mut Turn) {
        let channel = self.service.address_of(name);
        let heard = self.channels.channel(name).is_some_and(|channel| channel.has_subscribers(Node::Presence));
        for told in self.presence.online.told(tag) {
            let draw = self.dice.random();
            if heard {
                fan_presence(tag, told.unavailable(&channel, &self.service.sealer.mark(tag, draw)), turn);
            }
        }
        self.presence.online.drop_channel(tag);
    }

    /// Queues a recipient for the presence of all participants.
    pub(in crate::engine) fn deliver_later(&mut self, name: &ChannelName, whom: OwedTo) {
        if let Some(tag) = self.channels.tag_of(name) {
            self.presence.online.deliver_later(tag, whom);
        }
    }

    /// Delivers the presence of all participants to a subscriber. Returns `false` if it has to wait for its rate.
    fn deliver_everybody(&mut self, tag: u64, name: &ChannelName, whom: &OwedTo, turn: &mut Turn) -> bool {
        let (OwedTo::Account(account) | OwedTo::Resource(account, _)) = whom;
        let Some(channel) = self.channels.channel(name).filter(|channel| channel.profile().tag == tag) else {
            return true;
        };
        if self.is_crowded(channel) || !channel.subscriptions_of(account).contains(Node::Presence) {
            return true;
        }
        if self.presence.floods.take(account, self.steady.0).is_err() {
            return false;
        }
        let is_guest = channel.participant(account).is_none();
        let to = match whom {
            OwedTo::Resource(account, resource) => Some(format!("{account}/{resource}")),
            OwedTo::Account(_) => None,
        };
        let no = match is_guest {
            true => self.people.accounts().find_guest(account),
            false => self.people.reach(account, &mut turn.outbox),
        };
        let address = self.service.address_of(name);
        turn.flood += 1;
        for told in self.presence.online.told(tag) {
            turn.flood += 1;
            let here = told.available(&address, &self.service.sealer.mark(tag, self.dice.random()));
            match (&to, no) {
                (Some(to), _) => turn.tell(here.attr("to", to)),
                (None, Some(no)) => turn.tell_all(Audience::One(no), halves(&here, false)),
                (None, None) => {}
            }
        }
        true
    }

    /// RFC 6121 §3.1: a participant may subscribe to its channel. This causes no presence. The subscription in the
    /// other direction has the account's server send its presence, so the channel requests it in turn.
    pub(in crate::engine) fn answer_subscription(&mut self, name: &ChannelName, account: &BareJid, turn: &mut Turn) {
        let from = self.service.address_of(name);
        let channel = self.channels.channel(name);
        let seated = channel.and_then(|channel| Some((channel, channel.participant(account)?)));
        let answer = if seated.is_some() { "subscribed" } else { "unsubscribed" };
        turn.tell(mix_presence::bare(answer, &from, account.as_str()));
        let Some((channel, _)) = seated.filter(|(channel, member)| shares(channel, member)) else { return };
        // Some clients answer a request with a request.
        let who = (channel.profile().tag, account.clone());
        if self.presence.subscriptions.take(&who, self.steady.0).is_ok() {
            turn.tell(mix_presence::bare("subscribe", &from, account.as_str()));
        }
    }

    /// RFC 6121 §4.3.2: answers a participant's probe for another participant.
    pub(in crate::engine) fn answer_probe(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.channel(name).filter(|it| it.participant(&stanza.sender()).is_some()) else {
            return;
        };
        if channel.member_of(id).is_none() {
            return;
        }
        let tag = channel.profile().tag;
        let told = self.presence.online.told_of(tag, id);
        if told.is_empty() {
            turn.tell(mix_presence::bare("unavailable", stanza.to.to_bare().as_str(), stanza.from.as_str()));
        }
        let address = self.service.address_of(name);
        for told in told {
            let here = told.available(&address, &self.service.sealer.mark(tag, self.dice.random()));
            turn.tell(here.attr("to", stanza.from.as_str()));
        }
    }
}

fn fan_presence(tag: u64, presence: Tag, turn: &mut Turn) {
    let list = ListId { tag, list: List::Node(Node::Presence) };
    turn.tell_all(Audience::List(list, None), halves(&presence, false));
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
