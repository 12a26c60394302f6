//! Whoever speaks in a room is shown there from then on, also where the room is too large to show everybody.

use super::super::{Engine, Turn};
use super::Occupants;
use super::audiences::Knows;
use super::room::Room;
use super::seat::Trace;
use crate::channel::{Change, ChannelName, Member, ParticipantId, RowKind};
use jid::{BareJid, FullJid};

/// Who says something that rooms show. Chat states are no words.
fn speaker(change: &Change) -> Option<&ParticipantId> {
    if let Change::Published(row) = change {
        let is_shown = matches!(row.kind, RowKind::Message | RowKind::Retraction) && !row.payload.is_empty();
        return is_shown.then_some(&row.author);
    }
    if let Change::Relayed(relay) = change { relay.message.echoed.then_some(&relay.author) } else { None }
}

impl Room {
    /// Who was told of an occupant, with or without a seat.
    pub fn trace_of(&self, member: &Member) -> Trace {
        let seat = self.seat_of(&member.jid).map(|seat| seat.trace);
        seat.or_else(|| self.traces.get(&member.id).copied()).unwrap_or_default()
    }

    /// Changes what is known of who was told.
    pub fn trace(&mut self, member: (&BareJid, &ParticipantId), change: impl FnOnce(&mut Trace)) {
        match self.place_of(member.0).zip(self.seat_mut(member.0)) {
            Some((place, seat)) => {
                change(&mut seat.trace);
                if seat.trace.opened.is_some() {
                    self.opened.0.insert(place);
                }
            }
            None => {
                change(self.traces.entry(member.1.clone()).or_default());
                self.note_trace(member.1);
            }
        }
    }

    /// Whether an occupant, with or without a seat, is shown although the room is quiet.
    fn is_opened(&self, (account, id): (&BareJid, &ParticipantId)) -> bool {
        match self.place_of(account) {
            Some(place) => self.opened.0.contains(&place),
            None => self.opened.1.contains(id),
        }
    }

    /// What is known of somebody without a seat is something else.
    pub fn note_trace(&mut self, id: &ParticipantId) {
        match self.traces.get(id).is_some_and(|trace| trace.opened.is_some()) {
            true => self.opened.1.insert(id.clone()),
            false => self.opened.1.remove(id),
        };
    }
}

impl Occupants {
    /// An occupant is shown from here on, however large its room is. `is_told`: those who did not know of it are told now.
    pub fn open(&mut self, tag: u64, member: (&BareJid, &ParticipantId), is_told: bool) {
        let Some(room) = self.room_mut(tag) else { return };
        if !is_told && room.is_opened(member) {
            return;
        }
        let moment = room.next_moment();
        room.trace(member, |trace| {
            trace.opened.get_or_insert(moment);
            trace.told = if is_told { Some(moment) } else { trace.told };
        });
        self.save_later(member.0, tag);
    }
}

impl Occupants {
    /// A session enters with others, and was told nothing yet; or it is told now.
    pub fn note_arriving(&mut self, tag: u64, full: &FullJid, is_arriving: bool) {
        if let Some(session) = self.room_mut(tag).and_then(|room| room.session_mut(full)) {
            session.is_arriving = is_arriving;
        }
    }

    /// A session was sent who is there; of a quiet room, who is shown there.
    pub fn note_listed(&mut self, tag: u64, full: &FullJid, is_quiet: bool) {
        let Some(room) = self.room_mut(tag) else { return };
        let moment = room.next_moment();
        if let Some(session) = room.session_mut(full) {
            (session.since, session.sees_all) = (moment, !is_quiet);
        }
    }
}

impl Engine {
    /// Those who do not know of the author of a message are told of it before the message.
    pub(in crate::engine) fn announce_speaker(
        &mut self,
        name: &ChannelName,
        tag: u64,
        (actor, change): (Option<&BareJid>, &Change),
        turn: &mut Turn,
    ) {
        let Some(author) = speaker(change) else { return };
        self.occupants.note_said(tag);
        let Some(here) = self.occupants.room(tag) else { return };
        let Some(channel) = self.channels.channel(name) else { return };
        let Some(member) = channel.member_or_passer_by(author, &here.seats) else { return };
        let trace = here.trace_of(member);
        if trace.opened.is_some() {
            return;
        }
        let room = self.service.address_of(name);
        let picture = match here.seat_of(&member.jid) {
            Some(seat) => self.occupants.picture(channel, seat),
            None => Some(self.of_mix(channel, member)),
        };
        let Some(picture) = picture else { return };
        let audience = here.audience(tag, &member.jid, &trace, Knows::Nothing);
        let since = turn.outbox.len();
        let who = (member.jid.clone(), member.id.clone());
        let is_told = audience.is_some();
        if let Some(audience) = audience {
            let presence = |unveiled| picture.occupant(&room, unveiled).available(None, &[]);
            self.tell_apart((name, tag), audience, presence, turn);
        }
        self.occupants.open(tag, (&who.0, &who.1), is_told);
        if let Some(actor) = actor {
            self.load(actor, name, &mut turn.outbox[since..]);
        }
    }
}
