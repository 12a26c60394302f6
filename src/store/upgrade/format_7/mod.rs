//! Format 7: what is left of destroyed channels under their names, and other kinds of entries that no earlier store has.

use super::change::Rewrite;

/// The changes of values of format 6: none.
pub(super) const CHANGES: &[Rewrite] = &[];
