//! XEP-0437: clients are told of rooms of their accounts in which something was said while they were not there.
//!
//! Whoever subscribes is told at once of rooms with unread messages, and then of each room once until its account has been there
//! or has read everything. A message looks at those alone who are told of it, in the turn after it is stored.

use super::super::outgoing::outbox::{Audience, EntryNo, Lasting, Out};
use super::super::outgoing::unsent::halves;
use super::super::requests::router::Target;
use super::super::{Engine, Inbound, Needs, Step, Turn};
use super::Occupants;
use super::watchers::{Search, Stir, Watch, WatchersMemory};
use crate::channel::{Change, Channel, ChannelName, Refusal};
use crate::engine::channels::places::IN;
use crate::xep::{Reply, rai};
use crate::xmpp::{Kind, Stanza};
use jid::{BareJid, FullJid};
use std::cmp::Ordering;
use std::ops::Bound;

/// Rooms that one turn looks at, for one client and for all.
const LOOKS_EACH_MAX: usize = 8;
const LOOKS_MAX: usize = 64;
/// Rooms of one account that are listed in one go, and clients for which that is done in one turn.
const LISTED_MAX: usize = 64;
const UNLISTED_MAX: usize = 256;
/// Channels that are loaded at once for one client.
const LOADED_MAX: usize = 4;
/// Clients that one turn tells of activity.
const TOLD_MAX: usize = 1000;
/// Rooms that one message names.
const NAMED_MAX: usize = 500;
/// Clients for which a channel is looked at once it is loaded.
const SETTLED_MAX: usize = 1000;
/// Entries of ended rooms that one tick forgets.
const FORGOTTEN_MAX: usize = 5000;

impl Engine {
    /// Whether a stanza is presence by which a client asks to be told of activity.
    pub(in crate::engine) fn is_watch(&self, stanza: &Stanza) -> bool {
        stanza.kind == Kind::Presence
            && stanza.type_.is_empty()
            && stanza.from.is_full()
            && matches!(self.target(&stanza.to), Some(Target::Service))
            && rai::is_wanted(stanza)
    }

    /// A client sent presence to the service. If it asks to be told of activity, that begins, or begins anew.
    pub(in crate::engine) fn begin_watcher(&mut self, full: &FullJid, stanza: &Stanza, turn: &mut Turn) {
        if !self.is_watch(stanza) || !self.service.limits.muc.enabled {
            return;
        }
        let account = full.to_bare();
        let wait_us = self.occupants.looks.wait_us(&account, 1, self.steady.0);
        let begun = match wait_us {
            _ if self.channels.is_ending(&account) => Err(Refusal::Busy),
            0 => Ok(()),
            _ => Err(Refusal::TooFast { what: "subscriptions", wait_s: wait_us.div_ceil(1_000_000) }),
        };
        if let Err(refusal) = begun.and_then(|()| self.put_watcher(full, turn)) {
            let repeated = Some(rai::wish().into_xml());
            turn.refuse_by(Reply { repeated, ..Reply::to_stanza(stanza) }, &refusal);
        }
    }

    fn put_watcher(&mut self, full: &FullJid, turn: &mut Turn) -> Result<(), Refusal> {
        self.end_watcher(full, turn);
        let no = self.people.enter_session(full, &mut turn.outbox);
        let mut freed = Vec::new();
        let has_room = self.occupants.watchers.begin(full, no, &mut freed);
        freed.extend((!has_room).then_some(no));
        self.free_entries(freed, turn);
        self.occupants.looks.charge(&full.to_bare(), 1, self.steady.0);
        if has_room { Ok(()) } else { Err(Refusal::Busy) }
    }

    fn free_entries(&mut self, freed: Vec<EntryNo>, turn: &mut Turn) {
        freed.into_iter().for_each(|no| self.people.leave_session(no, &mut turn.outbox));
    }

    /// A client is gone.
    pub(in crate::engine) fn end_watcher(&mut self, full: &FullJid, turn: &mut Turn) {
        let number = self.occupants.watchers.number_of(full);
        let freed = number.and_then(|number| self.occupants.watchers.end(number));
        self.free_entries(freed.into_iter().collect(), turn);
    }

    /// An account is no more.
    pub(in crate::engine) fn end_watchers_of(&mut self, account: &BareJid, turn: &mut Turn) {
        let watchers = &mut self.occupants.watchers;
        let numbers: Vec<u64> = watchers.of(account).collect();
        let freed = numbers.into_iter().filter_map(|number| watchers.end(number)).collect();
        watchers.visits.forget(account);
        self.free_entries(freed, turn);
    }

