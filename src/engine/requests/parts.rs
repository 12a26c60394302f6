//! What concerns many people is done in parts: with some of them in each turn, and others are served between.
//!
//! Until it is done nothing else happens in its channel. What comes for that waits, so whoever asked finds everything done,
//! and nobody anything in between. Where the process ends before, what was done stays done: whoever asked got no answer, and
//! asks again.

use super::super::{Engine, Inbound, Step, Turn};
use super::request::{Asked, Effects};
use crate::channel::{ChannelName, Command};
use std::collections::{BTreeMap, BTreeSet};

/// What is done in part, and in which channel.
#[derive(Debug, Default)]
pub(in crate::engine) struct PartialRequests {
    /// What was asked, each with a number that none before had.
    open: BTreeMap<ChannelName, (u64, Inbound)>,
    /// The number of the newest.
    number: u64,
    /// The channels of those of which a part was done in this turn.
    touched: BTreeSet<ChannelName>,
    /// The channel in which what is taken now was done in part.
    begun: Option<ChannelName>,
    /// Whether what is taken now was let in before.
    goes_on: bool,
}

impl PartialRequests {
    /// Whether what is taken now was let in before, and counted.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// A turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.touched.clear();
    }
}

impl Engine {
    /// Whether something is done in part anywhere.
    pub fn has_unfinished(&self) -> bool {
        !self.requests.parts.open.is_empty()
    }

    /// Whether something is done in part in a channel.
    pub(in crate::engine) fn is_unfinished(&self, name: &ChannelName) -> bool {
        self.requests.parts.open.contains_key(name)
    }

    /// What is done in part in a channel.
    pub(in crate::engine) fn unfinished(&self, name: &ChannelName) -> Option<&Inbound> {
        self.requests.parts.open.get(name).map(|(_, inbound)| inbound)
    }

    /// What is done in part is not done any further, since it cannot be; what was asked.
    pub(in crate::engine) fn give_part_up(&mut self, name: &ChannelName) -> Option<Inbound> {
        self.requests.parts.open.remove(name).map(|(_, inbound)| inbound)
    }

    /// Nothing that is done in part goes on, since the process is to end; what was asked, to be answered.
    pub fn give_parts_up(&mut self) -> Vec<Inbound> {
        std::mem::take(&mut self.requests.parts.open).into_values().map(|(_, inbound)| inbound).collect()
    }

    /// What a turn did of this in a channel was refused, and whoever asked is told with it.
    pub(in crate::engine) fn undo_part(&mut self, name: &ChannelName) {
        if self.requests.parts.touched.contains(name) {
            self.requests.parts.open.remove(name);
        }
    }

    /// Takes what waits for nothing, from its place in the batch.
    pub(in crate::engine) fn take(&mut self, place: usize, inbound: Inbound, turn: &mut Turn) {
        let waits = matches!(inbound, Inbound::Stanza(_) | Inbound::Call(_) | Inbound::GoOn(Step::In(_)));
        if waits && !self.requests.parts.open.is_empty() && self.waits_for_part(&inbound) {
            return turn.deferred.push((place, inbound));
        }
        self.settle(&inbound);
        self.begin(inbound, turn);
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
                // What carries much concerns nobody else.
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

    /// Goes on with what was done in part in a channel.
    pub(in crate::engine) fn finish(&mut self, name: &ChannelName, number: u64, turn: &mut Turn) {
        if self.requests.parts.open.get(name).is_none_or(|open| open.0 != number) {
            return;
        }
        let Some(inbound) = self.give_part_up(name) else { return };
        self.requests.parts.goes_on = true;
        self.begin(inbound, turn);
        self.requests.parts.goes_on = false;
    }

    /// Does a part of what was decided.
    pub(in crate::engine) fn carry_out_part(&mut self, asked: &Asked<'_>, effects: Effects, turn: &mut Turn) {
        self.apply_and_show(Some(&asked.actor.account), effects.changes, turn);
        self.requests.parts.begun = asked.channel.clone();
    }
}
