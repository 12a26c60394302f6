//! What a store answers about channels and people, written once for every backend.

use super::archive::{Archive, Pick};
use super::databases::{Databases, Order, Space};
use super::directory::{SIGN_BYTES_MAX, Sign};
use super::keyspace::{self, DirectoryEntry, IndexedGuest, IndexedMember, ListEntry, ListRecord, Sum};
use super::{Bounds, Directory, Listing, Mentions, StoreError, Whereabouts, clock, facts, near, past};
use crate::channel::dedup::REPEATS_MAX;
use crate::channel::{
    Channel, ChannelName, Guest, Invitation, Item, Kept, Member, Node, ParticipantId, Profile, Roll, Row, Settings,
    Status, Versions,
};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;

/// Loads the channel of a name, with its members and the end of its archive.
pub(super) fn load(dbs: &impl Databases, name: &ChannelName) -> Result<Option<Channel>, StoreError> {
    near::beside();
    let Some(entry) = dbs.value::<DirectoryEntry>(Space::State, &keyspace::channel(name))? else { return Ok(None) };
    let DirectoryEntry { head: entry, rights } = entry;
    let items: Vec<(Node, Item)> = dbs.values(Space::State, &keyspace::items(entry.tag), usize::MAX)?;
    if !items.iter().any(|(node, _)| *node == Node::Info) {
        return Err(StoreError("a channel has no information item: restore from a backup".into()));
    }
    let members = members(dbs, entry.tag)?;
    let guests: Vec<Guest> = dbs.values(Space::State, &keyspace::guests(entry.tag), usize::MAX)?;
    let invitations: Vec<Invitation> = dbs.values(Space::State, &keyspace::invitations(entry.tag), usize::MAX)?;
    let archive = Archive::open(dbs, entry.tag)?;
    let newest = newest_rows(&archive)?;
    let (allowed, banned) = (list(dbs, entry.tag, Node::Allowed)?, list(dbs, entry.tag, Node::Banned)?);
    let roll = |list: Vec<ListEntry>| list.into_iter().map(|(jid, _)| jid).collect::<Roll<_>>();
    let reasons = banned.iter().flatten().filter_map(|(jid, reason)| Some((jid.clone(), reason.clone()?))).collect();
    let voices: Vec<(BareJid, bool)> = dbs.values(Space::State, &keyspace::voices(entry.tag), usize::MAX)?;
    let kept = Kept {
        items: items.into_iter().collect(),
        allowed: allowed.map(roll),
        banned: banned.map(roll),
        reasons,
        topic: dbs.value(Space::State, &keyspace::topic(entry.tag))?,
        voices: voices.into_iter().collect(),
        versions: Versions::restore(dbs.values(Space::State, &keyspace::versioned(entry.tag), usize::MAX)?),
        guests: guests.into_iter().map(|guest| (guest.jid.clone(), guest)).collect(),
        invitations: invitations.into_iter().collect(),
        ..Kept::new(entry.profile, entry.settings, rights)
    };
    let counted = newest.iter().filter(|row| row.counted);
    let named: BTreeSet<u64> = counted.flat_map(|row| [Some(row.number), row.corrected()]).flatten().collect();
    let named: Vec<u64> = named.into_iter().collect();
    let retracted = facts::tombstones(dbs, entry.tag, &named)?.into_keys();
    Ok(Some(Channel::restore(entry.name, kept, members, archive.head(), &newest, retracted).since(archive.base())))
}

