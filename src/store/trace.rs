//! Where accounts have a place that only a look through the whole store tells: channels that they own or administer,
//! given-up records, and invitations from or to them. Places in the account index come first.

use super::databases::{Databases, Order, Space};
use super::keyspace::{self, DirectoryEntry, EntryHead, IndexedGuest, IndexedMember};
use super::{StoreError, near};
use crate::channel::{ChannelName, Invitation};
use jid::BareJid;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// A channel in which an account has a place, named in one of two ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By its localpart.
    Named(ChannelName),
    /// By its tag.
    Tagged(u64),
}

/// One part of a look through the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The places found. One may come more than once, and its channel may have been destroyed.
    pub found: Vec<(BareJid, Place)>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<Vec<u8>>,
}

/// Looks at `max` entries, beginning where the part before ended.
pub(super) fn trace(
    dbs: &impl Databases,
    accounts: &BTreeSet<BareJid>,
    from: &[u8],
    max: usize,
) -> Result<Trace, StoreError> {
    near::beside();
    let mut trace = Trace::default();
    if from.is_empty() {
        for account in accounts {
            by_index(dbs, account, &mut trace.found)?;
        }
    }
    let mut seen = 0;
    for letter in [b'c', b'f', b'j'] {
        let all = keyspace::all(letter);
        let (begin, end) = (all.as_slice().max(from), keyspace::behind(&all));
        if begin >= end.as_slice() {
            continue;
        }
        dbs.scan(Space::State, begin, &end, Order::Rising, &mut |key, entry| {
            if seen == max {
                trace.next = Some(key.to_vec());
                return Ok(ControlFlow::Break(()));
            }
            seen += 1;
            let (place, named) = match letter {
                b'c' => {
                    let DirectoryEntry { head: EntryHead { name, .. }, rights } =
                        dbs.whole(Space::State, key, entry)?;
                    (Place::Named(name), [&rights.owners[..], &rights.admins].concat())
                }
                b'f' => {
                    let it: keyspace::PastRecord = dbs.whole(Space::State, key, entry)?;
                    (Place::Tagged(keyspace::tag_of(key)?), vec![it.jid])
                }
                _ => {
                    let it: Invitation = dbs.whole(Space::State, key, entry)?;
                    (Place::Tagged(keyspace::tag_of(key)?), vec![it.invitee, it.inviter])
                }
            };
            let found = named.into_iter().filter(|jid| accounts.contains(jid));
            trace.found.extend(found.map(|jid| (jid, place.clone())));
            Ok(ControlFlow::Continue(()))
        })?;
        if trace.next.is_some() {
            break;
        }
    }
    Ok(trace)
}

/// The places in the index: where the account is or was, where it is a guest, and the lists it is on.
fn by_index(dbs: &impl Databases, account: &BareJid, found: &mut Vec<(BareJid, Place)>) -> Result<(), StoreError> {
    let memberships: Vec<IndexedMember> = dbs.values(Space::State, &keyspace::memberships(account), usize::MAX)?;
    let visits: Vec<IndexedGuest> = dbs.values(Space::State, &keyspace::visits(account), usize::MAX)?;
    let listed: Vec<ChannelName> = dbs.values(Space::State, &keyspace::places(account), usize::MAX)?;
    let names = memberships.into_iter().map(|it| it.name).chain(visits.into_iter().map(|it| it.name)).chain(listed);
    found.extend(names.map(|name| (account.clone(), Place::Named(name))));
    Ok(())
}