    /// The link came up, and any client may be gone.
    pub(in crate::engine) fn doubt_watchers(&mut self) {
        let all: Vec<FullJid> = self.occupants.watchers.all().cloned().collect();
        all.iter().for_each(|full| self.presence.doubt(full));
    }

    /// Who watched in an earlier process on the same link does so on.
    pub(super) fn remember_watchers(&mut self, mut memory: WatchersMemory, out: &mut Vec<Out>) {
        for known in std::mem::take(&mut memory.watchers) {
            let no = self.people.enter_session(&known.full, out);
            let Occupants { clients, watchers, .. } = &mut self.occupants;
            let inside = clients.get(&known.full).map_or(&[][..], |client| client.rooms());
            let mut freed = Vec::new();
            if !watchers.know(known, no, inside, &mut freed) {
                freed.push(no);
            }
            freed.into_iter().for_each(|no| self.people.leave_session(no, out));
        }
        self.occupants.watchers.remember(memory);
    }

    /// A client leaves a room: its account was there.
    pub(super) fn note_visit(&mut self, name: &ChannelName, full: &FullJid) {
        let Some(tag) = self.occupants.tag_of(name, full) else { return };
        let (Some(channel), account) = (self.channels.channel(name), full.to_bare()) else { return };
        if channel.participant(&account).is_some() {
            self.occupants.watchers.visits.note(&account, tag, channel.head().ordinal);
        }
    }

    /// What a change that was applied means for those who watch the room.
    pub(super) fn follow_for_watchers(&mut self, name: &ChannelName, tag: u64, change: &Change, turn: &mut Turn) {
        let Some(channel) = self.channels.channel(name) else { return };
        let concerned = match change {
            Change::Destroyed(_) => return self.occupants.watchers.end_room(tag),
            Change::Published(row) => {
                if row.counted && self.occupants.watchers.has_armed(tag) {
                    let stir = Stir { name: name.clone(), author: turn.payer.clone(), behind: None };
                    self.occupants.watchers.stir(tag, stir);
                }
                channel.member_of(&row.author)
            }
            Change::Reported(report) => channel.member_of(&report.member),
            other => other.member(),
        };
        let Some(account) = concerned.map(|member| member.jid.clone()) else { return };
        let numbers: Vec<u64> = self.occupants.watchers.of(&account).collect();
        for number in numbers {
            let freed = self.settle_watch(number, name, false);
            self.free_entries(freed, turn);
        }
    }

    /// What was not stored is told to nobody. What those who watch were told goes with the turn, so it is told again.
    pub(in crate::engine) fn forget_unsaid(&mut self, indicated: Vec<(u64, Stir, Vec<u64>)>) {
        let watchers = &mut self.occupants.watchers;
        watchers.fresh.clear();
        indicated.into_iter().rev().for_each(|(tag, stir, told)| watchers.take_back(tag, stir, told));
    }

    /// A change was not stored: the room is looked at again, for those whom it concerns.
    pub(super) fn undo_for_watchers(&mut self, name: &ChannelName, tag: u64, change: &Change) {
        let watchers = &mut self.occupants.watchers;
        if change.is_end() {
            watchers.revive_room(tag);
        }
        let Some(member) = change.member() else { return };
        let numbers: Vec<u64> = watchers.of(&member.jid).collect();
        numbers.into_iter().for_each(|number| watchers.look_again(number, name));
    }

    /// Before anything else of a turn: those who watch are told of what the turns before stored.
    pub(in crate::engine) fn tell_watchers(&mut self, turn: &mut Turn) {
        self.occupants.watchers.settle_fresh();
        let tags: Vec<u64> = self.occupants.watchers.stirred.keys().copied().take(TOLD_MAX).collect();
        let mut left = TOLD_MAX;
        for tag in tags {
            left -= self.tell_watchers_of(tag, left, turn);
        }
        if !self.occupants.watchers.stirred.is_empty() {
            turn.next.push(Inbound::GoOn(Step::Indicate));
        }
    }

