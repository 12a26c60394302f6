//! What is to be done in rooms goes on at each tick, when their channels are in memory.

use super::super::{Engine, Turn};
use super::Occupants;
use super::ends::Why;
use super::telling::Pacing;
use crate::channel::ChannelName;
use jid::BareJid;
use std::ops::Bound;

impl Occupants {
    /// A room is no more.
    pub(super) fn forget_room(&mut self, name: &ChannelName) {
        let is_owed = self.owed.contains_key(name);
        if !is_owed {
            self.due.remove(name);
        }
        self.reviews.remove(name);
    }

    /// Whether something is to be done in a room.
    fn is_due(&self, name: &ChannelName, tag: u64) -> bool {
        let is_open = |room: &super::room::Room| !room.waiting.is_empty() || room.review.is_some();
        self.forsaken.contains(name)
            || self.gone.contains_key(name)
            || self.owed.contains_key(name)
            || self.room(tag).is_some_and(is_open)
    }

    /// The seats of a room whose presence waits, oldest first.
    fn waiting_in(&self, tag: u64, count: usize) -> Vec<BareJid> {
        let Some(room) = self.room(tag) else { return Vec::new() };
        let seats = room.waiting.iter().filter_map(|place| room.seat_at(*place)?.shown());
        seats.take(count).map(|session| session.full.to_bare()).collect()
    }
}

impl Engine {
    /// Rooms whose channels are to be loaded. They are gone through in a circle, because some may be unreadable.
    pub(in crate::engine) fn next_rooms(&mut self) -> Vec<ChannelName> {
        let Occupants { due, tending, .. } = &mut self.occupants;
        tending.step(|behind, count| {
            let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
            due.range((from, Bound::Unbounded)).take(count).map(|(name, _)| name.clone()).collect()
        })
    }

    /// The channel of a room is in memory: what is to be done there is done.
    pub(in crate::engine) fn tend_room(&mut self, name: &ChannelName, turn: &mut Turn) {
        self.occupants.tending.done(name);
        let Some(tag) = self.occupants.due.get(name).copied() else { return };
        if self.channels.tag_of(name) != Some(tag) {
            // The channel is another one, or never came to be.
            self.occupants.end_room(tag, Why::Lost);
            self.occupants.take_owed(name);
            self.occupants.due.remove(name);
            self.occupants.forsaken.remove(name);
            return;
        }
        if self.end_forsaken(name, turn) {
            return;
        }
        for full in self.occupants.gone_in(name, self.occupants.tending.room()) {
            self.occupants.tending.spend(1);
            self.put_out(name, &full, turn);
        }
        for account in self.occupants.waiting_in(tag, self.occupants.tending.room()) {
            self.occupants.tending.spend(1);
            self.tell_of_seat((name, tag), &account, (Pacing::Paced, None), turn);
        }
        self.show_owed(name, tag, turn);
        if !self.occupants.is_due(name, tag) {
            self.occupants.due.remove(name);
        }
    }

    /// The channel of a room cannot be read: it is tried again behind the others.
    pub(in crate::engine) fn pass_rooms(&mut self, name: &ChannelName) {
        self.occupants.tending.done(name);
    }
}
