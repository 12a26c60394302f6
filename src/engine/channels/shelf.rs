//! The directory of all channels, and the channels in memory.
//!
//! A channel in memory is a cache of the store: it may be dropped between any two turns.

use super::super::share::{Hit, Shares};
use super::catalog::Catalog;
use super::sheets;
use crate::channel::census::ListedChannel;
use crate::channel::{Channel, ChannelName, Stamp};
use crate::store::{Directory, Listing};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

/// The directory, and the channels in memory.
pub(in crate::engine) struct ChannelShelf {
    pub(super) directory: BTreeMap<ChannelName, Listing>,
    pub(super) numbers: HashMap<u32, ChannelName>,
    /// How many channels each account created.
    pub(super) created: Shares<BareJid>,
    /// Listed channels, for pages of the list.
    pub(super) listed: Vec<ChannelName>,
    /// Channels with an end of life, by time.
    pub(super) ends: BTreeSet<(Stamp, ChannelName)>,
    /// Names that may or may not exist since a refused commit. Only the store knows.
    pub(super) doubtful: BTreeSet<ChannelName>,
    /// Channels that are in no list for now.
    pub(super) concealed: BTreeSet<ChannelName>,
    pub(super) channels: HashMap<ChannelName, Shelved>,
    /// Channels that stay in memory for now.
    pub(super) pinned: BTreeSet<ChannelName>,
    pub(super) bytes: usize,
    pub(super) bytes_max: usize,
    /// Participants of the channels in memory.
    pub(super) participants: usize,
    pub(super) uses: u64,
    /// The highest gid ever given.
    pub(super) gid_highest: u32,
    /// What published channels are searched by.
    pub(super) catalog: Catalog,
    /// Published channels of which the people are to be counted, by tag.
    pub(super) crowds: BTreeSet<u64>,
}

pub(super) struct Shelved {
    pub(super) channel: Channel,
    pub(super) bytes: usize,
    pub(super) participants: usize,
    pub(super) used: u64,
}

/// Totals of all channels and of those in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShelfCensus {
    /// Channels of the service.
    pub channels: usize,
    /// Channels in memory.
    pub channels_in_memory: usize,
    /// Their bytes.
    pub memory_bytes: usize,
    /// Their participants, counted once for each channel.
    pub participants_in_memory: usize,
}

impl ChannelShelf {
    /// The store's channels, none in memory. `created` has the shares of their creators.
    pub fn new(directory: Directory, bytes_max: usize, mut created: Shares<BareJid>) -> ChannelShelf {
        let Directory { mut listings, gid_highest, .. } = directory;
        let catalog = sheets::first(&mut listings);
        listings.iter().for_each(|listing| created.count(&listing.creator, 1));
        let directory: BTreeMap<_, _> = listings.into_iter().map(|listing| (listing.name.clone(), listing)).collect();
        ChannelShelf {
            created,
            gid_highest,
            numbers: directory.values().map(|listing| (listing.gid, listing.name.clone())).collect(),
            listed: directory.values().filter(|it| it.listed).map(|it| it.name.clone()).collect(),
            ends: directory.values().filter_map(end_of).collect(),
            directory,
            doubtful: BTreeSet::new(),
            concealed: BTreeSet::new(),
            channels: HashMap::new(),
            pinned: BTreeSet::new(),
            bytes: 0,
            bytes_max,
            participants: 0,
            uses: 0,
            catalog,
            crowds: BTreeSet::new(),
        }
    }

    pub fn census(&self) -> ShelfCensus {
        ShelfCensus {
            channels: self.directory.len(),
            channels_in_memory: self.channels.len(),
            memory_bytes: self.bytes,
            participants_in_memory: self.participants,
        }
    }

