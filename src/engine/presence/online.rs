//! XEP-0403 §3.5: the presence nodes of channels. They hold which resources of participants are available, and what was
//! delivered to subscribers of that.
//!
//! Presence that an account sends to all channels (`broadcast`) reaches some channels each turn (`due`, `brought`), and
//! waits for a channel that is not in memory (`coming`). Presence in one channel is delivered at once, or waits for its
//! rate (`waiting`). A resource that comes online gets the presence of all participants, at once or later (`owed`).
//!
//! The nodes are volatile (storage.md §6), kept apart from the channels in memory, and bounded. Without room, a
//! resource of the account that holds most becomes unavailable.

mod broadcast;
mod later;
mod node;
mod remembered;

use super::super::fairness::lot::Lot;
use super::super::fairness::pool::Pool;
use super::super::share::{Full, Hit, OwnDomains, Shares};
use super::waiting::{WAITING_MAX, Waiting};
use crate::channel::{ChannelName, ParticipantId};
use crate::xep::availability::{Availability, SharedPresence};
use crate::xep::mix_presence::Resource;
use jid::{BareJid, FullJid};
use node::{ENTRY_BYTES, PersonOnline, PresenceNode, places_of};
pub use node::{Known, PresenceEntry, ResourcePlace};
pub use remembered::{KnownResource, OnlineMemory};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The most resources of one account in one channel.
const RESOURCES_MAX: usize = 32;
/// Participants who were online, so that it is known when they are offline.
const SEEN_MAX: usize = 1_000_000;
/// The most bytes of all nodes.
const BYTES_MAX: usize = 256 << 20;

/// A recipient of the presence of all participants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OwedTo {
    /// All addresses where the account is reached.
    Account(BareJid),
    /// A resource that became available.
    Resource(BareJid, String),
}

impl OwedTo {
    /// The account.
    fn account(&self) -> &BareJid {
        let (OwedTo::Account(account) | OwedTo::Resource(account, _)) = self;
        account
    }
}

/// All presence nodes.
#[derive(Debug)]
pub struct Online {
    nodes: HashMap<u64, PresenceNode>,
    /// The channels in whose nodes an account is, and its participant id there.
    channels: HashMap<BareJid, BTreeMap<u64, ParticipantId>>,
    /// XEP-0356 §7: presence of resources that goes to all of their channels, as a host server sends it.
    broadcast: HashMap<BareJid, BTreeMap<String, Availability>>,
    /// How many participants are known to have been online, in all channels.
    seen: usize,
    /// The bytes of all nodes, with shares.
    room: Shares<BareJid>,
    /// Presence that is not delivered yet, because of its rate or because the channel is not in memory.
    waiting: Waiting<(ParticipantId, String)>,
    /// Accounts whose broadcast presence has yet to reach a channel that is not in memory, in the order of a lot.
    coming: Waiting<((u64, BareJid), ChannelName)>,
    /// Recipients to whom the presence of all participants is not delivered yet.
    owed: Waiting<OwedTo>,
    /// The recipient looked at last.
    looked_at: Option<(u64, OwedTo)>,
    /// Accounts whose broadcast presence has yet to reach their channels.
    due: Pool<BareJid, (u64, BareJid)>,
    /// The last channel reached, if that has begun.
    brought: HashMap<BareJid, ChannelName>,
    /// Channels that probed their participants since the link came up.
    probed: HashSet<u64>,
    /// Participants to probe, and for which channel.
    probes: Pool<BareJid, (u64, ChannelName, BareJid)>,
    /// How many probes were ever added.
    probe_count: u64,
    /// Resources that may have gone offline while the link was down.
    doubtful: BTreeSet<(u64, FullJid)>,
    /// The order in which accounts are gone through.
    lot: Lot,
}

impl Online {
    /// No presence. Accounts are gone through in the order of a lot.
    pub fn new(lot: Lot, own_domains: &OwnDomains) -> Online {
        Online { lot, ..Online::of_bytes(BYTES_MAX, own_domains) }
    }

    /// No presence, with room for `bytes_max`.
    pub fn of_bytes(bytes_max: usize, own_domains: &OwnDomains) -> Online {
        Online {
            nodes: HashMap::new(),
            channels: HashMap::new(),
            broadcast: HashMap::new(),
            seen: 0,
            room: Shares::new("presence", bytes_max, own_domains.clone()),
            waiting: Waiting::new("presence to be told", WAITING_MAX, own_domains),
            coming: Waiting::new("presence for channels not in memory", WAITING_MAX, own_domains),
            owed: Waiting::new("presence of everybody", WAITING_MAX, own_domains),
            looked_at: None,
            due: Pool::new("presence to be brought", WAITING_MAX, own_domains.clone()),
            brought: HashMap::new(),
            probed: HashSet::new(),
            probes: Pool::new("probes", WAITING_MAX, own_domains.clone()),
            probe_count: 0,
            doubtful: BTreeSet::new(),
            lot: Lot::default(),
        }
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let Online { room, waiting, coming, owed, due, probes, .. } = self;
        let waiting = waiting.hits().chain(coming.hits()).chain(owed.hits());
        room.hits().chain(waiting).chain(due.hits()).chain(probes.hits())
    }

