//! The queue of one account. No operation walks over all of it.

use crate::channel::ChannelName;
use crate::engine::Inbound;
use crate::steps;
use crate::xep::muc::enter;
use crate::xep::proxy;
use crate::xmpp::Kind;
use jid::Jid;
use std::collections::{BTreeMap, VecDeque};

/// The held entries of one account, in order.
#[derive(Debug)]
pub(super) struct PacingLine {
    held: VecDeque<HeldInbound>,
    /// How many entries left from the front. Entry number `passed` is the first; numbers are never reused.
    passed: u64,
    /// The entry number of each held presence that a newer one replaces, by sender and addressee.
    states: BTreeMap<(Jid, Jid), u64>,
    /// How many entries each client has for each channel.
    waiting: BTreeMap<(Jid, ChannelName), usize>,
    /// The queue's number, in order of creation.
    pub number: u64,
    /// When the first entry is looked at, in milliseconds.
    pub look_ms: u64,
}

/// An entry, and when it is due.
#[derive(Debug)]
pub(super) struct HeldInbound {
    pub inbound: Inbound,
    pub weight: usize,
    pub due_ms: u64,
}

impl PacingLine {
    /// An empty queue.
    pub fn new(number: u64, look_ms: u64) -> PacingLine {
        let (held, states, waiting) = Default::default();
        PacingLine { held, passed: 0, states, waiting, number, look_ms }
    }

    /// The next entry.
    pub fn first(&self) -> Option<&HeldInbound> {
        self.held.front()
    }

    /// When the last entry is due, in milliseconds; 0 if there is none.
    pub fn last_ms(&self) -> u64 {
        self.held.back().map_or(0, |held| held.due_ms)
    }

    pub fn push(&mut self, held: HeldInbound) {
        steps::take(1);
        if let Some(state) = state_of(&held.inbound) {
            match is_entry(&held.inbound) {
                // What comes behind an entry stays behind it.
                true => self.states.remove(&state),
                false => self.states.insert(state, self.passed + self.held.len() as u64),
            };
        }
        if let Some(place) = place_of(&held.inbound) {
            *self.waiting.entry(place).or_default() += 1;
        }
        self.held.push_back(held);
    }

    pub fn pop_first(&mut self) -> Option<HeldInbound> {
        let held = self.held.pop_front()?;
        self.passed += 1;
        self.forget(&held, self.passed - 1);
        Some(held)
    }

    pub fn pop_last(&mut self) -> Option<HeldInbound> {
        let held = self.held.pop_back()?;
        self.forget(&held, self.passed + self.held.len() as u64);
        Some(held)
    }

    fn forget(&mut self, held: &HeldInbound, number: u64) {
        steps::take(1);
        if let Some(state) = state_of(&held.inbound)
            && self.states.get(&state) == Some(&number)
        {
            self.states.remove(&state);
        }
        let Some(place) = place_of(&held.inbound) else { return };
        if let Some(count) = self.waiting.get_mut(&place) {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(&place);
            }
        }
    }

    /// RFC 6120 §10.1: whether a request must wait for an entry. That is one of the same client for the same channel,
    /// or any entry if a host server asks for the account. A caller waits for each answer, so calls follow nothing.
    pub fn precedes(&self, inbound: &Inbound) -> bool {
        steps::take(1);
        let Inbound::Stanza(stanza) = inbound else { return false };
        if stanza.from.node().is_none() {
            return !self.held.is_empty();
        }
        place_of(inbound).is_some_and(|place| self.waiting.contains_key(&place))
    }

    /// The bytes of the held presence that `newer` would replace. `None` if there is none.
    pub fn weight_of_older(&mut self, newer: &Inbound) -> Option<usize> {
        self.older(newer).map(|older| older.weight)
    }

    /// Replaces the held presence. The due time stays.
    pub fn renew(&mut self, newer: Inbound, weight: usize) {
        if let Some(older) = self.older(&newer) {
            (older.inbound, older.weight) = (newer, weight);
        }
    }

    fn older(&mut self, newer: &Inbound) -> Option<&mut HeldInbound> {
        steps::take(1);
        if is_entry(newer) {
            return None;
        }
        let place = self.states.get(&state_of(newer)?)? - self.passed;
        self.held.get_mut(usize::try_from(place).ok()?)
    }
}

/// Sender and addressee of `available` or `unavailable` presence, which newer presence replaces.
pub(super) fn state(inbound: &Inbound) -> Option<(&Jid, &Jid)> {
    match inbound {
        Inbound::Stanza(stanza) if stanza.kind == Kind::Presence && matches!(&*stanza.type_, "" | "unavailable") => {
            Some((&stanza.from, &stanza.to))
        }
        _ => None,
    }
}

/// Whether it is presence that enters a room: it has an answer of its own.
fn is_entry(inbound: &Inbound) -> bool {
    matches!(inbound, Inbound::Stanza(stanza) if enter::is_entry(stanza))
}

/// The channel of an address: its own, or a participant's.
pub(super) fn channel_of(to: &Jid) -> Option<ChannelName> {
    let node = to.node()?;
    proxy::parse(node).map(|(channel, _)| channel).or_else(|| ChannelName::of(node))
}

fn state_of(inbound: &Inbound) -> Option<(Jid, Jid)> {
    state(inbound).map(|(from, to)| (from.clone(), to.clone()))
}

/// The client and the channel of a stanza.
fn place_of(inbound: &Inbound) -> Option<(Jid, ChannelName)> {
    let Inbound::Stanza(stanza) = inbound else { return None };
    Some((stanza.from.clone(), channel_of(&stanza.to)?))
}
