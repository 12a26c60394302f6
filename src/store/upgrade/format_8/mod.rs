//! Format 8: how many accounts of a name have ended, and traces of people who passed by in rooms.

mod traces;

use super::change::Rewrite;

/// The changes of values of format 7.
pub(super) const CHANGES: &[Rewrite] = &[traces::TRACES];