    /// Sets what a resource of this participant is in a channel. Returns its place, if there is room.
    pub fn say(
        &mut self,
        tag: u64,
        name: &ChannelName,
        id: &ParticipantId,
        full: &FullJid,
        says: Availability,
    ) -> Option<ResourcePlace> {
        let account = full.to_bare();
        self.identify(tag, &account, id);
        let place = ResourcePlace { tag, id: id.clone(), resource: full.resource().to_string() };
        let before = self.entry(&place).map(PresenceEntry::bytes);
        let count = self.nodes.get(&tag).and_then(|node| node.people.get(id)).map_or(0, |it| it.resources.len());
        let grows = (ENTRY_BYTES + says.bytes()).saturating_sub(before.unwrap_or(0));
        if (before.is_none() && count >= RESOURCES_MAX) || !self.find_room(&account, grows) {
            return None;
        }
        self.channels.entry(account.clone()).or_default().insert(tag, id.clone());
        let node = self.nodes.entry(tag).or_insert_with(|| PresenceNode::new(name.clone()));
        let new = || PersonOnline { account: account.clone(), resources: BTreeMap::new() };
        let person = node.people.entry(id.clone()).or_insert_with(new);
        let entry = person.resources.entry(place.resource.clone()).or_default();
        // Making room may have removed the entry.
        self.room.give_back(&account, entry.bytes());
        entry.is_new |= entry.says.replace(says).is_none();
        self.room.count(&account, entry.bytes());
        Some(place)
    }

    /// Changes the participant id of an account in a channel. What is known of the account stays.
    pub fn identify(&mut self, tag: u64, account: &BareJid, id: &ParticipantId) {
        let Some(known) = self.channels.get_mut(account).and_then(|channels| channels.get_mut(&tag)) else { return };
        if known == id {
            return;
        }
        let past = std::mem::replace(known, id.clone());
        let Some(node) = self.nodes.get_mut(&tag) else { return };
        if node.seen.remove(&past) {
            self.seen -= usize::from(!node.seen.insert(id.clone()));
        }
        let Some(person) = node.people.remove(&past) else { return };
        for resource in person.resources.keys() {
            if self.waiting.take(tag, &(past.clone(), resource.clone())) {
                self.waiting.put(account, tag, (id.clone(), resource.clone()));
            }
        }
        node.people.insert(id.clone(), person);
    }

    /// Makes room for more bytes of an account. Resources of the account that holds most become unavailable, one by
    /// one. Returns whether there is room.
    fn find_room(&mut self, account: &BareJid, bytes: usize) -> bool {
        loop {
            match self.room.take(account, bytes) {
                Ok(()) => {
                    // It is counted later, with the entry.
                    self.room.give_back(account, bytes);
                    return true;
                }
                Err(Full::Of(loser)) if self.oust(&loser) => {}
                Err(_) => return false,
            }
        }
    }

    /// Makes one resource of an account unavailable. Returns whether there was one.
    fn oust(&mut self, account: &BareJid) -> bool {
        let resources = self.broadcast.get(account).into_iter().flatten();
        let mut told = resources.filter_map(|(name, _)| account.with_resource_str(name).ok());
        if let Some(full) = told.next() {
            self.end_broadcast(&full);
            return true;
        }
        let tags = self.channels.get(account).into_iter().flatten().map(|(tag, _)| *tag);
        let shown = |tag: u64| self.places_of(tag, account).into_iter().find(|place| self.is_available(place));
        let Some(place) = tags.filter_map(shown).next() else { return false };
        self.unavailable(&place);
        match self.entry(&place).is_some_and(|entry| entry.told.is_some()) {
            true => self.wait(place),
            false => self.forget(&place),
        }
        true
    }

    fn is_available(&self, place: &ResourcePlace) -> bool {
        self.entry(place).is_some_and(|entry| entry.says.is_some())
    }

    /// Sets a resource `unavailable` in a channel. Returns whether it was available.
    pub fn unavailable(&mut self, place: &ResourcePlace) -> bool {
        self.change(place, |entry| entry.says.take().is_some()).unwrap_or(false)
    }

    /// Takes the mark of a resource that became available and has not got the others' presence.
    pub fn take_news(&mut self, place: &ResourcePlace) -> bool {
        self.change(place, |entry| std::mem::take(&mut entry.is_new)) == Some(true)
    }

    /// Notes what was delivered of a resource. Nothing is kept of an unavailable one.
    pub fn tell(&mut self, place: &ResourcePlace, told: Option<SharedPresence>) {
        let is_over = self.change(place, |entry| {
            entry.priority = entry.says.as_ref().map_or(entry.priority, Availability::priority);
            entry.told = told;
            entry.told.is_none() && entry.says.is_none()
        });
        if is_over == Some(true) {
            self.forget(place);
        }
    }

