//! Channels on their way into memory and out of it: a part at a time, so that a large one does not make the others wait.
//!
//! A channel is in memory when all of its people are taken in, and not before. What leaves is gone at once; what is kept
//! of its people is let go of afterwards, and before anything else comes in.

use super::super::outgoing::outbox::EntryNo;
use crate::channel::apart::Apart;
use crate::channel::{Channel, ChannelName, NodeSet, ParticipantId, Stamp};
use crate::xep::List;
use jid::BareJid;
use std::collections::{BTreeMap, VecDeque};

/// How many people of channels that left memory are let go of in one turn.
pub(in crate::engine) const PEOPLE_MAX: usize = 256;
/// How many rosters are left in one turn.
pub(super) const ROSTERS_MAX: usize = 64;

/// A channel that was loaded. Made where it is loaded, since that takes long for a large one.
#[derive(Debug)]
pub struct Arrival {
    pub(super) name: ChannelName,
    /// `None` where there is no such channel.
    pub(super) channel: Option<Box<Channel>>,
    /// Its people in the order of ids, guests in that in which they came: what is sent to all is written in this order, and
    /// that of accounts would tell something of them by the time at which it arrives.
    pub(super) people: std::vec::IntoIter<Subscriber>,
    /// Those of them who are taken in.
    pub(super) lists: BTreeMap<List, Vec<EntryNo>>,
}

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) jid: BareJid,
    pub(super) place: (Stamp, Option<ParticipantId>),
    pub(super) is_guest: bool,
    pub(super) nodes: NodeSet,
}

impl Arrival {
    /// What the store holds of a name.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn new(name: ChannelName, channel: Option<Channel>) -> Arrival {
        let channel = channel.map(Box::new);
        let seated = channel.iter().flat_map(|channel| channel.participants());
        let seated = seated.map(|it| Subscriber {
            jid: it.jid.clone(),
            place: (Stamp::default(), Some(it.id.clone())),
            is_guest: false,
            nodes: it.subscriptions,
        });
        let guests = channel.iter().flat_map(|channel| channel.guests());
        let guests = guests.map(|it| Subscriber {
            jid: it.jid.clone(),
            place: (it.since, None),
            is_guest: true,
            nodes: it.subscriptions,
        });
        let mut people: Vec<Subscriber> = seated.chain(guests).collect();
        people.sort_unstable_by(|a, b| (a.is_guest, &a.place, &a.jid).cmp(&(b.is_guest, &b.place, &b.jid)));
        Arrival { name, channel, people: people.into_iter(), lists: BTreeMap::new() }
    }

    /// The channel's localpart.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.channel.as_ref().map_or(0, |channel| channel.bytes()) + 96 * self.people.len()
    }
}

/// What left memory and is not taken apart yet.
#[derive(Default)]
pub(in crate::engine) struct Departures {
    pub(super) open: VecDeque<Departure>,
    /// In whose rosters channels are that are no more.
    pub(super) leaving: VecDeque<Leaving>,
}

impl Departures {
    /// Whether a host server is still to be told of somebody's roster.
    pub fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }
}

/// The people of a channel that left memory, or is no more, who are still counted as its own.
pub(super) struct Departure {
    pub(super) tag: u64,
    pub(super) name: ChannelName,
    pub(super) people: Apart,
    /// Whether the channel is no more: then they left it.
    pub(super) is_end: bool,
    /// Whether it leaves their rosters, where that is granted.
    pub(super) leaves_rosters: bool,
}

/// Somebody in whose roster a channel is that is no more.
#[derive(Debug)]
pub(in crate::engine) struct Leaving {
    pub(super) tag: u64,
    pub(super) name: ChannelName,
    pub(super) jid: BareJid,
}
