//! What goes out: the outbox of a turn, the address book that fans are spread with, and what a crash kept back.

pub mod book;
mod discovering;
pub(super) mod freight;
mod loading;
pub mod multicast;
pub mod outbox;
pub(super) mod resend;
pub(super) mod showing;
pub(super) mod unsent;

use super::share::OwnDomains;
use outbox::Out;

/// What is on its way out.
pub struct Outgoing {
    /// The number of the newest parcel.
    pub(in crate::engine) parcel: u64,
    /// What the address book has to learn before anything else of the next turn is sent.
    pub(in crate::engine) early: Vec<Out>,
    pub(in crate::engine) freight: freight::Freight,
}

impl Outgoing {
    /// Nothing yet; of one account so many bytes may be on their way.
    pub(in crate::engine) fn new(account_bytes_max: usize, own: &OwnDomains) -> Outgoing {
        Outgoing { parcel: 0, early: Vec::new(), freight: freight::Freight::new(account_bytes_max, own.clone()) }
    }
}
