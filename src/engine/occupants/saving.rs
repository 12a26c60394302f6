//! Seats are saved as they change, and are back after a start. What is saved of them comes with other records or waits for none:
//! a crash may lose what changed last. Nobody is told of any of this.

use super::super::outgoing::outbox::{Audience, EntryNo, ListId};
use super::super::{Engine, Turn};
use super::room::{Review, Room};
use super::seat::{Seat, Session, Trace};
use super::{ACCOUNT_SESSIONS_MAX, Occupants, SESSIONS_MAX};
use crate::channel::{Channel, Member, Nick, Seats};
use crate::store::{Record, SavedClient, SavedSeat};
use crate::xep::List;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};

impl Occupants {
    /// The seat of an account changed, or is no more.
    pub fn save_later(&mut self, account: &BareJid, tag: u64) {
        self.unsaved.insert((account.clone(), tag));
    }

    /// A seat as it is saved; `None`: nobody sits on it.
    fn saved(&self, account: &BareJid, tag: u64) -> Option<SavedSeat> {
        let room = self.room(tag)?;
        let (place, seat, passer_by) = (room.place_of(account)?, room.seat_of(account)?, room.seats.passer_by(account));
        let nick = passer_by.map(|member| member.nick.clone()).or_else(|| seat.nick.clone());
        let client = |session: &Session| SavedClient {
            resource: session.full.resource().to_string(),
            sees_all: session.sees_all,
        };
        Some(SavedSeat {
            account: account.clone(),
            tag,
            room: room.name.clone(),
            place,
            id: seat.id.clone(),
            nick: nick.or_else(|| Nick::new(seat.id.as_str()))?,
            windows: passer_by.map(|member| member.windows.clone()),
            moderates: room.seats.is_moderator(account),
            is_open: seat.trace.opened.is_some(),
            is_silent: room.was_quiet && seat.trace.opened.is_none() && seat.trace.told.is_none(),
            clients: seat.sessions.iter().map(client).collect(),
        })
    }

    /// Appends the records of seats that changed.
    pub fn save(&mut self, records: &mut Vec<Record>) {
        for (account, tag) in std::mem::take(&mut self.unsaved) {
            let seat = self.saved(&account, tag);
            records.push(Record::Seat { account, tag, seat });
        }
    }

    /// A seat that was saved is taken again. `number` finds the entries of clients in the address book. Returns whether it is:
    /// there may be no room, or somebody else goes by its nick.
    fn sit_again(&mut self, saved: &SavedSeat, number: &mut dyn FnMut(&FullJid) -> EntryNo) -> bool {
        let (tag, account) = (saved.tag, &saved.account);
        let is_free = |room: &Room| saved.windows.is_none() || room.seats.holder_of(&saved.nick).is_none();
        if !self.room(tag).is_none_or(is_free) {
            return false;
        }
        let mut seat = Seat { nick: Some(saved.nick.clone()), ..Seat::new(saved.id.clone()) };
        // Everybody was told of everybody, but for those whom a large room does not show.
        let (begun, opened) = (u64::from(saved.is_silent), saved.is_open.then_some(0));
        seat.trace = Trace { begun, told: None, opened };
        for client in saved.clients.iter().take(SESSIONS_MAX) {
            let Ok(full) = account.with_resource_str(&client.resource) else { continue };
            let is_full = self.shares.held_by(account) >= ACCOUNT_SESSIONS_MAX;
            if is_full || self.find_room(tag, account).is_err() || self.is_session(tag, &full) {
                continue;
            }
            let (shared, _) = self.note_client(tag, &full);
            let session = Session::new(shared.full, number(&full), Availability::default());
            seat.sessions.reserve_exact(1);
            seat.sessions.push(Session { since: 1, sees_all: client.sees_all, ..session });
        }
        let Some(account) = self.clients.account(account).filter(|_| !seat.sessions.is_empty()) else { return false };
        let passer_by = saved.windows.as_ref().map(|windows| {
            let stand_in = Seats::stand_in(&account, saved.nick.clone(), (saved.id.clone(), u64::MAX));
            Member { windows: windows.clone(), ..stand_in }
        });
        self.ghosts.begin(tag);
        let room = self.rooms.entry(tag).or_insert_with(|| Room::new(saved.room.clone()));
        room.is_restored = true;
        room.was_quiet |= saved.is_silent || saved.clients.iter().any(|client| !client.sees_all);
        room.sit_again(saved.place, (&account, passer_by), seat);
        room.seats.set_moderator(&account, saved.moderates);
        true
    }

    /// The channel of a room came into memory: seats that were restored are looked at.
    pub fn look_again(&mut self, tag: u64) {
        let room = self.rooms.get_mut(&tag);
        if room.is_some_and(|room| std::mem::take(&mut room.is_restored)) {
            self.review(tag, Review { restored: true, ..Review::default() });
        }
    }
}

impl Engine {
    /// Whoever sat in a room does so again. Seats of rooms that are no more are forgotten.
    pub(in crate::engine) fn restore_seats(&mut self, mut seats: Vec<SavedSeat>) {
        seats.sort_by(|a, b| (a.tag, a.place, &a.account).cmp(&(b.tag, b.place, &b.account)));
        for saved in seats {
            let is_room = self.service.limits.muc.enabled && self.channels.tag_of(&saved.room) == Some(saved.tag);
            let mut number = |full: &FullJid| self.people.enter_session(full, self.outgoing.early());
            if !is_room || !self.occupants.sit_again(&saved, &mut number) {
                self.occupants.save_later(&saved.account, saved.tag);
            }
            let count = self.occupants.seats(saved.tag).count();
            self.channels.note_seats(saved.tag, count);
        }
    }

    /// Saves the seats that the turn changed.
    pub(in crate::engine) fn save_seats(&mut self, turn: &mut Turn) {
        self.channels.note_crowds(self.occupants.unsaved.iter().map(|(_, tag)| *tag));
        let changed: Vec<(BareJid, u64)> = self.occupants.unsaved.iter().cloned().collect();
        changed.iter().for_each(|(account, tag)| self.follow_seat(*tag, account, &mut turn.outbox));
        self.occupants.save(&mut turn.records);
    }

    /// The sessions to which something is sent again that an earlier process may not have sent: those of people who were there
    /// at the time. `None`: nobody.
    pub(in crate::engine) fn sessions_again(
        &self,
        channel: &Channel,
        was_there: impl Fn(&Member) -> bool,
    ) -> Option<Audience> {
        let tag = channel.profile().tag;
        let room = self.occupants.room(tag)?;
        let is_meant = |seat: &&Seat| {
            let account = seat.shown().map(|session| session.full.to_bare());
            account.and_then(|account| self.occupants.member_on(channel, &account)).is_some_and(&was_there)
        };
        let numbers: Vec<EntryNo> = room.occupants().filter(is_meant).flat_map(Seat::numbers).collect();
        match numbers.len() {
            0 => None,
            all if all == room.session_count() => Some(Audience::List(ListId { tag, list: List::Sessions }, None)),
            _ => Some(Audience::these(numbers)),
        }
    }
}
