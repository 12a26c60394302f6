//! Names of channels and accounts that are no more.

use super::parts::{key, short};
use crate::channel::ChannelName;

/// What is left of a destroyed channel under its name.
pub(in crate::store) fn gone(name: &ChannelName) -> Vec<u8> {
    key(b'H', &[&short(name.as_str())])
}