    /// Tells some of those who watch a room; how many were looked at.
    fn tell_watchers_of(&mut self, tag: u64, count: usize, turn: &mut Turn) -> usize {
        let watchers = &mut self.occupants.watchers;
        let Some(mut stir) = watchers.stirred.remove(&tag) else { return 0 };
        let armed = watchers.armed(tag, stir.behind, count);
        let (before, mut told, mut numbers) = (stir.clone(), Vec::new(), Vec::new());
        for &number in &armed {
            let Some((account, no)) = watchers.at(number).map(|it| (it.full.to_bare(), it.no)) else { continue };
            if stir.author.as_ref() == Some(&account) {
                continue;
            }
            told.push(no);
            numbers.push(number);
            watchers.set(number, tag, Some(Watch::Told), &mut Vec::new());
        }
        let (name, author) = (stir.name.clone(), stir.author.clone());
        if armed.len() == count {
            stir.behind = armed.last().copied();
            watchers.stirred.insert(tag, stir);
        }
        if !told.is_empty() {
            turn.indicated.push((tag, before, numbers));
            let since = turn.outbox.len();
            let message = self.indicator(&[&name]);
            turn.fan(Audience::these(told), halves(&message, false), Lasting::Kept);
            if let Some(author) = author {
                self.load(&author, &name, &mut turn.outbox[since..]);
            }
        }
        armed.len()
    }

    fn indicator(&mut self, names: &[&ChannelName]) -> crate::xmpp::Tag {
        let (id, service) = (self.fresh_id(), &self.service);
        let rooms: Vec<String> = names.iter().map(|name| service.address_of(name)).collect();
        rai::indicator(service.domain.as_str(), &id, rooms.iter().map(String::as_str))
    }

    /// At the end of a turn: goes on looking for rooms in which there is something new.
    pub(in crate::engine) fn look_for_watchers(&mut self, turn: &mut Turn) {
        self.list_for_watchers();
        let mut left = LOOKS_MAX;
        while left > 0 {
            let watchers = &mut self.occupants.watchers;
            let from = watchers.searched.map_or(Bound::Unbounded, Bound::Excluded);
            let next = watchers.searching.range((from, Bound::Unbounded)).next();
            let Some(number) = next.or_else(|| watchers.searching.first()).copied() else { break };
            watchers.searched = Some(number);
            left -= self.look_for_watcher(number, left.min(LOOKS_EACH_MAX), turn).max(1);
        }
        let watchers = &self.occupants.watchers;
        let lists_more = || {
            let accounts = watchers.unlisted.iter().take(UNLISTED_MAX).filter_map(|number| watchers.at(*number));
            accounts.map(|it| it.full.to_bare()).any(|account| self.channels.places_of(&account).is_some())
        };
        if !watchers.searching.is_empty() || !watchers.fresh.is_empty() || lists_more() {
            turn.next.push(Inbound::GoOn(Step::Indicate));
        }
        self.channels.give_steps_out(turn);
    }

    /// Lists the next rooms of clients whose accounts' rooms are known in this turn.
    fn list_for_watchers(&mut self) {
        let unlisted: Vec<u64> = self.occupants.watchers.unlisted.iter().take(UNLISTED_MAX).copied().collect();
        for number in unlisted {
            let watchers = &mut self.occupants.watchers;
            let Some(account) = watchers.at(number).map(|it| it.full.to_bare()) else { continue };
            let Some(places) = self.channels.places_of(&account) else { continue };
            let Some(search) = watchers.search_mut(number) else { continue };
            let behind = search.behind.as_ref();
            let from = behind.map_or(0, |last| {
                places.rank(IN, |name| if name <= last { Ordering::Less } else { Ordering::Greater })
            });
            search.next.extend(places.rising(IN, from).take(LISTED_MAX).cloned());
            search.is_listed = search.next.len() < LISTED_MAX;
            search.behind = search.next.back().cloned().or(search.behind.take());
            let listed = search.next.len();
            watchers.unlisted.remove(&number);
            watchers.searching.insert(number);
            self.occupants.looks.charge(&account, listed as u64, self.steady.0);
        }
    }

    /// The service reads which rooms there are for those who watch.
    pub(in crate::engine) fn need_of_watchers(&self, needs: &mut Needs) {
        let watchers = &self.occupants.watchers;
        let accounts = watchers.unlisted.iter().filter_map(|number| Some(watchers.at(*number)?.full.to_bare()));
        let unknown = accounts.take(UNLISTED_MAX).filter(|account| self.channels.places_of(account).is_none());
        needs.accounts.extend(unknown);
    }

    /// Looks at some rooms for a client; how many. It is told once all were looked at.
    fn look_for_watcher(&mut self, number: u64, count: usize, turn: &mut Turn) -> usize {
        for looked in 0..count {
            match self.next_for_watcher(number) {
                Some(name) if self.channels.is_unreadable(&name) => {}
                Some(name) if self.channels.is_cold(&name) => {
                    self.occupants.watchers.wait_for(number, name.clone());
                    self.channels.want_in_memory(name);
                }
                Some(name) => {
                    let freed = self.settle_watch(number, &name, true);
                    self.free_entries(freed, turn);
                }
                None => {
                    self.end_look(number, turn);
                    return looked;
                }
            }
        }
        count
    }

