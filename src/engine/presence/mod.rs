//! Presence: who is online in which channel, and who is told.

pub mod clients;
pub mod online;
pub mod sharing;
pub mod waiting;
