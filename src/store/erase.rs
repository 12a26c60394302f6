//! Erases an account that is out of every channel: what it wrote, its names, and what it reported.
//!
//! This is no part of a commit: nothing reads what it removes, and doing it twice has the effect of doing it once. It
//! works in slices between two commits, in the state and in every month. Rows keep their numbers: a row that the
//! account wrote becomes a mark that something was erased. Records keep their participant ids, which rows and events
//! name, under an address that nobody has.

mod slices;

pub(super) use slices::Scribe;

use super::archive::Archive;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, BLOCK_ROWS, DirectoryEntry, EntryHead, Grave, IndexedMember, Ops, PastRecord, RowStart};
use super::look_for::holds;
use super::{StoreError, past, pieces};
use crate::channel::{
    AccountMark, ChannelName, Event, EventKind, GoneChannel, Item, Member, Named, Nick, Node, NodeSet, Own,
    ParticipantId, Preferences, Report, Row, RowKind, Tombstone, Topic, VersionedChange,
};
use jid::BareJid;
use slices::{clear, each, walk};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Earlier accounts of a name whose rows one step looks for in a channel.
const NAMESAKES_MAX: u32 = 64;

/// The nick that records of an erased account get.
pub const ERASED_NICK: &str = "deleted account";

/// Who an account is in channels that have no record of it.
#[derive(Clone, Copy)]
pub struct Unrecorded<'a> {
    /// What stands for its name.
    pub mark: AccountMark,
    /// Its participant id in the channel with a tag, where so many accounts of its name had ended before.
    pub id_of: &'a dyn Fn(u64, u32) -> ParticipantId,
}

/// The channels whose records were changed.
pub type Erased = Vec<ChannelName>;

/// The address that replaces an erased account's. Its domain is never served (RFC 2606 §2).
#[allow(clippy::disallowed_methods, reason = "bounded: an id is short")]
fn nobody(id: &str) -> Result<BareJid, StoreError> {
    BareJid::new(&format!("{id}@erased.invalid")).map_err(|error| StoreError(error.to_string()))
}

/// A channel that may hold something of the account.
struct Place {
    name: ChannelName,
    tag: u64,
    /// The account's participant ids there.
    ids: BTreeSet<ParticipantId>,
    /// Whether a record or a trace says so of any of them.
    is_recorded: bool,
}

/// Erases an account.
///
/// # Errors
/// Those of reading and writing. Erasing may be repeated then.
pub(super) fn erase(scribe: &impl Scribe, account: &BareJid, unrecorded: Unrecorded<'_>) -> Result<Erased, StoreError> {
    let mut changed = Vec::new();
    let (places, dead) = places(scribe, account, unrecorded)?;
    forget_dead(scribe, account, dead)?;
    for place in places {
        let is_in_rows = rows(scribe, account, &place)?;
        let is_in_state = state(scribe, account, &place)?;
        if is_in_rows || is_in_state || place.is_recorded {
            changed.push(place.name);
        }
    }
    forget_creator(scribe, account)?;
    scribe.rewrite(|dbs| {
        let mut ops = Ops::from([(keyspace::whereabouts(account), None), (keyspace::registered_nick(account), None)]);
        ops.insert(keyspace::newcomer(account), None);
        for prefix in [
            keyspace::places(account),
            keyspace::memberships(account),
            keyspace::visits(account),
            keyspace::seats(account),
        ] {
            each(dbs, &prefix, &prefix, usize::MAX, &mut |key, _| {
                ops.extend(keyspace::listed_of_place(key).filter(|_| key.starts_with(b"d")).map(|key| (key, None)));
                ops.insert(key.to_vec(), None);
                Ok(())
            })?;
        }
        Ok((vec![(Space::State, ops)], ()))
    })?;
    Ok(changed)
}

/// The participant ids of the account by the tags of channels.
type Ids = BTreeMap<u64, BTreeSet<ParticipantId>>;

/// Destroyed channels that the account created count for its domain. Their marks of it went when it was ended.
fn forget_creator(scribe: &impl Scribe, account: &BareJid) -> Result<(), StoreError> {
    clear(scribe, &keyspace::all(b'H'), &|dbs, key, entry| {
        let gone: GoneChannel = dbs.whole(Space::State, key, entry)?;
        let creator = BareJid::from_parts(None, account.domain());
        let is_own = gone.creator == *account;
        is_own.then(|| keyspace::encode(&GoneChannel { creator, ..gone }).map(Some)).transpose()
    })
}

