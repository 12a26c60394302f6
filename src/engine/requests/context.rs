//! The context of a decision about a channel.

use super::super::Engine;
use super::super::channels::Channels;
use crate::channel::Context;
use crate::xep::information;
use jid::BareJid;

impl Engine {
    /// Runs `decide` with the channels and with the context of the channel of this tag. Nothing was read for a channel
    /// that is about to be created.
    pub(in crate::engine) fn in_context<T>(
        &mut self,
        tag: u64,
        decide: impl FnOnce(&Channels, &mut Context<'_>) -> T,
    ) -> T {
        let brought = self.channels.brought();
        let gist_of = |row: u64| brought.gist(tag, row);
        let service = &self.service;
        let id_of = |account: &BareJid| Some(service.id_of(tag, account));
        let mut context = Context {
            live: self.channels.live((self.now, self.due), self.occupants.known_in(tag)),
            dice: &mut self.dice,
            limits: &self.service.limits,
            registry: &self.requests.registry,
            own_domains: &self.own,
            operators: &self.service.operators,
            past: brought.past(tag),
            facts: brought.rows(tag),
            gist_of: &gist_of,
            id_of: &id_of,
            rename: information::renamed,
        };
        decide(&self.channels, &mut context)
    }
}
