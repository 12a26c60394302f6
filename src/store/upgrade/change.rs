//! What becomes of one kind of value from one format to the next.

use super::super::StoreError;

/// Which databases a kind of value lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum UpgradePlace {
    /// The state.
    State,
    /// The current month. Those before stay as they are.
    Month,
}

/// What becomes of one kind of value.
pub(in crate::store) struct Rewrite {
    /// Where it lies.
    pub(in crate::store) place: UpgradePlace,
    /// The letter that its keys begin with.
    pub(in crate::store) letter: u8,
    /// The key that it has from here on.
    pub(in crate::store) key: fn(&[u8]) -> Vec<u8>,
    /// Its text from here on, without the version in front.
    pub(in crate::store) value: fn(&[u8]) -> Result<Vec<u8>, StoreError>,
}

/// A key that stays as it is.
pub(super) fn same(key: &[u8]) -> Vec<u8> {
    key.to_vec()
}

/// A record that got fields behind its last one: `more` is their text where nobody said anything.
pub(super) fn grown(body: &[u8], more: &[u8]) -> Vec<u8> {
    [body, more].concat()
}
