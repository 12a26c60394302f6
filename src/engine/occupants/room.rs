//! One room: its seats, and the sessions on them, in the order in which they began: what leaves is written in that order, and
//! one of ids or accounts would tell something of hidden people.

use crate::channel::{ChannelName, ParticipantId, Seats};
use crate::engine::outgoing::outbox::EntryNo;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};
use std::collections::{BTreeMap, HashMap};

/// A client in a room.
#[derive(Debug)]
pub struct Session {
    /// Its address.
    pub full: FullJid,
    /// Its entry in the address book.
    pub no: EntryNo,
    /// What its presence says.
    pub says: Availability,
}

/// Whoever sits on a seat, and by which clients.
#[derive(Debug)]
pub struct Seat {
    /// The occupant id.
    pub id: ParticipantId,
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
    /// Whether the others were told of it.
    pub is_told: bool,
}

impl Seat {
    /// XEP-0045 §7.14: the session that others see: the newest one.
    pub fn shown(&self) -> Option<&Session> {
        self.sessions.last()
    }
}

/// See the module.
#[derive(Debug)]
pub struct Room {
    /// The channel's name.
    pub name: ChannelName,
    /// The seats, as the rules see them.
    pub seats: Seats,
    occupants: BTreeMap<u64, Seat>,
    places: HashMap<BareJid, u64>,
    /// How many seats there were so far.
    begun: u64,
}

impl Room {
    /// Nobody sits in it.
    pub fn new(name: ChannelName) -> Room {
        Room { name, seats: Seats::default(), occupants: BTreeMap::new(), places: HashMap::new(), begun: 0 }
    }

    /// Whether nobody sits in it.
    pub fn is_empty(&self) -> bool {
        self.occupants.is_empty()
    }

    /// The seat of an account.
    pub fn seat_of(&self, account: &BareJid) -> Option<&Seat> {
        self.occupants.get(self.places.get(account)?)
    }

    fn seat_mut(&mut self, account: &BareJid) -> Option<&mut Seat> {
        self.occupants.get_mut(self.places.get(account)?)
    }

    /// Everybody who sits in it, oldest seats first.
    pub fn occupants(&self) -> impl Iterator<Item = &Seat> {
        self.occupants.values()
    }

    /// The others are about to be told of an account.
    pub fn note_told(&mut self, account: &BareJid) {
        if let Some(seat) = self.seat_mut(account) {
            seat.is_told = true;
        }
    }

    /// An account has this id from here on.
    pub fn identify(&mut self, account: &BareJid, id: &ParticipantId) {
        if let Some(seat) = self.seat_mut(account) {
            seat.id = id.clone();
        }
    }

    /// A session of whoever has this id begins, or begins anew.
    pub fn sit(&mut self, id: &ParticipantId, session: Session) {
        let account = session.full.to_bare();
        let place = *self.places.entry(account).or_insert(self.begun);
        self.begun = self.begun.max(place + 1);
        let seat = self.occupants.entry(place).or_insert_with(|| Seat {
            id: id.clone(),
            sessions: Vec::new(),
            is_told: false,
        });
        seat.id = id.clone();
        seat.sessions.retain(|other| other.full != session.full);
        seat.sessions.push(session);
    }

    /// A session ends. Whether it was the last of its seat, and whether the others were told of that.
    pub fn stand_up(&mut self, full: &FullJid) -> Option<(Session, bool, bool)> {
        let account = full.to_bare();
        let seat = self.seat_mut(&account)?;
        let at = seat.sessions.iter().position(|session| session.full == *full)?;
        let session = seat.sessions.remove(at);
        let (is_last, is_told) = (seat.sessions.is_empty(), seat.is_told);
        if is_last && let Some(place) = self.places.remove(&account) {
            self.occupants.remove(&place);
        }
        Some((session, is_last, is_told))
    }

    /// The session of a client.
    pub fn session_mut(&mut self, full: &FullJid) -> Option<&mut Session> {
        self.seat_mut(&full.to_bare())?.sessions.iter_mut().find(|session| session.full == *full)
    }

    /// The entries of all sessions in the address book.
    pub fn numbers(&self) -> impl Iterator<Item = EntryNo> {
        self.occupants().flat_map(|seat| seat.sessions.iter().map(|session| session.no))
    }

    /// The entries of the sessions of one account, and those of all others.
    pub fn apart(&self, account: &BareJid) -> (Vec<EntryNo>, Vec<EntryNo>) {
        let own = self.places.get(account);
        let (mut on, mut beside) = (Vec::new(), Vec::new());
        for (place, seat) in &self.occupants {
            let numbers = if Some(place) == own { &mut on } else { &mut beside };
            numbers.extend(seat.sessions.iter().map(|session| session.no));
        }
        (on, beside)
    }
}
