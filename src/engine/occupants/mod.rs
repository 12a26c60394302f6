//! XEP-0045: who sits in which room, and by which clients.
//!
//! An account has one seat in a room, with a session for each of its clients that entered. Nothing of it is part of a
//! channel. Seats outlive channels that leave memory.

mod absent;
mod asking;
mod audiences;
mod clients;
mod creating;
mod ended;
pub(super) mod ends;
pub(super) mod entering;
pub(super) mod following;
pub(super) mod gathering;
mod ghosts;
mod gone;
mod heard;
mod history;
mod holding;
mod indicating;
mod invited;
pub(super) mod leaving;
mod letters;
mod locks;
mod pacing;
mod passing;
mod questions;
mod reconfiguring;
pub(super) mod remembered;
mod renaming;
mod returning;
mod reviewing;
mod roles;
pub(super) mod room;
mod rounds;
mod ruling;
mod saving;
mod seat;
mod showing;
mod speaking;
mod telling;
mod tending;
mod twofold;
mod undoing;
mod versions;
mod visits;
pub(super) mod watchers;

use super::fairness::pace::Pace;
use super::outgoing::outbox::{EntryNo, Placed};
use super::share::{Hit, OwnDomains, Shares};
use crate::channel::{ChannelName, Invited, Member, ParticipantId, Rate, Seats};
use crate::chore::{Budget, Chore};
use clients::Clients;
use ends::EndedRoom;
use jid::{BareJid, FullJid};
use locks::Locks;
use room::Room;
use ruling::Ruling;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Clients of one account in one room.
pub(super) const SESSIONS_MAX: usize = 16;
/// Sessions of one account, in all rooms.
const ACCOUNT_SESSIONS_MAX: usize = 500;
/// Sessions of all rooms.
const ALL_SESSIONS_MAX: usize = 1_000_000;
/// Places that are taken of clients that were not put out yet.
const TAKEN_MAX: usize = 100_000;
/// What the presence of all sessions says, in bytes.
const BYTES_MAX: usize = 256 << 20;
/// The rate at which an account enters rooms: one with two clients in 500 rooms may come online at once.
const ENTRIES: Rate = Rate { per_s: 2, burst: 1000 };
/// The rate at which an account's presence in rooms, and its other nicks, are told to others.
const TOLD: Rate = Rate { per_s: 20, burst: 500 };
/// Channels that are loaded for those who watch rooms.
const LOOKING: Budget = Budget { things: 256, cost: usize::MAX };
/// The rate at which rooms are looked at for clients of an account that watch.
const LOOKS: Rate = Rate { per_s: 20, burst: 2000 };
/// Rooms that are gone on with at a tick, and seats that are told of.
const TENDING: Budget = Budget { things: 512, cost: 4096 };

/// A session that began, ended or said something.
#[derive(Debug)]
pub(in crate::engine) struct Stirred {
    /// The tag of the room's channel.
    pub tag: u64,
    /// The client.
    pub full: Arc<FullJid>,
}

/// See the module.
pub(in crate::engine) struct Occupants {
    rooms: HashMap<u64, Room>,
    clients: Clients,
    /// Clients that are gone, by the names of their rooms, in which nobody was told of that yet; and who took their places.
    gone: BTreeMap<ChannelName, BTreeMap<FullJid, Option<BareJid>>>,
    /// Their places, each counted against who took it.
    taken: Shares<BareJid>,
    /// Those who pass by, or did, and of whom people of MIX are still to be told: each once, in the order in which it came up.
    owed: BTreeMap<ChannelName, Vec<Member>>,
    owed_count: usize,
    /// Rooms in which something is to be done when their channels are in memory, with their tags.
    due: BTreeMap<ChannelName, u64>,
    /// Those of them whose seats are to be gone through.
    reviews: BTreeSet<ChannelName>,
    /// The room that was gone through last.
    reviewed: Option<ChannelName>,
    /// Rooms whose channels are no more, by the channels' tags. Their sessions are still to be told of it.
    ended: BTreeMap<u64, EndedRoom>,
    /// Rooms that may go, because nobody keeps them.
    forsaken: BTreeSet<ChannelName>,
    /// Rooms that nobody but their creators finds.
    locks: Locks,
    /// Locked rooms that are open once the turn is stored, which settles them.
    settled: Vec<ChannelName>,
    tending: Chore<ChannelName>,
    /// Sessions, each counted against its account.
    shares: Shares<BareJid>,
    /// The bytes of what their presence says.
    bytes: Shares<BareJid>,
    entries: Pace<BareJid>,
    told: Pace<BareJid>,
    invitees: invited::Invitees,
    letters: letters::Letters,
    /// Why roles and affiliations are being set.
    ruling: Option<Ruling>,
    /// Seats that changed in the turn, by accounts and the tags of channels.
    unsaved: BTreeSet<(BareJid, u64)>,
    /// Whether an operator closed all rooms.
    is_closed: bool,
    /// Sessions that began, ended or said something in the turn, in that order.
    stirred: Vec<Stirred>,
    ghosts: heard::Ghosts,
    watchers: watchers::Watchers,
    /// Channels that are loaded for those who watch.
    looking: Chore<ChannelName>,
    /// The rate at which rooms are looked at for clients of an account.
    looks: Pace<BareJid>,
}

