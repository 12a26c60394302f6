//! XEP-0403: which resources are online in a channel, and to whom that is delivered.

mod chores;
pub(super) mod clients;
pub mod online;
mod passing;
pub(super) mod remembered;
pub(super) mod sharing;
mod telling;
pub(super) mod waiting;
