//! XEP-0045 §7.14: clients leave rooms.

use super::super::outgoing::outbox::{Audience, Delta, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::Occupants;
use crate::channel::ChannelName;
use crate::xep::List;
use crate::xep::availability::Availability;
use crate::xep::muc::presence::{Occupant, status};
use jid::FullJid;
use minidom::Element;
use rand::Rng;
use std::ops::Bound;

impl Engine {
    /// A client leaves a room.
    pub(in crate::engine) fn leave_room(
        &mut self,
        name: &ChannelName,
        full: &FullJid,
        presence: &Element,
        turn: &mut Turn,
    ) {
        let shows_jids = self.channels.channel(name).is_some_and(|channel| channel.settings().shows_jids());
        let says = Availability::of(presence).shown(shows_jids);
        self.end_session(name, full, (&says, &[]), turn);
    }

    /// XEP-0045 §7.14: a client is put out of a room, because it cannot be reached or there is no room for it.
    pub(in crate::engine) fn put_out(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        self.end_session(name, full, ("", &[status::KICKED, status::UNREACHABLE]), turn);
    }

    /// Rooms whose channels are to be loaded, since clients in them are gone.
    pub(in crate::engine) fn next_rooms(&mut self) -> Vec<ChannelName> {
        let Occupants { gone, putting_out, .. } = &mut self.occupants;
        putting_out.step(|behind, count| {
            let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
            gone.range((from, Bound::Unbounded)).take(count).map(|(name, _)| name.clone()).collect()
        })
    }

    /// The channel of a room is in memory: clients that are gone are put out.
    pub(in crate::engine) fn put_out_in(&mut self, name: &ChannelName, turn: &mut Turn) {
        self.occupants.putting_out.done(name);
        for full in self.occupants.gone.remove(name).unwrap_or_default() {
            self.put_out(name, &full, turn);
        }
    }

    /// The channel of a room cannot be read: nobody can be told.
    pub(in crate::engine) fn pass_rooms(&mut self, name: &ChannelName) {
        self.occupants.putting_out.done(name);
    }

    /// A session ends. It hears of it first, the others if nobody is on the seat any more.
    fn end_session(&mut self, name: &ChannelName, full: &FullJid, (says, codes): (&str, &[u16]), turn: &mut Turn) {
        // The channel may be no more, or never have come to be.
        let Some(tag) = self.occupants.tag_of(name, full) else { return };
        let account = full.to_bare();
        let seats = self.occupants.seats(tag);
        let passer_by = seats.passer_by(&account).cloned();
        let Some((session, is_last, is_told)) = self.occupants.leave(tag, full) else { return };
        turn.outbox.push(Out::Book(Delta::Removed(ListId { tag, list: List::Sessions }, session.no)));
        if let Some(channel) = self.channels.channel(name)
            && let Some(member) = channel.participant(&account).or(passer_by.as_ref())
        {
            let room = self.service.address_of(name);
            let jid = channel.settings().shows_jids().then(|| full.to_string());
            let occupant = Occupant { channel, room: &room, member, jid, says };
            let own = [codes, &[status::SELF]].concat();
            let id = self.service.sealer.mark(tag, self.dice.random());
            turn.tell_all(Audience::One(session.no), halves(&occupant.unavailable(Some(&id), &own), false));
            if is_last && is_told {
                let gone = occupant.unavailable(Some(&id), codes);
                turn.tell_all(Audience::List(ListId { tag, list: List::Sessions }, None), halves(&gone, false));
            }
        }
        self.people.leave_session(session.no, &mut turn.outbox);
        if let Some(passer_by) = passer_by.filter(|_| is_last) {
            self.carry_on(vec![(name.clone(), crate::channel::Change::Exited(passer_by))], turn);
        }
        if !is_last {
            self.tell_of_occupant(name, tag, full, turn);
        }
    }

    /// A client is gone: it is put out of every room with the next tick, when their channels are in memory.
    pub(in crate::engine) fn leave_rooms(&mut self, full: &FullJid) {
        for (_, name) in self.occupants.rooms_of(full) {
            self.occupants.gone.entry(name).or_default().insert(full.clone());
        }
    }
}
