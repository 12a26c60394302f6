//! Channels: which are in memory, what has to be loaded before a turn, and what goes through many of them.

pub mod arrival;
pub mod candidate;
pub mod chores;
pub mod domains;
pub mod endings;
pub mod errand;
pub mod found;
pub mod lately;
pub mod lifetimes;
pub mod needs;
pub mod newcomers;
pub mod parking;
pub mod past;
pub mod places;
pub mod retention;
pub mod shelf;
pub mod tours;
pub mod waiting_room;
pub mod weight;
