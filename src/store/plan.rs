//! What a commit writes: records in, entries of the current month and changes of the state out.
//!
//! Nothing is written here, and the result is the same for every backend. Applying the changes of the state twice has
//! the effect of applying them once, so a start may replay them.

mod traces;

use super::archive::Archive;
use super::databases::{Databases, Space};
use super::keyspace::{
    self, BLOCK_ROWS, EntryHead, Grave, IndexedGuest, IndexedMember, ListRecord, Month, Ops, RowStart, Span, Spans,
};
use super::near::reach;
use super::seen::Seen;
use super::{Record, StoreError};
use crate::channel::{
    Change, ChannelName, Guest, Head, Member, Node, Rest, Row, RowKind, Stamp, Status, VersionedChange,
};
use jid::BareJid;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// What a commit writes.
#[derive(Default)]
pub(super) struct Writes {
    /// Values of the current month by key.
    pub(super) archive: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Changes of the state that have to survive a crash.
    pub(super) kept: Ops,
    /// Changes of the state that a crash may lose.
    pub(super) lazy: Ops,
    /// Parcels up to this number may be dropped.
    pub(super) sent: u64,
    /// What the current month holds with this commit.
    pub(super) news: Seen,
}

/// Plans a commit into `month`. Reads the state and changes nothing.
///
/// # Errors
/// Those of reading.
pub(super) fn plan(dbs: &impl Databases, month: Month, seen: &Seen, records: &[Record]) -> Result<Writes, StoreError> {
    let mut draft = Planning { dbs, month, month_end: month.end(), seen, writes: Writes::default() };
    for record in records {
        match record {
            Record::Channel { name, tag, change } => draft.change(name, *tag, change)?,
            Record::Whereabouts { account, known } => {
                draft.keep_lazily(keyspace::whereabouts(account), known.as_ref().map(|known| (account, known)))?;
            }
            Record::Seat { account, tag, seat } => draft.keep_lazily(keyspace::seat(account, *tag), seat.as_ref())?,
            Record::Nick { account, nick } => {
                draft.set(keyspace::registered_nick(account), nick.as_ref().map(|nick| (account, nick)))?;
            }
            Record::Newcomer { account, newcomer } => {
                draft.set(keyspace::newcomer(account), newcomer.as_ref().map(|newcomer| (account, newcomer)))?;
            }
            Record::Ending { account, ending } => {
                draft.set(keyspace::ending(account), ending.as_ref().map(|ending| (account, ending)))?;
            }
            Record::Ended { mark, count } => draft.put(keyspace::ended(*mark), keyspace::encode(&(mark, count))?),
            Record::Gone { name, gone } => draft.set(keyspace::gone(name), gone.as_deref())?,
            Record::Tour { account, deed, tour } => draft.set(keyspace::tour(account, *deed), tour.as_ref())?,
            Record::Unsent(unsent) => {
                unsent.ended().try_for_each(|tag| draft.keep_people(tag, unsent.number))?;
                draft.writes.archive.insert(keyspace::unsent(unsent.number), keyspace::encode(unsent)?);
            }
            Record::Sent(up_to) => draft.writes.sent = draft.writes.sent.max(*up_to),
            Record::Clock(belief) => draft.keep_lazily(keyspace::CLOCK.to_vec(), Some(belief))?,
        }
    }
    let mut writes = draft.writes;
    if !writes.archive.is_empty() || !writes.kept.is_empty() {
        // Where the commit is synced anyway, keeping these costs nothing more.
        writes.kept.append(&mut writes.lazy);
    }
    Ok(writes)
}

struct Planning<'a, S> {
    dbs: &'a S,
    month: Month,
    month_end: Stamp,
    seen: &'a Seen,
    writes: Writes,
}

