//! One room: its seats, and the sessions on them, in the order in which they began: what leaves is written in that order, and
//! one of ids or accounts would tell something of hidden people.

use super::gathering::Gathering;
use super::ruling::Causes;
use super::seat::{Seat, Session, Trace};
use crate::channel::{ChannelName, Lists, Member, ParticipantId, Seats};
use crate::engine::outgoing::outbox::EntryNo;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

/// How far the seats of a room are gone through, to end those of accounts that may not stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Review {
    /// The last seat that was looked at.
    pub behind: Option<u64>,
    /// Whether what the channel's commits were to say of them is unknown: they are told of again where it is something else.
    pub doubted: bool,
    /// Whether the room has become one for members.
    pub closes: bool,
    /// Whether they were saved by an earlier process, and the channel may say something else.
    pub restored: bool,
    /// Whether roles or JIDs are others than before: occupants are told of again where they are something else.
    pub retells: bool,
    /// Whether it begins anew once it is through, because the rules changed meanwhile.
    pub again: bool,
}

/// How far the sessions of a room are gone through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    /// The seat that was looked at last.
    pub behind: Option<u64>,
    /// Whether something is said there: it comes first.
    pub is_urgent: bool,
}

/// A client that asked for versions of affiliations.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The client.
    pub full: FullJid,
    /// Its session.
    pub no: EntryNo,
    /// The lists that it was told of.
    pub lists: Lists,
}

/// See the module.
#[derive(Debug)]
pub struct Room {
    /// The channel's name.
    pub name: ChannelName,
    /// The seats, as the rules see them.
    pub seats: Seats,
    /// Whether there are so many occupants that they are not told of one another.
    pub is_large: bool,
    /// Whether not all occupants are told of one another: it is large, or it does not show all roles.
    pub is_quiet: bool,
    /// Whether it ever was: some occupants may be unknown to some sessions.
    pub was_quiet: bool,
    /// Of participants that are shown without a seat: those whose coming, or first words, fell into the time of the room.
    pub traces: BTreeMap<ParticipantId, Trace>,
    /// The places of seats that are shown although the room is quiet, and the ids of those in `traces` that are: nobody who
    /// enters is looked for among all.
    pub opened: (BTreeSet<u64>, BTreeSet<ParticipantId>),
    /// Seats whose presence is to be told when its time comes.
    pub waiting: BTreeSet<u64>,
    /// The seats that are still to be looked at.
    pub review: Option<Review>,
    /// Who is charged for what the review tells again.
    pub retold_for: Option<BareJid>,
    /// Why seats end that are still to be looked at, of those of which somebody said it.
    pub causes: Causes,
    /// Whether an earlier process saved seats of it that were not looked at since.
    pub is_restored: bool,
    /// Whose sessions are still to be asked whether they are there.
    pub call: Option<Call>,
    /// Whether those who want to enter wait for one another.
    pub gathering: Gathering,
    /// When something was said last, in steady milliseconds.
    pub said_ms: u64,
    /// When accounts asked for voice lately, in steady milliseconds.
    pub voice_asked: BTreeMap<BareJid, u64>,
    /// XEP-0463: the clients that asked for versions of affiliations, in the order in which they did, and what they have.
    pub versioned: Vec<Versioned>,
    /// Each by itself: a map keeps room for twice as many as it has.
    occupants: BTreeMap<u64, Box<Seat>>,
    /// Counts what happens, so that what a session was there for is known.
    moment: u64,
    sessions: usize,
}

impl Room {
    /// Nobody sits in it.
    pub fn new(name: ChannelName) -> Room {
        Room {
            name,
            seats: Seats::default(),
            is_large: false,
            is_quiet: false,
            was_quiet: false,
            traces: BTreeMap::new(),
            opened: Default::default(),
            waiting: BTreeSet::new(),
            review: None,
            retold_for: None,
            causes: Causes::new(),
            is_restored: false,
            call: None,
            gathering: Gathering::default(),
            said_ms: 0,
            voice_asked: BTreeMap::new(),
            versioned: Vec::new(),
            occupants: BTreeMap::new(),
            moment: 0,
            sessions: 0,
        }
    }

    /// Whether nobody sits in it.
    pub fn is_empty(&self) -> bool {
        self.occupants.is_empty()
    }

    /// How many sessions there are.
    pub fn session_count(&self) -> usize {
        self.sessions
    }

