//! What is yet to be told and asked about presence: what waits, what is owed, and who may be gone.

use super::{Online, OwedTo, ResourcePlace};
use crate::channel::ChannelName;
use crate::engine::fairness::pool::Put;
use crate::engine::presence::waiting::WAITING_MAX;
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;

/// How much of what is owed may be owed to one account: somebody in 500 channels can come online at once.
const OWED_MAX: usize = 1000;

impl Online {
    /// Forgets what waits in a channel, and what is owed there.
    pub fn drop_waiting(&mut self, tag: u64) {
        let (waiting, owed): (Vec<_>, Vec<_>) = (self.waiting_in(tag).collect(), self.undelivered_in(tag).collect());
        waiting.iter().for_each(|place| self.stop_waiting(place));
        self.next_coming(tag, usize::MAX);
        owed.iter().for_each(|owed| self.settled(owed));
    }

    /// Subscribers are to be told of a resource later.
    pub fn wait(&mut self, place: ResourcePlace) {
        if let Some(account) = self.account_at(&place).cloned() {
            self.waiting.put(&account, place.tag, (place.id, place.resource));
        }
    }

    /// What waits in a channel for being told.
    pub fn waiting_in(&self, tag: u64) -> impl Iterator<Item = ResourcePlace> {
        self.waiting.of(tag).map(move |(id, resource)| ResourcePlace {
            tag,
            id: id.clone(),
            resource: resource.clone(),
        })
    }

    /// Subscribers are about to be told of a resource.
    pub fn stop_waiting(&mut self, place: &ResourcePlace) {
        self.waiting.take(place.tag, &(place.id.clone(), place.resource.clone()));
    }

    /// Channels to which something is to be brought, or in which something waits or is owed, behind one, up to so many.
    pub fn channels_to_tell(&self, behind: Option<&u64>, count: usize) -> Vec<u64> {
        let waiting = self.waiting.channels_behind(behind).take(count);
        let coming = self.coming.channels_behind(behind).take(count);
        let owed = self.owed.channels_behind(behind).take(count);
        let all: BTreeSet<u64> = waiting.chain(coming).chain(owed).collect();
        all.into_iter().take(count).collect()
    }

    /// Somebody is to be sent the presence of everybody in a channel. What is owed to one account takes no more than its
    /// share of the room.
    pub fn deliver_later(&mut self, tag: u64, whom: OwedTo) {
        let account = whom.account().clone();
        if self.owed.len_of(&account) < OWED_MAX {
            self.owed.put(&account, tag, whom);
        }
    }

    /// To whom the presence of a channel is owed.
    pub fn undelivered_in(&self, tag: u64) -> impl Iterator<Item = (u64, OwedTo)> {
        self.owed.of(tag).map(move |whom| (tag, whom.clone()))
    }

    /// How much is owed.
    pub fn undelivered_count(&self) -> usize {
        self.owed.len()
    }

    /// The next one who is owed everybody's presence: one after the other, in a circle.
    pub fn next_undelivered(&mut self) -> Option<(u64, OwedTo)> {
        self.looked_at = self.owed.next_behind(self.looked_at.as_ref()).cloned();
        self.looked_at.clone()
    }

    /// What was owed is owed no longer.
    pub fn settled(&mut self, (tag, whom): &(u64, OwedTo)) {
        self.owed.take(*tag, whom);
    }

    /// Whether a channel's participants were asked for their presence since the link is up.
    pub fn is_probed(&self, tag: u64) -> bool {
        self.probed.contains(&tag)
    }

    /// Whether a channel's participants have to be asked for their presence; they are about to be.
    pub fn wants_probing(&mut self, tag: u64) -> bool {
        self.probed.insert(tag)
    }

    /// A channel's participants have to be asked again when it comes into memory.
    pub fn probe_again(&mut self, tag: u64) {
        self.probed.remove(&tag);
    }

    /// A participant is to be asked for its presence.
    pub fn probe(&mut self, name: &ChannelName, account: &BareJid) {
        let probe = (self.probe_count, name.clone(), account.clone());
        if self.probes.put(account, probe) != Put::Refused {
            self.probe_count += 1;
        }
    }

    /// Who is asked next, up to so many; they are about to be.
    pub fn next_probes(&mut self, count: usize) -> Vec<(ChannelName, BareJid)> {
        let probes: Vec<_> = self.probes.iter().take(count).cloned().collect();
        probes.iter().for_each(|probe| drop(self.probes.take(probe)));
        probes.into_iter().map(|(_, name, account)| (name, account)).collect()
    }

    /// The link is up again: whoever is not heard of is asked whether it is still there.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn link_up(&mut self) {
        self.probed.clear();
        self.probes.clear();
        let people = self.nodes.values().flat_map(|node| node.people.values());
        let entries = people.flat_map(|person| person.resources.keys().map(|name| (&person.account, name)));
        let broadcast = self.broadcast.iter();
        let broadcast = broadcast.flat_map(|(account, resources)| resources.keys().map(move |name| (account, name)));
        let fulls = entries.chain(broadcast).filter_map(|(account, name)| account.with_resource_str(name).ok());
        let ranked: BTreeSet<(u64, FullJid)> = fulls.map(|full| self.lot.place(&full)).collect();
        self.doubtful = ranked;
    }

    /// Something says that a resource may be gone; `is_reached`: messages go there.
    pub fn doubt(&mut self, full: &FullJid, is_reached: bool) {
        let (account, resource) = (full.to_bare(), full.resource().as_str());
        let broadcasts = self.broadcast.get(&account).is_some_and(|resources| resources.contains_key(resource));
        if broadcasts || is_reached || !self.places_of_resource(full).is_empty() {
            self.doubtful.insert(self.lot.place(full));
        }
    }

    /// Whoever says something to all channels at some domains may be gone.
    pub fn doubt_where(&mut self, is_meant: impl Fn(&str) -> bool) {
        self.doubt_some(is_meant, WAITING_MAX);
    }

    /// The same, of so many at most.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub(super) fn doubt_some(&mut self, is_meant: impl Fn(&str) -> bool, max: usize) {
        let accounts = self.broadcast.iter().filter(|(account, _)| is_meant(account.domain().as_str()));
        let names = accounts.flat_map(|(account, resources)| resources.keys().map(move |name| (account, name)));
        let fulls = names.filter_map(|(account, name)| account.with_resource_str(name).ok());
        let mut ranked: BTreeSet<(u64, FullJid)> = BTreeSet::new();
        // Where there are more, the lot says who is asked.
        for full in fulls {
            ranked.insert(self.lot.place(&full));
            if ranked.len() > max {
                ranked.pop_last();
            }
        }
        self.doubtful.append(&mut ranked);
    }

    /// A resource was heard of.
    pub fn trust(&mut self, full: &FullJid) {
        self.doubtful.remove(&self.lot.place(full));
    }

    /// Resources that are to be asked whether they are still there, up to so many; they are about to be.
    pub fn next_doubtful(&mut self, count: usize) -> Vec<FullJid> {
        (0..count).map_while(|_| self.doubtful.pop_first()).map(|(_, full)| full).collect()
    }
}