impl<S: Databases> Planning<'_, S> {
    fn change(&mut self, name: &ChannelName, tag: u64, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Created { profile, settings, rights, info } => {
                let head = EntryHead::new(name, tag, profile, settings);
                self.put(keyspace::channel(name), keyspace::encode_behind(keyspace::encode(&head)?, rights)?);
                self.put(keyspace::item(tag, Node::Info), keyspace::encode(&(Node::Info, info))?);
                self.number(profile.gid)?;
            }
            Change::Destroyed(_) => self.destroy(name, tag)?,
            Change::Joined(member) | Change::Invited(member) => {
                self.end_trace(tag, member);
                self.member(name, tag, member)?;
            }
            Change::Left(member)
            | Change::Renamed(member)
            | Change::Subscribed(member)
            | Change::Removed(member)
            | Change::Noted(member) => self.member(name, tag, member)?,
            Change::Published(row) => self.row(tag, row)?,
            Change::ItemSet { node, item } => {
                self.put(keyspace::item(tag, *node), keyspace::encode(&(node, item))?);
            }
            Change::ItemGone { node, .. } => drop(self.writes.kept.insert(keyspace::item(tag, *node), None)),
            Change::ListMade { node, exists } => self.list(tag, *node, *exists)?,
            Change::ListPurged { node } => self.list(tag, *node, true)?,
            Change::Listed { node, jid, present, reason } => {
                self.listed(name, tag, *node, (jid, *present, reason.as_ref()))?;
            }
            Change::TopicSet(topic) => self.put(keyspace::topic(tag), keyspace::encode(topic)?),
            Change::VoiceSet { account: who, voice } => {
                self.set(keyspace::voice(tag, who), voice.map(|it| (who, it)))?
            }
            Change::Versioned(changes) => self.versions(tag, changes)?,
            Change::Reported(report) => self.put(keyspace::report(tag, report), keyspace::encode(report)?),
            Change::Struck(member) => self.strike(name, tag, member)?,
            Change::Faded(member) => self.fade(name, tag, member)?,
            Change::Traced(member) => self.trace(tag, member)?,
            Change::Entombed(tombstone) => {
                self.put(keyspace::tombstone(tag, tombstone.row), keyspace::encode(tombstone)?);
            }
            Change::GuestSet { guest, .. } => self.guest(name, tag, guest)?,
            Change::InvitationSet(invitation) => {
                self.put(keyspace::invitation(tag, invitation), keyspace::encode(invitation)?);
            }
            Change::InvitationEnded { invitation, .. } => {
                self.writes.kept.insert(keyspace::invitation(tag, invitation), None);
            }
            Change::Expired { base, rest } => self.expire(tag, *base, *rest)?,
            Change::RightsSet(rights) => {
                self.entry(name, tag, |head, _| keyspace::encode_behind(keyspace::encode(&head)?, rights))?
            }
            Change::Configured(settings) => self.entry(name, tag, |mut head, rights| {
                head.listed = settings.lists(head.listed);
                head.profile.listed = head.listed;
                head.settings = settings.clone();
                Ok([&keyspace::encode(&head)?, rights].concat())
            })?,
            Change::Relayed(_)
            | Change::Announced(_)
            | Change::Entered(_)
            | Change::Moved(_)
            | Change::Exited(_)
            | Change::RoleSet { .. }
            | Change::VoiceRequested { .. }
            | Change::InvitedByRoom(_)
            | Change::DeclinedToRoom(_) => {}
        }
        Ok(())
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.kept.insert(key, Some(value));
    }

    fn set<T: Serialize>(&mut self, key: Vec<u8>, value: Option<T>) -> Result<(), StoreError> {
        self.writes.kept.insert(key, value.as_ref().map(keyspace::encode).transpose()?);
        Ok(())
    }

    /// A value of the state with the changes planned so far.
    fn value<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        match self.writes.kept.get(key) {
            Some(planned) => planned.as_deref().map(keyspace::decode).transpose(),
            None => self.dbs.value(Space::State, key),
        }
    }

    /// A number is never given twice, even after its channel is destroyed.
    fn number(&mut self, gid: u32) -> Result<(), StoreError> {
        if self.value(keyspace::GID_HIGHEST)?.is_none_or(|highest: u32| highest < gid) {
            self.put(keyspace::GID_HIGHEST.to_vec(), keyspace::encode(&gid)?);
        }
        Ok(())
    }

    /// Removes the directory entry at once. Entries of the account index count only while the directory has their tag,
    /// so they end with it. The rest is cleared away later; rows go with their month.
    fn destroy(&mut self, name: &ChannelName, tag: u64) -> Result<(), StoreError> {
        for key in [keyspace::channel(name), keyspace::spans(tag)] {
            self.writes.kept.insert(key, None);
        }
        self.put(keyspace::grave(tag), keyspace::encode(&Grave::Channel { tag, name: name.clone() })?);
        Ok(())
    }

    /// Keeps the members and guests of a destroyed channel until they were told of its end.
    fn keep_people(&mut self, tag: u64, parcel: u64) -> Result<(), StoreError> {
        let key = keyspace::grave(tag);
        if let Some(Grave::Channel { tag, name }) = self.value(&key)? {
            self.put(key, keyspace::encode(&Grave::Told { tag, name, parcel, is_bare: false })?);
        }
        Ok(())
    }

    /// Rewrites the head of a directory entry; `edit` gets the stored rights as bytes.
    fn entry(
        &mut self,
        name: &ChannelName,
        tag: u64,
        edit: impl FnOnce(EntryHead, &[u8]) -> Result<Vec<u8>, StoreError>,
    ) -> Result<(), StoreError> {
        let key = keyspace::channel(name);
        let past = match self.writes.kept.get(&key) {
            Some(planned) => planned.clone(),
            None => self.dbs.bytes(Space::State, &key)?,
        };
        let past = past.as_deref().map(keyspace::decode_beginning::<EntryHead>).transpose()?;
        let past = past.filter(|(head, _)| head.tag == tag);
        let (head, rights) = past.ok_or_else(|| StoreError("a channel that is not there cannot be changed".into()))?;
        let next = edit(head, rights)?;
        self.put(key, next);
        Ok(())
    }

    fn member(&mut self, name: &ChannelName, tag: u64, member: &Member) -> Result<(), StoreError> {
        self.put(keyspace::member(tag, &member.id), keyspace::encode(member)?);
        let key = keyspace::membership(&member.jid, name);
        let membership =
            IndexedMember { name: name.clone(), tag, status: member.status, forgotten: member.own.forgotten };
        // Most changes of a member leave its place in the index as it is.
        if self.value::<IndexedMember>(&key)?.as_ref() != Some(&membership) {
            self.put(key, keyspace::encode(&membership)?);
        }
        Ok(())
    }

    fn versions(&mut self, tag: u64, changes: &[VersionedChange]) -> Result<(), StoreError> {
        changes.iter().try_for_each(|change| {
            self.put(keyspace::versioned_one(tag, change.place()), keyspace::encode(change)?);
            Ok(())
        })
    }

    fn guest(&mut self, name: &ChannelName, tag: u64, guest: &Guest) -> Result<(), StoreError> {
        let is_one = !guest.subscriptions.is_empty();
        self.set(keyspace::guest(tag, &guest.jid), is_one.then_some(guest))?;
        let visit = is_one.then(|| IndexedGuest { name: name.clone(), tag });
        self.set(keyspace::visit(&guest.jid, name), visit)
    }

    fn strike(&mut self, name: &ChannelName, tag: u64, member: &Member) -> Result<(), StoreError> {
        self.writes.kept.insert(keyspace::member(tag, &member.id), None);
        let key = keyspace::membership(&member.jid, name);
        // The place in the index may belong to a later record of the account, or to a later channel of the same name.
        let place: Option<IndexedMember> = self.value(&key)?;
        if place.is_some_and(|it| it.tag == tag && it.status == Status::Left && it.forgotten == member.own.forgotten) {
            self.writes.kept.insert(key, None);
        }
        Ok(())
    }

    /// Begins or ends a list. It is empty then; the entries it had are cleared away later.
    fn list(&mut self, tag: u64, node: Node, exists: bool) -> Result<(), StoreError> {
        let key = keyspace::list(tag, node);
        let before: ListRecord = self.value(&key)?.unwrap_or_default();
        if before.exists {
            let grave = Grave::List { tag, node, generation: before.generation };
            self.put(keyspace::list_grave(tag, node, before.generation), keyspace::encode(&grave)?);
        }
        self.put(key, keyspace::encode(&ListRecord { generation: before.generation + 1, exists })?);
        Ok(())
    }

    fn listed(
        &mut self,
        name: &ChannelName,
        tag: u64,
        node: Node,
        (jid, present, reason): (&BareJid, bool, Option<&String>),
    ) -> Result<(), StoreError> {
        let list: ListRecord = self.value(&keyspace::list(tag, node))?.unwrap_or_default();
        if list.exists {
            let key = keyspace::listed_one(tag, node, list.generation, jid);
            let place =
                keyspace::place_of_listed(&key).map(|place| Ok((place, keyspace::encode(name)?))).transpose()?;
            let entry = (key, keyspace::encode(&(jid, reason))?);
            let both = place.into_iter().chain([entry]);
            self.writes.kept.extend(both.map(|(key, value)| (key, present.then_some(value))));
        }
        Ok(())
    }

    /// Moves the beginning of the archive. The rows before it stay, unreachable, until their month goes. They lie in
    /// old months, none of which is opened here: `rest` says what is known of the rows behind them.
    fn expire(&mut self, tag: u64, base: Head, rest: Rest) -> Result<(), StoreError> {
        let mut spans: Spans = self.value(&keyspace::spans(tag))?.unwrap_or_default();
        if base.row <= spans.base.row {
            return Ok(());
        }
        let ends = spans.months.iter().skip(1).map(Span::end_before);
        let gone = ends.take_while(|&end| end <= base.row).count();
        spans.months.drain(..gone);
        if let Some(span) = spans.months.first_mut().filter(|span| span.first <= base.row) {
            match self.since_behind(tag, span.month, base.row, rest)? {
                Some(since) => *span = Span { month: span.month, first: base.row + 1, since, gap: 0 },
                None => drop(spans.months.remove(0)),
            }
        }
        spans.base = base;
        self.put(keyspace::spans(tag), keyspace::encode(&spans)?);
        // The current month may have none of the channel's rows left. Then the next row has to be noted anew.
        self.writes.news.tags.remove(&tag);
        self.writes.news.lost.insert(tag);
        let grave = Grave::Below { tag, row: base.row, cursor: Vec::new() };
        self.put(keyspace::horizon_grave(tag), keyspace::encode(&grave)?);
        Ok(())
    }

    /// The stamp of the row behind `row`, in a month that has both or is the last; `None` where there is none.
    fn since_behind(&self, tag: u64, month: Month, row: u64, rest: Rest) -> Result<Option<Stamp>, StoreError> {
        let key = keyspace::row(tag, row + 1);
        if let Some(planned) = self.writes.archive.get(&key) {
            return keyspace::decode::<RowStart>(planned).map(|(_, stamp, ..)| Some(stamp));
        }
        let look = || -> Result<Option<Stamp>, StoreError> {
            let start: Option<RowStart> = self.dbs.value(Space::Month(month), &key)?;
            Ok(start.map(|(_, stamp, ..)| stamp))
        };
        match rest {
            Rest::From(stamp) => Ok(Some(stamp)),
            Rest::Nothing => Ok(None),
            Rest::Unknown if month == self.month => look(),
            // The month ended between the look at it and this commit. It was open then, and mostly still is.
            Rest::Unknown => reach(look),
        }
    }

    fn row(&mut self, tag: u64, row: &Row) -> Result<(), StoreError> {
        let seen = self.seen.tags.get(&tag).filter(|_| !self.writes.news.lost.contains(&tag));
        let last = self.writes.news.tags.insert(tag, row.stamp).or(seen.copied());
        let leaves_month = |last: Stamp| last < self.month_end && row.stamp >= self.month_end;
        if last.is_none_or(|last| row.stamp < last || leaves_month(last)) {
            self.begin_span(tag, row, last)?;
        }
        self.writes.archive.insert(keyspace::row(tag, row.number), keyspace::encode(row)?);
        self.index(tag, row);
        Ok(())
    }

    /// Begins a span with a row that does not continue the last span. `last` is the stamp of the row before, where it
    /// is known.
    fn begin_span(&mut self, tag: u64, row: &Row, last: Option<Stamp>) -> Result<(), StoreError> {
        let mut spans: Spans = self.value(&keyspace::spans(tag))?.unwrap_or_default();
        let (falls, goes_on) = match (spans.months.last(), last) {
            (None, _) => (false, false),
            (Some(past), Some(last)) => (row.stamp < last, past.is_astray() || row.stamp < self.month_end),
            (Some(past), None) if past.month == self.month => {
                (row.stamp < self.newest_stamp(tag)?, past.is_astray() || row.stamp < self.month_end)
            }
            // No older month is opened to find out: what is not surely later counts as earlier.
            (Some(past), None) => (past.is_astray() || row.stamp < past.month.end(), false),
        };
        if goes_on && !falls && spans.skip == 0 {
            return Ok(());
        }
        let mut gap = std::mem::take(&mut spans.skip);
        if falls {
            spans.months.push(Span::fall(self.month, row.number, std::mem::take(&mut gap)));
        }
        spans.months.push(Span { month: self.month, first: row.number, since: row.stamp, gap });
        self.put(keyspace::spans(tag), keyspace::encode(&spans)?);
        Ok(())
    }

    /// The stamp of the newest row of a channel, including planned rows.
    fn newest_stamp(&self, tag: u64) -> Result<Stamp, StoreError> {
        let rows = keyspace::rows(tag);
        match self.writes.archive.range(rows.clone()..keyspace::behind(&rows)).next_back() {
            Some((_, planned)) => keyspace::decode::<RowStart>(planned).map(|(_, stamp, ..)| stamp),
            None => Ok(Archive::open(self.dbs, tag)?.head().stamp),
        }
    }

    fn index(&mut self, tag: u64, row: &Row) {
        let archive = &mut self.writes.archive;
        if let Some(target) = row.target {
            archive.insert(keyspace::target(tag, target, row.number), Vec::new());
            // In the state, too, because finding the corrections of an old row in the months would open all of them.
            if row.corrects {
                self.writes.kept.insert(keyspace::correction(tag, target, row.number), Some(Vec::new()));
            }
        }
        if let Some(kind) = row.media {
            archive.insert(keyspace::media(tag, kind, row.number), Vec::new());
        }
        let number = row.number / BLOCK_ROWS;
        let is_event = matches!(row.kind, RowKind::Event(_));
        let spoken = (!is_event).then_some((tag, None, number));
        for block in spoken.into_iter().chain([(tag, Some(row.author.clone()), number)]) {
            if !self.seen.blocks.contains(&block) && !self.writes.news.blocks.contains(&block) {
                archive.insert(keyspace::block(tag, block.1.as_ref(), number), Vec::new());
                self.writes.news.blocks.insert(block);
            }
        }
    }

    fn keep_lazily<T: Serialize>(&mut self, key: Vec<u8>, value: Option<T>) -> Result<(), StoreError> {
        let value = value.map(|value| keyspace::encode(&value)).transpose()?;
        self.writes.lazy.insert(key, value);
        Ok(())
    }
}
