//! Sessions that begin and end, and the shares of them.

use super::room::Room;
use super::seat::{Seat, Session};
use super::{ACCOUNT_SESSIONS_MAX, Occupants, SESSIONS_MAX};
use crate::channel::{ChannelName, Member};
use crate::engine::outgoing::outbox::EntryNo;
use crate::engine::share::Full;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};

impl Occupants {
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
            Err(Full::Of(loser)) => Err(self.one_of(&loser)),
            Err(_) => Err(None),
        }
    }

    /// The sessions of an account, with the names of their rooms.
    pub(super) fn sessions_of(&self, account: &BareJid) -> impl Iterator<Item = (&ChannelName, &Session)> {
        let clients = self.clients.get(account).into_iter().flatten();
        let places = clients.flat_map(|full| self.of.get(full).into_iter().flatten().map(move |tag| (tag, full)));
        places.filter_map(|(tag, full)| {
            let room = self.rooms.get(tag)?;
            let seat = room.seat_of(&full.to_bare())?;
            Some((&room.name, seat.sessions.iter().find(|session| session.full == *full)?))
        })
    }

    /// A client enters, or enters anew. `passes_by`: its record stands for it, and there is none in the channel. `is_shown`: the
    /// others are shown its account already, as one of MIX.
    pub fn enter(
        &mut self,
        (tag, name): (u64, &ChannelName),
        full: &FullJid,
        (member, passes_by, is_shown): (&Member, bool, bool),
        (no, says): (EntryNo, Availability),
    ) {
        let account = full.to_bare();
        self.note_here(name, full);
        self.note_client(tag, full);
        self.ghosts.enter(full);
        self.save_later(&account, tag);
        if !self.rooms.contains_key(&tag) {
            self.ghosts.begin(tag);
        }
        let room = self.rooms.entry(tag).or_insert_with(|| Room::new(name.clone()));
        let before = room.session_mut(full).map(|session| session.says.bytes()).unwrap_or(0);
        room.seats.put(&account, passes_by.then(|| member.clone()));
        room.sit(&member.id, is_shown, Session::new(full.clone(), no, Availability::default()));
        self.bytes.give_back(&account, before);
        self.say(tag, full, says);
    }

    /// A client has a session in a room. Returns whether it had none.
    pub(super) fn note_client(&mut self, tag: u64, full: &FullJid) -> bool {
        let (account, is_new) = (full.to_bare(), self.of.entry(full.clone()).or_default().insert(tag));
        if is_new {
            self.shares.count(&account, 1);
            self.clients.entry(account).or_default().insert(full.clone());
            self.watchers.pass_door(tag, full, true);
        }
        is_new
    }

    /// A session says something else, as far as there is room for it.
    pub fn say(&mut self, tag: u64, full: &FullJid, says: Availability) {
        let account = full.to_bare();
        if self.take_words(tag, full).is_none() {
            return;
        }
        let says = if self.find_bytes(&account, says.bytes()) { says } else { Availability::default() };
        self.bytes.count(&account, says.bytes());
        if let Some(session) = self.rooms.get_mut(&tag).and_then(|room| room.session_mut(full)) {
            session.says = says;
        }
    }

    /// Whether there is room for so many bytes. Whoever has most says nothing any more in one of its rooms.
    fn find_bytes(&mut self, account: &BareJid, bytes: usize) -> bool {
        loop {
            match self.bytes.take(account, bytes) {
                Ok(()) => {
                    self.bytes.give_back(account, bytes);
                    return true;
                }
                Err(Full::Of(loser)) if self.silence(&loser) => {}
                Err(_) => return false,
            }
        }
    }

    /// One session of an account says nothing any more; whether there was one that did.
    fn silence(&mut self, account: &BareJid) -> bool {
        let found = self.sessions_of(account).find(|(_, session)| session.says.bytes() > 0);
        let Some((name, full)) = found.map(|(name, session)| (name.clone(), session.full.clone())) else {
            return false;
        };
        let Some(tag) = self.tag_of(&name, &full) else { return false };
        let is_silenced = self.take_words(tag, &full).is_some();
        self.tell_later(tag, account);
        is_silenced
    }

    /// Takes what a session says.
    fn take_words(&mut self, tag: u64, full: &FullJid) -> Option<Availability> {
        let session = self.rooms.get_mut(&tag)?.session_mut(full)?;
        let says = std::mem::take(&mut session.says);
        self.bytes.give_back(&full.to_bare(), says.bytes());
        Some(says)
    }

    /// A session ends. What it was; with the last one, the seat that ends with it.
    pub fn leave(&mut self, tag: u64, full: &FullJid) -> Option<(Session, Option<Seat>)> {
        let name = self.rooms.get(&tag)?.name.clone();
        self.note_here(&name, full);
        let room = self.rooms.get_mut(&tag)?;
        let (session, seat) = room.stand_up(full)?;
        if seat.is_some() {
            room.seats.end(&full.to_bare());
        }
        if room.is_empty() {
            self.rooms.remove(&tag);
            self.forget_room(&name);
        }
        self.forget(tag, &session);
        Some((session, seat))
    }

    /// A session is on no seat any more.
    pub(super) fn forget(&mut self, tag: u64, session: &Session) {
        let (full, account) = (&session.full, session.full.to_bare());
        self.save_later(&account, tag);
        self.watchers.pass_door(tag, full, false);
        self.shares.give_back(&account, 1);
        self.bytes.give_back(&account, session.says.bytes());
        let Some(rooms) = self.of.get_mut(full) else { return };
        rooms.remove(&tag);
        if !rooms.is_empty() {
            return;
        }
        self.of.remove(full);
        self.ghosts.forget(full);
        if let Some(clients) = self.clients.get_mut(&account) {
            clients.remove(full);
            if clients.is_empty() {
                self.clients.remove(&account);
            }
        }
    }
}
