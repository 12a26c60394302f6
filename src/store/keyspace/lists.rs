//! Lists of accounts, and the index of the lists that an account or domain is on.

use super::parts::{key, short};
use crate::channel::Node;
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// The length of the tag, the node and the generation in a key.
const LIST_BYTES: usize = 8 + 1 + 8;

/// The state of a node's list of accounts. A list that is made anew gets another generation, which ends all entries of
/// the one before at once.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(in crate::store) struct ListRecord {
    pub(in crate::store) generation: u64,
    pub(in crate::store) exists: bool,
}

/// An entry of a list: the account or domain, and why it may not join.
pub(in crate::store) type ListEntry = (BareJid, Option<String>);

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

/// The lists that an account or a domain is on, each with the name of the channel. An index entry lasts as long as the
/// entry of the list, and the list may have ended.
pub(in crate::store) fn places(jid: &BareJid) -> Vec<u8> {
    key(b'd', &[&short(jid.as_str())])
}

/// The index key of an entry of a list: the same parts in another order.
pub(in crate::store) fn place_of_listed(listed: &[u8]) -> Option<Vec<u8>> {
    let (list, jid) = listed.get(1..)?.split_first_chunk::<LIST_BYTES>()?;
    Some(key(b'd', &[jid, list]))
}

/// The key of the list's entry, from its index key.
pub(in crate::store) fn listed_of_place(place: &[u8]) -> Option<Vec<u8>> {
    let (jid, list) = place.get(1..)?.split_last_chunk::<LIST_BYTES>()?;
    Some(key(b'e', &[list, jid]))
}

/// The tag, node and generation in an index key.
pub(in crate::store) fn list_of_place(place: &[u8]) -> Option<(u64, Node, u64)> {
    let list = place.last_chunk::<LIST_BYTES>()?;
    let (tag, rest) = list.split_first_chunk()?;
    let (node, generation) = rest.split_first()?;
    let node = Node::ALL.into_iter().find(|it| *it as u8 == *node)?;
    Some((u64::from_be_bytes(*tag), node, u64::from_be_bytes(generation.try_into().ok()?)))
}
