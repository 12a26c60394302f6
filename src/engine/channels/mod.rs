//! Channels: which are in memory, what has to be loaded before a turn, and what goes through many of them.

mod amending;
pub mod arrival;
pub(super) mod brought;
pub(super) mod candidate;
pub mod chores;
mod chores_due;
pub(super) mod domains;
mod ending;
pub(super) mod endings;
pub mod errand;
mod fetching;
mod finding;
pub(super) mod found;
mod inquiring;
pub(super) mod lately;
pub(super) mod lifetimes;
mod needing;
pub mod needs;
pub(super) mod newcomers;
pub mod parking;
mod passing;
pub(super) mod past;
pub(super) mod places;
pub(super) mod retention;
mod settling;
pub(super) mod shelf;
mod shelving;
pub(super) mod step;
mod touring;
pub(super) mod tours;

use super::fairness::lot::Lot;
use super::share::{Hit, OwnDomains, Shares};
use crate::channel::{ChannelName, Head, Moment, Stamp};
use crate::store::{Directory, Mentions};
use jid::BareJid;
use shelf::ChannelShelf;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The channels, and what is known of who is in which of them.
pub struct Channels {
    pub(in crate::engine) shelf: ChannelShelf,
    /// Channels that could not be read: who asks for one is told, and nothing else waits for it.
    pub(in crate::engine) unreadable: HashSet<ChannelName>,
    /// What left memory and is not taken apart yet.
    pub(in crate::engine) departures: arrival::Departures,
    /// The channels that accounts are in or guests of.
    pub(in crate::engine) memberships: places::Places,
    /// The groups of accounts.
    pub(in crate::engine) groups: places::Places,
    /// What lists of channels mean to the accounts that this turn shows what they find, or a later one.
    pub(in crate::engine) mentions: HashMap<BareJid, Mentions>,
    pub(in crate::engine) domains: domains::Domains,
    pub(in crate::engine) lately: lately::Lately,
    /// The channels whose lists this turn changed so far.
    pub(in crate::engine) relisted: BTreeSet<ChannelName>,
    pub(in crate::engine) brought: brought::Brought,
    /// Where archives stood at times that matter to this turn, by the channels' tags.
    pub(in crate::engine) heads: HashMap<(u64, Stamp), Head>,
    /// What goes through channels over ticks.
    pub(in crate::engine) chores: chores::Chores,
    pub(in crate::engine) endings: endings::Endings,
    pub(in crate::engine) newcomers: newcomers::Newcomers,
}

impl Channels {
    /// What the store holds of them; so many bytes of it may be in memory.
    pub(in crate::engine) fn restore(
        mut directory: Directory,
        memory_bytes_max: usize,
        created: Shares<BareJid>,
        (lot, own): (Lot, &OwnDomains),
    ) -> Channels {
        Channels {
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
            relisted: BTreeSet::new(),
            brought: Default::default(),
            heads: HashMap::new(),
        }
    }

    /// What a turn knows of the moment.
    pub(in crate::engine) fn moment(&self, now: Stamp, due: Stamp) -> Moment<'_> {
        Moment { now, due, newcomers: self.newcomers.all() }
    }

    /// Who hit a share since this was asked last.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.chores.tour_shares.hits().chain(self.newcomers.hits()).chain(self.shelf.hits())
    }
}
