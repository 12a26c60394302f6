//! An entry of a list says why. Nobody said so far.

use super::super::change::{Rewrite, UpgradePlace, grown, same};

/// The encoding of no reason.
const NONE: &[u8] = &[0];

pub(super) const ENTRIES: Rewrite =
    Rewrite { place: UpgradePlace::State, letter: b'e', key: same, value: |body| Ok(grown(body, NONE)) };
