//! Sessions that begin and end, and the shares of them.

use super::clients::Shared;
use super::room::Room;
use super::seat::{Seat, Session};
use super::{ACCOUNT_SESSIONS_MAX, Occupants, SESSIONS_MAX, Stirred};
use crate::channel::{ChannelName, Member};
use crate::engine::outgoing::outbox::EntryNo;
use crate::engine::share::Full;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};
use std::sync::Arc;

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
            return Err(oldest.map(|(room, session)| (room.name.clone(), FullJid::clone(&session.full))));
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
        let clients = self.clients.of(account).iter();
        let places = clients.flat_map(|client| client.rooms().iter().map(move |tag| (tag, &client.full)));
        places.filter_map(|(tag, full)| {
            let room = self.rooms.get(tag)?;
            let seat = room.seat_of(&full.to_bare())?;
            Some((&room.name, seat.session_of(full)?))
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
        self.note_here(name, full);
        let (Shared { account, full: shared }, _) = self.note_client(tag, full);
        if let Some(client) = self.clients.get_mut(full) {
            self.ghosts.say(full, &mut client.heard);
        }
        self.save_later(&account, tag);
        if !self.rooms.contains_key(&tag) {
            self.ghosts.begin(tag);
        }
        let room = self.rooms.entry(tag).or_insert_with(|| Room::new(name.clone()));
        let before = room.session_mut(full).map(|session| session.says.bytes()).unwrap_or(0);
        let passer_by = passes_by.then(|| member.clone());
        room.sit((&account, passer_by), (&member.id, is_shown), Session::new(shared, no, Availability::default()));
        self.bytes.give_back(&account, before);
        self.say(tag, full, says);
    }

    /// A client has a session in a room. The names to be shared, and whether it had none.
    pub(super) fn note_client(&mut self, tag: u64, full: &FullJid) -> (Shared, bool) {
        let (shared, is_new) = self.clients.enter(full, tag);
        if is_new {
            self.shares.count_for(&shared.account, 1);
            self.watchers.pass_door(tag, full, true);
        }
        (shared, is_new)
    }

    /// A session says something else, as far as there is room for it.
    pub fn say(&mut self, tag: u64, full: &FullJid, says: Availability) {
        let account = full.to_bare();
        if self.take_words(tag, full).is_none() {
            return;
        }
        let says = if self.find_bytes(&account, says.bytes()) { says } else { Availability::default() };
        match self.clients.account(&account) {
            Some(account) => self.bytes.count_for(&account, says.bytes()),
            None => self.bytes.count(&account, says.bytes()),
        }
        let says = match self.clients.get_mut(full) {
            Some(client) => client.share(says),
            None => says,
        };
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.say(full, says);
        }
        let shared = self.clients.get(full).map(|client| client.full.clone());
        self.stirred.extend(shared.map(|full| Stirred { tag, full }));
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
        let Some((name, full)) = found.map(|(name, session)| (name.clone(), FullJid::clone(&session.full))) else {
            return false;
        };
        let Some(tag) = self.tag_of(&name, &full) else { return false };
        let is_silenced = self.take_words(tag, &full).is_some();
        self.stirred.push(Stirred { tag, full: Arc::new(full) });
        self.tell_later(tag, account);
        is_silenced
    }

    /// Takes what a session says.
    fn take_words(&mut self, tag: u64, full: &FullJid) -> Option<Availability> {
        let says = self.rooms.get_mut(&tag)?.say(full, Availability::default())?;
        self.bytes.give_back(&full.to_bare(), says.bytes());
        Some(says)
    }

    /// A session ends. What it was; with the last one, the seat that ends with it.
    pub fn leave(&mut self, tag: u64, full: &FullJid) -> Option<(Session, Option<Seat>)> {
        let name = self.rooms.get(&tag)?.name.clone();
        self.note_here(&name, full);
        let room = self.rooms.get_mut(&tag)?;
        let (session, seat) = room.stand_up(full)?;
        if room.is_empty() {
            self.rooms.remove(&tag);
            self.ghosts.end(tag);
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
        self.stirred.push(Stirred { tag, full: session.full.clone() });
        self.shares.give_back(&account, 1);
        self.bytes.give_back(&account, session.says.bytes());
        if let Some(client) = self.clients.leave(full, tag) {
            self.ghosts.find(full, client.heard);
        }
    }
}
