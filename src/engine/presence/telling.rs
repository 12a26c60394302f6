//! Presence goes to those who may see it.

mod later;

use super::super::outgoing::outbox::{Audience, ListId};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::online::{OwedTo, ResourcePlace};
use super::sharing::{FLOOD_STANZAS, shares, visitor};
use crate::channel::{Change, Channel, ChannelName, Member, Node, ParticipantId};
use crate::xep::mix_presence::{self, Availability, Shared};
use crate::xep::proxy;
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, FullJid};
use minidom::Element;

impl Engine {
    /// A resource sent its presence to a channel: it is read once it is known to matter.
    pub(in crate::engine) fn share(&mut self, name: &ChannelName, full: &FullJid, presence: &Element, turn: &mut Turn) {
        let Some(channel) = self.channels.shelf.channel(name) else { return };
        let (tag, account) = (channel.profile().tag, full.to_bare());
        let room = self.presence.online.accounts(tag) < self.service.limits.presence_participants_max;
        let is_known = !self.presence.online.places_of(tag, &account).is_empty();
        let may = channel.participant(&account).is_some()
            || ((room || is_known) && visitor(channel, &account, &self.service).is_some());
        let place = (tag, account.clone(), full.resource().as_str().to_owned());
        if !channel.settings().presence || !may || !self.has_use(channel, &place) {
            return;
        }
        if self.presence.online.say(tag, name, full, Availability::of(presence)) {
            self.tell_of(&place, turn);
        }
    }

    /// Whether what a resource says to a channel is kept: a crowded one shows nobody else than it did before.
    fn has_use(&self, channel: &Channel, place: &ResourcePlace) -> bool {
        let is_shown = || self.presence.online.entry(place).is_some_and(|entry| entry.told.is_some());
        !self.is_crowded(channel) || is_shown()
    }

    fn is_crowded(&self, channel: &Channel) -> bool {
        channel.participant_count() > self.service.limits.presence_participants_max
    }

    /// A resource says that it is offline, as far as a channel is concerned.
    pub(in crate::engine) fn unshare(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        let Some(tag) = self.channels.shelf.tag_of(name) else { return };
        self.unavailable((tag, full.to_bare(), full.resource().as_str().to_owned()), turn);
    }

    /// An account has a channel share nothing of its presence any more, until it says something anew.
    pub(in crate::engine) fn unshare_all(&mut self, name: &ChannelName, account: &BareJid, turn: &mut Turn) {
        let Some(tag) = self.channels.shelf.tag_of(name) else { return };
        self.presence.online.places_of(tag, account).into_iter().for_each(|place| self.unavailable(place, turn));
    }

    fn unavailable(&mut self, place: ResourcePlace, turn: &mut Turn) {
        if self.presence.online.unavailable(place.0, &place.1, &place.2) {
            self.tell_of(&place, turn);
        }
    }

    /// A resource is gone: it said so to the service, or something to it came back.
    pub(in crate::engine) fn vanish(&mut self, full: &FullJid, turn: &mut Turn) {
        self.people.accounts.gone(full, &mut turn.outbox);
        self.begin_anew(full, true, turn);
        self.presence.online.end_broadcast(full);
        self.presence.online.trust(full);
        // Its channels need not be in memory.
        for tag in self.presence.online.channels_of(full) {
            let place = (tag, full.to_bare(), full.resource().as_str().to_owned());
            self.presence.online.unavailable(place.0, &place.1, &place.2);
            self.presence.online.wait(place);
        }
    }