    fn change<T>(&mut self, place: &ResourcePlace, change: impl FnOnce(&mut PresenceEntry) -> T) -> Option<T> {
        let person = self.nodes.get_mut(&place.tag)?.people.get_mut(&place.id)?;
        let entry = person.resources.get_mut(&place.resource)?;
        let before = entry.bytes();
        let result = change(entry);
        self.room.count(&person.account, entry.bytes());
        self.room.give_back(&person.account, before);
        Some(result)
    }

    /// Forgets a resource in a channel.
    pub fn forget(&mut self, place: &ResourcePlace) {
        let ResourcePlace { tag, id, resource } = place;
        let Some(node) = self.nodes.get_mut(tag) else { return };
        let Some(person) = node.people.get_mut(id) else { return };
        self.room.give_back(&person.account, person.resources.remove(resource).map_or(0, |entry| entry.bytes()));
        if !person.resources.is_empty() {
            return;
        }
        let account = node.people.remove(id).map(|person| person.account);
        if node.is_empty() {
            self.nodes.remove(tag);
        }
        if let Some(account) = account
            && let Some(channels) = self.channels.get_mut(&account)
        {
            channels.remove(tag);
            if channels.is_empty() {
                self.channels.remove(&account);
            }
        }
    }

    /// Forgets a destroyed channel.
    pub fn drop_channel(&mut self, tag: u64) {
        self.places(tag).iter().for_each(|place| self.forget(place));
        self.seen -= self.nodes.remove(&tag).map_or(0, |node| node.seen.len());
        self.drop_waiting(tag);
        self.probed.remove(&tag);
    }

    /// A participant is online: from here on it is known when it is not.
    pub fn note_seen(&mut self, tag: u64, id: &ParticipantId) {
        let Some(node) = self.nodes.get_mut(&tag).filter(|_| self.seen < SEEN_MAX) else { return };
        self.seen += usize::from(node.seen.insert(id.clone()));
    }

    /// Somebody is no participant any more.
    pub fn forget_seen(&mut self, tag: u64, id: &ParticipantId) {
        let Some(node) = self.nodes.get_mut(&tag) else { return };
        self.seen -= usize::from(node.seen.remove(id));
        if node.is_empty() {
            self.nodes.remove(&tag);
        }
    }

    /// The entry of a resource in a channel.
    pub fn entry(&self, place: &ResourcePlace) -> Option<&PresenceEntry> {
        self.nodes.get(&place.tag)?.entry(place)
    }

    /// The account of an entry.
    pub fn account_at(&self, place: &ResourcePlace) -> Option<&BareJid> {
        Some(&self.nodes.get(&place.tag)?.people.get(&place.id)?.account)
    }

    /// All entries of a channel.
    pub fn places(&self, tag: u64) -> Vec<ResourcePlace> {
        self.nodes.get(&tag).map(|node| node.places(tag).collect()).unwrap_or_default()
    }

    /// The entries of one account in a channel.
    pub fn places_of(&self, tag: u64, account: &BareJid) -> Vec<ResourcePlace> {
        let person = || {
            let id = self.channels.get(account)?.get(&tag)?;
            Some(places_of(tag, id, self.nodes.get(&tag)?.people.get(id)?).collect())
        };
        person().unwrap_or_default()
    }

    /// The entry of a resource in a channel, if there is one.
    pub fn place_of(&self, tag: u64, full: &FullJid) -> Option<ResourcePlace> {
        let id = self.channels.get(&full.to_bare())?.get(&tag)?.clone();
        let place = ResourcePlace { tag, id, resource: full.resource().to_string() };
        self.entry(&place).is_some().then_some(place)
    }

    /// The entries of a resource in all channels.
    pub fn places_of_resource(&self, full: &FullJid) -> Vec<ResourcePlace> {
        let tags = self.channels.get(&full.to_bare()).into_iter().flatten();
        tags.filter_map(|(tag, _)| self.place_of(*tag, full)).collect()
    }

    /// How many accounts are in a channel's node.
    pub fn account_count(&self, tag: u64) -> usize {
        self.nodes.get(&tag).map_or(0, |node| node.people.len())
    }

    /// What was delivered of all participants, by participant id.
    pub fn told(&self, tag: u64) -> impl Iterator<Item = Resource<'_>> {
        self.nodes.get(&tag).into_iter().flat_map(PresenceNode::told)
    }

    /// What is known of a participant's presence, if anything is.
    pub fn known_of(&self, tag: u64, id: &ParticipantId) -> Option<Known<'_>> {
        self.nodes.get(&tag)?.known_of(id)
    }

    /// What was delivered of one participant.
    pub fn told_of(&self, tag: u64, id: &ParticipantId) -> Vec<Resource<'_>> {
        self.nodes.get(&tag).map(|node| node.told_of(id)).unwrap_or_default()
    }

    /// The name of a channel in whose node somebody is, or will be.
    pub fn name_of(&self, tag: u64) -> Option<&ChannelName> {
        let coming = || self.coming.of(tag).next().map(|(_, name)| name);
        self.nodes.get(&tag).map(|node| &node.name).or_else(coming)
    }
}

#[cfg(test)]
#[path = "online_tests.rs"]
mod tests;
