//! Requests that concern many people are done in parts: some people a turn, with other stanzas in between.
//!
//! Nothing else happens in the channel until the last part, so nobody sees an intermediate state. If the process ends
//! first, the committed parts stay. The asker got no answer, and repeats the request.

use super::super::{Engine, Inbound, Step, Turn};
use super::request::{Asked, Effects};
use crate::channel::{ChannelName, Command};
use std::collections::{BTreeMap, BTreeSet};

/// Requests that are done in parts, by channel.
#[derive(Debug, Default)]
pub(in crate::engine) struct PartialRequests {
    /// The request, with a number that is never reused.
    open: BTreeMap<ChannelName, (u64, Inbound)>,
    /// The newest number.
    number: u64,
    /// Channels in which a part was done in this turn.
    touched: BTreeSet<ChannelName>,
    /// The channel in which the current request did a part.
    begun: Option<ChannelName>,
    /// Whether the current request continues, and was counted before.
    goes_on: bool,
}

impl PartialRequests {
    /// Whether the current request continues, and was counted before.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Begins a turn.
    pub(super) fn begin_turn(&mut self) {
        self.touched.clear();
    }
}

impl Engine {
    /// Whether any request has parts left.
    pub fn has_unfinished(&self) -> bool {
        !self.requests.parts.open.is_empty()
    }

    /// Whether a request in this channel has parts left.
    pub(in crate::engine) fn is_unfinished(&self, name: &ChannelName) -> bool {
        self.requests.parts.open.contains_key(name)
    }

    /// The unfinished request in this channel.
    pub(in crate::engine) fn unfinished(&self, name: &ChannelName) -> Option<&Inbound> {
        self.requests.parts.open.get(name).map(|(_, inbound)| inbound)
    }

    /// Drops the unfinished request of a channel that cannot be continued, and returns it.
    pub(in crate::engine) fn give_part_up(&mut self, name: &ChannelName) -> Option<Inbound> {
        self.requests.parts.open.remove(name).map(|(_, inbound)| inbound)
    }

    /// Drops all unfinished requests, because the process is about to end. Returns them, to be answered.
    pub fn give_parts_up(&mut self) -> Vec<Inbound> {
        std::mem::take(&mut self.requests.parts.open).into_values().map(|(_, inbound)| inbound).collect()
    }

    /// After a refused commit: drops a request that did a part in this turn. Its asker gets the refusal.
    pub(in crate::engine) fn undo_part(&mut self, name: &ChannelName) {
        if self.requests.parts.touched.contains(name) {
            self.requests.parts.open.remove(name);
        }
    }

    /// Handles an item of the batch, or defers it if a request in its channel has parts left, or if it enters a room in which
    /// seats are about to end. `place` is its index in the batch.
    pub(in crate::engine) fn take(&mut self, place: usize, inbound: Inbound, turn: &mut Turn) {
        let waits = matches!(inbound, Inbound::Stanza(_) | Inbound::Call(_) | Inbound::GoOn(Step::In(_)));
        if waits && !self.requests.parts.open.is_empty() && self.waits_for_part(&inbound) {
            return turn.deferred.push((place, inbound));
        }
        if waits && self.waits_behind(&inbound, turn) {
            return turn.deferred.push((place, inbound));
        }
        self.settle(&inbound);
        self.begin(inbound, turn);
    }

    /// Whether a stanza enters a room in which seats are about to end, or comes behind one of the same client that does.
    fn waits_behind(&self, inbound: &Inbound, turn: &mut Turn) -> bool {
        let Inbound::Stanza(stanza) = inbound else { return false };
        let key = || (stanza.from.clone(), stanza.to.node().map(|node| node.to_string()));
        let waits = self.waits_for_seats(inbound).is_some() || turn.put_off.contains(&key());
        if waits {
            turn.put_off.insert(key());
        }
        waits
    }

    fn waits_for_part(&self, inbound: &Inbound) -> bool {
        self.needs_of(inbound).channels.iter().any(|name| self.is_unfinished(name))
    }

    fn begin(&mut self, inbound: Inbound, turn: &mut Turn) {
        let rest = match inbound {
            Inbound::Stanza(stanza) => {
                self.stanza(&stanza, turn);
                Some(Inbound::Stanza(stanza))
            }
            Inbound::Call(call) => {
                // A command with a large payload is never done in parts, so it is not cloned.
                let is_heavy = |it: &Command| matches!(it, Command::Publish(_) | Command::SetItem { .. });
                let is_light = !call.command.of_channel().is_some_and(is_heavy);
                let rest = is_light.then(|| Inbound::Call(call.clone()));
                self.call(*call, turn);
                rest
            }
            other => return self.take_other(other, turn),
        };
        if let (Some(name), Some(rest)) = (self.requests.parts.begun.take(), rest) {
            self.requests.parts.number += 1;
            turn.next.push(Inbound::GoOn(Step::Finish(name.clone(), self.requests.parts.number)));
            self.requests.parts.touched.insert(name.clone());
            self.requests.parts.open.insert(name, (self.requests.parts.number, rest));
        }
    }

    /// Does the next part of a request.
    pub(in crate::engine) fn finish(&mut self, name: &ChannelName, number: u64, turn: &mut Turn) {
        if self.requests.parts.open.get(name).is_none_or(|open| open.0 != number) {
            return;
        }
        let Some(inbound) = self.give_part_up(name) else { return };
        self.requests.parts.goes_on = true;
        self.begin(inbound, turn);
        self.requests.parts.goes_on = false;
    }

    /// What is taken now has to wait for something of a channel that is read beside the loop, and nothing was done of it.
    pub(in crate::engine) fn wait_for_rows(&mut self, name: &ChannelName) {
        self.requests.parts.begun = Some(name.clone());
    }

    /// Does a part of what was decided.
    pub(in crate::engine) fn carry_out_part(&mut self, asked: &Asked<'_>, effects: Effects, turn: &mut Turn) {
        self.apply_and_show(Some(&asked.actor.account), effects.changes, turn);
        self.requests.parts.begun = asked.channel.clone();
    }
}
