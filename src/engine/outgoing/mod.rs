//! What goes out: the outbox of a turn, the address book that fans are spread with, and what a crash kept back.

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

/// What is on its way out.
pub struct Outgoing {
    /// The number of the newest parcel.
    parcel: u64,
    /// What the address book has to learn before anything else of the next turn is sent.
    early: Vec<Out>,
    freight: freight::Freight,
}

impl Outgoing {
    /// Nothing yet; of one account so many bytes may be on their way.
    pub(in crate::engine) fn new(account_bytes_max: usize, own: &OwnDomains) -> Outgoing {
        Outgoing { parcel: 0, early: Vec::new(), freight: freight::Freight::new(account_bytes_max, own.clone()) }
    }

    /// What the address book has to learn before anything else of the next turn is sent.
    pub(in crate::engine) fn early(&mut self) -> &mut Vec<Out> {
        &mut self.early
    }

    /// The link came up, or went down.
    pub(in crate::engine) fn note_link(&mut self, up: bool) {
        self.freight.note_link(up);
    }

    /// Who hit a share since this was asked last.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.freight.hits()
    }

    /// Whether anything was let through that is not decided yet.
    #[cfg(test)]
    pub(in crate::engine) fn has_promised(&self) -> bool {
        self.freight.has_promised()
    }
}
