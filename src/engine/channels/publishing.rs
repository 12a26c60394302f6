//! Keeps what published channels are searched by up to date (XEP-0433).

use super::catalog::Search;
use super::sheets::sheet_of;
use super::shelf::ChannelShelf;
use crate::channel::ChannelName;
use crate::channel::search::SearchWish;
use crate::engine::Engine;
use jid::BareJid;

/// The most seats that are gone through in a turn to count the people of rooms.
const COUNTED_MAX: usize = 2000;

impl ChannelShelf {
    /// What a channel in memory is searched by may have changed.
    pub(super) fn publish(&mut self, name: &ChannelName) {
        match self.channel(name).map(sheet_of) {
            Some(Some(sheet)) => {
                self.crowds.insert(sheet.tag);
                self.catalog.put(sheet);
            }
            Some(None) => self.catalog.strike(name),
            None => {}
        }
    }

    /// How many people are in a published channel may have changed.
    pub(super) fn note_crowd(&mut self, tag: u64) {
        if self.catalog.name_of(tag).is_some() {
            self.crowds.insert(tag);
        }
    }

    /// How many people are in a published channel.
    fn note_count(&mut self, tag: u64, users: usize) {
        self.catalog.count(tag, u32::try_from(users).unwrap_or(u32::MAX));
    }
}

impl super::Channels {
    /// XEP-0433: searches among the published channels that an account finds.
    pub(in crate::engine) fn search(&mut self, account: &BareJid, wish: &SearchWish) -> Option<Search> {
        self.compare_places(account);
        let found = self.finds(account);
        self.shelf.catalog.search(wish, &found)
    }
}

impl super::Channels {
    /// The seats of these rooms changed.
    pub(in crate::engine) fn note_crowds(&mut self, tags: impl Iterator<Item = u64>) {
        tags.for_each(|tag| self.shelf.note_crowd(tag));
    }

    /// How many people sit in a room, before its channel was in memory.
    pub(in crate::engine) fn note_seats(&mut self, tag: u64, seats: usize) {
        self.shelf.note_count(tag, seats);
    }
}

impl Engine {
    /// Counts the people of published channels in which somebody came or went. Of crowded ones some wait for a later turn.
    pub(in crate::engine) fn count_crowds(&mut self) {
        let mut left = COUNTED_MAX;
        while left > 0 {
            let Some(tag) = self.channels.shelf.crowds.pop_first() else { break };
            let seats = self.occupants.seats(tag);
            left = left.saturating_sub(1 + seats.count());
            // A channel that is not in memory is counted when it is there again.
            let name = self.channels.shelf.catalog.name_of(tag);
            if let Some(channel) = name.and_then(|name| self.channels.channel(name)) {
                let count = channel.occupant_count(seats);
                self.channels.shelf.note_count(tag, count);
            }
        }
    }
}
