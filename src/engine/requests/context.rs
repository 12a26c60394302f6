//! What a decision about a channel may look at, put together.

use super::super::Engine;
use super::super::channels::Channels;
use crate::channel::Context;
use crate::xep::information;

impl Engine {
    /// What `decide` makes of the channels and of the context of the one with this tag. Of a channel that is about to be
    /// created nothing was read.
    pub(in crate::engine) fn in_context<T>(
        &mut self,
        tag: u64,
        decide: impl FnOnce(&Channels, &mut Context<'_>) -> T,
    ) -> T {
        let brought = self.channels.brought();
        let gist_of = |row: u64| brought.gist(tag, row);
        let mut context = Context {
            live: self.channels.live(self.now, self.due),
            dice: &mut self.dice,
            limits: &self.service.limits,
            registry: &self.requests.registry,
            own_domains: &self.own,
            operators: &self.service.operators,
            past: brought.past(tag),
            facts: brought.rows(tag),
            gist_of: &gist_of,
            rename: information::renamed,
        };
        decide(&self.channels, &mut context)
    }
}
