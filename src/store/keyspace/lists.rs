//! Lists of accounts, and the index that says on which of them somebody is.

use super::parts::{key, short};
use crate::channel::Node;
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// What names a list in a key: the tag of its channel, its node and its generation.
const LIST_BYTES: usize = 8 + 1 + 8;

/// Which list of accounts a node has. A list that is made anew has another generation, so that the entries of the one
/// before count for nothing, however many they are.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(in crate::store) struct ListRecord {
    pub(in crate::store) generation: u64,
    pub(in crate::store) exists: bool,
}

pub(in crate::store) fn lists(tag: u64) -> Vec<u8> {
    key(b'l', &[&tag.to_be_bytes()])
}

/// The tag in the key of a list of those who may join.
pub(in crate::store) fn tag_of_allowed(key: &[u8]) -> Option<u64> {
    let (tag, node) = key.get(1..)?.split_first_chunk()?;
    (*node == [Node::Allowed as u8]).then_some(u64::from_be_bytes(*tag))
}

pub(in crate::store) fn list(tag: u64, node: Node) -> Vec<u8> {
    key(b'l', &[&tag.to_be_bytes(), &[node as u8]])
}

pub(in crate::store) fn all_listed(tag: u64) -> Vec<u8> {
    key(b'e', &[&tag.to_be_bytes()])
}

pub(in crate::store) fn listed(tag: u64, node: Node, generation: u64) -> Vec<u8> {
    key(b'e', &[&tag.to_be_bytes(), &[node as u8], &generation.to_be_bytes()])
}

pub(in crate::store) fn listed_one(tag: u64, node: Node, generation: u64, jid: &BareJid) -> Vec<u8> {
    [listed(tag, node, generation), short(jid.as_str())].concat()
}

/// Where an account or a domain is on lists, each with the name of the channel. An entry is there as long as that of the
/// list, which may have ceased to be.
pub(in crate::store) fn places(jid: &BareJid) -> Vec<u8> {
    key(b'd', &[&short(jid.as_str())])
}

/// The key in the index of an entry of a list: both say the same in another order.
pub(in crate::store) fn place_of_listed(listed: &[u8]) -> Option<Vec<u8>> {
    let (list, jid) = listed.get(1..)?.split_first_chunk::<LIST_BYTES>()?;
    Some(key(b'd', &[jid, list]))
}

/// The key of the entry of a list that a key of the index stands for.
pub(in crate::store) fn listed_of_place(place: &[u8]) -> Option<Vec<u8>> {
    let (jid, list) = place.get(1..)?.split_last_chunk::<LIST_BYTES>()?;
    Some(key(b'e', &[list, jid]))
}

/// The list that a key of the index names: the tag of its channel, its node and its generation.
pub(in crate::store) fn list_of_place(place: &[u8]) -> Option<(u64, Node, u64)> {
    let list = place.last_chunk::<LIST_BYTES>()?;
    let (tag, rest) = list.split_first_chunk()?;
    let (node, generation) = rest.split_first()?;
    let node = Node::ALL.into_iter().find(|it| *it as u8 == *node)?;
    Some((u64::from_be_bytes(*tag), node, u64::from_be_bytes(generation.try_into().ok()?)))
}