    #[expect(clippy::disallowed_methods, reason = "in any order: its callers say why that is no matter")]
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values().map(|shelved| &shelved.channel)
    }

    pub fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.channels.get(name).map(|shelved| &shelved.channel)
    }

    /// Changes a channel, and accounts for its size.
    pub fn change(&mut self, name: &ChannelName, change: impl FnOnce(&mut Channel)) {
        self.uses += 1;
        if let Some(shelved) = self.channels.get_mut(name) {
            change(&mut shelved.channel);
            shelved.used = self.uses;
            let bytes = shelved.channel.bytes();
            self.bytes = self.bytes + bytes - shelved.bytes;
            shelved.bytes = bytes;
            let participants = shelved.channel.participant_count();
            self.participants = self.participants + participants - shelved.participants;
            shelved.participants = participants;
            let (listed, end) = (shelved.channel.is_listed(), shelved.channel.settings().end_of_life);
            let Some(listing) = self.directory.get_mut(name) else { return };
            listing.shows_jids = shelved.channel.settings().shows_jids();
            if listing.end_of_life != end {
                end_of(listing).map(|past| self.ends.remove(&past));
                listing.end_of_life = end;
                self.ends.extend(end_of(listing));
            }
            let relisted = listing.listed != listed;
            listing.listed = listed;
            let title = Listing::kept_title(name, listed, shelved.channel.label());
            if listing.title.as_deref() != title {
                listing.title = title.map(Box::from);
            }
            if relisted {
                self.list(name, listed);
            }
        }
    }

    /// Marks a channel as just used, and updates its clock.
    pub fn touch(&mut self, name: &ChannelName, due: Stamp) {
        self.change(name, |channel| channel.note_time(due));
    }

    pub fn exists(&self, name: &ChannelName) -> bool {
        self.directory.contains_key(name)
    }

    /// The tag of an existing channel.
    pub fn tag_of(&self, name: &ChannelName) -> Option<u64> {
        self.directory.get(name).map(|listing| listing.tag)
    }

    /// Forgets who created an account's channels, because the account is no more.
    pub fn forget_creator(&mut self, account: &BareJid) {
        if self.created.held_by(account) == 0 {
            return;
        }
        for listing in self.directory.values_mut().filter(|listing| listing.creator == *account) {
            self.created.give_back(account, 1);
            listing.creator = BareJid::from_parts(None, account.domain());
            self.created.count(&listing.creator, 1);
        }
    }

    /// The channel with this tag. Walks over all.
    pub fn name_of(&self, tag: u64) -> Option<&ChannelName> {
        self.directory.values().find(|listing| listing.tag == tag).map(|listing| &listing.name)
    }

    /// Up to `count` names after `name`, of all channels.
    pub fn names_behind(&self, name: Option<&ChannelName>, count: usize) -> Vec<ChannelName> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        self.directory.range::<ChannelName, _>((from, Bound::Unbounded)).take(count).map(|(n, _)| n.clone()).collect()
    }

    /// Some channels whose end of life has come.
    pub fn ending(&self, now: Stamp, count: usize, is_wanted: impl Fn(&ChannelName) -> bool) -> Vec<ChannelName> {
        let due = self.ends.iter().take_while(|(end, _)| *end <= now).map(|(_, name)| name);
        due.filter(|name| is_wanted(name)).take(count).cloned().collect()
    }

    /// Up to `count` channels after `name`, as operators see them.
    pub fn listings_behind(&self, name: Option<&ChannelName>, count: usize) -> Vec<ListedChannel> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        let listings = self.directory.range::<ChannelName, _>((from, Bound::Unbounded)).take(count);
        let seen =
            |it: &Listing| ListedChannel { name: it.name.clone(), creator: it.creator.clone(), listed: it.listed };
        listings.map(|(_, listing)| seen(listing)).collect()
    }

    /// The channel with this gid.
    pub fn by_gid(&self, gid: u32) -> Option<&ChannelName> {
        self.numbers.get(&gid)
    }

    pub fn count(&self) -> usize {
        self.directory.len()
    }

    /// How many existing channels an account created.
    pub fn created_by(&self, creator: &BareJid) -> usize {
        self.created.held_by(creator)
    }

    /// Whether `creator` may create one more channel within the bounds. `for_all` says whether everybody may create
    /// channels.
    pub fn has_place_for(&mut self, creator: &BareJid, for_all: bool) -> bool {
        self.created.may_settle(creator, 1, for_all)
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.created.hits()
    }

    /// A gid that was never given. It is given when the channel is added. `None` if all are used up.
    pub fn next_gid(&self) -> Option<u32> {
        self.gid_highest.checked_add(1)
    }

    /// The highest gid ever given.
    pub fn gid_highest(&self) -> u32 {
        self.gid_highest
    }

    /// Takes back the gid of a channel that was not committed, and all higher ones: they are of the same turn.
    pub fn take_back(&mut self, gid: u32) {
        self.gid_highest = self.gid_highest.min(gid.saturating_sub(1));
    }

    /// Listed names, in order.
    pub fn listed(&self) -> &[ChannelName] {
        &self.listed
    }

    /// The name that people are shown of a channel that is listed.
    pub fn title_of(&self, name: &ChannelName) -> Option<String> {
        let listing = self.directory.get(name).filter(|listing| listing.listed)?;
        Some(listing.title.as_deref().map_or_else(|| name.unescaped().into_owned(), str::to_owned))
    }

    /// Whether a channel exists that only those who are in it find.
    pub fn is_unlisted(&self, name: &ChannelName) -> bool {
        self.directory.get(name).is_some_and(|listing| !listing.listed)
    }

    /// Whether a channel exists and shows real JIDs to its participants.
    pub fn shows_jids(&self, name: &ChannelName) -> bool {
        self.directory.get(name).is_some_and(|listing| listing.shows_jids)
    }

    /// Whether a channel has to be loaded before a turn that needs it.
    pub fn is_cold(&self, name: &ChannelName) -> bool {
        (self.exists(name) || self.doubtful.contains(name)) && !self.channels.contains_key(name)
    }

    pub fn put(&mut self, channel: Channel) {
        let (name, profile) = (channel.name().clone(), channel.profile());
        let listing = Listing {
            name: name.clone(),
            tag: profile.tag,
            gid: profile.gid,
            listed: channel.is_listed(),
            shows_jids: channel.settings().shows_jids(),
            end_of_life: channel.settings().end_of_life,
            creator: profile.creator.clone(),
            title: Listing::kept_title(&name, channel.is_listed(), channel.label()).map(Box::from),
            sign: None,
        };
        self.gid_highest = self.gid_highest.max(listing.gid);
        self.numbers.insert(listing.gid, name.clone());
        self.list(&name, listing.listed);
        self.created.count(&listing.creator, 1);
        let end = end_of(&listing);
        if let Some(before) = self.directory.insert(name.clone(), listing) {
            end_of(&before).map(|past| self.ends.remove(&past));
            self.created.give_back(&before.creator, 1);
        }
        self.ends.extend(end);
        self.doubtful.remove(&name);
        self.uses += 1;
        let bytes = channel.bytes();
        self.bytes += bytes;
        let participants = channel.participant_count();
        self.participants += participants;
        self.channels.insert(name.clone(), Shelved { channel, bytes, participants, used: self.uses });
        self.publish(&name);
    }

    /// A channel is in no list from here on, or is again as it is listed.
    pub fn conceal(&mut self, name: &ChannelName, hides: bool) {
        let _ = if hides { self.concealed.insert(name.clone()) } else { self.concealed.remove(name) };
        let listed = self.directory.get(name).is_some_and(|listing| listing.listed);
        self.list(name, listed);
    }

    pub(super) fn list(&mut self, name: &ChannelName, listed: bool) {
        let listed = listed && !self.concealed.contains(name);
        match self.listed.binary_search(name) {
            Err(at) if listed => self.listed.insert(at, name.clone()),
            Ok(at) if !listed => drop(self.listed.remove(at)),
            _ => {}
        }
    }

    pub fn take(&mut self, name: &ChannelName) -> Option<Channel> {
        let shelved = self.channels.remove(name)?;
        self.bytes -= shelved.bytes;
        self.participants -= shelved.participants;
        Some(shelved.channel)
    }

    /// Removes a channel from the directory.
    pub fn strike(&mut self, name: &ChannelName) {
        if let Some(listing) = self.directory.remove(name) {
            // A gid that was taken back may belong to another channel.
            if self.numbers.get(&listing.gid) == Some(name) {
                self.numbers.remove(&listing.gid);
            }
            self.created.give_back(&listing.creator, 1);
            end_of(&listing).map(|past| self.ends.remove(&past));
        }
        if let Ok(at) = self.listed.binary_search(name) {
            self.listed.remove(at);
        }
        self.doubtful.remove(name);
        self.concealed.remove(name);
        self.catalog.strike(name);
    }

    /// Doubtful names, in order.
    pub fn doubtful(&self) -> impl Iterator<Item = &ChannelName> {
        self.doubtful.iter()
    }

    /// Whether a channel with this name and tag exists or is doubtful.
    pub fn may_be(&self, name: &ChannelName, tag: u64) -> bool {
        self.tag_of(name) == Some(tag) || self.doubtful.contains(name)
    }

    pub fn doubt(&mut self, name: &ChannelName) {
        self.doubtful.insert(name.clone());
    }

    /// The least recently used channels that have to leave memory, down to 90 % of the bound.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub(super) fn surplus(&self) -> Vec<ChannelName> {
        if self.bytes <= self.bytes_max {
            return Vec::new();
        }
        let free = self.channels.iter().filter(|(name, _)| !self.pinned.contains(*name));
        let mut by_use: Vec<_> = free.map(|(name, shelved)| (shelved.used, shelved.bytes, name)).collect();
        by_use.sort_unstable();
        let mut over = self.bytes - self.bytes_max / 10 * 9;
        let surplus = by_use.into_iter().take_while(|(_, bytes, _)| {
            let needed = over > 0;
            over = over.saturating_sub(*bytes);
            needed
        });
        surplus.map(|(_, _, name)| name.clone()).collect()
    }
}

/// When a channel ends, if it does.
pub(super) fn end_of(listing: &Listing) -> Option<(Stamp, ChannelName)> {
    listing.end_of_life.map(|end| (end, listing.name.clone()))
}
