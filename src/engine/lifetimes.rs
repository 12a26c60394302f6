//! Channels come to the end that their owners set (XEP-0406 §2.4 'End of Life', XEP-0369 §7.3.5).
//!
//! One tick finds what is due, the next one has it in memory and destroys it as its owner would.

use super::{Engine, Needs, Turn};
use crate::channel::Change;

/// Channels that end in one turn, at most.
const ENDED_MAX: usize = 16;

impl Engine {
    pub(super) fn need_of_ending(&self, needs: &mut Needs) {
        self.ending.iter().for_each(|name| self.need_in_time(name, needs));
    }

    /// Destroys what was found due, and looks for more.
    pub(super) fn end_lifetimes(&mut self, turn: &mut Turn) {
        for name in std::mem::take(&mut self.ending) {
            let end = self.shelf.channel(&name).and_then(|channel| channel.settings().end_of_life);
            if end.is_some_and(|end| end <= self.due) {
                tracing::info!(channel = name.as_str(), "the lifetime of a channel is over: it is destroyed");
                self.carry_on(vec![(name, Change::Destroyed)], turn);
            }
        }
        self.ending = self.shelf.ending(self.due, ENDED_MAX);
    }
}
