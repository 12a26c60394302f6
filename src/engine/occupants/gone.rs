//! Clients that are gone from rooms whose channels are not in memory. Each is put out, and the others are told, once its
//! channel is. Until then it takes the room that it took, or somebody who enters takes its place.

use super::Occupants;
use super::seat::Session;
use crate::channel::ChannelName;
use jid::{BareJid, FullJid};

impl Occupants {
    /// A client is gone from a room. It is put out when the channel is in memory.
    pub fn note_gone(&mut self, name: &ChannelName, full: &FullJid) {
        let Some(tag) = self.tag_of(name, full) else { return };
        if let Some(session) = self.rooms.get_mut(&tag).and_then(|room| room.session_mut(full)) {
            session.is_gone = true;
        }
        self.gone.entry(name.clone()).or_default().entry(full.clone()).or_default();
        self.due.insert(name.clone(), tag);
    }

    /// A client has to go from a room, and counts for nothing from here on, because an account takes its place. Returns
    /// whether that may: places that are not free yet are shared among those who take them.
    pub fn give_place(&mut self, name: &ChannelName, full: &FullJid, to: &BareJid) -> bool {
        if self.is_place_taken(name, full) || !self.taken.settle(to, 1, true) {
            return false;
        }
        self.note_gone(name, full);
        self.shares.give_back(&full.to_bare(), 1);
        self.gone.entry(name.clone()).or_default().insert(full.clone(), Some(to.clone()));
        true
    }

    /// A client that was gone is there again, or is put out.
    pub(super) fn note_here(&mut self, name: &ChannelName, full: &FullJid) {
        let Some(gone) = self.gone.get_mut(name) else { return };
        let Some(taker) = gone.remove(full) else { return };
        if gone.is_empty() {
            self.gone.remove(name);
        }
        self.take_back(full, taker);
        let tag = self.tag_of(name, full);
        if let Some(session) = tag.and_then(|tag| self.rooms.get_mut(&tag)?.session_mut(full)) {
            session.is_gone = false;
        }
    }

    /// Nobody is to be told any more of the clients that are gone from a room: it ends.
    pub(super) fn forget_gone(&mut self, name: &ChannelName) {
        for (full, taker) in self.gone.remove(name).into_iter().flatten() {
            self.take_back(&full, taker);
        }
    }

    /// Some clients that are gone from a room.
    pub(super) fn gone_in(&self, name: &ChannelName, count: usize) -> Vec<FullJid> {
        self.gone.get(name).into_iter().flat_map(|gone| gone.keys()).take(count).cloned().collect()
    }

    /// A session of an account that somebody may take the place of. One that is gone comes first.
    pub(super) fn one_of(&self, account: &BareJid) -> Option<(ChannelName, FullJid)> {
        let is_free = |it: &(&ChannelName, &Session)| !self.is_place_taken(it.0, &it.1.full);
        let found = self.sessions_of(account).filter(is_free).max_by_key(|(_, session)| session.is_gone);
        found.map(|(name, session)| (name.clone(), FullJid::clone(&session.full)))
    }

    /// Whether a client counts for nothing any more.
    fn is_place_taken(&self, name: &ChannelName, full: &FullJid) -> bool {
        self.gone.get(name).and_then(|gone| gone.get(full)).is_some_and(Option::is_some)
    }

    /// A client counts for what it takes again.
    fn take_back(&mut self, full: &FullJid, taker: Option<BareJid>) {
        if let Some(taker) = taker {
            self.taken.give_back(&taker, 1);
            self.shares.count(&full.to_bare(), 1);
        }
    }
}
