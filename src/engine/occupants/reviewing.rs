//! Seats of accounts that may not stay end, some in each turn.

use super::super::{Engine, Turn};
use super::Occupants;
use super::ends::Ended;
use super::following::unwelcome;
use super::room::{Review, Room};
use super::showing::is_shown;
use super::telling::Pacing;
use crate::channel::{Channel, ChannelName};
use jid::BareJid;

/// Seats that one turn looks at in a room, and those that it ends or tells of.
const LOOKED_AT_MAX: usize = 2000;
const ENDED_MAX: usize = 64;

/// What one turn finds in a room.
#[derive(Default)]
struct Found {
    ended: Vec<(BareJid, Ended)>,
    /// Those who stay, and of whom something else may have been told.
    doubted: Vec<BareJid>,
    /// The seat that was looked at last, if there are more.
    behind: Option<u64>,
}

impl Occupants {
    /// The seats of a room are gone through.
    pub(super) fn review(&mut self, tag: u64, review: Review) {
        let Some(room) = self.room_mut(tag) else { return };
        let doubted = review.doubted || room.review.is_some_and(|review| review.doubted);
        room.review = Some(Review { doubted, ..review });
        let name = room.name.clone();
        self.due.insert(name.clone(), tag);
        if review.doubted {
            self.doubted.insert(name);
        }
    }
}

/// Looks at some seats of a room.
fn look_at(channel: &Channel, room: &Room, review: Review) -> Found {
    let mut found = Found::default();
    for (count, (place, seat)) in room.occupants_behind(review.behind).enumerate() {
        if count >= LOOKED_AT_MAX || found.ended.len() + found.doubted.len() >= ENDED_MAX {
            return found;
        }
        found.behind = Some(place);
        let Some(account) = seat.shown().map(|session| session.full.to_bare()) else { continue };
        let ended = match (channel.participant(&account), room.seats.passer_by(&account)) {
            (Some(_), _) => None,
            (None, Some(_)) => unwelcome(channel, &account),
            // Its join was not stored.
            (None, None) => Some(Ended::Lost),
        };
        match ended {
            Some(ended) => found.ended.push((account, ended)),
            None if review.doubted => found.doubted.push(account),
            None => {}
        }
    }
    Found { behind: None, ..found }
}

impl Engine {
    /// Goes on with the review of a room, if there is one. The rest is done in the next turns.
    pub(super) fn review_some(&mut self, name: &ChannelName, tag: u64, turn: &mut Turn) {
        let Some((channel, room)) = self.channels.channel(name).zip(self.occupants.room(tag)) else { return };
        let Some(review) = room.review else { return };
        let found = look_at(channel, room, review);
        if review.doubted {
            self.forget_traces(name, tag);
        }
        let rest = found.behind.map(|place| Review { behind: Some(place), ..review });
        let Some(room) = self.occupants.room_mut(tag) else { return };
        room.review = rest;
        self.end_seats(name, tag, found.ended, turn);
        for account in found.doubted {
            let record = self.channels.channel(name).and_then(|channel| channel.participant(&account));
            if let Some(id) = record.map(|member| member.id.clone()) {
                self.occupants.identify(tag, &account, &id, None);
            }
            self.tell_of_seat((name, tag), &account, (Pacing::Now, None), turn);
        }
        if rest.is_some() {
            self.go_on_in(name, turn);
        }
    }

    /// What is known of participants that are none is forgotten.
    fn forget_traces(&mut self, name: &ChannelName, tag: u64) {
        let Some(channel) = self.channels.channel(name) else { return };
        if let Some(room) = self.occupants.room_mut(tag) {
            room.traces.retain(|id, _| channel.member_of(id).is_some_and(is_shown));
        }
    }

    /// Before anything else of a turn: rooms whose channels came back into memory after a refused commit have no seats without
    /// a record.
    pub(in crate::engine) fn review_doubted(&mut self, turn: &mut Turn) {
        let doubted = self.occupants.doubted.iter().filter(|name| !self.channels.is_cold(name));
        for name in doubted.cloned().collect::<Vec<ChannelName>>() {
            self.occupants.doubted.remove(&name);
            match (self.channels.tag_of(&name), self.occupants.due.get(&name).copied()) {
                (Some(tag), Some(of)) if tag == of => self.review_some(&name, tag, turn),
                (_, Some(of)) => self.occupants.end_room(of, Some(Ended::Lost)),
                (_, None) => {}
            }
        }
    }
}
