//! Presence: who is online in which channel, and who is told.

pub(super) mod clients;
pub mod online;
pub(super) mod sharing;
mod telling;
pub(super) mod waiting;
