//! People: where accounts are reached, what their clients and servers support, and queries to them.

pub mod accounts;
mod bookmarking;
pub mod bookmarks;
pub mod capabilities;
mod discovering;
mod doubting;
pub(super) mod doubts;
pub mod hosts;
mod learning;
pub mod pending;
pub(super) mod remembered;
mod seating;

use super::share::{Hit, OwnDomains};
use crate::channel::Stamp;
use crate::store::Whereabouts;
use accounts::Accounts;
use hosts::Hosts;
use jid::{BareJid, Jid};
use pending::Purpose;

/// What is known of people.
pub struct People {
    accounts: Accounts,
    pending: pending::Pending,
    capabilities: capabilities::Capabilities,
    doubts: doubts::Doubts,
    bookmarks: bookmarks::Bookmarks,
}

impl People {
    /// Starts with what is stored.
    pub(in crate::engine) fn restore(
        hosts: Hosts,
        whereabouts: Vec<(BareJid, Whereabouts)>,
        own: &OwnDomains,
    ) -> People {
        People {
            accounts: Accounts::restore(whereabouts, hosts, own.clone()),
            pending: pending::Pending::new(own.clone()),
            capabilities: capabilities::Capabilities::new(own.clone()),
            doubts: doubts::Doubts::new(own.clone()),
            bookmarks: bookmarks::Bookmarks::new(own.clone()),
        }
    }

    /// Where accounts are reached.
    pub(in crate::engine) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// Home servers.
    pub(in crate::engine) fn hosts(&self) -> &Hosts {
        &self.accounts.hosts
    }

    /// Home servers, for updates.
    pub(in crate::engine) fn hosts_mut(&mut self) -> &mut Hosts {
        &mut self.accounts.hosts
    }

    /// Notes a query to `whom`. Returns whether there was room.
    pub(in crate::engine) fn ask(&mut self, id: String, whom: Jid, purpose: Purpose, now: Stamp) -> bool {
        self.pending.ask(id, whom, purpose, now)
    }

    /// How many queries are unanswered.
    pub(in crate::engine) fn questions(&self) -> usize {
        self.pending.count()
    }

    /// What an answer is for. It counts only if it is from `whom`, the queried address.
    #[cfg(test)]
    pub(in crate::engine) fn take_question(&mut self, id: &str, whom: &Jid) -> Option<Purpose> {
        self.pending.take(id, whom)
    }

    /// Shares that were hit since the last call.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let asked =
            self.pending.hits().chain(self.capabilities.hits()).chain(self.doubts.hits()).chain(self.bookmarks.hits());
        asked.chain(self.accounts.hits()).chain(self.accounts.hosts.hits())
    }
}
