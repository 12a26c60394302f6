//! People: how each account is reached, what its clients and its server can do, and what is asked of them.

pub mod accounts;
pub mod capabilities;
mod doubting;
pub(super) mod doubts;
pub mod hosts;
pub mod pending;

use super::share::{Hit, OwnDomains};
use crate::store::Whereabouts;
use accounts::Accounts;
use hosts::Hosts;
use jid::BareJid;

/// What is known of people.
pub struct People {
    pub(in crate::engine) accounts: Accounts,
    pub(in crate::engine) pending: pending::Pending,
    pub(in crate::engine) capabilities: capabilities::Capabilities,
    pub(in crate::engine) doubts: doubts::Doubts,
}

impl People {
    /// What was saved of it.
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
        }
    }

    /// Who hit a share since this was asked last.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let asked = self.pending.hits().chain(self.capabilities.hits()).chain(self.doubts.hits());
        asked.chain(self.accounts.hits()).chain(self.accounts.hosts.hits())
    }
}
