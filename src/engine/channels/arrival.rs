//! Channels on their way into memory and out of it: a part at a time, so that a large one does not make the others wait.
//!
//! A channel is in memory when all of its people are taken in, and not before. What leaves is gone at once; what is kept
//! of its people is let go of afterwards, and before anything else comes in.

use super::super::outgoing::outbox::{AccountNo, Delta, ListId, Out};
use super::super::{Engine, Turn};
use crate::channel::apart::{Apart, Gone};
use crate::channel::{Channel, ChannelName, Node, NodeSet, ParticipantId, Stamp};
use jid::BareJid;
use std::collections::{BTreeMap, VecDeque};

/// How many people of channels that left memory are let go of in one turn.
pub(in crate::engine) const PEOPLE_MAX: usize = 256;
/// How many rosters are left in one turn.
const ROSTERS_MAX: usize = 64;

/// A channel that was loaded. Made where it is loaded, since that takes long for a large one.
#[derive(Debug)]
pub struct Arrival {
    name: ChannelName,
    /// `None` where there is no such channel.
    channel: Option<Box<Channel>>,
    /// Its people in the order of ids, guests in that in which they came: what is sent to all is written in this order, and
    /// that of accounts would tell something of them by the time at which it arrives.
    people: std::vec::IntoIter<Subscriber>,
    /// Those of them who are taken in.
    lists: BTreeMap<Node, Vec<AccountNo>>,
}

#[derive(Debug)]
struct Subscriber {
    jid: BareJid,
    place: (Stamp, Option<ParticipantId>),
    is_guest: bool,
    nodes: NodeSet,
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
    open: VecDeque<Departure>,
    /// In whose rosters channels are that are no more.
    leaving: VecDeque<Leaving>,
}

impl Departures {
    /// Whether a host server is still to be told of somebody's roster.
    pub fn is_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }
}

/// The people of a channel that left memory, or is no more, who are still counted as its own.
struct Departure {
    tag: u64,
    name: ChannelName,
    people: Apart,
    /// Whether the channel is no more: then they left it.
    is_end: bool,
    /// Whether it leaves their rosters, where that is granted.
    leaves_rosters: bool,
}

impl Engine {
    /// Takes up to `count` people of a channel into memory, and lowers `count` by them; whether the channel is in.
    pub fn take_in(&mut self, arrival: &mut Arrival, count: &mut usize) -> bool {
        if !self.let_go(count) {
            return false;
        }
        for subscriber in arrival.people.by_ref().take(*count) {
            *count -= 1;
            let Subscriber { jid, is_guest, nodes, .. } = subscriber;
            let no = match is_guest {
                false => self.people.accounts.hold(&jid, &mut self.outgoing.early),
                true => self.people.accounts.hold_guest(&jid, &mut self.outgoing.early),
            };
            nodes.iter().for_each(|node| arrival.lists.entry(node).or_default().push(no));
        }
        if arrival.people.len() > 0 {
            return false;
        }
        self.channels.unreadable.remove(&arrival.name);
        // An empty one is work as well.
        *count = count.saturating_sub(1);
        match arrival.channel.take() {
            None => self.channels.shelf.strike(&arrival.name),
            Some(channel) => {
                let tag = channel.profile().tag;
                for (node, accounts) in std::mem::take(&mut arrival.lists) {
                    self.outgoing.early.push(Out::Book(Delta::Filled(ListId { tag, node }, accounts)));
                }
                self.channels.shelf.put(*channel);
                self.ask_for_presence(&arrival.name);
            }
        }
        true
    }

    /// Takes a channel out of memory.
    pub(in crate::engine) fn unshelve(&mut self, name: &ChannelName, out: &mut Vec<Out>) {
        self.depart(name, false, out);
    }

    /// Takes a channel out of memory that is no more.
    pub(in crate::engine) fn bury(&mut self, name: &ChannelName, out: &mut Vec<Out>) {
        self.depart(name, true, out);
        self.channels.shelf.strike(name);
    }

    fn depart(&mut self, name: &ChannelName, is_end: bool, out: &mut Vec<Out>) {
        let Some(channel) = self.channels.shelf.take(name) else { return };
        out.push(Out::Book(Delta::Dropped { tag: channel.profile().tag }));
        let (tag, name) = (channel.profile().tag, name.clone());
        let people = channel.into_people();
        let departure = Departure { tag, name, people, is_end, leaves_rosters: is_end };
        self.channels.departures.open.push_back(departure);
    }

    /// What a turn said of rosters was not sent.
    pub(in crate::engine) fn leave_rosters_again(&mut self, left: Vec<Leaving>) {
        left.into_iter().rev().for_each(|leaving| self.channels.departures.leaving.push_front(leaving));
    }

    /// The end of a channel was not committed: it stays in rosters.
    pub(in crate::engine) fn keep_in_rosters(&mut self, tag: u64) {
        let of_it = self.channels.departures.open.iter_mut().filter(|departure| departure.tag == tag);
        of_it.for_each(|departure| departure.leaves_rosters = false);
        self.channels.departures.leaving.retain(|leaving| leaving.tag != tag);
    }

    /// Lets go of up to `count` people of channels that left memory, and lowers `count` by them; whether none are left.
    pub(in crate::engine) fn let_go(&mut self, count: &mut usize) -> bool {
        while let Some(departure) = self.channels.departures.open.front_mut() {
            if *count == 0 {
                return false;
            }
            *count -= 1;
            match (departure.people.next(), departure.is_end) {
                (None, _) => drop(self.channels.departures.open.pop_front()),
                (Some(Gone::Other), _) => {}
                (Some(Gone::Guest(jid)), true) => self.people.accounts.left_guest(&jid),
                (Some(Gone::Guest(jid)), false) => self.people.accounts.release_guest(&jid),
                (Some(Gone::Seated(jid)), false) => self.people.accounts.release(&jid),
                (Some(Gone::Seated(jid)), true) => {
                    self.people.accounts.left(&jid);
                    if departure.leaves_rosters && self.people.accounts.hosts.privileges(jid.domain().as_str()).roster {
                        self.channels.departures.leaving.push_back(Leaving {
                            tag: departure.tag,
                            name: departure.name.clone(),
                            jid,
                        });
                    }
                }
            }
        }
        true
    }

    /// Takes channels that are no more out of some rosters, but where there is another one of the name that the account may
    /// be in.
    pub(in crate::engine) fn leave_rosters(&mut self, turn: &mut Turn) {
        for _ in 0..ROSTERS_MAX {
            let Some(leaving) = self.channels.departures.leaving.pop_front() else { return };
            let (name, jid) = (leaving.name.clone(), leaving.jid.clone());
            turn.left_rosters.push(leaving);
            let is_in = |channel: &Channel| channel.participant(&jid).is_some();
            if !self.channels.shelf.exists(&name) || !self.channels.shelf.channel(&name).is_none_or(is_in) {
                let address = self.service.address_of(&name);
                self.set_roster_item(&jid, &address, None, &mut turn.outbox);
            }
        }
    }
}

/// Somebody in whose roster a channel is that is no more.
#[derive(Debug)]
pub(in crate::engine) struct Leaving {
    tag: u64,
    name: ChannelName,
    jid: BareJid,
}