    /// The next room that is looked at for a client. `None`: none now.
    fn next_for_watcher(&mut self, number: u64) -> Option<ChannelName> {
        let search = self.occupants.watchers.search_mut(number)?;
        if search.waits.len() >= LOADED_MAX {
            return None;
        }
        search.next.pop_front()
    }

    /// Nothing can be looked at for a client now. If there is nothing more, it is told what was found.
    fn end_look(&mut self, number: u64, turn: &mut Turn) {
        let watchers = &mut self.occupants.watchers;
        watchers.searching.remove(&number);
        let Some(search) = watchers.search_mut(number) else { return };
        let is_over = search.is_listed && search.next.is_empty() && search.waits.is_empty();
        if !is_over {
            if !search.is_listed && search.next.is_empty() && search.waits.len() < LOADED_MAX {
                watchers.unlisted.insert(number);
            }
            return;
        }
        let Some((no, Search { found, .. })) = watchers.at(number).map(|it| it.no).zip(watchers.end_search(number))
        else {
            return;
        };
        let names: Vec<&ChannelName> = found.iter().collect();
        for names in names.chunks(NAMED_MAX) {
            let message = self.indicator(names);
            // It tells of what was stored before, and so does not go with this turn's commit.
            turn.tell_all(Audience::One(no), halves(&message, false));
        }
    }

    /// Settles what a client is to be told of a room whose channel is in memory. `finds`: it is told if there is something new.
    /// Returns entries of clients that gave way.
    fn settle_watch(&mut self, number: u64, name: &ChannelName, finds: bool) -> Vec<EntryNo> {
        let mut freed = Vec::new();
        let Some((channel, tag)) = self.channels.channel(name).zip(self.channels.tag_of(name)) else { return freed };
        let Some(watcher) = self.occupants.watchers.at(number) else { return freed };
        let (full, account) = (watcher.full.clone(), watcher.full.to_bare());
        let watch = self.occupants.watchers.watch(number, tag);
        let next = match channel.participant(&account) {
            None => None,
            Some(_) if self.occupants.is_session(tag, &full) => Some(Watch::Inside),
            Some(_) if !self.has_news(channel, &account) => Some(Watch::Armed),
            Some(_) if finds || watch == Some(Watch::Told) => Some(Watch::Told),
            Some(_) => Some(Watch::Armed),
        };
        let is_found = finds && next == Some(Watch::Told) && watch != next;
        let watchers = &mut self.occupants.watchers;
        watchers.set(number, tag, next, &mut freed);
        if let Some(search) = watchers.search_mut(number).filter(|_| is_found) {
            search.found.push(name.clone());
        }
        freed
    }

    /// Whether there are messages that an account has not read, from after it was in the room.
    fn has_news(&self, channel: &Channel, account: &BareJid) -> bool {
        let visited = self.occupants.watchers.visits.of(account, channel.profile().tag);
        let member = channel.participant(account);
        channel.head().ordinal > visited && member.is_some_and(|member| channel.unread_of(member) > 0)
    }

    /// The next channels that are loaded for those who watch. They are gone through in a circle, because some may be unreadable.
    pub(in crate::engine) fn next_watched(&mut self) -> Vec<ChannelName> {
        let super::Occupants { looking, watchers, .. } = &mut self.occupants;
        looking.step(|behind, count| {
            let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
            watchers.waiting.range((from, Bound::Unbounded)).take(count).map(|(name, _)| name.clone()).collect()
        })
    }

    /// A channel is in memory: it is looked at for those who wait for it.
    pub(in crate::engine) fn look_for_watchers_in(&mut self, name: &ChannelName, turn: &mut Turn) {
        self.occupants.looking.done(name);
        for number in self.occupants.watchers.take_waiting(name, SETTLED_MAX) {
            let freed = self.settle_watch(number, name, true);
            self.free_entries(freed, turn);
        }
    }

    /// A channel cannot be read: nobody waits for it.
    pub(in crate::engine) fn pass_watched(&mut self, name: &ChannelName) {
        self.occupants.looking.done(name);
        self.occupants.watchers.take_waiting(name, usize::MAX);
    }

    /// At a tick: those who watched rooms that are no more forget them.
    pub(in crate::engine) fn forget_ended_rooms(&mut self) {
        self.occupants.watchers.forget_ended(FORGOTTEN_MAX);
    }
}
