//! XEP-0437: clients that are to be told of activity in the rooms that their accounts are members of.
//!
//! A client *watches* a room from when the service looked at that room for it. A room knows whom of them it has still to tell, so
//! a message looks at nobody else.

mod remembered;

pub use remembered::WatchersMemory;

use super::super::share::{Hit, OwnDomains, Shares};
use super::visits::Visits;
use crate::channel::ChannelName;
use crate::engine::outgoing::outbox::EntryNo;
use jid::{BareJid, FullJid};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Clients of one account that watch.
const WATCHERS_MAX: usize = 16;
/// Clients that watch, and the rooms of each.
const WATCHED_MAX: usize = 1_000_000;

/// What a client that watches a room is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Watch {
    /// Of the next message.
    Armed,
    /// Nothing: it was told, and its account has not been there or read since.
    Told,
    /// Nothing: it is in the room.
    Inside,
}

/// The rooms of a client's account that are looked at for it.
#[derive(Debug, Default)]
pub struct Search {
    /// Up to which the rooms of the account were listed, in the order of their names.
    pub behind: Option<ChannelName>,
    /// Whether all were.
    pub is_listed: bool,
    /// Those that are next.
    pub next: VecDeque<ChannelName>,
    /// Those that have to be loaded.
    pub waits: BTreeSet<ChannelName>,
    /// Those in which there is something new.
    pub found: Vec<ChannelName>,
}

/// A client that watches.
#[derive(Debug)]
pub struct Watcher {
    /// Its address.
    pub full: FullJid,
    /// Its entry in the address book.
    pub no: EntryNo,
    /// The rooms that it watches, by the tags of channels.
    rooms: BTreeMap<u64, Watch>,
    /// The rooms that are still looked at for it.
    pub search: Option<Search>,
}

/// Who watches a room.
#[derive(Debug, Default)]
struct Watched {
    /// Those who are told of the next message.
    armed: BTreeSet<u64>,
    /// All others.
    calm: BTreeSet<u64>,
}

/// A room that is no more.
#[derive(Debug)]
struct Ended {
    tag: u64,
    /// Those who are still to forget it.
    watched: Watched,
    /// What was said in it and not told to all.
    stir: Option<Stir>,
}

/// A room in which something was said that is to be told.
#[derive(Clone, Debug)]
pub struct Stir {
    /// The channel's name.
    pub name: ChannelName,
    /// Who said it, if it was one person alone. It pays.
    pub author: Option<BareJid>,
    /// The client that was told last.
    pub behind: Option<u64>,
}

/// See the module.
pub struct Watchers {
    next: u64,
    all: BTreeMap<u64, Watcher>,
    of: HashMap<BareJid, BTreeSet<u64>>,
    rooms: HashMap<u64, Watched>,
    /// Clients whose next rooms can be looked at.
    pub searching: BTreeSet<u64>,
    /// Clients of whose accounts it has to be read which rooms there are.
    pub unlisted: BTreeSet<u64>,
    /// The one that was gone on with last.
    pub searched: Option<u64>,
    /// Channels that have to be loaded, with the clients for which that is.
    pub waiting: BTreeMap<ChannelName, BTreeSet<u64>>,
    /// Rooms in which the turn's commit settles that something was said, by tags.
    pub fresh: BTreeMap<u64, Stir>,
    /// Rooms in which something was said.
    pub stirred: BTreeMap<u64, Stir>,
    /// Rooms whose ends the turn's commit settles.
    ending: Vec<Ended>,
    /// Rooms that are no more.
    ended: VecDeque<Ended>,
    shares: Shares<BareJid>,
    /// When accounts were in rooms last.
    pub visits: Visits,
}

impl Watchers {
    /// Nobody watches.
    pub fn new(own_domains: &OwnDomains) -> Watchers {
        Watchers {
            next: 0,
            all: BTreeMap::new(),
            of: HashMap::new(),
            rooms: HashMap::new(),
            searching: BTreeSet::new(),
            unlisted: BTreeSet::new(),
            searched: None,
            waiting: BTreeMap::new(),
            fresh: BTreeMap::new(),
            stirred: BTreeMap::new(),
            ending: Vec::new(),
            ended: VecDeque::new(),
            shares: Shares::new("clients that watch rooms", WATCHED_MAX, own_domains.clone()),
            visits: Visits::new(own_domains),
        }
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits().chain(self.visits.hits())
    }

    /// A client.
    pub fn at(&self, number: u64) -> Option<&Watcher> {
        self.all.get(&number)
    }

    /// What is looked at for a client.
    pub fn search_mut(&mut self, number: u64) -> Option<&mut Search> {
        self.all.get_mut(&number)?.search.as_mut()
    }

