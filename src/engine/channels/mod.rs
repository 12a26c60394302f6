//! Channels: which are in memory, what to load before a turn, and chores that go through many.

mod amending;
mod applying;
pub mod arrival;
pub(super) mod brought;
pub(super) mod candidate;
mod catalog;
pub mod chores;
mod chores_due;
mod deserting;
pub(super) mod domains;
mod ending;
pub(super) mod endings;
pub mod errand;
mod fetching;
mod finding;
pub(super) mod found;
pub mod gone;
mod inquiring;
pub(super) mod lately;
pub(super) mod lifetimes;
mod listing;
mod needing;
pub mod needs;
pub(super) mod newcomers;
pub mod parking;
mod passing;
pub(super) mod past;
pub(super) mod places;
mod publishing;
mod reclaiming;
pub(super) mod retention;
mod settling;
mod sheets;
pub(super) mod shelf;
mod shelving;
pub(super) mod step;
mod touring;
pub(super) mod tours;

use super::fairness::lot::Lot;
use super::share::{Hit, OwnDomains, Shares};
use crate::channel::roll::Roll;
use crate::channel::{Channel, ChannelName, Head, Invited, LiveState, Seats, Stamp};
use crate::store::{Directory, Mentions};
use jid::BareJid;
use shelf::ChannelShelf;
use std::collections::{HashMap, HashSet};

/// The channels, and what is known of their people.
pub struct Channels {
    shelf: ChannelShelf,
    /// Channels that could not be read. Requests for them are refused, and nothing else waits for them.
    unreadable: HashSet<ChannelName>,
    /// Channels that left memory, and that are not taken apart yet.
    departures: arrival::Departures,
    /// The channels that accounts are in, or guests of.
    memberships: places::Places,
    /// The groups of accounts.
    groups: places::Places,
    /// What lists say of accounts that ask for the list of channels.
    mentions: HashMap<BareJid, Mentions>,
    domains: domains::Domains,
    lately: lately::Lately,
    brought: brought::Brought,
    /// Heads of archives at a given time, by tag.
    heads: HashMap<(u64, Stamp), Head>,
    /// Chores, over ticks.
    chores: chores::Chores,
    endings: endings::Endings,
    newcomers: newcomers::Newcomers,
    gone: gone::GoneChannels,
}

impl Channels {
    /// Starts with what the store has. `bytes_max` bounds the channels in memory.
    pub(in crate::engine) fn restore(
        mut directory: Directory,
        memory_bytes_max: usize,
        created: Shares<BareJid>,
        (lot, own): (Lot, &OwnDomains),
    ) -> Channels {
        Channels {
            gone: gone::GoneChannels::restore(std::mem::take(&mut directory.gone), own),
            newcomers: newcomers::Newcomers::restore(std::mem::take(&mut directory.newcomers), own.clone()),
            endings: endings::Endings::restore(std::mem::take(&mut directory.endings), lot),
            chores: chores::Chores::new(std::mem::take(&mut directory.tours), own.clone()),
            shelf: ChannelShelf::new(directory, memory_bytes_max, created),
            unreadable: HashSet::new(),
            departures: arrival::Departures::default(),
            memberships: Default::default(),
            groups: Default::default(),
            mentions: HashMap::new(),
            domains: Default::default(),
            lately: Default::default(),
            brought: Default::default(),
            heads: HashMap::new(),
        }
    }

    /// The live state of a turn.
    pub(in crate::engine) fn live<'a>(
        &'a self,
        (now, due): (Stamp, Stamp),
        (seats, invited): (&'a Seats, &'a Invited),
    ) -> LiveState<'a> {
        LiveState { now, due, newcomers: self.newcomers.all(), seats, invited }
    }

    /// A channel in memory.
    pub(in crate::engine) fn channel(&self, name: &ChannelName) -> Option<&Channel> {
        self.shelf.channel(name)
    }

    /// The tag of an existing channel.
    pub(in crate::engine) fn tag_of(&self, name: &ChannelName) -> Option<u64> {
        self.shelf.tag_of(name)
    }

    /// Whether a channel exists.
    pub(in crate::engine) fn exists(&self, name: &ChannelName) -> bool {
        self.shelf.exists(name)
    }

    /// Whether a channel has to be loaded before a turn that needs it.
    pub(in crate::engine) fn is_cold(&self, name: &ChannelName) -> bool {
        self.shelf.is_cold(name)
    }

    /// Whether a channel cannot be read.
    pub(in crate::engine) fn is_unreadable(&self, name: &ChannelName) -> bool {
        self.unreadable.contains(name)
    }

    /// The directory of channels, and those in memory.
    pub(in crate::engine) fn shelf(&self) -> &ChannelShelf {
        &self.shelf
    }

    /// Whether `creator` may create one more channel within the bounds. `for_all` says whether everybody may create
    /// channels.
    pub(in crate::engine) fn has_place_for(&mut self, creator: &BareJid, for_all: bool) -> bool {
        self.shelf.has_place_for(creator, for_all)
    }

    /// Puts a new channel into memory.
    pub(in crate::engine) fn add(&mut self, channel: Channel) {
        self.shelf.put(channel);
    }

    /// Nobody finds a channel in the list from here on.
    pub(in crate::engine) fn hide(&mut self, name: &ChannelName) {
        self.shelf.conceal(name, true);
    }

    /// A channel that was hidden is in the list again, if it is listed.
    pub(in crate::engine) fn show(&mut self, name: &ChannelName) {
        self.shelf.conceal(name, false);
    }

    /// Marks a channel as just used, and updates its clock.
    pub(in crate::engine) fn touch(&mut self, name: &ChannelName, due: Stamp) {
        self.shelf.touch(name, due);
    }

    /// The channels that an account is in or a guest of, if known.
    pub(in crate::engine) fn places_of(&self, account: &BareJid) -> Option<&Roll<ChannelName>> {
        self.memberships.of(account)
    }

    /// Whether an account is in a channel or a guest of one, if known.
    pub(in crate::engine) fn is_in_any(&self, account: &BareJid) -> Option<bool> {
        self.places_of(account).map(|names| names.count(places::IN) > 0)
    }

    /// What was read for this turn.
    pub(in crate::engine) fn brought(&self) -> &brought::Brought {
        &self.brought
    }

    /// Whether an account is being ended.
    pub(in crate::engine) fn is_ending(&self, account: &BareJid) -> bool {
        self.endings.holds(account)
    }

    /// How many accounts are being ended.
    pub(in crate::engine) fn ending_count(&self) -> usize {
        self.endings.count()
    }

    /// Shares that were hit since the last call.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.chores.tour_shares.hits().chain(self.newcomers.hits()).chain(self.shelf.hits()).chain(self.gone.hits())
    }
}
