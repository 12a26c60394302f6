//! Loads and unloads channels in parts, so that a large channel does not delay the others.
//!
//! A channel is in memory once all of its people are in the address book. An unloaded channel is gone at once; its
//! people leave the address book in later turns, before the next channel is loaded.

use super::super::outgoing::outbox::{Placed, Rank};
use crate::channel::apart::Apart;
use crate::channel::{Channel, ChannelName, NodeSet};
use crate::xep::List;
use jid::BareJid;
use std::collections::{BTreeMap, VecDeque};

/// The most people of unloaded channels that one turn removes from the address book.
pub(in crate::engine) const PEOPLE_MAX: usize = 256;
/// The most roster items that one turn removes.
pub(super) const ROSTERS_MAX: usize = 64;

/// A loaded channel. Built by the thread that loads it, because that is slow for a large one.
#[derive(Debug)]
pub struct Arrival {
    pub(super) name: ChannelName,
    /// `None` if the channel does not exist.
    pub(super) channel: Option<Box<Channel>>,
    /// In the order of the lists that they are on. Deliveries follow this order; an order by JID would reveal something
    /// through their timing.
    pub(super) people: std::vec::IntoIter<Subscriber>,
    /// Those already in the address book.
    pub(super) lists: BTreeMap<List, Vec<Placed>>,
}

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) jid: BareJid,
    pub(super) rank: Rank,
    pub(super) is_guest: bool,
    pub(super) nodes: NodeSet,
}

impl Arrival {
    /// The channel as the store has it.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn new(name: ChannelName, channel: Option<Channel>) -> Arrival {
        let channel = channel.map(Box::new);
        let seated = channel.iter().flat_map(|channel| channel.participants());
        let seated = seated.map(|it| Subscriber {
            jid: it.jid.clone(),
            rank: Rank::of(it.since, &it.id),
            is_guest: false,
            nodes: it.subscriptions,
        });
        let guests = channel.iter().flat_map(|channel| channel.guests());
        let guests = guests.map(|it| Subscriber {
            jid: it.jid.clone(),
            rank: Rank::of_guest(it.since, &it.jid),
            is_guest: true,
            nodes: it.subscriptions,
        });
        let mut people: Vec<Subscriber> = seated.chain(guests).collect();
        people.sort_unstable_by(|a, b| (a.rank, a.is_guest, &a.jid).cmp(&(b.rank, b.is_guest, &b.jid)));
        Arrival { name, channel, people: people.into_iter(), lists: BTreeMap::new() }
    }

    /// The channel's localpart.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// Approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.channel.as_ref().map_or(0, |channel| channel.bytes()) + 96 * self.people.len()
    }
}

/// Channels that left memory, and that are not taken apart yet.
#[derive(Default)]
pub(in crate::engine) struct Departures {
    pub(super) open: VecDeque<Departure>,
    /// Accounts whose roster still has a destroyed channel.
    pub(super) leaving: VecDeque<Leaving>,
}

impl Departures {
    /// Whether roster items of destroyed channels are left to remove.
    pub fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }
}

/// People of a channel that left memory or was destroyed, who are still in its lists.
pub(super) struct Departure {
    pub(super) tag: u64,
    pub(super) name: ChannelName,
    pub(super) people: Apart,
    /// Whether the channel was destroyed, so its people left it.
    pub(super) is_end: bool,
    /// Whether to remove it from rosters, where that is granted (XEP-0356 §4).
    pub(super) leaves_rosters: bool,
}

/// An account whose roster still has a destroyed channel.
#[derive(Debug)]
pub(in crate::engine) struct Leaving {
    pub(super) tag: u64,
    pub(super) name: ChannelName,
    pub(super) jid: BareJid,
}
