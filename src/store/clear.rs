//! Clears away the records of destroyed channels and lists, a bounded number at a time.
//!
//! Nothing can reach these records any more. So clearing is no part of a commit, and a crash loses nothing.

use super::StoreError;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, Grave, IndexedGuest, IndexedMember, Ops, Reach};
use crate::channel::{ChannelName, Guest, Member};
use crate::chore::{Budget, Chore};
use std::ops::ControlFlow;

/// How many records are looked at and how many are cleared away at a time. Bounded, because others wait meanwhile.
const CLEARING: Budget = Budget { things: 128, cost: 32 };

/// What is left to be cleared away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing.
    #[default]
    Nothing,
    /// There may be something.
    Some,
    /// Nothing can go before the parcel of this number was sent and dropped.
    Waits(u64),
}

/// The changes that clear away some records of one destroyed channel or list, and what is left then. `is_unsent` says
/// whether the parcel of a number is still unsent.
///
/// # Errors
/// Those of reading.
pub(super) fn clear_some(dbs: &impl Databases, is_unsent: impl Fn(u64) -> bool) -> Result<(Ops, Left), StoreError> {
    let (mut left, mut found) = (Left::Nothing, None);
    // Many may wait. Once as many as one pass looks at do, the ones behind them wait, too.
    let mut looked_at = 0;
    let all = keyspace::all(b'g');
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        looked_at += 1;
        match dbs.whole(Space::State, key, entry)? {
            Grave::Told { parcel, is_bare: true, .. } if is_unsent(parcel) => {
                left = match left {
                    Left::Waits(first) => Left::Waits(first.min(parcel)),
                    _ => Left::Waits(parcel),
                };
                Ok(if looked_at < CLEARING.things { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
            }
            grave => {
                found = Some(grave);
                Ok(ControlFlow::Break(()))
            }
        }
    })?;
    match found {
        None => Ok((Ops::new(), left)),
        Some(grave) => Ok((of_grave(dbs, grave)?, Left::Some)),
    }
}

fn of_grave(dbs: &impl Databases, grave: Grave) -> Result<Ops, StoreError> {
    let (mark, ops) = match grave {
        Grave::Told { tag, name, parcel, is_bare: false } => {
            let ops = beside_people(dbs, tag)?;
            let bare = keyspace::encode(&Grave::Told { tag, name, parcel, is_bare: true })?;
            return Ok(if ops.is_empty() { Ops::from([(keyspace::grave(tag), Some(bare))]) } else { ops });
        }
        Grave::List { tag, node, generation } => {
            let prefix = keyspace::listed(tag, node, generation);
            (keyspace::list_grave(tag, node, generation), entries(dbs, &prefix)?)
        }
        Grave::Below { tag, row, cursor } => return below(dbs, tag, row, &cursor),
        Grave::Channel { tag, name } | Grave::Told { tag, name, .. } => {
            (keyspace::grave(tag), of_channel(dbs, tag, &name)?)
        }
    };
    // The mark goes last and alone: after a crash it is what the remaining records are found by.
    Ok(if ops.is_empty() { Ops::from([(mark, None)]) } else { ops })
}