/// The records of all members, with the sums of their reports.
fn members(dbs: &impl Databases, tag: u64) -> Result<Vec<Member>, StoreError> {
    let mut members: Vec<Member> = dbs.values(Space::State, &keyspace::members(tag), usize::MAX)?;
    let ids: HashSet<&ParticipantId> = members.iter().map(|member| &member.id).collect();
    let (mut sums, all) = (HashMap::new(), keyspace::all_sums(tag));
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        // Sums of given-up records have no member here.
        let sum: Sum = dbs.whole(Space::State, key, entry)?;
        if ids.contains(&sum.member) {
            sums.insert(sum.member.clone(), sum);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    for member in &mut members {
        if let Some(sum) = sums.remove(&member.id) {
            member.own.set_reported(sum.reported);
            member.own.mark = member.own.mark.max(sum.mark);
        }
    }
    Ok(members)
}

/// The entries of a list; `None` where there is no such list.
fn list(dbs: &impl Databases, tag: u64, node: Node) -> Result<Option<Vec<ListEntry>>, StoreError> {
    let list: ListRecord = dbs.value(Space::State, &keyspace::list(tag, node))?.unwrap_or_default();
    let entries = || dbs.values(Space::State, &keyspace::listed(tag, node, list.generation), usize::MAX);
    list.exists.then(entries).transpose()
}

/// The newest rows, oldest first, without payloads. Repeats, marks and authors are known by them.
fn newest_rows(archive: &Archive<'_, impl Databases>) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    let bare = Pick { bare: true, ..Pick::default() };
    archive.visit_some(bare, archive.first(), archive.newest(), Order::Falling, &mut |row| {
        rows.push(row);
        Ok(if rows.len() < REPEATS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    rows.reverse();
    Ok(rows)
}

/// Everything that a start takes into memory.
pub(super) fn directory(dbs: &impl Databases) -> Result<Directory, StoreError> {
    let closed = closed_by_lists(dbs)?;
    let entries: Vec<(ChannelName, u64, bool, u32, Profile, Settings)> =
        dbs.values(Space::State, &keyspace::all(b'c'), usize::MAX)?;
    let mut listings = Vec::with_capacity(entries.len());
    for (name, tag, listed, gid, profile, settings) in entries {
        let published = listed;
        let listed = listed && !closed.contains(&tag);
        let info: Option<(Node, Item)> =
            if published { dbs.value(Space::State, &keyspace::item(tag, Node::Info))? } else { None };
        let label = info.as_ref().and_then(|(_, item)| item.label.as_deref());
        let title = Listing::kept_title(&name, listed, label).map(Box::from);
        let (shows_jids, end_of_life) = (settings.shows_jids(), settings.end_of_life);
        let sign = published.then(|| {
            let info = info.map(|(_, item)| item.payload).filter(|payload| payload.len() <= SIGN_BYTES_MAX);
            let (lang, is_open) = (settings.room.lang.clone(), settings.room.password.is_none());
            Box::new(Sign { info: info.unwrap_or_default().into(), lang, is_open })
        });
        let creator = profile.creator;
        listings.push(Listing { name, tag, gid, listed, shows_jids, end_of_life, creator, title, sign });
    }
    listings.sort_by(|a, b| a.name.cmp(&b.name));
    let gid_highest = dbs.value(Space::State, keyspace::GID_HIGHEST)?.unwrap_or(0);
    let nicks = dbs.values(Space::State, &keyspace::all(b'y'), usize::MAX)?;
    let clock = clock::belief(dbs)?;
    let endings = dbs.values(Space::State, &keyspace::all(b'n'), usize::MAX)?;
    let newcomers = dbs.values(Space::State, &keyspace::all(b't'), usize::MAX)?;
    let tours = dbs.values(Space::State, &keyspace::all(b'z'), usize::MAX)?;
    let seats = dbs.values(Space::State, &keyspace::all(b'S'), usize::MAX)?;
    let gone = dbs.values(Space::State, &keyspace::all(b'H'), usize::MAX)?;
    let ended = dbs.values(Space::State, &keyspace::all(b'N'), usize::MAX)?;
    Ok(Directory { listings, gid_highest, nicks, endings, newcomers, tours, clock, seats, gone, ended })
}

/// The tags of channels that have a list of those who may join.
fn closed_by_lists(dbs: &impl Databases) -> Result<HashSet<u64>, StoreError> {
    let mut closed = HashSet::new();
    let all = keyspace::all(b'l');
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        let list: ListRecord = dbs.whole(Space::State, key, entry)?;
        if let Some(tag) = keyspace::tag_of_allowed(key).filter(|_| list.exists) {
            closed.insert(tag);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(closed)
}

/// What is known of all accounts' whereabouts.
pub(super) fn whereabouts(dbs: &impl Databases) -> Result<Vec<(BareJid, Whereabouts)>, StoreError> {
    dbs.values(Space::State, &keyspace::all(b'w'), usize::MAX)
}

/// The channels that an account is in or a guest of.
pub(super) fn channels_of(dbs: &impl Databases, account: &BareJid) -> Result<Vec<ChannelName>, StoreError> {
    near::beside();
    let found = memberships(dbs, account)?.into_iter();
    let joined = found.filter(|membership| membership.status == Status::Joined).map(|membership| membership.name);
    let mut channels: BTreeSet<ChannelName> = joined.collect();
    let visits: Vec<IndexedGuest> = dbs.values(Space::State, &keyspace::visits(account), usize::MAX)?;
    for visit in visits {
        if is_there(dbs, &visit.name, visit.tag)? {
            channels.insert(visit.name);
        }
    }
    Ok(channels.into_iter().collect())
}

/// The channels that an account is in, is invited to, or left and did not forget.
pub(super) fn groups_of(dbs: &impl Databases, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError> {
    near::beside();
    let found = memberships(dbs, account)?.into_iter();
    let listed = found.filter(|membership| membership.status != Status::Left || !membership.forgotten);
    Ok(listed.map(|membership| (membership.name, membership.status)).collect())
}

/// What the lists of channels say of an account or a domain.
pub(super) fn mentions_of(dbs: &impl Databases, jid: &BareJid) -> Result<Mentions, StoreError> {
    near::beside();
    let (places, mut mentions) = (keyspace::places(jid), Mentions::default());
    dbs.scan(Space::State, &places, &keyspace::behind(&places), Order::Rising, &mut |key, entry| {
        let Some((tag, node, generation)) = keyspace::list_of_place(key) else {
            return Err(StoreError("the key of a place on a list is too short: restore from a backup".into()));
        };
        let name: ChannelName = dbs.whole(Space::State, key, entry)?;
        let list: ListRecord = dbs.value(Space::State, &keyspace::list(tag, node))?.unwrap_or_default();
        if list.exists && list.generation == generation && is_there(dbs, &name, tag)? {
            let mention = mentions.by_channel.entry(name).or_default();
            *(if node == Node::Allowed { &mut mention.allowed } else { &mut mention.banned }) = true;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut listed = BTreeMap::new();
    for (name, mut mention) in mentions.by_channel {
        let entry = dbs.value::<DirectoryEntry>(Space::State, &keyspace::channel(&name))?;
        let Some(DirectoryEntry { rights, .. }) = entry.filter(|entry| entry.head.listed) else { continue };
        let holders = rights.owners.iter().chain(&rights.admins);
        let is_meant =
            |account: &&BareJid| account.domain() == jid.domain() && (jid.node().is_none() || *account == jid);
        mention.spared = holders.filter(|_| mention.banned).filter(is_meant).cloned().collect();
        listed.insert(name, mention);
    }
    Ok(Mentions { by_channel: listed })
}

/// The entries of the account index whose channels exist, in the order of names.
fn memberships(dbs: &impl Databases, account: &BareJid) -> Result<Vec<IndexedMember>, StoreError> {
    let mut found: Vec<IndexedMember> = Vec::new();
    let all: Vec<IndexedMember> = dbs.values(Space::State, &keyspace::memberships(account), usize::MAX)?;
    for membership in all {
        if is_there(dbs, &membership.name, membership.tag)? {
            found.push(membership);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Whether an entry of the account index is of a channel that exists. Entries of destroyed ones are cleared away later.
pub(super) fn is_there(dbs: &impl Databases, name: &ChannelName, tag: u64) -> Result<bool, StoreError> {
    let listing = dbs.value::<(ChannelName, u64)>(Space::State, &keyspace::channel(name))?;
    Ok(listing.is_some_and(|(_, found)| found == tag))
}

/// The rows that an archive still holds.
pub(super) fn bounds(dbs: &impl Databases, tag: u64) -> Result<Option<Bounds>, StoreError> {
    near::beside();
    let archive = Archive::open(dbs, tag)?;
    let (oldest, newest) = (archive.first(), archive.newest());
    Ok((oldest <= newest).then(|| Bounds { oldest, newest, gaps: archive.gaps() }))
}

/// The records of these participants.
pub(super) fn people(
    dbs: &impl Databases,
    tag: u64,
    ids: &[ParticipantId],
) -> Result<HashMap<ParticipantId, Member>, StoreError> {
    near::beside();
    let mut people = HashMap::new();
    if facts::is_gone(dbs, tag)? {
        return Ok(people);
    }
    for id in ids {
        if let Some(member) = dbs.value::<Member>(Space::State, &keyspace::member(tag, id))? {
            people.insert(id.clone(), member);
        } else if let Some(member) = past::of(dbs, tag, id)? {
            people.insert(id.clone(), member);
        }
    }
    Ok(people)
}
