//! What the presence nodes of channels hold: which resources of participants are online, and what subscribers were told
//! of that (XEP-0403 §3.5).
//!
//! Volatile (storage.md §6), apart from the channels in memory, and bounded: where there is no room, a resource of whoever
//! takes most of it is not shown any more.

mod later;

use super::super::fairness::lot::Lot;
use super::super::fairness::pool::Pool;
use super::super::share::{Full, Hit, OwnDomains, Shares};
use super::waiting::{WAITING_MAX, Waiting};
use crate::channel::ChannelName;
use crate::xep::mix_presence::{Availability, Shared};
use jid::{BareJid, FullJid};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Resources of one account in one channel.
const RESOURCES_MAX: usize = 32;
/// All of it together, in bytes.
const BYTES_MAX: usize = 256 << 20;
/// What an entry costs besides its texts, in bytes.
const ENTRY_BYTES: usize = 256;

/// A resource of an account in a channel, by the channel's tag.
pub type ResourcePlace = (u64, BareJid, String);

/// To whom everybody's presence is owed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwedTo {
    /// Everywhere where the account is reached.
    Account(BareJid),
    /// A resource that came online.
    Resource(BareJid, String),
}

impl OwedTo {
    /// Whose it is.
    fn account(&self) -> &BareJid {
        let (OwedTo::Account(account) | OwedTo::Resource(account, _)) = self;
        account
    }
}

/// What one resource shares with one channel.
#[derive(Debug, Default)]
pub struct PresenceEntry {
    /// What it says; `None`: it is offline.
    pub says: Option<Availability>,
    /// What subscribers were told last; `None`: nothing, or that it is offline.
    pub told: Option<Shared>,
    /// Whether it came online and was not told of the others yet.
    pub is_new: bool,
}

impl PresenceEntry {
    /// What it takes of the room. Whoever is offline is on its way out.
    fn bytes(&self) -> usize {
        let Some(says) = &self.says else { return 0 };
        ENTRY_BYTES + says.bytes() + self.told.as_ref().map_or(0, Shared::bytes)
    }
}

/// The presence node of one channel.
#[derive(Debug)]
struct PresenceNode {
    name: ChannelName,
    accounts: BTreeMap<BareJid, BTreeMap<String, PresenceEntry>>,
}

/// See the module.
#[derive(Debug)]
pub struct Online {
    nodes: HashMap<u64, PresenceNode>,
    /// The channels in whose nodes an account is.
    channels: HashMap<BareJid, BTreeSet<u64>>,
    /// What resources say to all channels at once, as their host server tells it (XEP-0356).
    broadcast: HashMap<BareJid, BTreeMap<String, Availability>>,
    /// What all of it takes, in bytes.
    room: Shares<BareJid>,
    /// What subscribers have yet to be told, since too much came at once or the channel is not in memory.
    waiting: Waiting<(BareJid, String)>,
    /// To whom everybody's presence is yet to be sent.
    owed: Waiting<OwedTo>,
    /// Who of those was looked at last.
    looked_at: Option<(u64, OwedTo)>,
    /// Accounts whose broadcast presence is yet to be brought to their channels.
    due: Pool<BareJid, (u64, BareJid)>,
    /// Up to which channel, where that has begun.
    brought: HashMap<BareJid, ChannelName>,
    /// Channels whose participants were asked for their presence since the link is up.
    probed: HashSet<u64>,
    /// Who is yet to be asked, by which channel.
    probes: Pool<BareJid, (u64, ChannelName, BareJid)>,
    /// How many were to be asked so far.
    probe_count: u64,
    /// Resources of which it is not known whether they outlasted a lost link.
    doubtful: BTreeSet<(u64, FullJid)>,
    /// The order in which accounts are gone through.
    lot: Lot,
}

impl Online {
    /// Nobody is online yet. Accounts are gone through in the order of a lot.
    pub fn new(lot: Lot, own_domains: &OwnDomains) -> Online {
        Online { lot, ..Online::of_bytes(BYTES_MAX, own_domains) }
    }