    /// Tells the subscribers of a channel what they do not know of a resource.
    fn tell_of(&mut self, place: &ResourcePlace, turn: &mut Turn) {
        let (tag, account, resource) = place;
        let Some(name) = self.presence.online.name_of(*tag).cloned() else { return };
        if self.channels.shelf.is_cold(&name) {
            return self.presence.online.wait(place.clone());
        }
        let Some(channel) = self.channels.shelf.channel(&name).filter(|channel| channel.profile().tag == *tag) else {
            return self.presence.online.drop_channel(*tag);
        };
        let visitor = visitor(channel, account, &self.service);
        let member = channel.participant(account).or(visitor.as_ref()).filter(|_| channel.settings().presence);
        if member.is_none() {
            self.presence.online.unavailable(*tag, account, resource);
        }
        let Some(entry) = self.presence.online.entry(place) else { return };
        let says = entry.says.as_ref().zip(member.filter(|member| shares(channel, member)));
        let next = says.map(|(says, member)| Shared::of(member, resource, says, channel, &self.service));
        let told = entry.told.clone();
        let crowded = self.is_crowded(channel);
        let settled = next == told || (crowded && next.is_some());
        if crowded && told.is_none() {
            self.presence.online.stop_waiting(place);
            return self.presence.online.forget(place);
        }
        let is_welcome = entry.is_new && !crowded;
        if !settled && next.is_some() && self.presence.told.take(account, self.steady.0).is_err() {
            return self.presence.online.wait(place.clone());
        }
        if is_welcome && turn.flood >= FLOOD_STANZAS {
            return self.presence.online.wait(place.clone());
        }
        self.presence.online.stop_waiting(place);
        // It hears of the others before they hear of it.
        if self.presence.online.take_news(place) {
            let whom = OwedTo::Resource(account.clone(), resource.clone());
            if !self.flood(*tag, &name, &whom, turn) {
                self.presence.online.deliver_later(*tag, whom);
            }
        }
        if settled {
            return self.presence.online.tell(place, told);
        }
        let moved = told.filter(|told| next.as_ref().is_none_or(|next| !next.is_from_same(told)));
        if let Some(told) = moved {
            let gone = told.unavailable(&self.fresh_id_of(*tag));
            self.fan_presence(*tag, gone, turn);
        }
        if let Some(next) = &next {
            let here = next.available(&self.fresh_id_of(*tag));
            self.fan_presence(*tag, here, turn);
        }
        self.presence.online.tell(place, next);
    }

    fn fan_presence(&mut self, tag: u64, presence: Tag, turn: &mut Turn) {
        let list = ListId { tag, node: Node::Presence };
        turn.tell_all(Audience::List(list, None), halves(&presence, false));
    }

    /// What a change that was applied means for presence.
    pub(in crate::engine) fn follow(&mut self, name: &ChannelName, tag: u64, change: &Change, turn: &mut Turn) {
        match change {
            // Whoever is in it joined since the link is up.
            Change::Created { .. } => drop(self.presence.online.wants_probing(tag)),
            Change::Destroyed => self.close(tag, turn),
            // Who may share its presence from outside depends on the lists, too.
            Change::Listed { .. } | Change::ListMade { .. } | Change::ListPurged { .. } => {
                if self.channels.shelf.channel(name).is_some_and(|channel| channel.settings().open_presence) {
                    self.tell_all(tag, turn);
                }
            }
            Change::Configured(settings) => {
                self.tell_all(tag, turn);
                match settings.presence {
                    true => self.ask_for_presence(name),
                    false => self.presence.online.probe_again(tag),
                }
            }
            _ => {
                if let Some(member) = change.member() {
                    self.follow_member(name, tag, member, turn);
                }
            }
        }
    }

    fn tell_all(&mut self, tag: u64, turn: &mut Turn) {
        let places = self.in_order_of_what_is_shown(tag, self.presence.online.places(tag));
        places.iter().for_each(|place| self.tell_of(place, turn));
    }

    /// The order of accounts and resources would tell something of them where they are hidden.
    fn in_order_of_what_is_shown(&self, tag: u64, mut places: Vec<ResourcePlace>) -> Vec<ResourcePlace> {
        let name = self.presence.online.name_of(tag);
        let Some(channel) = name.and_then(|name| self.channels.shelf.channel(name)) else { return places };
        places.sort_by_cached_key(|(_, account, resource)| {
            let visitor = visitor(channel, account, &self.service);
            let member = channel.member(account).or(visitor.as_ref());
            member.map(|member| proxy::address(&self.service, channel, member, Some(resource)))
        });
        places
    }