/// Removes the account's records in destroyed channels, kept so far to tell it of their end. It is told nothing any
/// more.
fn forget_dead(scribe: &impl Scribe, account: &BareJid, dead: Ids) -> Result<(), StoreError> {
    scribe.rewrite(|_| {
        let members = dead.iter().flat_map(|(&tag, ids)| ids.iter().map(move |id| (keyspace::member(tag, id), None)));
        Ok((vec![(Space::State, members.collect())], ()))
    })?;
    let mut tags = Vec::new();
    walk(scribe, b'g', &mut |dbs, key, entry| {
        if let Grave::Told { tag, .. } = dbs.whole(Space::State, key, entry)? {
            tags.push(tag);
        }
        Ok(())
    })?;
    scribe.rewrite(|_| {
        let guests = tags.iter().map(|&tag| (keyspace::guest(tag, account), None));
        Ok((vec![(Space::State, guests.collect())], ()))
    })
}

/// Every channel that may hold something of the account: where it has or had a record, that it created, or whose events
/// may name it. Also its participant ids in channels that were destroyed.
fn places(
    scribe: &impl Scribe,
    account: &BareJid,
    unrecorded: Unrecorded<'_>,
) -> Result<(Vec<Place>, Ids), StoreError> {
    let mut ids = Ids::new();
    for letter in [b'm', b'f'] {
        walk(scribe, letter, &mut |dbs, key, entry| {
            if !holds(entry, account) {
                return Ok(());
            }
            let (jid, id) = match letter {
                b'm' => dbs.whole(Space::State, key, entry).map(|it: Member| (it.jid, it.id))?,
                _ => dbs.whole(Space::State, key, entry).map(|it: PastRecord| (it.jid, it.id))?,
            };
            if jid == *account {
                ids.entry(keyspace::tag_of(key)?).or_default().insert(id);
            }
            Ok(())
        })?;
    }
    let mut versioned = BTreeSet::new();
    walk(scribe, b'b', &mut |dbs, key, entry| {
        let tag = keyspace::tag_of_versioned(key).filter(|_| holds(entry, account));
        if let Some(tag) = tag
            && dbs.whole::<VersionedChange>(Space::State, key, entry)?.account.as_ref() == Some(account)
        {
            versioned.insert(tag);
        }
        Ok(())
    })?;
    let mut all = Vec::new();
    walk(scribe, b'c', &mut |dbs, key, entry| {
        let EntryHead { name, tag, profile, settings, .. } = dbs.whole(Space::State, key, entry)?;
        let ids = ids.remove(&tag).unwrap_or_default();
        let is_one = !ids.is_empty() || settings.events || profile.creator == *account || versioned.contains(&tag);
        all.push((is_one, Place { name, tag, is_recorded: !ids.is_empty(), ids }));
        Ok(())
    })?;
    let mut places = Vec::new();
    for (is_one, mut place) in all {
        let mut begun = Some(0);
        while let Some(first) = begun {
            let (found, next) = scribe.rewrite(|dbs| Ok((Vec::new(), passing(dbs, place.tag, first, unrecorded)?)))?;
            place.ids.extend(found);
            begun = next;
        }
        places.extend((is_one || !place.ids.is_empty()).then_some(place));
    }
    Ok((places, ids))
}

/// The participant ids by which an account, or an earlier one of its name, passed by in a channel and wrote something. Of
/// those who passed by long ago the channel has no trace; and rows are from before there were any. From the account that was
/// the `first` of that name on, some at a time, since commits wait; and from which on there are more.
fn passing(
    dbs: &impl Databases,
    tag: u64,
    first: u32,
    Unrecorded { mark, id_of }: Unrecorded<'_>,
) -> Result<(BTreeSet<ParticipantId>, Option<u32>), StoreError> {
    let count: Option<(AccountMark, u32)> = dbs.value(Space::State, &keyspace::ended(mark))?;
    let count = count.map_or(1, |(_, count)| count.max(1));
    let last = count.min(first.saturating_add(NAMESAKES_MAX));
    let topic: Option<Topic> = dbs.value(Space::State, &keyspace::topic(tag))?;
    let mut found = BTreeSet::new();
    for id in (first..last).map(|ended| id_of(tag, ended)) {
        let is_in_topic = topic.as_ref().is_some_and(|topic| topic.author == id);
        if is_in_topic || past::has_row(dbs, tag, &id)? {
            found.insert(id);
        }
    }
    Ok((found, (last < count).then_some(last)))
}