    /// The clients of an account.
    pub fn of(&self, account: &BareJid) -> impl Iterator<Item = u64> + use<'_> {
        self.of.get(account).into_iter().flatten().copied()
    }

    /// The number of a client.
    pub fn number_of(&self, full: &FullJid) -> Option<u64> {
        self.of(&full.to_bare()).find(|number| self.at(*number).is_some_and(|it| it.full == *full))
    }

    /// All clients, in the order in which they began.
    pub fn all(&self) -> impl Iterator<Item = &FullJid> {
        self.all.values().map(|watcher| &watcher.full)
    }

    /// A client watches. Where there is no room, clients of who has most do so no longer: `freed` are their entries in the
    /// address book. Returns whether there is room.
    pub fn begin(&mut self, full: &FullJid, no: EntryNo, freed: &mut Vec<EntryNo>) -> bool {
        let account = full.to_bare();
        if self.of.get(&account).is_some_and(|own| own.len() >= WATCHERS_MAX) {
            let oldest = self.of(&account).next();
            freed.extend(oldest.and_then(|oldest| self.end(oldest)));
        }
        if !self.take(&account, None, freed) {
            return false;
        }
        let number = self.next;
        self.next += 1;
        let search = Some(Search::default());
        self.all.insert(number, Watcher { full: full.clone(), no, rooms: BTreeMap::new(), search });
        self.of.entry(account).or_default().insert(number);
        self.unlisted.insert(number);
        true
    }

    /// Takes one part of the whole. `spared` watches on.
    fn take(&mut self, account: &BareJid, spared: Option<u64>, freed: &mut Vec<EntryNo>) -> bool {
        loop {
            let loser = match self.shares.take(account, 1) {
                Ok(()) => return true,
                Err(crate::share::Full::Of(loser)) => loser,
                Err(crate::share::Full::Own) => return false,
            };
            let Some(victim) = self.of(&loser).find(|number| Some(*number) != spared) else { return false };
            freed.extend(self.end(victim));
        }
    }

    /// A client watches no longer. Its entry in the address book.
    pub fn end(&mut self, number: u64) -> Option<EntryNo> {
        self.end_search(number);
        let watcher = self.all.remove(&number)?;
        let account = watcher.full.to_bare();
        for tag in watcher.rooms.keys() {
            self.leave_room(number, *tag);
        }
        if let Some(own) = self.of.get_mut(&account) {
            own.remove(&number);
            if own.is_empty() {
                self.of.remove(&account);
            }
        }
        self.shares.give_back(&account, 1 + watcher.rooms.len());
        Some(watcher.no)
    }

    fn leave_room(&mut self, number: u64, tag: u64) {
        let Some(room) = self.rooms.get_mut(&tag) else { return };
        room.armed.remove(&number);
        room.calm.remove(&number);
        if room.armed.is_empty() && room.calm.is_empty() {
            self.rooms.remove(&tag);
            self.stirred.remove(&tag);
        }
    }

    /// What a client that watches a room is to be told.
    pub fn watch(&self, number: u64, tag: u64) -> Option<Watch> {
        self.all.get(&number)?.rooms.get(&tag).copied()
    }

    /// Sets that; `None`: it does not watch the room. `freed` is as in [`Watchers::begin`].
    pub fn set(&mut self, number: u64, tag: u64, watch: Option<Watch>, freed: &mut Vec<EntryNo>) {
        let Some(account) = self.at(number).map(|it| it.full.to_bare()) else { return };
        let known = self.watch(number, tag);
        if watch.is_some() && known.is_none() && !self.take(&account, Some(number), freed) {
            return;
        }
        let Some(watcher) = self.all.get_mut(&number) else { return };
        match watch {
            Some(watch) => {
                watcher.rooms.insert(tag, watch);
                let room = self.rooms.entry(tag).or_default();
                let (now, before) = match watch {
                    Watch::Armed => (&mut room.armed, &mut room.calm),
                    Watch::Told | Watch::Inside => (&mut room.calm, &mut room.armed),
                };
                before.remove(&number);
                now.insert(number);
            }
            None if watcher.rooms.remove(&tag).is_some() => {
                self.leave_room(number, tag);
                self.shares.give_back(&account, 1);
            }
            None => {}
        }
    }

    /// A client that watches a room enters it, or leaves it.
    pub fn pass_door(&mut self, tag: u64, full: &FullJid, is_inside: bool) {
        let Some(number) = self.number_of(full) else { return };
        match (self.watch(number, tag), is_inside) {
            (Some(_), true) => self.set(number, tag, Some(Watch::Inside), &mut Vec::new()),
            (Some(Watch::Inside), false) => self.set(number, tag, Some(Watch::Armed), &mut Vec::new()),
            _ => {}
        }
    }

    /// Whether somebody is to be told of what is said in a room.
    pub fn has_armed(&self, tag: u64) -> bool {
        self.rooms.get(&tag).is_some_and(|room| !room.armed.is_empty())
    }

    /// Some of those who are to be told, behind one of them.
    pub fn armed(&self, tag: u64, behind: Option<u64>, count: usize) -> Vec<u64> {
        let from = behind.map_or(0, |behind| behind + 1);
        let armed = self.rooms.get(&tag).into_iter().flat_map(|room| room.armed.range(from..));
        armed.take(count).copied().collect()
    }

    /// Something was said in a room.
    pub fn stir(&mut self, tag: u64, stir: Stir) {
        stir_in(&mut self.fresh, tag, stir);
    }

    /// What was said is stored, and rooms that ended are no more.
    pub fn settle_fresh(&mut self) {
        self.ended.extend(self.ending.drain(..));
        for (tag, stir) in std::mem::take(&mut self.fresh) {
            stir_in(&mut self.stirred, tag, stir);
        }
    }

    /// A channel is no more.
    pub fn end_room(&mut self, tag: u64) {
        let stir = self.stirred.remove(&tag);
        self.fresh.remove(&tag);
        self.ending.extend(self.rooms.remove(&tag).map(|watched| Ended { tag, watched, stir }));
    }

    /// The end of a channel was not stored. What those who watch it are to be told is as they know it by now.
    pub fn revive_room(&mut self, tag: u64) {
        let Some(place) = self.ending.iter().rposition(|ended| ended.tag == tag) else { return };
        let Ended { watched, stir, .. } = self.ending.remove(place);
        let later = self.rooms.remove(&tag).unwrap_or_default();
        let numbers = [watched.armed, watched.calm, later.armed, later.calm].into_iter().flatten();
        let mut room = Watched::default();
        for number in numbers {
            match self.watch(number, tag) {
                Some(Watch::Armed) => room.armed.insert(number),
                Some(Watch::Told | Watch::Inside) => room.calm.insert(number),
                // It watches no longer.
                None => false,
            };
        }
        if !room.armed.is_empty() || !room.calm.is_empty() {
            self.rooms.insert(tag, room);
            stir.into_iter().for_each(|stir| stir_in(&mut self.stirred, tag, stir));
        }
    }

    /// What some were told of a room was not sent, because the turn's commit was refused.
    pub fn take_back(&mut self, tag: u64, stir: Stir, told: Vec<u64>) {
        for number in told {
            if self.watch(number, tag) == Some(Watch::Told) {
                self.set(number, tag, Some(Watch::Armed), &mut Vec::new());
            }
        }
        if self.has_armed(tag) {
            stir_in(&mut self.stirred, tag, stir);
        }
    }

    /// Some clients forget rooms that are no more.
    pub fn forget_ended(&mut self, mut count: usize) {
        while let Some(Ended { tag, watched, .. }) = self.ended.front_mut().filter(|_| count > 0) {
            let Some(number) = watched.armed.pop_first().or_else(|| watched.calm.pop_first()) else {
                self.ended.pop_front();
                continue;
            };
            count -= 1;
            let tag = *tag;
            if let Some(watcher) = self.all.get_mut(&number) {
                let account = watcher.full.to_bare();
                if watcher.rooms.remove(&tag).is_some() {
                    self.shares.give_back(&account, 1);
                }
            }
            // It left the room after its end.
            self.leave_room(number, tag);
        }
    }

    /// A room is looked at again for a client, when its channel is in memory.
    pub fn look_again(&mut self, number: u64, name: &ChannelName) {
        let Some(watcher) = self.all.get_mut(&number) else { return };
        let search = watcher.search.get_or_insert_with(|| Search { is_listed: true, ..Search::default() });
        search.next.push_back(name.clone());
        self.searching.insert(number);
    }

    /// A channel has to be loaded for a client.
    pub fn wait_for(&mut self, number: u64, name: ChannelName) {
        if let Some(search) = self.search_mut(number) {
            search.waits.insert(name.clone());
            self.waiting.entry(name).or_default().insert(number);
        }
    }

    /// Some of those who wait for a channel wait no longer.
    pub fn take_waiting(&mut self, name: &ChannelName, count: usize) -> Vec<u64> {
        let Some(waiting) = self.waiting.get_mut(name) else { return Vec::new() };
        let numbers: Vec<u64> = waiting.iter().take(count).copied().collect();
        waiting.retain(|number| numbers.last().is_some_and(|last| number > last));
        if waiting.is_empty() {
            self.waiting.remove(name);
        }
        for number in &numbers {
            if let Some(search) = self.search_mut(*number) {
                search.waits.remove(name);
                self.searching.insert(*number);
            }
        }
        numbers
    }

    /// Nothing is looked at for a client any more. What was found.
    pub fn end_search(&mut self, number: u64) -> Option<Search> {
        self.searching.remove(&number);
        self.unlisted.remove(&number);
        let search = self.all.get_mut(&number)?.search.take()?;
        for name in &search.waits {
            if let Some(numbers) = self.waiting.get_mut(name) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.waiting.remove(name);
                }
            }
        }
        Some(search)
    }
}

fn stir_in(stirs: &mut BTreeMap<u64, Stir>, tag: u64, stir: Stir) {
    if let Some(known) = stirs.get_mut(&tag) {
        let author = known.author.take().filter(|author| stir.author.as_ref() == Some(author));
        *known = Stir { author, ..stir };
    } else {
        stirs.insert(tag, stir);
    }
}

#[cfg(test)]
#[path = "watchers_tests.rs"]
mod tests;
