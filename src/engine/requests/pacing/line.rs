//! What is held of one account, in order. What something new has to look at is found without a walk over all of it.

use crate::channel::ChannelName;
use crate::engine::Inbound;
use crate::steps;
use crate::xep::proxy;
use crate::xmpp::Kind;
use jid::Jid;
use std::collections::{BTreeMap, VecDeque};

/// See the module.
#[derive(Debug)]
pub(super) struct PacingLine {
    held: VecDeque<HeldInbound>,
    /// How many went on from its front so far: the place of the first one, where places are never given twice.
    passed: u64,
    /// Of presence whose newer state takes its place: where it waits, by who says it and where.
    states: BTreeMap<(Jid, Jid), u64>,
    /// How much of each client waits for a channel.
    waiting: BTreeMap<(Jid, ChannelName), usize>,
    /// How many lines were begun before this one.
    pub number: u64,
    /// When the first one is looked at.
    pub look_ms: u64,
}

/// Something that waits, and when its time is.
#[derive(Debug)]
pub(super) struct HeldInbound {
    pub inbound: Inbound,
    pub weight: usize,
    pub due_ms: u64,
}

impl PacingLine {
    /// With nothing in it.
    pub fn new(number: u64, look_ms: u64) -> PacingLine {
        let (held, states, waiting) = Default::default();
        PacingLine { held, passed: 0, states, waiting, number, look_ms }
    }

    /// What goes on next.
    pub fn first(&self) -> Option<&HeldInbound> {
        self.held.front()
    }

    /// When the last one has its time; 0 where there is none.
    pub fn last_ms(&self) -> u64 {
        self.held.back().map_or(0, |held| held.due_ms)
    }

    pub fn push(&mut self, held: HeldInbound) {
        steps::take(1);
        if let Some(state) = state_of(&held.inbound) {
            self.states.insert(state, self.passed + self.held.len() as u64);
        }
        if let Some(place) = place_of(&held.inbound) {
            *self.waiting.entry(place).or_default() += 1;
        }
        self.held.push_back(held);
    }

    pub fn pop_first(&mut self) -> Option<HeldInbound> {
        let held = self.held.pop_front()?;
        self.passed += 1;
        self.forget(&held);
        Some(held)
    }

    pub fn pop_last(&mut self) -> Option<HeldInbound> {
        let held = self.held.pop_back()?;
        self.forget(&held);
        Some(held)
    }

    fn forget(&mut self, held: &HeldInbound) {
        steps::take(1);
        if let Some(state) = state_of(&held.inbound) {
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

    /// Whether something of it has to go on before a request: by the same client to the same channel, or, where a host
    /// server asks for the account, anything. Whoever calls waits for the answer before it goes on, so no call follows
    /// another.
    pub fn precedes(&self, inbound: &Inbound) -> bool {
        steps::take(1);
        let Inbound::Stanza(stanza) = inbound else { return false };
        if stanza.from.node().is_none() {
            return !self.held.is_empty();
        }
        place_of(inbound).is_some_and(|place| self.waiting.contains_key(&place))
    }

    /// What the state weighs that waits and whose place this takes; `None` where none waits.
    pub fn weight_of_older(&mut self, newer: &Inbound) -> Option<usize> {
        self.older(newer).map(|older| older.weight)
    }

    /// A newer state takes the place of the one that waits, in its time.
    pub fn renew(&mut self, newer: Inbound, weight: usize) {
        if let Some(older) = self.older(&newer) {
            (older.inbound, older.weight) = (newer, weight);
        }
    }

    fn older(&mut self, newer: &Inbound) -> Option<&mut HeldInbound> {
        steps::take(1);
        let place = self.states.get(&state_of(newer)?)? - self.passed;
        self.held.get_mut(usize::try_from(place).ok()?)
    }
}

/// Whose presence it is and where, where it is a state that a newer one takes the place of.
pub(super) fn state(inbound: &Inbound) -> Option<(&Jid, &Jid)> {
    match inbound {
        Inbound::Stanza(stanza) if stanza.kind == Kind::Presence && matches!(&*stanza.type_, "" | "unavailable") => {
            Some((&stanza.from, &stanza.to))
        }
        _ => None,
    }
}

/// The channel that something is for: itself, or somebody in it.
pub(super) fn channel_of(to: &Jid) -> Option<ChannelName> {
    let node = to.node()?;
    proxy::parse(node).map(|(channel, _)| channel).or_else(|| ChannelName::of(node))
}

fn state_of(inbound: &Inbound) -> Option<(Jid, Jid)> {
    state(inbound).map(|(from, to)| (from.clone(), to.clone()))
}

/// The client that a stanza is from, and the channel that it is for.
fn place_of(inbound: &Inbound) -> Option<(Jid, ChannelName)> {
    let Inbound::Stanza(stanza) = inbound else { return None };
    Some((stanza.from.clone(), channel_of(&stanza.to)?))
}