/// Clears away what is known of rows up to `horizon`: corrections, tombstones, reports.
fn below(dbs: &impl Databases, tag: u64, horizon: u64, cursor: &[u8]) -> Result<Ops, StoreError> {
    // In the order of keys, because the cursor is a key.
    let ranges = [
        (keyspace::all_corrections(tag), keyspace::corrections(tag, horizon.saturating_add(1))),
        (keyspace::tombstones(tag), keyspace::tombstone(tag, horizon.saturating_add(1))),
        reports_up_to(tag, Reach::Near, horizon),
        reports_up_to(tag, Reach::Far, horizon),
    ];
    let (mut ops, mut looked_at) = (Ops::new(), 0);
    let mut chore = Chore::once(CLEARING, Some(cursor.to_vec()));
    for (from, to) in ranges {
        let from = from.as_slice().max(cursor);
        dbs.scan(Space::State, from, &to, Order::Rising, &mut |key, _| {
            looked_at += 1;
            chore.go_to(Some([key, &[0]].concat()));
            // A correction lies behind the row that it corrects, so it may still be there.
            let goes = match key.first() {
                Some(b'k') => keyspace::number_of(key)? <= horizon,
                Some(b'o') => !is_corrected_behind(dbs, tag, keyspace::number_of(key)?, horizon)?,
                _ => true,
            };
            if goes {
                ops.insert(key.to_vec(), None);
            }
            Ok(if looked_at < chore.things() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        if looked_at >= chore.things() {
            break;
        }
    }
    let mark = keyspace::horizon_grave(tag);
    if looked_at == 0 {
        return Ok(Ops::from([(mark, None)]));
    }
    // A crash may leave some of these records behind a cursor; the next horizon clears them away.
    let grave = Grave::Below { tag, row: horizon, cursor: chore.behind().cloned().unwrap_or_default() };
    ops.insert(mark, Some(keyspace::encode(&grave)?));
    Ok(ops)
}

/// The range of keys of the reports whose last row is `horizon` or an earlier one.
fn reports_up_to(tag: u64, reach: Reach, horizon: u64) -> (Vec<u8>, Vec<u8>) {
    (keyspace::reports(tag, reach, 0), keyspace::reports(tag, reach, horizon.saturating_add(1)))
}

/// Whether a row behind the horizon corrects this one.
fn is_corrected_behind(dbs: &impl Databases, tag: u64, row: u64, horizon: u64) -> Result<bool, StoreError> {
    let (from, to) = (keyspace::correction(tag, row, horizon + 1), keyspace::behind(&keyspace::corrections(tag, row)));
    let mut found = false;
    dbs.scan(Space::State, &from, &to, Order::Rising, &mut |_, _| {
        found = true;
        Ok(ControlFlow::Break(()))
    })?;
    Ok(found)
}

fn of_channel(dbs: &impl Databases, tag: u64, name: &ChannelName) -> Result<Ops, StoreError> {
    let members = members(dbs, tag, name)?;
    if !members.is_empty() {
        return Ok(members);
    }
    let guests = guests(dbs, tag, name)?;
    if !guests.is_empty() {
        return Ok(guests);
    }
    beside_people(dbs, tag)
}

/// Some records of a channel other than members and guests.
fn beside_people(dbs: &impl Databases, tag: u64) -> Result<Ops, StoreError> {
    let entries = entries(dbs, &keyspace::all_listed(tag))?;
    if !entries.is_empty() {
        return Ok(entries);
    }
    let prefixes = [
        keyspace::items(tag),
        keyspace::lists(tag),
        keyspace::of_room(tag),
        keyspace::invitations(tag),
        keyspace::tombstones(tag),
        keyspace::all_corrections(tag),
        keyspace::all_reports(tag),
        keyspace::all_sums(tag),
        keyspace::traces(tag),
        keyspace::traces_of(tag),
        keyspace::all_passing(tag),
        keyspace::passing_count(tag),
    ];
    for prefix in prefixes {
        let found = records(dbs, &prefix)?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Ops::new())
}

/// Some members, each with its place in the index of accounts.
fn members(dbs: &impl Databases, tag: u64, name: &ChannelName) -> Result<Ops, StoreError> {
    let mut members = Vec::new();
    let prefix = keyspace::members(tag);
    dbs.scan(Space::State, &prefix, &keyspace::behind(&prefix), Order::Rising, &mut |key, entry| {
        members.push((key.to_vec(), dbs.whole::<Member>(Space::State, key, entry)?));
        Ok(if members.len() < CLEARING.cost { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    let mut ops = Ops::new();
    for (key, member) in members {
        ops.insert(key, None);
        let index = keyspace::membership(&member.jid, name);
        // The account may have joined a later channel of that name.
        if dbs.value::<IndexedMember>(Space::State, &index)?.is_some_and(|found| found.tag == tag) {
            ops.insert(index, None);
        }
    }
    Ok(ops)
}

/// Some guests, each with its place in the index of accounts.
fn guests(dbs: &impl Databases, tag: u64, name: &ChannelName) -> Result<Ops, StoreError> {
    let guests: Vec<Guest> = dbs.values(Space::State, &keyspace::guests(tag), CLEARING.cost)?;
    let mut ops = Ops::new();
    for guest in guests {
        ops.insert(keyspace::guest(tag, &guest.jid), None);
        let index = keyspace::visit(&guest.jid, name);
        // It may be a guest of a later channel of that name.
        if dbs.value::<IndexedGuest>(Space::State, &index)?.is_some_and(|found| found.tag == tag) {
            ops.insert(index, None);
        }
    }
    Ok(ops)
}

/// Some entries of lists, each with its place in the index.
fn entries(dbs: &impl Databases, prefix: &[u8]) -> Result<Ops, StoreError> {
    let mut ops = records(dbs, prefix)?;
    let places: Vec<_> = ops.keys().filter_map(|key| keyspace::place_of_listed(key)).collect();
    ops.extend(places.into_iter().map(|place| (place, None)));
    Ok(ops)
}

/// Some records whose keys begin with `prefix`.
fn records(dbs: &impl Databases, prefix: &[u8]) -> Result<Ops, StoreError> {
    let mut ops = Ops::new();
    dbs.scan(Space::State, prefix, &keyspace::behind(prefix), Order::Rising, &mut |key, _| {
        ops.insert(key.to_vec(), None);
        Ok(if ops.len() < CLEARING.cost { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(ops)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::whom::Whom;
    use crate::channel::{Change, Item, Limits, Profile, Rights, Stamp};
    use crate::store::{Halves, MemoryStore, Part, Record, Store, Unsent};
    use jid::BareJid;

    /// A channel that ended, and a parcel that tells its people.
    fn end(store: &MemoryStore, tag: u64, parcel: u64) {
        let creator = BareJid::new("a@host.example").unwrap();
        let created = Change::Created {
            profile: Profile { tag, created: Stamp(0), creator, gid: 1, listed: true },
            settings: Limits::default().group_settings(),
            rights: Rights::default(),
            info: Item::default(),
        };
        let name = ChannelName::new(&format!("c{tag}")).unwrap();
        let record = |change| Record::Channel { name: name.clone(), tag, change };
        store.commit(Stamp(0), &[record(created)]).unwrap();
        let stanza = Halves { head: "<message".into(), tail: "/>".into(), groupchat: false };
        let part = Part::Farewell { tag, whom: Whom::Members, stanza };
        let unsent = Record::Unsent(Unsent { number: parcel, stamp: Stamp(0), parts: vec![part] });
        store.commit(Stamp(0), &[record(Change::Destroyed(Default::default())), unsent]).unwrap();
        // All else of it is cleared away.
        (0..8).for_each(|_| store.commit(Stamp(0), &[]).unwrap());
    }

    #[test]
    fn channels_wait_for_the_first_of_the_parcels_that_tell_of_their_end() {
        let store = MemoryStore::new([1; 16]);
        let left = |is_unsent: fn(u64) -> bool| clear_some(&*store.lock(), is_unsent).unwrap().1;
        assert_eq!(left(|_| true), Left::Nothing);
        for (tag, parcel) in [(1, 5), (2, 3), (3, 4)] {
            end(&store, tag, parcel);
        }
        assert_eq!(left(|_| true), Left::Waits(3));
        assert_eq!(left(|number| number != 3), Left::Some);
    }
}
