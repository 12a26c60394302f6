//! Requests: from a stanza or a call to what is decided, and its answer.

pub(super) mod admission;
pub(super) mod answering;
pub mod call;
pub(super) mod delegated;
pub(super) mod foreign;
pub(super) mod groups;
pub(super) mod nicks;
pub(super) mod operating;
pub mod pace;
pub mod pacing;
pub(super) mod parley;
pub(super) mod parts;
pub(super) mod relay;
pub(super) mod router;
pub(super) mod service;
