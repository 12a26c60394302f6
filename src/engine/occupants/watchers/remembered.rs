//! Those who watch rooms, as one process hands them to the next.

use super::{Search, Stir, Watch, Watchers, stir_in};
use crate::channel::ChannelName;
use crate::engine::outgoing::outbox::EntryNo;
use jid::{BareJid, FullJid};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A client that watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownWatcher {
    /// Its address.
    pub full: FullJid,
    /// What it is to be told of rooms, by the tags of their channels.
    rooms: Vec<(u64, Watch)>,
    search: Option<KnownSearch>,
}

/// The rooms that are still looked at for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KnownSearch {
    behind: Option<ChannelName>,
    is_listed: bool,
    next: Vec<ChannelName>,
    found: Vec<ChannelName>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WatchersMemory {
    /// The clients, in the order in which they began.
    pub watchers: Vec<KnownWatcher>,
    /// Rooms in which something was said that is to be told, with their tags, and who said it.
    stirred: Vec<(u64, ChannelName, Option<BareJid>)>,
    /// How many rows counted when accounts were in rooms last, by the rooms' tags.
    visits: Vec<(BareJid, Vec<(u64, u64)>)>,
}

impl Watchers {
    /// What is to be remembered.
    pub fn remembered(&self) -> WatchersMemory {
        let ended: BTreeSet<u64> = self.ended.iter().chain(&self.ending).map(|ended| ended.tag).collect();
        let watchers = self.all.values().map(|watcher| KnownWatcher {
            full: watcher.full.clone(),
            rooms: watcher.rooms.iter().filter(|(tag, _)| !ended.contains(tag)).map(|(tag, it)| (*tag, *it)).collect(),
            search: watcher.search.as_ref().map(|search| KnownSearch {
                behind: search.behind.clone(),
                is_listed: search.is_listed,
                next: search.waits.iter().chain(&search.next).cloned().collect(),
                found: search.found.clone(),
            }),
        });
        let stirred = self.stirred.iter().chain(&self.fresh);
        WatchersMemory {
            watchers: watchers.collect(),
            stirred: stirred.map(|(tag, stir)| (*tag, stir.name.clone(), stir.author.clone())).collect(),
            visits: self.visits.remembered(),
        }
    }

    /// A client watched in an earlier process on the same link. `inside`: the rooms that it sits in. `freed` is as in
    /// [`Watchers::begin`].
    pub fn know(&mut self, known: KnownWatcher, no: EntryNo, inside: &[u64], freed: &mut Vec<EntryNo>) -> bool {
        let KnownWatcher { full, rooms, search } = known;
        if !self.begin(&full, no, freed) {
            return false;
        }
        let Some(number) = self.number_of(&full) else { return false };
        for (tag, watch) in rooms {
            let is_outside = watch == Watch::Inside && !inside.contains(&tag);
            self.set(number, tag, Some(if is_outside { Watch::Armed } else { watch }), freed);
        }
        self.end_search(number);
        if let (Some(watcher), Some(search)) = (self.all.get_mut(&number), search) {
            let KnownSearch { behind, is_listed, next, found } = search;
            let waits = BTreeSet::new();
            watcher.search = Some(Search { behind, is_listed, next: next.into(), waits, found });
            self.searching.insert(number);
        }
        true
    }

    /// What was said, and when accounts were in rooms last.
    pub fn remember(&mut self, memory: WatchersMemory) {
        for (tag, name, author) in memory.stirred {
            stir_in(&mut self.stirred, tag, Stir { name, author, behind: None });
        }
        for (account, rooms) in memory.visits {
            rooms.into_iter().for_each(|(tag, ordinal)| self.visits.note(&account, tag, ordinal));
        }
    }
}
