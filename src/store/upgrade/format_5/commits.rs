//! The newest commit of a month names its epoch. Commits from before epochs are of the first one.

use super::super::change::{Rewrite, UpgradePlace, grown, same};

/// The encoding of epoch 0.
const FIRST: &[u8] = &[0];

pub(super) const NEWEST: Rewrite =
    Rewrite { place: UpgradePlace::Month, letter: b'n', key: same, value: |body| Ok(grown(body, FIRST)) };
