//! What goes out: the outbox of a turn, the address book that fans are spread with, and what a crash kept back.

pub mod book;
pub(super) mod freight;
pub mod multicast;
pub mod outbox;
pub(super) mod resend;
pub(super) mod showing;
