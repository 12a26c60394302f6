//! The turn: a batch of what came in becomes what is to be stored and what is to be sent.
//!
//! Pure: no I/O, no clock, no thread. The worker calls it and keeps the one promise it rests on: nothing in a turn's
//! outbox leaves before its records are durable.

pub mod book;
pub mod outbox;
mod turn_api;

pub use turn_api::{Engine, Inbound, KeepsNothing, Loaded, Needs, Query, Settings, Turn, answer};
