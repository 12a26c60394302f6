//! What the room that a channel is has of its own: its topic, voices, versions of affiliations.

use super::parts::{key, short};
use jid::BareJid;

/// What a record of a room is, behind the tag in its key.
const TOPIC: u8 = 0;
const VOICE: u8 = 1;
const VERSIONED: u8 = 2;

/// What the room that a channel is has of its own.
pub(in crate::store) fn of_room(tag: u64) -> Vec<u8> {
    key(b'b', &[&tag.to_be_bytes()])
}

pub(in crate::store) fn topic(tag: u64) -> Vec<u8> {
    key(b'b', &[&tag.to_be_bytes(), &[TOPIC]])
}

/// The accounts whose voice was settled for them alone.
pub(in crate::store) fn voices(tag: u64) -> Vec<u8> {
    key(b'b', &[&tag.to_be_bytes(), &[VOICE]])
}

pub(in crate::store) fn voice(tag: u64, account: &BareJid) -> Vec<u8> {
    key(b'b', &[&tag.to_be_bytes(), &[VOICE], &short(account.as_str())])
}

/// XEP-0463: the newest changes of affiliations.
pub(in crate::store) fn versioned(tag: u64) -> Vec<u8> {
    key(b'b', &[&tag.to_be_bytes(), &[VERSIONED]])
}

pub(in crate::store) fn versioned_one(tag: u64, place: u8) -> Vec<u8> {
    key(b'b', &[&tag.to_be_bytes(), &[VERSIONED, place]])
}

/// The tag in the key of a change of affiliations.
pub(in crate::store) fn tag_of_versioned(key: &[u8]) -> Option<u64> {
    let (tag, rest) = key.get(1..)?.split_first_chunk()?;
    (rest.first() == Some(&VERSIONED)).then_some(u64::from_be_bytes(*tag))
}
