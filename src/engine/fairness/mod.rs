//! Who comes first, how often, and how much of something there is room for: what all rooms use.

pub(super) mod lot;
pub mod pace;
pub(super) mod pool;
pub mod waiting_room;
pub(super) mod weight;
