//! The newest commit of a month says of which epoch it is. What was committed before there were epochs is of the first.

use super::super::change::{Rewrite, UpgradePlace, grown, same};

/// The text of epoch 0.
const FIRST: &[u8] = &[0];

pub(super) const NEWEST: Rewrite =
    Rewrite { place: UpgradePlace::Month, letter: b'n', key: same, value: |body| Ok(grown(body, FIRST)) };
