//! The key of a parcel has the number of the process that is to send it. Before, there was one process.

use super::super::change::{Rewrite, UpgradePlace};

/// The number of that process.
const ONLY: [u8; 2] = [0, 0];

pub(super) const PARCELS: Rewrite =
    Rewrite { place: UpgradePlace::Month, letter: b'u', key: of_only, value: |body| Ok(body.to_vec()) };

fn of_only(key: &[u8]) -> Vec<u8> {
    let (letter, number) = key.split_at(key.len().min(1));
    [letter, &ONLY, number].concat()
}
