//! A trace says whether it is of somebody who passed by. Those of earlier formats are of records that were given up.

use super::super::change::{Rewrite, UpgradePlace, grown, same};

/// The encoding of somebody who did not pass by.
const NO: &[u8] = &[0];

pub(super) const TRACES: Rewrite =
    Rewrite { place: UpgradePlace::State, letter: b'f', key: same, value: |body| Ok(grown(body, NO)) };