impl Occupants {
    /// Nobody sits anywhere.
    pub fn new(own_domains: &OwnDomains) -> Occupants {
        Occupants {
            rooms: HashMap::new(),
            clients: Clients::default(),
            gone: BTreeMap::new(),
            taken: Shares::new("places in rooms that are not free yet", TAKEN_MAX, own_domains.clone()),
            owed: BTreeMap::new(),
            owed_count: 0,
            due: BTreeMap::new(),
            reviews: BTreeSet::new(),
            reviewed: None,
            ended: BTreeMap::new(),
            forsaken: BTreeSet::new(),
            locks: Locks::new(own_domains),
            settled: Vec::new(),
            tending: Chore::circle(TENDING),
            shares: Shares::new("sessions in rooms", ALL_SESSIONS_MAX, own_domains.clone()),
            bytes: Shares::new("presence in rooms", BYTES_MAX, own_domains.clone()),
            entries: Pace::new(ENTRIES),
            told: Pace::new(TOLD),
            invitees: invited::Invitees::new(own_domains),
            letters: letters::Letters::new(own_domains),
            ruling: None,
            unsaved: BTreeSet::new(),
            is_closed: false,
            stirred: Vec::new(),
            ghosts: heard::Ghosts::default(),
            watchers: watchers::Watchers::new(own_domains),
            looking: Chore::circle(LOOKING),
            looks: Pace::new(LOOKS),
        }
    }

    /// A locked room is open once the turn is stored.
    pub fn note_settled(&mut self, name: &ChannelName) {
        if self.locks.of(name).is_some() {
            self.settled.push(name.clone());
        }
    }

    /// Sessions that began, ended or said something since this was asked last.
    pub fn take_stirred(&mut self) -> Vec<Stirred> {
        std::mem::take(&mut self.stirred)
    }

    /// What settles rooms was not stored.
    pub fn forget_settled(&mut self) {
        self.settled.clear();
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let hits = self.shares.hits().chain(self.bytes.hits()).chain(self.invitees.hits());
        let hits = hits.chain(self.locks.shares.hits()).chain(self.taken.hits());
        hits.chain(self.watchers.hits()).chain(self.letters.hits())
    }

    /// The seats of a room, as the rules see them.
    pub fn seats(&self, tag: u64) -> &Seats {
        self.rooms.get(&tag).map_or(Seats::none(), |room| &room.seats)
    }

    /// What the rules see of a room: its seats, and who was invited to it.
    pub fn known_in(&self, tag: u64) -> (&Seats, &Invited) {
        (self.seats(tag), self.invitees.of_room(tag))
    }

    /// The entries in the address book of the sessions of an account in a room.
    pub fn entries_of(&self, tag: u64, account: &BareJid) -> Vec<EntryNo> {
        let seat = self.room(tag).and_then(|room| room.seat_of(account));
        seat.map(|seat| seat.numbers().collect()).unwrap_or_default()
    }

    /// The same of some accounts, in the order in which they came: one of accounts would tell something of hidden people.
    pub fn entries_of_all(&self, tag: u64, accounts: &BTreeSet<BareJid>) -> Vec<EntryNo> {
        let Some(room) = self.room(tag) else { return Vec::new() };
        let seats: HashSet<EntryNo> =
            accounts.iter().filter_map(|account| room.seat_of(account)).flat_map(|seat| seat.numbers()).collect();
        room.numbers().filter(|no| seats.contains(no)).collect()
    }

    /// A room that somebody sits in.
    pub fn room(&self, tag: u64) -> Option<&Room> {
        self.rooms.get(&tag)
    }

    /// Whether a client has a session in a room.
    pub fn is_session(&self, tag: u64, full: &FullJid) -> bool {
        self.clients.get(full).is_some_and(|client| client.rooms().binary_search(&tag).is_ok())
    }

    /// The tag of a room that a client sits in.
    pub fn tag_of(&self, name: &ChannelName, full: &FullJid) -> Option<u64> {
        let is_named = |tag: &&u64| self.rooms.get(*tag).is_some_and(|room| room.name == *name);
        self.clients.get(full)?.rooms().iter().find(is_named).copied()
    }

    /// Whether a client has a session in any room, or is told of what happens in rooms.
    pub fn is_sent_something(&self, full: &FullJid) -> bool {
        self.clients.get(full).is_some() || self.watchers.number_of(full).is_some()
    }

    /// The entry in the address book of a client that has a session in a room.
    pub fn entry_of(&mut self, tag: u64, full: &FullJid) -> Option<EntryNo> {
        self.rooms.get_mut(&tag)?.session_mut(full).map(|session| session.no)
    }

    /// The entry of a session on the list of the room's sessions.
    pub fn placed(&mut self, tag: u64, full: &FullJid) -> Option<Placed> {
        self.rooms.get_mut(&tag)?.session_mut(full).map(|session| session.placed())
    }

    /// Whoever sits in a room has this id there from here on, and this record where it has none in the channel.
    pub fn identify(&mut self, tag: u64, account: &BareJid, id: &ParticipantId, passer_by: Option<Member>) {
        let Some(room) = self.rooms.get_mut(&tag) else { return };
        if let Some(seat) = room.seat_mut(account) {
            seat.id = id.clone();
            self.stirred.extend(seat.sessions.iter().map(|session| Stirred { tag, full: session.full.clone() }));
            room.seats.replace(account, passer_by);
            self.save_later(account, tag);
        }
    }

    /// The rooms that a client sits in, with their names.
    pub fn rooms_of(&self, full: &FullJid) -> Vec<(u64, ChannelName)> {
        let tags = self.clients.get(full).into_iter().flat_map(|client| client.rooms());
        tags.filter_map(|tag| Some((*tag, self.rooms.get(tag)?.name.clone()))).collect()
    }
}

#[cfg(test)]
mod relayed_tests;
#[cfg(test)]
mod rooms_tests;
#[cfg(test)]
#[path = "occupants_tests.rs"]
mod tests;