/// Erases what the account wrote in a channel. Returns whether any row was changed.
fn rows(scribe: &impl Scribe, account: &BareJid, place: &Place) -> Result<bool, StoreError> {
    let (mut next, mut is_changed) = (Some(0), false);
    // By what of the profile was changed: whether the account changed it last, so that the upload is its own.
    let mut uploads: BTreeMap<String, bool> = BTreeMap::new();
    while let Some(first) = next {
        next = scribe.rewrite(|dbs| {
            let archive = Archive::open(dbs, place.tag)?;
            let first = archive.first().max(first);
            if first > archive.newest() {
                return Ok((Vec::new(), None));
            }
            let last = archive.newest().min(first + BLOCK_ROWS - 1);
            let mut writes: Vec<(Space, Ops)> = Vec::new();
            archive.each_month(first, last, Order::Rising, &mut |space, low, high| {
                let ops = of_rows(dbs, account, place, (space, low, high), &mut uploads)?;
                writes.extend((!ops.is_empty()).then_some((space, ops)));
                Ok(ControlFlow::Continue(()))
            })?;
            is_changed |= !writes.is_empty();
            Ok((writes, Some(last + 1)))
        })?;
    }
    let own = |detail: &str| uploads.get(detail).copied().unwrap_or(false);
    let mut gone = Vec::new();
    if own("avatar") {
        gone.extend([Node::AvatarMetadata, Node::AvatarData]);
    }
    if own("video") {
        gone.push(Node::Video);
    }
    if gone.is_empty() {
        return Ok(is_changed);
    }
    scribe.rewrite(|_| {
        let ops = gone.into_iter().map(|node| (keyspace::item(place.tag, node), None)).collect();
        Ok((vec![(Space::State, ops)], true))
    })
}