    /// Something happens.
    pub fn next_moment(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    /// The place of an account.
    pub fn place_of(&self, account: &BareJid) -> Option<u64> {
        self.seats.place_of(account)
    }

    /// The seat at a place.
    pub fn seat_at(&self, place: u64) -> Option<&Seat> {
        self.occupants.get(&place).map(|seat| &**seat)
    }

    /// The seat of an account.
    pub fn seat_of(&self, account: &BareJid) -> Option<&Seat> {
        self.seat_at(self.place_of(account)?)
    }

    /// The seat of an account.
    pub fn seat_mut(&mut self, account: &BareJid) -> Option<&mut Seat> {
        self.occupants.get_mut(&self.place_of(account)?).map(|seat| &mut **seat)
    }

    /// Everybody who sits in it, oldest seats first.
    pub fn occupants(&self) -> impl Iterator<Item = &Seat> {
        self.occupants.values().map(|seat| &**seat)
    }

    /// Those behind a place, oldest seats first.
    pub fn occupants_behind(&self, place: Option<u64>) -> impl Iterator<Item = (u64, &Seat)> {
        let from = place.map_or(Bound::Unbounded, Bound::Excluded);
        self.occupants.range((from, Bound::Unbounded)).map(|(place, seat)| (*place, &**seat))
    }

    /// A session of an account begins, or begins anew. `passer_by`: what stands for the account where it has no record.
    /// `is_shown`: the others are shown its account already, as one of MIX.
    pub fn sit(
        &mut self,
        (account, passer_by): (&Arc<BareJid>, Option<Member>),
        (id, is_shown): (&ParticipantId, bool),
        mut session: Session,
    ) {
        let moment = self.next_moment();
        (session.since, session.came) = (moment, moment);
        let place = self.seats.put(account, moment, passer_by);
        let trace = self.traces.remove(id).unwrap_or_default();
        self.opened.1.remove(id);
        let seat = self.occupants.entry(place).or_insert_with(|| {
            let trace = if is_shown { trace } else { Trace { begun: moment, ..Trace::default() } };
            Box::new(Seat { trace, ..Seat::new(id.clone()) })
        });
        seat.id = id.clone();
        if seat.trace.opened.is_some() {
            self.opened.0.insert(place);
        }
        self.sessions -= seat.sessions.len();
        if let Some(other) = seat.sessions.iter().find(|other| other.full == session.full) {
            session.came = other.came;
        }
        seat.sessions.retain(|other| other.full != session.full);
        seat.sessions.reserve_exact(1);
        seat.sessions.push(session);
        self.sessions += seat.sessions.len();
        self.note_shown(account);
    }

    /// A seat is there again, at its place or behind all others.
    pub fn sit_again(&mut self, place: u64, (account, passer_by): (&Arc<BareJid>, Option<Member>), mut seat: Seat) {
        let place = place.max(self.moment + 1);
        self.moment = place;
        seat.sessions.iter_mut().for_each(|session| session.came = place);
        self.sessions += seat.sessions.len();
        self.seats.put(account, place, passer_by);
        if seat.trace.opened.is_some() {
            self.opened.0.insert(place);
        }
        self.occupants.insert(place, Box::new(seat));
        self.note_shown(account);
    }

    /// A session ends; with the last one, its seat.
    pub fn stand_up(&mut self, full: &FullJid) -> Option<(Session, Option<Seat>)> {
        let account = full.to_bare();
        let seat = self.seat_mut(&account)?;
        let at = seat.sessions.iter().position(|session| *session.full == *full)?;
        let session = seat.sessions.remove(at);
        let is_last = seat.sessions.is_empty();
        self.sessions -= 1;
        self.versioned.retain(|it| it.full != *full);
        let place = self.place_of(&account).filter(|_| is_last);
        let seat = place.and_then(|place| {
            self.seats.end(&account);
            self.waiting.remove(&place);
            self.opened.0.remove(&place);
            self.occupants.remove(&place).map(|seat| *seat)
        });
        self.note_shown(&account);
        Some((session, seat))
    }

    /// A session says something else. Returns what it said.
    pub fn say(&mut self, full: &FullJid, says: Availability) -> Option<Availability> {
        let said = std::mem::replace(&mut self.session_mut(full)?.says, says);
        self.note_shown(&full.to_bare());
        Some(said)
    }

    /// The sessions of an account, or what they say, have changed: the rules learn which one others see.
    fn note_shown(&mut self, account: &BareJid) {
        let shown = self.seat_of(account).and_then(Seat::shown).map(|session| session.full.clone());
        self.seats.show(account, shown);
    }

    /// The session of a client.
    pub fn session_mut(&mut self, full: &FullJid) -> Option<&mut Session> {
        self.seat_mut(&full.to_bare())?.sessions.iter_mut().find(|session| *session.full == *full)
    }

    /// The entries of all sessions in the address book.
    pub fn numbers(&self) -> impl Iterator<Item = EntryNo> {
        self.occupants().flat_map(Seat::numbers)
    }
}
