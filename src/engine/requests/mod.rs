//! Requests: from a stanza or a call to what is decided, and its answer.

pub mod admission;
pub mod answering;
pub mod call;
pub mod delegated;
pub mod foreign;
pub mod groups;
pub mod nicks;
pub mod operating;
pub mod pace;
pub mod pacing;
pub mod parley;
pub mod parts;
pub mod relay;
pub mod router;
pub mod service;
