//! Keeps what lists say of domains and accounts up to date.

use super::super::Engine;
use super::domains::{Domains, LONG, NAMES_MAX, mention_of};
use super::lately;

impl Engine {
    /// At the end of a turn: applies its changes of lists to what is kept, and drops what is short or too much.
    #[expect(
        clippy::disallowed_methods,
        clippy::iter_over_hash_type,
        reason = "in any order: each for itself, or their sum"
    )]
    pub(in crate::engine) fn settle_lists(&mut self) {
        self.channels.mentions.retain(|account, _| self.channels.lately.is_held(account));
        for name in std::mem::take(&mut self.channels.brought.relisted) {
            let channel = self.channels.shelf.channel(&name);
            if channel.is_none() && self.channels.shelf.exists(&name) {
                return self.forget_people();
            }
            for (domain, kept) in &mut self.channels.domains.kept {
                kept.learn(&name, mention_of(channel, domain), &self.channels.shelf);
            }
            for (account, mentions) in &mut self.channels.mentions {
                lately::note(mentions, &name, mention_of(channel, account));
            }
            self.channels.lately.note_lists(&name, channel);
            self.compare_again(&name);
        }
        let Domains { kept, order } = &mut self.channels.domains;
        kept.retain(|jid, domain| domain.names.len() >= LONG || self.channels.lately.is_held(jid));
        order.retain(|domain| kept.contains_key(domain));
        let mut names: usize = kept.values().map(|domain| domain.names.len()).sum();
        while names > NAMES_MAX && order.len() > 1 {
            let past = order.pop_front().and_then(|domain| kept.remove(&domain));
            names -= past.map_or(0, |past| past.names.len());
        }
    }
    /// Forgets what is known of accounts and domains, because it may be outdated.
    pub(in crate::engine) fn forget_people(&mut self) {
        self.channels.domains.clear();
        self.channels.mentions.clear();
        self.channels.memberships.clear();
        self.channels.groups.clear();
        self.channels.lately.clear();
    }
}
