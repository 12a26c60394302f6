//! XEP-0406 §2.4 'End of Life', XEP-0369 §7.3.5: the service destroys a channel at the time that its owner set.

use super::super::{Engine, Turn};
use crate::channel::{Change, ChannelName};

impl Engine {
    /// Some of the channels whose time has come.
    pub(in crate::engine) fn next_ending(&mut self) -> Vec<ChannelName> {
        // Channels that cannot be read do not delay the others.
        let is_readable = |name: &ChannelName| !self.channels.unreadable.contains(name);
        self.channels.chores.ending.step(|_, count| self.channels.shelf.ending(self.due, count, is_readable))
    }

    /// Destroys such a channel, as its owner would.
    pub(in crate::engine) fn end_lifetime(&mut self, name: &ChannelName, turn: &mut Turn) {
        let is_due = self.channels.chores.ending.done(name);
        let end =
            self.channels.shelf.channel(name).filter(|_| is_due).and_then(|channel| channel.settings().end_of_life);
        if end.is_some_and(|end| end <= self.due) {
            tracing::info!(channel = name.as_str(), "the lifetime of a channel is over: it is destroyed");
            self.carry_on(vec![(name.clone(), Change::Destroyed(Default::default()))], turn);
        }
    }

    pub(in crate::engine) fn pass_ending(&mut self, name: &ChannelName) {
        self.channels.chores.ending.done(name);
    }
}
