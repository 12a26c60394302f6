//! How one kind of value changes from one format to the next.

use super::super::StoreError;
use serde::{Serialize, de::DeserializeOwned};

/// The databases that a kind of value lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum UpgradePlace {
    /// The state.
    State,
    /// The current month. Months before it stay as they are.
    Month,
}

/// How one kind of value changes.
pub(in crate::store) struct Rewrite {
    /// Where it lies.
    pub(in crate::store) place: UpgradePlace,
    /// The letter that its keys begin with.
    pub(in crate::store) letter: u8,
    /// The new key.
    pub(in crate::store) key: fn(&[u8]) -> Vec<u8>,
    /// The new encoding of the value, without the version byte.
    pub(in crate::store) value: fn(&[u8]) -> Result<Vec<u8>, StoreError>,
}

/// A key that stays as it is.
pub(super) fn same(key: &[u8]) -> Vec<u8> {
    key.to_vec()
}

/// A record with new fields behind its last one. `more` is the encoding of their defaults.
pub(super) fn grown(body: &[u8], more: &[u8]) -> Vec<u8> {
    [body, more].concat()
}

/// Decodes the body of a value of the earlier format.
///
/// # Errors
/// A damaged value.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(body)
        .map_err(|error| StoreError(format!("a stored value is damaged ({error}): restore from a backup")))
}

/// Decodes the beginning of the body of a value of the earlier format. Returns the bytes that follow it, too.
///
/// # Errors
/// A damaged value.
pub(super) fn read_beginning<T: DeserializeOwned>(body: &[u8]) -> Result<(T, &[u8]), StoreError> {
    postcard::take_from_bytes(body)
        .map_err(|error| StoreError(format!("a stored value is damaged ({error}): restore from a backup")))
}

/// Encodes a value, without the version byte.
///
/// # Errors
/// A value that postcard cannot encode, which none of this crate is.
pub(super) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(|error| StoreError(format!("a value cannot be written: {error}")))
}