/// The changes of some rows of one month.
fn of_rows(
    dbs: &impl Databases,
    account: &BareJid,
    place: &Place,
    (space, low, high): (Space, u64, u64),
    uploads: &mut BTreeMap<String, bool>,
) -> Result<Ops, StoreError> {
    let (tag, mut ops) = (place.tag, Ops::new());
    dbs.scan(space, &keyspace::row(tag, low), &keyspace::row(tag, high + 1), Order::Rising, &mut |key, entry| {
        let (_, _, author, _): RowStart = keyspace::decode_archived(pieces::start_of(entry)?)?;
        let is_own = place.ids.contains(&author);
        if !is_own && !holds(entry, account) && uploads.is_empty() {
            return Ok(ControlFlow::Continue(()));
        }
        let row: Row = dbs.whole(space, key, entry)?;
        if let RowKind::Event(Event { kind: EventKind::ProfileChanged, by, detail: Some(detail), .. }) = &row.kind {
            let is_by_it = by.as_ref().is_some_and(|by| by.jid == *account || place.ids.contains(&by.id));
            uploads.insert(detail.clone(), is_by_it);
        }
        let media = row.media;
        if let Some(erased) = erased(row, is_own, account, place)? {
            ops.insert(key.to_vec(), Some(keyspace::encode(&erased)?));
            if let (Some(kind), None) = (media, erased.media) {
                ops.insert(keyspace::media(tag, kind, erased.number), None);
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(ops)
}

/// The row without what is the account's; `None` where nothing of it is.
fn erased(row: Row, is_own: bool, account: &BareJid, place: &Place) -> Result<Option<Row>, StoreError> {
    let past = row.clone();
    let mut row = row;
    let named = |named: Option<Named>| -> Result<Option<Named>, StoreError> {
        let Some(named) = named else { return Ok(None) };
        if named.jid != *account && !place.ids.contains(&named.id) {
            return Ok(Some(named));
        }
        Ok(Some(Named { jid: nobody(named.id.as_str())?, nick: ERASED_NICK.to_owned(), id: named.id }))
    };
    row.kind = match row.kind {
        RowKind::Event(Event { kind, by, whom, detail }) => {
            // The record of an event's author may be gone. Then the event alone says who that was.
            RowKind::Event(Event { kind, by: named(by)?, whom: named(whom)?, detail })
        }
        RowKind::Message if is_own => RowKind::Erased,
        kind => kind,
    };
    if is_own {
        row.nick = ERASED_NICK.to_owned();
        row.payload = String::new();
        (row.media, row.stanza_id, row.origin_id, row.lang) = (None, None, None, None);
    } else if let (RowKind::Event(was), RowKind::Event(is)) = (&past.kind, &row.kind)
        && was != is
    {
        let author = [&is.by, &is.whom].into_iter().flatten().find(|named| named.id == row.author);
        row.nick = author.map_or(row.nick, |author| author.nick.clone());
    }
    Ok((row != past).then_some(row))
}

/// Erases the account from the state of a channel. Returns whether any of it was changed.
fn state(scribe: &impl Scribe, account: &BareJid, place: &Place) -> Result<bool, StoreError> {
    let tag = place.tag;
    if !place.ids.is_empty() {
        let own = |report: &Report| place.ids.contains(&report.member);
        clear(scribe, &keyspace::all_reports(tag), &|dbs, key, entry| {
            let report: Report = dbs.whole(Space::State, key, entry)?;
            Ok(own(&report).then_some(None))
        })?;
        clear(scribe, &keyspace::tombstones(tag), &|dbs, key, entry| {
            let left: Tombstone = dbs.whole(Space::State, key, entry)?;
            let is_own = left.by.as_ref().is_some_and(|by| place.ids.contains(by)) && left.reason.is_some();
            let erased = is_own.then(|| keyspace::encode(&Tombstone { reason: None, ..left })).transpose()?;
            Ok(erased.map(Some))
        })?;
    }
    scribe.rewrite(|dbs| {
        let mut ops = blank_records(dbs, account, place)?;
        let key = keyspace::topic(tag);
        if let Some(topic) = dbs
            .value::<Topic>(Space::State, &key)?
            .filter(|it| place.ids.contains(&it.author) && it.nick != ERASED_NICK)
        {
            // The topic is what the room is about, and stays; who set it is nobody.
            let nobody = Topic { nick: ERASED_NICK.to_owned(), ..topic };
            ops.insert(key, Some(keyspace::encode(&nobody)?));
        }
        // That it was of the room says nothing of who else is, so clients read all lists anew.
        let versions = keyspace::versioned(tag);
        each(dbs, &versions, &versions, usize::MAX, &mut |key, entry| {
            let change: VersionedChange = dbs.whole(Space::State, key, entry)?;
            if change.account.as_ref() == Some(account) {
                ops.insert(key.to_vec(), Some(keyspace::encode(&VersionedChange { account: None, ..change })?));
            }
            Ok(())
        })?;
        let by_account = keyspace::trace_of(tag, account);
        if dbs.entry(Space::State, &by_account)?.is_some() {
            ops.insert(by_account, None);
        }
        let place_in_index = keyspace::membership(account, &place.name);
        if dbs.value::<IndexedMember>(Space::State, &place_in_index)?.is_some_and(|it| it.tag == tag) {
            ops.insert(place_in_index, None);
        }
        let key = keyspace::channel(&place.name);
        if let Some(mut entry) = dbs.value::<DirectoryEntry>(Space::State, &key)?.filter(|it| it.head.tag == tag)
            && entry.head.profile.creator == *account
        {
            entry.head.profile.creator = nobody(&format!("creator-{}", entry.head.gid))?;
            ops.insert(key, Some(keyspace::encode(&entry)?));
        }
        let key = keyspace::item(tag, Node::Config);
        if let Some((node, item)) = dbs.value::<(Node, Item)>(Space::State, &key)?
            && item.label.as_deref() == Some(account.as_str())
        {
            ops.insert(key, Some(keyspace::encode(&(node, Item { label: None, ..item }))?));
        }
        let is_changed = !ops.is_empty();
        Ok((vec![(Space::State, ops)], is_changed))
    })
}

/// The account's records and traces in a channel without what is its own. Those that were erased before stay.
fn blank_records(dbs: &impl Databases, account: &BareJid, place: &Place) -> Result<Ops, StoreError> {
    let (tag, mut ops) = (place.tag, Ops::new());
    for id in &place.ids {
        let left = match dbs.value::<Member>(Space::State, &keyspace::member(tag, id))? {
            Some(member) if member.jid == *account => {
                let (spoke, record) = (member.spoke, blank(member)?);
                (keyspace::member(tag, id), spoke.then(|| keyspace::encode(&record)).transpose()?)
            }
            Some(_) => continue,
            None => match dbs.value::<PastRecord>(Space::State, &keyspace::trace(tag, id))? {
                Some(past) if past.jid == *account => {
                    (keyspace::trace(tag, id), Some(keyspace::encode(&blank_trace(past)?)?))
                }
                _ => continue,
            },
        };
        ops.extend([left, (keyspace::sum(tag, id), None)]);
    }
    Ok(ops)
}

/// A record that no longer names its account. It stays, because rows refer to it.
fn blank(member: Member) -> Result<Member, StoreError> {
    let own = Own { forgotten: true, mark: member.own.mark, ..Own::default() };
    Ok(Member {
        jid: nobody(member.id.as_str())?,
        nick: Nick::new(ERASED_NICK).unwrap_or(member.nick),
        subscriptions: NodeSet::default(),
        preferences: Preferences::default(),
        veiled: true,
        ended: true,
        named: true,
        granted: false,
        own,
        ..member
    })
}

/// The same for the trace of a record that was given up.
fn blank_trace(trace: PastRecord) -> Result<PastRecord, StoreError> {
    let (jid, nick) = (nobody(trace.id.as_str())?, Nick::new(ERASED_NICK).unwrap_or(trace.nick));
    Ok(PastRecord { jid, nick, veiled: true, ended: true, ..trace })
}
