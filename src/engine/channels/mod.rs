//! Channels: which are in memory, what has to be loaded before a turn, and what goes through many of them.

pub mod arrival;
pub(super) mod brought;
pub(super) mod candidate;
pub mod chores;
pub(super) mod domains;
pub(super) mod endings;
pub mod errand;
pub(super) mod found;
pub(super) mod lately;
pub(super) mod lifetimes;
pub mod needs;
pub(super) mod newcomers;
pub mod parking;
pub(super) mod past;
pub(super) mod places;
pub(super) mod retention;
pub(super) mod shelf;
pub(super) mod tours;
pub mod waiting_room;
pub(super) mod weight;
