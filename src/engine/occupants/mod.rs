//! XEP-0045: who sits in which room, and by which clients.
//!
//! An account has one seat in a room, with a session for each of its clients that entered. Nothing of it is part of a
//! channel. Seats outlive channels that leave memory.

mod asking;
pub(super) mod entering;
pub(super) mod following;
mod history;
pub(super) mod leaving;
mod passing;
pub(super) mod room;

use super::outgoing::outbox::EntryNo;
use super::share::{Full, Hit, OwnDomains, Shares};
use crate::channel::{ChannelName, Member, ParticipantId, Seats};
use crate::chore::{Budget, Chore};
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};
use room::{Room, Session};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Clients of one account in one room.
pub(super) const SESSIONS_MAX: usize = 16;
/// Sessions of one account, in all rooms.
const ACCOUNT_SESSIONS_MAX: usize = 500;
/// Sessions of all rooms.
const ALL_SESSIONS_MAX: usize = 1_000_000;
/// Rooms whose channels are loaded to tell of clients that are gone.
const PUTTING_OUT: Budget = Budget { things: 16, cost: usize::MAX };

/// See the module.
pub(in crate::engine) struct Occupants {
    rooms: HashMap<u64, Room>,
    /// The rooms that a client sits in, by their channels' tags.
    of: HashMap<FullJid, BTreeSet<u64>>,
    /// The clients of each account that sit anywhere.
    clients: HashMap<BareJid, BTreeSet<FullJid>>,
    /// Clients that are gone, by the names of their rooms, in which nobody was told of that yet.
    gone: BTreeMap<ChannelName, BTreeSet<FullJid>>,
    /// The rooms whose channels are loaded for that.
    putting_out: Chore<ChannelName>,
    /// Sessions, each counted against its account.
    shares: Shares<BareJid>,
}

