//! Everything a store answers besides pages, written once for every backend.

use super::keyspace::{self, Entry, Membership};
use super::paging::Archive;
use super::shelf::{Order, Shelf, Space};
use super::{Listing, StoreError, Whereabouts};
use crate::channel::dedup::REPEATS_MAX;
use crate::channel::{
    Channel, ChannelName, Facts, Head, Item, Kept, Member, Node, ParticipantId, Progress, Row, Stamp, Status, Tombstone,
};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// The channel of a name with its members and the end of its archive.
pub(super) fn load(shelf: &impl Shelf, name: &ChannelName) -> Result<Option<Channel>, StoreError> {
    let Some(entry) = shelf.value::<Entry>(Space::State, &keyspace::channel(name))? else { return Ok(None) };
    let info: Item = shelf
        .value(Space::State, &keyspace::info(entry.tag))?
        .ok_or_else(|| StoreError("a channel has no information item: restore from a backup".into()))?;
    let members: Vec<Member> = shelf.values(Space::State, &keyspace::members(entry.tag), usize::MAX)?;
    let archive = Archive::open(shelf, entry.tag)?;
    let newest = newest_rows(&archive)?;
    let kept = Kept {
        profile: entry.profile,
        settings: entry.settings,
        rights: entry.rights,
        items: [(Node::Info, info)].into(),
        allowed: None,
        banned: None,
    };
    Ok(Some(Channel::restore(entry.name, kept, members, archive.head(), &newest)))
}

/// The rows that repeats, marks and authors are known by, oldest first, without their payloads.
fn newest_rows(archive: &Archive<'_, impl Shelf>) -> Result<Vec<Row>, StoreError> {
    let head = archive.head();
    let mut rows = Vec::new();
    let oldest = (head.row + 1).saturating_sub(REPEATS_MAX as u64).max(archive.first());
    archive.visit(oldest, head.row, Order::Falling, &mut |mut row| {
        row.payload = String::new();
        rows.push(row);
        Ok(ControlFlow::Continue(()))
    })?;
    rows.reverse();
    Ok(rows)
}

/// Every channel there is.
pub(super) fn directory(shelf: &impl Shelf) -> Result<Vec<Listing>, StoreError> {
    let entries: Vec<(ChannelName, u64, bool, u32)> = shelf.values(Space::State, &keyspace::all(b'c'), usize::MAX)?;
    let mut listings: Vec<Listing> =
        entries.into_iter().map(|(name, tag, listed, gid)| Listing { name, tag, gid, listed }).collect();
    listings.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listings)
}

/// Everything kept of accounts' whereabouts.
pub(super) fn whereabouts(shelf: &impl Shelf) -> Result<Vec<(BareJid, Whereabouts)>, StoreError> {
    shelf.values(Space::State, &keyspace::all(b'w'), usize::MAX)
}

/// The channels that an account is in.
pub(super) fn channels_of(shelf: &impl Shelf, account: &BareJid) -> Result<Vec<ChannelName>, StoreError> {
    let mut names = Vec::new();
    let memberships: Vec<Membership> = shelf.values(Space::State, &keyspace::memberships(account), usize::MAX)?;
    for membership in memberships.into_iter().filter(|membership| membership.joined) {
        // An entry of a destroyed channel counts for nothing; it is cleared away later.
        let key = keyspace::channel(&membership.name);
        let listing = shelf.value::<(ChannelName, u64)>(Space::State, &key)?;
        if listing.is_some_and(|(_, tag)| tag == membership.tag) {
            names.push(membership.name);
        }
    }
    names.sort();
    Ok(names)
}

/// These rows of an archive.
pub(super) fn rows(shelf: &impl Shelf, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError> {
    let archive = Archive::open(shelf, tag)?;
    numbers.iter().map(|&number| archive.row(number)).collect()
}

/// The oldest row of an archive, and where it ends.
pub(super) fn bounds(shelf: &impl Shelf, tag: u64) -> Result<Option<(u64, Head)>, StoreError> {
    let archive = Archive::open(shelf, tag)?;
    Ok((archive.first() <= archive.head().row).then(|| (archive.first(), archive.head())))
}

/// The records of these participants.
pub(super) fn people(
    shelf: &impl Shelf,
    tag: u64,
    ids: &[ParticipantId],
) -> Result<HashMap<ParticipantId, Member>, StoreError> {
    let mut people = HashMap::new();
    if shelf.entry(Space::State, &keyspace::grave(tag))?.is_some() {
        return Ok(people);
    }
    for id in ids {
        if let Some(member) = shelf.value::<Member>(Space::State, &keyspace::member(tag, id))? {
            people.insert(id.clone(), member);
        }
    }
    Ok(people)
}

/// The channels that an account is in, waits for, or left and did not forget.
pub(super) fn groups_of(shelf: &impl Shelf, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError> {
    Ok(channels_of(shelf, account)?.into_iter().map(|name| (name, Status::Joined)).collect())
}

/// What is known of these rows.
pub(super) fn facts(shelf: &impl Shelf, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError> {
    let rows = rows(shelf, tag, numbers)?;
    Ok(rows.into_iter().map(|row| Some(Facts { row: row?, entombed: false, corrections: Vec::new() })).collect())
}

/// What is left of those of these rows that were retracted.
pub(super) fn tombstones(
    _shelf: &impl Shelf,
    _tag: u64,
    _numbers: &[u64],
) -> Result<BTreeMap<u64, Tombstone>, StoreError> {
    Ok(BTreeMap::new())
}

/// When these participants first reported a row.
pub(super) fn reports(
    _shelf: &impl Shelf,
    _tag: u64,
    _row: u64,
    _progress: Progress,
    _members: &[ParticipantId],
) -> Result<HashMap<ParticipantId, Stamp>, StoreError> {
    Ok(HashMap::new())
}
