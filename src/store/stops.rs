//! The stops of a tour (see `tour`): the channels of an account in an order that never changes, and where their
//! archives stood when the tour began.

use super::archive::Archive;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, IndexedGuest, IndexedMember};
use super::reader::is_there;
use super::{StoreError, near};
use crate::channel::{ChannelName, Head, Stamp};
use jid::BareJid;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Up to `count` channels that an account has a record in or is a guest of, in the order of their keys.
pub(super) fn channels_behind(
    dbs: &impl Databases,
    account: &BareJid,
    behind: Option<&ChannelName>,
    count: usize,
) -> Result<Vec<ChannelName>, StoreError> {
    near::beside();
    let mut found: BTreeMap<Vec<u8>, ChannelName> = BTreeMap::new();
    let (members, guests) = (keyspace::memberships(account), keyspace::visits(account));
    let member = behind.map(|name| keyspace::membership(account, name));
    let guest = behind.map(|name| keyspace::visit(account, name));
    for (prefix, behind, is_guest) in [(members, member, false), (guests, guest, true)] {
        let from = behind.map_or_else(|| prefix.clone(), |key| [key, vec![0]].concat());
        let mut left = count;
        dbs.scan(Space::State, &from, &keyspace::behind(&prefix), Order::Rising, &mut |key, entry| {
            let (name, tag) = match is_guest {
                false => {
                    let IndexedMember { name, tag, .. } = dbs.whole(Space::State, key, entry)?;
                    (name, tag)
                }
                true => {
                    let IndexedGuest { name, tag } = dbs.whole(Space::State, key, entry)?;
                    (name, tag)
                }
            };
            if is_there(dbs, &name, tag)? {
                found.insert(key[prefix.len()..].to_vec(), name);
                left -= 1;
            }
            Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
    }
    Ok(found.into_values().take(count).collect())
}

/// Where an archive stood at a time: at its last row up to then.
pub(super) fn head_at(dbs: &impl Databases, tag: u64, stamp: Stamp) -> Result<Head, StoreError> {
    near::beside();
    let archive = Archive::open(dbs, tag)?;
    let last = archive.stamped(Stamp(0), stamp)?.last().map_or(0, |&(_, last)| last);
    if last < archive.first() { Ok(archive.base()) } else { archive.head_at(last) }
}
