//! Outbound stanzas: the outbox of a turn, the address book, and what is sent again after a crash.

pub mod book;
pub(super) mod freight;
mod loading;
pub mod multicast;
pub mod outbox;
pub(super) mod resend;
pub(super) mod showing;
pub(super) mod unsent;

use super::share::{Hit, OwnDomains};
use outbox::Out;

/// The state of what is sent.
pub struct Outgoing {
    /// The number of the newest parcel.
    parcel: u64,
    /// Changes of the address book that come before anything else of the next turn.
    early: Vec<Out>,
    freight: freight::Freight,
}

impl Outgoing {
    /// Nothing sent. `account_bytes_max` bounds the outbound bytes of one account.
    pub(in crate::engine) fn new(account_bytes_max: usize, own: &OwnDomains) -> Outgoing {
        Outgoing { parcel: 0, early: Vec::new(), freight: freight::Freight::new(account_bytes_max, own.clone()) }
    }

    /// Changes of the address book that come before anything else of the next turn.
    pub(in crate::engine) fn early(&mut self) -> &mut Vec<Out> {
        &mut self.early
    }

    /// The link came up or went down.
    pub(in crate::engine) fn note_link(&mut self, up: bool) {
        self.freight.note_link(up);
    }

    /// Shares that were hit since the last call.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.freight.hits()
    }

    /// Whether a message was let through that is not decided yet.
    #[cfg(test)]
    pub(in crate::engine) fn has_promised(&self) -> bool {
        self.freight.has_promised()
    }
}
