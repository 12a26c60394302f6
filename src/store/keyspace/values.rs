//! Values as they are stored: a version byte and a postcard encoding. Another version is refused, never guessed at.

use crate::store::StoreError;
use serde::{Serialize, de::DeserializeOwned};

/// The version of the layout, and of every value that is written (see `upgrade`).
pub(in crate::store) const VERSION: u8 = 8;
/// The oldest version of values in months that are over. An upgrade leaves those months as they are, as long as rows
/// and their indexes can be read as before.
pub(in crate::store) const MONTHS_OLDEST: u8 = 4;

/// The newest commit: its number and its epoch.
pub(in crate::store) type Commit = (u64, u64);

/// Writes a value with the version in front.
///
/// # Errors
/// A value that cannot be written, which no value of this crate is.
pub(in crate::store) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    encode_behind(bytes, value)
}

/// Appends a value to `bytes`, which hold another one.
///
/// # Errors
/// As [`encode`].
pub(in crate::store) fn encode_behind<T: Serialize>(bytes: Vec<u8>, value: &T) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(value, bytes).map_err(|error| StoreError(format!("a value cannot be written: {error}")))
}

/// Reads the beginning of a value. Returns the bytes that follow it, too.
///
/// # Errors
/// As [`decode`].
pub(in crate::store) fn decode_beginning<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), StoreError> {
    split_since(VERSION, bytes)
}

/// Reads a value, or the beginning of one: the bytes that follow it are ignored.
///
/// # Errors
/// Another version, or a value that is damaged.
pub(in crate::store) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    decode_since(VERSION, bytes)
}

/// The same for a value in a month, which may be of an older version.
///
/// # Errors
/// As [`decode`].
pub(in crate::store) fn decode_archived<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    decode_since(MONTHS_OLDEST, bytes)
}

/// The newest commit of a month. Up to format 4 commits had no epoch.
///
/// # Errors
/// As [`decode`].
pub(in crate::store) fn decode_commit(bytes: &[u8]) -> Result<Commit, StoreError> {
    match bytes.first() {
        Some(0..=4) => Ok((decode_archived(bytes)?, 0)),
        _ => decode(bytes),
    }
}

fn decode_since<T: DeserializeOwned>(oldest: u8, bytes: &[u8]) -> Result<T, StoreError> {
    split_since(oldest, bytes).map(|(value, _)| value)
}

fn split_since<T: DeserializeOwned>(oldest: u8, bytes: &[u8]) -> Result<(T, &[u8]), StoreError> {
    match bytes.split_first() {
        Some((version, rest)) if (oldest..=VERSION).contains(version) => postcard::take_from_bytes(rest)
            .map_err(|error| StoreError(format!("a stored value is damaged ({error}): restore from a backup"))),
        Some((found, _)) => Err(StoreError(format!(
            "a stored value is of version {found}, and this program reads version {VERSION}: use the program that wrote it"
        ))),
        None => Err(StoreError("a stored value is empty: restore from a backup".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_version_is_refused_with_both_versions() {
        let mut bytes = encode(&7u64).unwrap();
        assert_eq!(decode::<u64>(&bytes).unwrap(), 7);
        bytes[0] = 9;
        let told = decode::<u64>(&bytes).unwrap_err().to_string();
        assert!(told.contains("version 9") && told.contains(&format!("version {VERSION}")), "{told}");
        assert!(decode::<String>(&[VERSION, 200]).unwrap_err().to_string().contains("damaged"));
        assert!(decode::<u64>(&[]).is_err());
    }
}
