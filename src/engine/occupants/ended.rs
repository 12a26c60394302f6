//! XEP-0045 §10.9: rooms whose channels are no more. Each session is told of it from its own nick, some in each turn.

use super::super::outgoing::outbox::{Audience, Delta, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::Occupants;
use super::ends::{Ended, EndedRoom, KnownEnd, Why};
use super::room::Room;
use super::seat::{Seat, Session};
use crate::channel::{ChannelName, Member, Nick, Seats};
use crate::engine::outgoing::outbox::EntryNo;
use crate::xep::List;
use crate::xep::availability::Availability;
use crate::xep::muc::presence::{self, status};
use jid::{BareJid, FullJid};
use rand::Rng;

/// Sessions that one turn tells of the end of their rooms.
const TOLD_MAX: usize = 500;

impl Seat {
    /// A record for an account of which none is left.
    pub(super) fn stand_in(&self, account: &BareJid) -> Option<Member> {
        let nick = self.nick.clone().or_else(|| Nick::new(self.id.as_str()))?;
        Some(Seats::stand_in(account, nick, (self.id.clone(), u64::MAX)))
    }
}

impl Occupants {
    /// Whether sessions are still to be told that their rooms are no more.
    pub(in crate::engine) fn has_ended_rooms(&self) -> bool {
        !self.ended.is_empty()
    }

    /// The channel of a room is no more.
    pub(super) fn end_room(&mut self, tag: u64, why: Why) {
        let Some(room) = self.rooms.remove(&tag) else { return };
        self.ghosts.end(tag);
        self.forget_gone(&room.name);
        self.take_owed(&room.name);
        self.forget_room(&room.name);
        self.ended.insert(tag, EndedRoom { room, why });
    }

    /// The service ends for good: everybody is out, and nobody enters until it is started anew.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are kept by tags")]
    pub fn close_all(&mut self) {
        self.is_closed = true;
        let tags: Vec<u64> = self.rooms.keys().copied().collect();
        for tag in tags {
            let Some(room) = self.rooms.get(&tag) else { continue };
            let (name, passers_by) = (room.name.clone(), room.seats.passers_by().cloned().collect::<Vec<Member>>());
            self.end_room(tag, Why::Closed);
            // People of MIX stay, and hear that they are gone.
            passers_by.into_iter().for_each(|member| self.owe(name.clone(), tag, member));
        }
    }

    /// The end of a channel was not stored.
    pub(super) fn revive_room(&mut self, tag: u64) {
        if let Some(EndedRoom { room, .. }) = self.ended.remove(&tag) {
            self.rooms.insert(tag, room);
        }
    }

    /// Those of whose ends sessions are still to be told.
    pub(super) fn known_ends(&self) -> Vec<KnownEnd> {
        let known = self.ended.iter().map(|(tag, EndedRoom { room, why })| KnownEnd {
            tag: *tag,
            room: room.name.clone(),
            farewell: match why {
                Why::Destroyed(farewell) => Some(farewell.clone()),
                Why::Lost | Why::Closed => None,
            },
            untold: room
                .occupants()
                .flat_map(|seat| {
                    seat.sessions.iter().map(|it| ((*it.full).clone(), seat.id.clone(), seat.nick.clone()))
                })
                .collect(),
        });
        known.collect()
    }

    /// In an earlier process on the same link a room ended. `number` finds the entries of clients in the address book.
    pub(super) fn know_end(&mut self, known: KnownEnd, number: &mut dyn FnMut(&FullJid) -> EntryNo) {
        let KnownEnd { tag, room: name, farewell, untold } = known;
        let mut room = Room::new(name);
        for (full, id, nick) in untold {
            let (shared, is_new) = self.note_client(tag, &full);
            if !is_new {
                continue;
            }
            let session = Session::new(shared.full, number(&full), Availability::default());
            room.sit((&shared.account, None), (&id, true), session);
            if let Some(seat) = room.seat_mut(&full.to_bare()) {
                seat.nick = nick;
            }
        }
        if !room.is_empty() {
            self.ended.insert(tag, EndedRoom { room, why: farewell.map_or(Why::Lost, Why::Destroyed) });
        }
    }

    /// Takes a session off an ended room.
    fn take_ended(&mut self, tag: u64, full: Option<&FullJid>) -> Option<(Session, Member, Why)> {
        let EndedRoom { room, why } = self.ended.get_mut(&tag)?;
        let first = || room.occupants().next().and_then(|seat| Some(FullJid::clone(&seat.sessions.first()?.full)));
        let full = full.cloned().or_else(first);
        let account = full.as_ref().map(|full| full.to_bare());
        let member = account.and_then(|account| room.seat_of(&account)?.stand_in(&account));
        let (session, why) = (full.and_then(|full| room.stand_up(&full)), why.clone());
        if room.is_empty() || session.is_none() {
            self.ended.remove(&tag);
        }
        let (session, _) = session?;
        self.forget(tag, &session);
        Some((session, member?, why))
    }
}

impl Engine {
    /// Tells some sessions of ended rooms of that.
    pub(in crate::engine) fn tell_ended_rooms(&mut self, turn: &mut Turn) {
        for _ in 0..TOLD_MAX {
            let Some(tag) = self.occupants.ended.keys().next().copied() else { return };
            self.tell_ended(tag, None, turn);
        }
    }

    /// Before a client enters a room: if it sat in an earlier one of the same name, it is told of its end.
    pub(super) fn end_before(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        let tags: Vec<u64> = self.occupants.clients.get(full).map_or(Vec::new(), |client| client.rooms().to_vec());
        for tag in tags {
            let is_of_name = |ended: &EndedRoom| ended.room.name == *name;
            if self.occupants.ended.get(&tag).is_some_and(is_of_name) {
                self.tell_ended(tag, Some(full), turn);
            }
        }
    }

    fn tell_ended(&mut self, tag: u64, full: Option<&FullJid>, turn: &mut Turn) {
        let Some(name) = self.occupants.ended.get(&tag).map(|ended| ended.room.name.clone()) else { return };
        let Some((session, member, why)) = self.occupants.take_ended(tag, full) else { return };
        let from = [&self.service.address_of(&name), "/", member.nick.as_str()].concat();
        let id = self.service.sealer.mark(tag, self.dice.random());
        let presence = match why {
            Why::Destroyed(farewell) => presence::destroyed(&from, &id, (&member.id, &farewell)),
            Why::Lost => presence::lost(&from, &id, (&member.id, Ended::Lost.codes())),
            Why::Closed => presence::lost(&from, &id, (&member.id, &[status::SHUTDOWN])),
        };
        turn.tell_all(Audience::One(session.no), halves(&presence, false));
        // The channel may be there still.
        turn.outbox.push(Out::Book(Delta::Removed(ListId { tag, list: List::Sessions }, session.placed())));
        self.people.leave_session(session.no, &mut turn.outbox);
    }
}
