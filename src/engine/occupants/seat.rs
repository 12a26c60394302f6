//! A seat in a room, with its sessions, and what others were told of it.

use crate::channel::{Nick, ParticipantId};
use crate::engine::outgoing::outbox::{EntryNo, Placed, Rank};
use crate::xep::availability::Availability;
use jid::FullJid;
use std::sync::Arc;

/// A client in a room.
#[derive(Debug)]
pub struct Session {
    /// Its address, shared with its sessions in other rooms.
    pub full: Arc<FullJid>,
    /// Its entry in the address book.
    pub no: EntryNo,
    /// The moment of the room at which it came.
    pub came: u64,
    /// What its presence says.
    pub says: Availability,
    /// The moment of the room at which it entered last.
    pub since: u64,
    /// Whether it was sent everybody then; else it was sent those who moderate or had spoken.
    pub sees_all: bool,
    /// Whether it is gone, and the others have still to be told.
    pub is_gone: bool,
    /// Whether it enters with others, and was told nothing yet.
    pub is_arriving: bool,
}

impl Session {
    /// A client that enters.
    pub fn new(full: Arc<FullJid>, no: EntryNo, says: Availability) -> Session {
        Session { full, no, came: 0, says, since: 0, sees_all: false, is_gone: false, is_arriving: false }
    }

    /// Its entry on the list of the room's sessions.
    pub fn placed(&self) -> Placed {
        (Rank::at(self.came), self.no)
    }
}

/// Who was told of an occupant. All times are moments of its room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Since when it is there; 0: since before anybody had a seat.
    pub begun: u64,
    /// When everybody was told of it last.
    pub told: Option<u64>,
    /// Since when it is shown in a quiet room as well: it spoke, or moderates.
    pub opened: Option<u64>,
}

impl Trace {
    /// Whether a session was told of the occupant.
    pub fn is_known_to(&self, session: &Session) -> bool {
        let was_listed = match session.sees_all {
            true => self.begun < session.since,
            false => self.opened.is_some_and(|at| at < session.since),
        };
        was_listed || self.told.is_some_and(|at| at >= session.since)
    }
}

/// A presence as somebody was told it, in short.
pub type Print = u64;

/// Whoever sits on a seat, and by which clients.
#[derive(Debug)]
pub struct Seat {
    /// The occupant id.
    pub id: ParticipantId,
    /// The nick by which its own sessions know it.
    pub nick: Option<Nick>,
    /// The sessions, oldest first.
    pub sessions: Vec<Session>,
    /// Who was told of it.
    pub trace: Trace,
    /// The presence that its own sessions were told.
    pub own: Option<Print>,
    /// The presence that the others were told.
    pub others: Option<Print>,
    /// When a change of it was told last, in steady milliseconds.
    pub told_ms: Option<u64>,
}

impl Seat {
    /// A seat on which nobody sits yet.
    pub fn new(id: ParticipantId) -> Seat {
        let (nick, sessions, trace, own, others, told_ms) = Default::default();
        Seat { id, nick, sessions, trace, own, others, told_ms }
    }

    /// XEP-0045, "Multi-session nicks": the session that others see is the one of the highest priority (RFC 6121 §4.7.2.3), of
    /// those the newest.
    pub fn shown(&self) -> Option<&Session> {
        self.sessions.iter().max_by_key(|session| session.says.priority())
    }

    /// Its sessions' entries on the list of the room's sessions.
    pub fn placed(&self) -> impl Iterator<Item = Placed> {
        self.sessions.iter().filter(|session| !session.is_arriving).map(Session::placed)
    }

    /// The session of a client.
    pub fn session_of(&self, full: &FullJid) -> Option<&Session> {
        self.sessions.iter().find(|session| *session.full == *full)
    }

    /// Its sessions' entries in the address book.
    pub fn numbers(&self) -> impl Iterator<Item = EntryNo> {
        self.sessions.iter().filter(|session| !session.is_arriving).map(|session| session.no)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(resource: &str, presence: &str) -> Session {
        let says = Availability::of(&format!("<presence xmlns='jabber:client'>{presence}</presence>").parse().unwrap());
        Session::new(Arc::new(FullJid::new(&format!("a@h/{resource}")).unwrap()), EntryNo::first(0), says)
    }

    #[test]
    fn the_session_of_the_highest_priority_is_shown_and_of_those_the_newest() {
        let mut seat = Seat::new(ParticipantId::of_bytes([0; 20]));
        let mut shown = |resource: &str, presence: &str| {
            seat.sessions.push(session(resource, presence));
            seat.shown().map(|session| session.full.resource().to_string()).unwrap()
        };
        assert_eq!(shown("1", ""), "1");
        assert_eq!(shown("2", "<priority>-3</priority>"), "1");
        assert_eq!(shown("3", "<priority> 0 </priority>"), "3");
        assert_eq!(shown("4", "<show>away</show><priority>5</priority>"), "4");
        assert_eq!(shown("5", "<priority>4</priority>"), "4");
        assert_eq!(shown("6", "<priority>5</priority>"), "6");
    }

    #[test]
    fn who_was_told_of_an_occupant_is_who_was_there_or_was_sent_it_at_its_entry() {
        let at = |since: u64, sees_all: bool| Session { since, sees_all, ..session("r", "") };
        // It entered at 5, and everybody was told.
        let told = Trace { begun: 5, told: Some(6), opened: None };
        let sees = |trace: &Trace| [(3, false), (7, true), (7, false)].map(|it| trace.is_known_to(&at(it.0, it.1)));
        assert_eq!(sees(&told), [true, true, false]);
        // It entered a quiet room, and nobody was told.
        let silent = Trace { begun: 5, ..Trace::default() };
        assert_eq!(sees(&silent), [false, true, false]);
        // It spoke there.
        assert_eq!(sees(&Trace { begun: 1, told: Some(6), opened: Some(6) }), [true, true, true]);
        // It was in the channel before anybody entered the room.
        assert_eq!(sees(&Trace::default()), [false, true, false]);
    }
}
