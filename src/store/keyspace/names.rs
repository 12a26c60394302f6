//! Names of channels and accounts that are no more.

use super::parts::{key, short};
use crate::channel::{AccountMark, ChannelName};

/// What is left of a destroyed channel under its name.
pub(in crate::store) fn gone(name: &ChannelName) -> Vec<u8> {
    key(b'H', &[&short(name.as_str())])
}

/// How many accounts of a name have ended.
pub(in crate::store) fn ended(mark: AccountMark) -> Vec<u8> {
    key(b'N', &[&mark.0.to_be_bytes()])
}
