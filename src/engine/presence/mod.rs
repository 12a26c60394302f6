//! Presence: who is online in which channel, and who is told.

mod chores;
pub(super) mod clients;
pub mod online;
pub(super) mod sharing;
mod telling;
pub(super) mod waiting;
