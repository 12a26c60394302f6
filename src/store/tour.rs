//! What an account set off in all of its channels, and how far it is: kept until it is done, so that a crash between two
//! channels leaves nothing half done.

use super::archive::Archive;
use super::keyspace::{self, Membership, Visit};
use super::reader::is_there;
use super::shelf::{Order, Shelf, Space};
use super::{StoreError, near};
use crate::channel::{ChannelName, Head, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// What is done in each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Deed {
    /// The account takes the nick that it registered with the service.
    Rename,
    /// The account clears the history for itself, up to the time at which it asked.
    Clear,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tour {
    /// Whose channels they are.
    pub account: BareJid,
    /// What is done.
    pub deed: Deed,
    /// When it was set off.
    pub since: Stamp,
    /// The channel up to which all are done, in the order of `channels_behind`; none where it has not begun.
    pub behind: Option<ChannelName>,
    /// Channels in which the account settled something else since.
    pub settled: BTreeSet<ChannelName>,
}

/// Channels that an account has a record in or is a guest of, up to so many, in the order of their keys.
pub(super) fn channels_behind(
    shelf: &impl Shelf,
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
        shelf.scan(Space::State, &from, &keyspace::behind(&prefix), Order::Rising, &mut |key, entry| {
            let (name, tag) = match is_guest {
                false => {
                    let Membership { name, tag, .. } = shelf.whole(Space::State, key, entry)?;
                    (name, tag)
                }
                true => {
                    let Visit { name, tag } = shelf.whole(Space::State, key, entry)?;
                    (name, tag)
                }
            };
            if is_there(shelf, &name, tag)? {
                found.insert(key[prefix.len()..].to_vec(), name);
                left -= 1;
            }
            Ok(if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
    }
    Ok(found.into_values().take(count).collect())
}

/// Where an archive stood at a time: at its last row of that time or before.
pub(super) fn head_at(shelf: &impl Shelf, tag: u64, stamp: Stamp) -> Result<Head, StoreError> {
    near::beside();
    let archive = Archive::open(shelf, tag)?;
    let last = archive.stamped(Stamp(0), stamp)?.last().map_or(0, |&(_, last)| last);
    if last < archive.first() { Ok(archive.base()) } else { archive.head_at(last) }
}