    fn follow_member(&mut self, name: &ChannelName, tag: u64, member: &Member, turn: &mut Turn) {
        let places = self.in_order_of_what_is_shown(tag, self.presence.online.places_of(tag, &member.jid));
        if !member.is_joined() {
            self.show_again(name, tag);
        }
        if member.is_joined() && member.subscriptions.contains(Node::Presence) {
            self.ask_for_presence(name);
        }
        if !member.is_joined() {
            for (_, account, resource) in &places {
                self.presence.online.unavailable(tag, account, resource);
            }
        }
        places.iter().for_each(|place| self.tell_of(place, turn));
        // Whoever is online joins with its presence.
        if member.is_joined()
            && places.is_empty()
            && self.people.accounts.hosts.proxies_pam(member.jid.domain().as_str())
        {
            self.spread_to(name, &member.jid);
            // Where it subscribes to presence, that is sent to all of its resources.
            self.deliver_waiting(turn);
            let places = self.presence.online.places_of(tag, &member.jid);
            for place in self.in_order_of_what_is_shown(tag, places) {
                self.presence.online.take_news(&place);
                self.tell_of(&place, turn);
            }
        }
    }

    /// A channel that is crowded no longer knows nothing of most: they are asked, and not each time when people come and
    /// go.
    fn show_again(&mut self, name: &ChannelName, tag: u64) {
        let count = self.channels.shelf.channel(name).map_or(0, Channel::participant_count);
        let is_edge = count == self.service.limits.presence_participants_max;
        if is_edge && self.presence.shown_again.take(&tag, self.steady.0).is_ok() {
            self.presence.online.probe_again(tag);
            self.ask_for_presence(name);
        }
    }

    /// A channel ends, and with it what its subscribers know of presence.
    fn close(&mut self, tag: u64, turn: &mut Turn) {
        let told: Vec<Shared> = self.presence.online.told(tag).into_iter().map(|(_, told)| told.clone()).collect();
        for told in told {
            let gone = told.unavailable(&self.fresh_id_of(tag));
            self.fan_presence(tag, gone, turn);
        }
        self.presence.online.drop_channel(tag);
    }

    /// Somebody is to be sent everybody's presence, where it subscribes to that.
    pub(in crate::engine) fn deliver_later(&mut self, name: &ChannelName, whom: OwedTo) {
        if let Some(tag) = self.channels.shelf.tag_of(name) {
            self.presence.online.deliver_later(tag, whom);
        }
    }

    /// Sends everybody's presence, if it is of somebody who subscribes to that; whether that is done.
    fn flood(&mut self, tag: u64, name: &ChannelName, whom: &OwedTo, turn: &mut Turn) -> bool {
        let (OwedTo::Account(account) | OwedTo::Resource(account, _)) = whom;
        let Some(channel) = self.channels.shelf.channel(name).filter(|channel| channel.profile().tag == tag) else {
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
            true => self.people.accounts.find_guest(account),
            false => self.people.accounts.reach(account, &mut turn.outbox),
        };
        let told: Vec<Shared> = self.presence.online.told(tag).into_iter().map(|(_, told)| told.clone()).collect();
        turn.flood += told.len() + 1;
        for told in told {
            let here = told.available(&self.fresh_id_of(tag));
            match (&to, no) {
                (Some(to), _) => turn.tell(here.attr("to", to)),
                (None, Some(no)) => turn.tell_all(Audience::One(no), halves(&here, false)),
                (None, None) => {}
            }
        }
        true
    }

    /// RFC 6121 §3.1: whoever is in a channel may subscribe to it. The subscription says nothing by itself; the one the
    /// other way has the account's server send its presence, so that is asked for in turn.
    pub(in crate::engine) fn answer_subscription(&mut self, name: &ChannelName, account: &BareJid, turn: &mut Turn) {
        let from = self.service.address_of(name);
        let channel = self.channels.shelf.channel(name);
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

    /// RFC 6121 §4.3.2: a probe for one participant, from somebody who is in the channel.
    pub(in crate::engine) fn answer_probe(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.shelf.channel(name).filter(|it| it.participant(&stanza.sender()).is_some())
        else {
            return;
        };
        let Some(asked) = channel.member_of(id) else { return };
        let tag = channel.profile().tag;
        let told: Vec<Shared> = self.presence.online.told_of(tag, &asked.jid).into_iter().cloned().collect();
        if told.is_empty() {
            turn.tell(mix_presence::bare("unavailable", stanza.to.to_bare().as_str(), stanza.from.as_str()));
        }
        for told in told {
            let here = told.available(&self.fresh_id_of(tag));
            turn.tell(here.attr("to", stanza.from.as_str()));
        }
    }
}

#[cfg(test)]
#[path = "sharing_tests.rs"]
mod tests;
