//! XEP-0045 §7.14: clients leave rooms.

use super::super::outgoing::outbox::{Audience, Delta, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::audiences::Knows;
use super::ends::Ended;
use super::seat::{Seat, Session};
use super::showing::is_shown;
use super::telling::Pacing;
use crate::channel::{Change, ChannelName, Member};
use crate::xep::List;
use crate::xep::availability::Availability;
use crate::xep::muc::presence::status;
use jid::{BareJid, FullJid};
use minidom::Element;
use rand::Rng;
use std::sync::Arc;

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
        let says = Availability::of(presence).in_room(&full.to_bare(), shows_jids);
        self.note_visit(name, full);
        self.end_session(name, full, (says, &[]), turn);
        self.end_forsaken(name, turn);
    }

    /// XEP-0045 §7.14: a client is put out of a room, because it cannot be reached or there is no room for it.
    pub(in crate::engine) fn put_out(&mut self, name: &ChannelName, full: &FullJid, turn: &mut Turn) {
        self.end_session(name, full, (Arc::default(), &[status::KICKED, status::UNREACHABLE]), turn);
    }

    /// A session ends. It hears of it first, the others if nobody is on the seat any more.
    fn end_session(&mut self, name: &ChannelName, full: &FullJid, what: (Arc<str>, &[u16]), turn: &mut Turn) {
        // The channel may be no more, or never have come to be.
        let Some(tag) = self.occupants.tag_of(name, full) else { return };
        let account = full.to_bare();
        let (passer_by, stand_in) = self.stands_on(tag, &account);
        let Some((session, seat)) = self.occupants.leave(tag, full) else { return };
        turn.outbox.push(Out::Book(Delta::Removed(ListId { tag, list: List::Sessions }, session.placed())));
        let since = turn.outbox.len();
        if let Some(member) = &stand_in {
            self.tell_of_end((name, tag), (member, &session, seat.as_ref()), what, turn);
        }
        self.people.leave_session(session.no, &mut turn.outbox);
        self.load(&account, name, &mut turn.outbox[since..]);
        match (seat, passer_by) {
            (None, _) => self.tell_of_seat((name, tag), &account, (Pacing::Paced, None), turn),
            (Some(_), Some(passer_by)) => self.carry_on(vec![(name.clone(), Change::Exited(passer_by))], turn),
            (Some(_), None) => {}
        }
        self.note_forsaken(name, tag);
    }

    /// The record of a passer-by that sits in a room; and the record of whoever sits there.
    fn stands_on(&self, tag: u64, account: &BareJid) -> (Option<Member>, Option<Member>) {
        let Some(room) = self.occupants.room(tag) else { return (None, None) };
        let passer_by = room.seats.passer_by(account).cloned();
        let member = self.channels.channel(&room.name).and_then(|channel| self.occupants.member_on(channel, account));
        let member = member.cloned().or_else(|| room.seat_of(account)?.stand_in(account));
        (passer_by, member)
    }

    /// A session ended: it is told, and those who know of its seat if that ended with it. One that stays in the channel by MIX
    /// is still there.
    fn tell_of_end(
        &mut self,
        (name, tag): (&ChannelName, u64),
        (member, session, seat): (&Member, &Session, Option<&Seat>),
        (says, codes): (Arc<str>, &[u16]),
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.channel(name) else { return };
        let room = self.service.address_of(name);
        let picture = self.occupants.leaver(channel, member, &session.full, says);
        let sees = channel.unveils_to(&member.jid);
        let own = [codes, &[status::SELF]].concat();
        let id = self.service.sealer.mark(tag, self.dice.random());
        let own = picture.occupant(&room, sees).unavailable(Some(&id), &own);
        turn.tell_all(Audience::One(session.no), halves(&own, false));
        let stays = channel.participant(&member.jid).filter(|member| is_shown(member));
        let (Some(seat), Some(here)) = (seat, self.occupants.room(tag)) else { return };
        if let Some(audience) = here.audience(tag, &member.jid, &seat.trace, Knows::It) {
            let presence = |unveiled| match stays {
                Some(member) => self.of_mix(channel, member).occupant(&room, unveiled).available(Some(&id), &[]),
                None => picture.occupant(&room, unveiled).unavailable(Some(&id), codes),
            };
            self.tell_apart((name, tag), audience, presence, turn);
        }
        let (id, is_staying) = (seat.id.clone(), stays.is_some());
        if let Some(room) = self.occupants.room_mut(tag).filter(|_| is_staying) {
            room.traces.insert(id.clone(), seat.trace);
            room.note_trace(&id);
        }
    }

    /// Ends the seats of some accounts. Whoever is put out hears of itself alone.
    pub(in crate::engine) fn end_seats(
        &mut self,
        name: &ChannelName,
        tag: u64,
        ended: Vec<(BareJid, Ended)>,
        turn: &mut Turn,
    ) {
        let mut leaving: Vec<(Member, Ended, Vec<FullJid>)> = Vec::new();
        for (account, why) in ended {
            let (_, member) = self.stands_on(tag, &account);
            let seat = self.occupants.room(tag).and_then(|room| room.seat_of(&account));
            let Some((seat, member)) = seat.zip(member) else { continue };
            let list = ListId { tag, list: List::Sessions };
            turn.outbox.extend(seat.placed().map(|it| Out::Book(Delta::Removed(list, it))));
            leaving.push((member, why, seat.sessions.iter().map(|session| FullJid::clone(&session.full)).collect()));
        }
        let mut gone = Vec::new();
        for (member, why, sessions) in leaving {
            gone.extend(self.occupants.seats(tag).passer_by(&member.jid).cloned());
            for full in sessions {
                let Some((session, seat)) = self.occupants.leave(tag, &full) else { continue };
                let what = (Arc::default(), why.codes());
                self.tell_of_end((name, tag), (&member, &session, seat.as_ref()), what, turn);
                self.people.leave_session(session.no, &mut turn.outbox);
            }
        }
        self.carry_on(gone.into_iter().map(|member| (name.clone(), Change::Exited(member))).collect(), turn);
        self.note_forsaken(name, tag);
    }

    /// A client is gone: it is put out of every room with the next tick, when their channels are in memory.
    pub(in crate::engine) fn leave_rooms(&mut self, full: &FullJid) {
        for (_, name) in self.occupants.rooms_of(full) {
            self.occupants.note_gone(&name, full);
        }
    }
}