impl Occupants {
    /// Nobody sits anywhere.
    pub fn new(own_domains: &OwnDomains) -> Occupants {
        Occupants {
            rooms: HashMap::new(),
            of: HashMap::new(),
            clients: HashMap::new(),
            gone: BTreeMap::new(),
            putting_out: Chore::queue(PUTTING_OUT),
            shares: Shares::new("sessions in rooms", ALL_SESSIONS_MAX, own_domains.clone()),
        }
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// The seats of a room, as the rules see them.
    pub fn seats(&self, tag: u64) -> &Seats {
        self.rooms.get(&tag).map_or(Seats::none(), |room| &room.seats)
    }

    /// A room that somebody sits in.
    pub fn room(&self, tag: u64) -> Option<&Room> {
        self.rooms.get(&tag)
    }

    /// Whether a client has a session in a room.
    pub fn is_session(&self, tag: u64, full: &FullJid) -> bool {
        self.of.get(full).is_some_and(|rooms| rooms.contains(&tag))
    }

    /// The tag of a room that a client sits in.
    pub fn tag_of(&self, name: &ChannelName, full: &FullJid) -> Option<u64> {
        let is_named = |tag: &&u64| self.rooms.get(*tag).is_some_and(|room| room.name == *name);
        self.of.get(full)?.iter().find(is_named).copied()
    }

    /// Whether a client has a session in any room.
    pub fn sits_anywhere(&self, full: &FullJid) -> bool {
        self.of.contains_key(full)
    }

    /// The entry in the address book of a client that has a session in a room.
    pub fn entry_of(&mut self, tag: u64, full: &FullJid) -> Option<EntryNo> {
        self.rooms.get_mut(&tag)?.session_mut(full).map(|session| session.no)
    }

    /// Finds room for one more session of an account.
    ///
    /// # Errors
    /// Whose session has to end for it; `None`: there is no room.
    pub fn find_room(&mut self, tag: u64, account: &BareJid) -> Result<(), Option<(ChannelName, FullJid)>> {
        let count = self.rooms.get(&tag).and_then(|room| room.seat_of(account)).map_or(0, |seat| seat.sessions.len());
        if count >= SESSIONS_MAX {
            // One that is gone without a word keeps no other out.
            let oldest = self.rooms.get(&tag).and_then(|room| Some((room, room.seat_of(account)?.sessions.first()?)));
            return Err(oldest.map(|(room, session)| (room.name.clone(), session.full.clone())));
        }
        if self.shares.held_by(account) >= ACCOUNT_SESSIONS_MAX {
            return Err(None);
        }
        match self.shares.take(account, 1) {
            Ok(()) => {
                // It is counted with the session.
                self.shares.give_back(account, 1);
                Ok(())
            }
            Err(Full::Of(loser)) => Err(self.oldest_of(&loser)),
            Err(_) => Err(None),
        }
    }

    /// A session of an account in one of its rooms.
    fn oldest_of(&self, account: &BareJid) -> Option<(ChannelName, FullJid)> {
        let full = self.clients.get(account)?.first()?;
        self.rooms_of(full).into_iter().next().map(|(_, name)| (name, full.clone()))
    }

    /// A client enters, or enters anew. `passer_by`: what stands for it where it has no record in the channel.
    pub fn enter(
        &mut self,
        (tag, name): (u64, &ChannelName),
        full: &FullJid,
        member: &Member,
        passes_by: bool,
        (no, says): (EntryNo, Availability),
    ) {
        let account = full.to_bare();
        if self.of.entry(full.clone()).or_default().insert(tag) {
            self.shares.count(&account, 1);
            self.clients.entry(account.clone()).or_default().insert(full.clone());
        }
        if let Some(gone) = self.gone.get_mut(name) {
            gone.remove(full);
        }
        let room = self.rooms.entry(tag).or_insert_with(|| Room::new(name.clone()));
        room.seats.put(&account, passes_by.then(|| member.clone()));
        room.sit(&member.id, Session { full: full.clone(), no, says });
    }

    /// A session says something else.
    pub fn say(&mut self, tag: u64, full: &FullJid, says: Availability) {
        if let Some(session) = self.rooms.get_mut(&tag).and_then(|room| room.session_mut(full)) {
            session.says = says;
        }
    }

    /// The others in a room are about to be told of an account.
    pub fn note_told(&mut self, tag: u64, account: &BareJid) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.note_told(account);
        }
    }

    /// A session ends. What it was, whether the seat ended with it, and whether the others were told of that.
    pub fn leave(&mut self, tag: u64, full: &FullJid) -> Option<(Session, bool, bool)> {
        let room = self.rooms.get_mut(&tag)?;
        let (session, is_last, is_told) = room.stand_up(full)?;
        if is_last {
            room.seats.end(&full.to_bare());
        }
        if let Some(gone) = self.gone.get_mut(&room.name) {
            gone.remove(full);
            if gone.is_empty() {
                self.gone.remove(&room.name);
            }
        }
        if room.is_empty() {
            self.rooms.remove(&tag);
        }
        self.shares.give_back(&full.to_bare(), 1);
        if let Some(rooms) = self.of.get_mut(full) {
            rooms.remove(&tag);
            if rooms.is_empty() {
                self.of.remove(full);
                if let Some(clients) = self.clients.get_mut(&full.to_bare()) {
                    clients.remove(full);
                    if clients.is_empty() {
                        self.clients.remove(&full.to_bare());
                    }
                }
            }
        }
        Some((session, is_last, is_told))
    }

    /// One of the sessions of an account in a room.
    pub fn any_session(&self, tag: u64, account: &BareJid) -> Option<FullJid> {
        Some(self.rooms.get(&tag)?.seat_of(account)?.shown()?.full.clone())
    }

    /// Whoever sits in a room has this id there from here on, and this record where it has none in the channel.
    pub fn identify(&mut self, tag: u64, account: &BareJid, id: &ParticipantId, passer_by: Option<Member>) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.seats.put(account, passer_by);
            room.identify(account, id);
        }
    }

    /// The rooms that a client sits in, with their names.
    pub fn rooms_of(&self, full: &FullJid) -> Vec<(u64, ChannelName)> {
        let tags = self.of.get(full).into_iter().flatten();
        tags.filter_map(|tag| Some((*tag, self.rooms.get(tag)?.name.clone()))).collect()
    }
}

#[cfg(test)]
#[path = "occupants_tests.rs"]
mod tests;
