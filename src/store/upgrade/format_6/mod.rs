//! Format 6: what rooms have (XEP-0045). Settings, a member's nick and rank, the reasons of bans; a topic and voices,
//! which no earlier channel has.

mod channels;
mod lists;
mod members;

use super::change::Rewrite;

/// The changes of values of format 5.
pub(super) const CHANGES: &[Rewrite] = &[channels::ENTRIES, lists::ENTRIES, members::RECORDS];
