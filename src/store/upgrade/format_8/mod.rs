//! Format 8: how many accounts of a name have ended, a kind of entry that no earlier store has.

use super::change::Rewrite;

/// The changes of values of format 7: none.
pub(super) const CHANGES: &[Rewrite] = &[];
