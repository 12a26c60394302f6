//! Presence to deliver later, probes, and resources that may be gone.

use super::{Online, OwedTo, ResourcePlace};
use crate::channel::ChannelName;
use crate::engine::fairness::pool::Put;
use crate::engine::presence::waiting::WAITING_MAX;
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;

/// The most recipients of one account that wait for the presence of all participants: an account in 500 channels may
/// come online at once.
const OWED_MAX: usize = 1000;

impl Online {
    /// Forgets everything that waits in a channel.
    pub fn drop_waiting(&mut self, tag: u64) {
        let (waiting, owed): (Vec<_>, Vec<_>) = (self.waiting_in(tag).collect(), self.undelivered_in(tag).collect());
        waiting.iter().for_each(|place| self.stop_waiting(place));
        self.next_coming(tag, usize::MAX);
        owed.iter().for_each(|owed| self.settled(owed));
    }

    /// Delivers presence of a resource later.
    pub fn wait(&mut self, place: ResourcePlace) {
        if let Some(account) = self.account_at(&place).cloned() {
            self.waiting.put(&account, place.tag, (place.id, place.resource));
        }
    }

    /// Resources in a channel whose presence is not delivered yet.
    pub fn waiting_in(&self, tag: u64) -> impl Iterator<Item = ResourcePlace> {
        self.waiting.of(tag).map(move |(id, resource)| ResourcePlace {
            tag,
            id: id.clone(),
            resource: resource.clone(),
        })
    }

    /// Presence of a resource is delivered now.
    pub fn stop_waiting(&mut self, place: &ResourcePlace) {
        self.waiting.take(place.tag, &(place.id.clone(), place.resource.clone()));
    }

    /// Up to `count` channels after `behind` with presence to deliver.
    pub fn channels_to_tell(&self, behind: Option<&u64>, count: usize) -> Vec<u64> {
        let waiting = self.waiting.channels_behind(behind).take(count);
        let coming = self.coming.channels_behind(behind).take(count);
        let owed = self.owed.channels_behind(behind).take(count);
        let all: BTreeSet<u64> = waiting.chain(coming).chain(owed).collect();
        all.into_iter().take(count).collect()
    }

    /// Queues a recipient for the presence of all participants, within the account's bound.
    pub fn deliver_later(&mut self, tag: u64, whom: OwedTo) {
        let account = whom.account().clone();
        if self.owed.len_of(&account) < OWED_MAX {
            self.owed.put(&account, tag, whom);
        }
    }

    /// Recipients that wait in a channel for the presence of all participants.
    pub fn undelivered_in(&self, tag: u64) -> impl Iterator<Item = (u64, OwedTo)> {
        self.owed.of(tag).map(move |whom| (tag, whom.clone()))
    }

    /// How many such recipients wait.
    pub fn undelivered_count(&self) -> usize {
        self.owed.len()
    }

    /// The next recipient, in a circle.
    pub fn next_undelivered(&mut self) -> Option<(u64, OwedTo)> {
        self.looked_at = self.owed.next_behind(self.looked_at.as_ref()).cloned();
        self.looked_at.clone()
    }

    /// Removes a recipient.
    pub fn settled(&mut self, (tag, whom): &(u64, OwedTo)) {
        self.owed.take(*tag, whom);
    }

    /// Whether a channel probed its participants since the link came up.
    pub fn is_probed(&self, tag: u64) -> bool {
        self.probed.contains(&tag)
    }

    /// Marks a channel as having probed. Returns whether it had not.
    pub fn wants_probing(&mut self, tag: u64) -> bool {
        self.probed.insert(tag)
    }

    /// The channel probes again when it is next in memory.
    pub fn probe_again(&mut self, tag: u64) {
        self.probed.remove(&tag);
    }

    /// Queues a participant to be probed.
    pub fn probe(&mut self, name: &ChannelName, account: &BareJid) {
        let probe = (self.probe_count, name.clone(), account.clone());
        if self.probes.put(account, probe) != Put::Refused {
            self.probe_count += 1;
        }
    }

    /// Takes up to `count` participants to probe.
    pub fn next_probes(&mut self, count: usize) -> Vec<(ChannelName, BareJid)> {
        let probes: Vec<_> = self.probes.iter().take(count).cloned().collect();
        probes.iter().for_each(|probe| drop(self.probes.take(probe)));
        probes.into_iter().map(|(_, name, account)| (name, account)).collect()
    }

    /// The link came up. Resources that are not heard of will be asked whether they are online.
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

    /// A resource may be gone. `is_reached`: it takes MIX traffic.
    pub fn doubt(&mut self, full: &FullJid, is_reached: bool) {
        let (account, resource) = (full.to_bare(), full.resource().as_str());
        let broadcasts = self.broadcast.get(&account).is_some_and(|resources| resources.contains_key(resource));
        if broadcasts || is_reached || !self.places_of_resource(full).is_empty() {
            self.doubtful.insert(self.lot.place(full));
        }
    }

    /// Resources with broadcast presence at some domains may be gone.
    pub fn doubt_where(&mut self, is_meant: impl Fn(&str) -> bool) {
        self.doubt_some(is_meant, WAITING_MAX);
    }

    /// The same, for at most `max` resources.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub(super) fn doubt_some(&mut self, is_meant: impl Fn(&str) -> bool, max: usize) {
        let accounts = self.broadcast.iter().filter(|(account, _)| is_meant(account.domain().as_str()));
        let names = accounts.flat_map(|(account, resources)| resources.keys().map(move |name| (account, name)));
        let fulls = names.filter_map(|(account, name)| account.with_resource_str(name).ok());
        let mut ranked: BTreeSet<(u64, FullJid)> = BTreeSet::new();
        // Beyond the bound, the lot decides.
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

    /// Takes up to `count` resources to ask whether they are online.
    pub fn next_doubtful(&mut self, count: usize) -> Vec<FullJid> {
        (0..count).map_while(|_| self.doubtful.pop_first()).map(|(_, full)| full).collect()
    }
}