    /// The same, with so much room.
    pub fn of_bytes(bytes_max: usize, own_domains: &OwnDomains) -> Online {
        Online {
            nodes: HashMap::new(),
            channels: HashMap::new(),
            broadcast: HashMap::new(),
            room: Shares::new("presence", bytes_max, own_domains.clone()),
            waiting: Waiting::new("presence to be told", WAITING_MAX, own_domains),
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

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let Online { room, waiting, owed, due, probes, .. } = self;
        room.hits().chain(waiting.hits()).chain(owed.hits()).chain(due.hits()).chain(probes.hits())
    }

    /// A resource says something to a channel; whether there is room for it.
    pub fn say(&mut self, tag: u64, name: &ChannelName, full: &FullJid, says: Availability) -> bool {
        let (account, resource) = (full.to_bare(), full.resource().as_str());
        let resources = self.nodes.get(&tag).and_then(|node| node.accounts.get(&account));
        let known = resources.map_or(0, BTreeMap::len);
        let is_known = resources.is_some_and(|resources| resources.contains_key(resource));
        let before = self.entry(&(tag, account.clone(), resource.to_owned())).map_or(0, PresenceEntry::bytes);
        let grows = (ENTRY_BYTES + says.bytes()).saturating_sub(before);
        if (!is_known && known >= RESOURCES_MAX) || !self.find_room(&account, grows) {
            return false;
        }
        self.channels.entry(account.clone()).or_default().insert(tag);
        let node =
            self.nodes.entry(tag).or_insert_with(|| PresenceNode { name: name.clone(), accounts: BTreeMap::new() });
        let entry = node.accounts.entry(account.clone()).or_default().entry(resource.to_owned()).or_default();
        // It may have gone for itself.
        self.room.give_back(&account, entry.bytes());
        entry.is_new |= entry.says.replace(says).is_none();
        self.room.count(&account, entry.bytes());
        true
    }

    /// Makes room for so many bytes more of one account: whoever takes most of it is not shown any more, resource by
    /// resource.
    fn find_room(&mut self, account: &BareJid, bytes: usize) -> bool {
        loop {
            match self.room.take(account, bytes) {
                Ok(()) => {
                    // It is counted with what is entered.
                    self.room.give_back(account, bytes);
                    return true;
                }
                Err(Full::Of(loser)) if self.oust(&loser) => {}
                Err(_) => return false,
            }
        }
    }

    /// A resource of an account is not shown any more; whether there was one.
    fn oust(&mut self, account: &BareJid) -> bool {
        let resources = self.broadcast.get(account).into_iter().flatten();
        let mut told = resources.filter_map(|(name, _)| account.with_resource_str(name).ok());
        if let Some(full) = told.next() {
            self.end_broadcast(&full);
            return true;
        }
        let tags = self.channels.get(account).into_iter().flatten().copied();
        let shown = |tag: u64| self.places_of(tag, account).into_iter().find(|place| self.is_online(place));
        let Some(place) = tags.filter_map(shown).next() else { return false };
        self.unavailable(place.0, account, &place.2);
        match self.entry(&place).is_some_and(|entry| entry.told.is_some()) {
            true => self.wait(place),
            false => self.drop_entry(place.0, account, &place.2),
        }
        true
    }

    fn is_online(&self, place: &ResourcePlace) -> bool {
        self.entry(place).is_some_and(|entry| entry.says.is_some())
    }

    /// Keeps nothing of a resource in a channel that subscribers were not told of either.
    pub fn forget(&mut self, (tag, account, resource): &ResourcePlace) {
        self.drop_entry(*tag, account, resource);
    }

    /// A resource is offline as far as a channel is concerned; whether it was online.
    pub fn unavailable(&mut self, tag: u64, account: &BareJid, resource: &str) -> bool {
        self.change(tag, account, resource, |entry| entry.says.take().is_some()).unwrap_or(false)
    }

    /// Whether a resource came online and was not told of the others yet; it is about to be.
    pub fn take_news(&mut self, (tag, account, resource): &ResourcePlace) -> bool {
        let taken = self.change(*tag, account, resource, |entry| std::mem::take(&mut entry.is_new));
        taken == Some(true)
    }

    /// Notes what subscribers were told of a resource. Of one that is offline nothing is kept.
    pub fn tell(&mut self, (tag, account, resource): &ResourcePlace, told: Option<Shared>) {
        let is_over = self.change(*tag, account, resource, |entry| {
            entry.told = told;
            entry.told.is_none() && entry.says.is_none()
        });
        if is_over == Some(true) {
            self.drop_entry(*tag, account, resource);
        }
    }

    fn change<T>(
        &mut self,
        tag: u64,
        account: &BareJid,
        resource: &str,
        change: impl FnOnce(&mut PresenceEntry) -> T,
    ) -> Option<T> {
        let entry = self.nodes.get_mut(&tag)?.accounts.get_mut(account)?.get_mut(resource)?;
        let before = entry.bytes();
        let result = change(entry);
        let after = entry.bytes();
        self.room.count(account, after);
        self.room.give_back(account, before);
        Some(result)
    }

    fn drop_entry(&mut self, tag: u64, account: &BareJid, resource: &str) {
        let Some(node) = self.nodes.get_mut(&tag) else { return };
        let Some(resources) = node.accounts.get_mut(account) else { return };
        self.room.give_back(account, resources.remove(resource).map_or(0, |entry| entry.bytes()));
        if !resources.is_empty() {
            return;
        }
        node.accounts.remove(account);
        if node.accounts.is_empty() {
            self.nodes.remove(&tag);
        }
        if let Some(channels) = self.channels.get_mut(account) {
            channels.remove(&tag);
            if channels.is_empty() {
                self.channels.remove(account);
            }
        }
    }

    /// Forgets a channel that is no more.
    pub fn drop_channel(&mut self, tag: u64) {
        self.places(tag).iter().for_each(|(_, account, resource)| self.drop_entry(tag, account, resource));
        self.drop_waiting(tag);
        self.probed.remove(&tag);
    }

    /// What is known of a resource in a channel.
    pub fn entry(&self, (tag, account, resource): &ResourcePlace) -> Option<&PresenceEntry> {
        self.nodes.get(tag)?.accounts.get(account)?.get(resource)
    }

    /// Every resource in a channel.
    pub fn places(&self, tag: u64) -> Vec<ResourcePlace> {
        let accounts = self.nodes.get(&tag).map(|node| &node.accounts).into_iter().flatten();
        let places = accounts.flat_map(|(account, resources)| {
            resources.keys().map(move |resource| (tag, account.clone(), resource.clone()))
        });
        places.collect()
    }

    /// The resources of one account in a channel.
    pub fn places_of(&self, tag: u64, account: &BareJid) -> Vec<ResourcePlace> {
        let resources = self.nodes.get(&tag).and_then(|node| node.accounts.get(account)).into_iter().flatten();
        resources.map(|(resource, _)| (tag, account.clone(), resource.clone())).collect()
    }

    /// Of how many accounts resources are in a channel's node.
    pub fn accounts(&self, tag: u64) -> usize {
        self.nodes.get(&tag).map_or(0, |node| node.accounts.len())
    }

    /// What subscribers know of a channel's participants, in the order of what is shown: that of accounts and resources
    /// would tell something of them where they are hidden.
    pub fn told(&self, tag: u64) -> Vec<(&BareJid, &Shared)> {
        let accounts = self.nodes.get(&tag).map(|node| &node.accounts).into_iter().flatten();
        let told = accounts.flat_map(|(account, resources)| {
            resources.values().filter_map(move |entry| Some((account, entry.told.as_ref()?)))
        });
        let mut told: Vec<_> = told.collect();
        told.sort_by(|(_, a), (_, b)| a.from().cmp(b.from()));
        told
    }

    /// The same of one account.
    pub fn told_of(&self, tag: u64, account: &BareJid) -> Vec<&Shared> {
        let resources = self.nodes.get(&tag).and_then(|node| node.accounts.get(account)).into_iter().flatten();
        let mut told: Vec<&Shared> = resources.filter_map(|(_, entry)| entry.told.as_ref()).collect();
        told.sort_by(|a, b| a.from().cmp(b.from()));
        told
    }

    /// The channels in whose nodes a resource is.
    pub fn channels_of(&self, full: &FullJid) -> Vec<u64> {
        let (account, resource) = (full.to_bare(), full.resource().as_str().to_owned());
        let tags = self.channels.get(&account).into_iter().flatten().copied();
        tags.filter(|&tag| self.entry(&(tag, account.clone(), resource.clone())).is_some()).collect()
    }

    /// The name of a channel in whose node somebody is, or to which something is owed.
    pub fn name_of(&self, tag: u64) -> Option<&ChannelName> {
        self.nodes.get(&tag).map(|node| &node.name)
    }

    /// A resource says something to all channels at once; whether that is something else than before. Those who are in no
    /// channel leave half of the room to those who are in one.
    pub fn broadcast(&mut self, full: &FullJid, says: Availability, is_member: bool) -> bool {
        let (account, resource) = (full.to_bare(), full.resource().as_str());
        let resources = self.broadcast.get(&account);
        let past = resources.and_then(|resources| resources.get(resource));
        let is_full = resources.is_some_and(|resources| resources.len() >= RESOURCES_MAX)
            || (!is_member && self.room.held() >= self.room.max() / 2);
        if past == Some(&says) || (past.is_none() && is_full) {
            return false;
        }
        let cost = |says: &Availability| ENTRY_BYTES + says.bytes();
        let grows = cost(&says).saturating_sub(past.map_or(0, cost));
        if !self.find_room(&account, grows) {
            return false;
        }
        self.room.count(&account, cost(&says));
        let past = self.broadcast.entry(account.clone()).or_default().insert(resource.to_owned(), says);
        self.room.give_back(&account, past.as_ref().map_or(0, cost));
        true
    }

    /// A resource says nothing to all channels any more.
    pub fn end_broadcast(&mut self, full: &FullJid) {
        let account = full.to_bare();
        let Some(resources) = self.broadcast.get_mut(&account) else { return };
        let past = resources.remove(full.resource().as_str());
        let is_over = resources.is_empty();
        self.room.give_back(&account, past.map_or(0, |says| ENTRY_BYTES + says.bytes()));
        if is_over {
            self.broadcast.remove(&account);
        }
    }

    /// What the resources of an account say to all channels at once.
    pub fn broadcasts_of(&self, account: &BareJid) -> Vec<(FullJid, Availability)> {
        let resources = self.broadcast.get(account).into_iter().flatten();
        let known = resources.filter_map(|(name, says)| Some((account.with_resource_str(name).ok()?, says.clone())));
        known.collect()
    }
}

#[cfg(test)]
#[path = "online_tests.rs"]
mod tests;
