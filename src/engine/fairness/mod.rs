//! Fairness: order, rates and shares of rooms, as used by the whole engine.

pub(super) mod lot;
pub mod pace;
pub(super) mod pool;
pub mod waiting_room;
pub(super) mod weight;
