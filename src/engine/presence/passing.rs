//! What those who pass by in a room say by their presence there is on the presence node of the channel (XEP-0403): people of MIX see
//! them as participants for as long as they sit in the room.

use super::super::{Engine, Turn};
use crate::channel::{Channel, ChannelName, Member, Node, ParticipantId};
use crate::engine::occupants::Stirred;
use jid::{BareJid, FullJid};
use std::sync::Arc;

impl Engine {
    /// At the end of a turn: whoever passes by and said something, came or went is shown so on the presence nodes.
    pub(in crate::engine) fn share_presence_of_rooms(&mut self, turn: &mut Turn) {
        for Stirred { tag, full } in self.occupants.take_stirred() {
            self.share_presence_of(tag, &full, turn);
        }
    }

    fn share_presence_of(&mut self, tag: u64, full: &FullJid, turn: &mut Turn) {
        let account = full.to_bare();
        let said = self.occupants.room(tag).and_then(|room| {
            let seat = room.seat_of(&account)?;
            let session = seat.session_of(full)?;
            // Whoever joined since stays online by what its client says.
            let is_meant = || self.presence.online.place_of(tag, full).is_some();
            let is_meant = room.seats.passer_by(&account).is_some() || is_meant();
            is_meant.then(|| (room.name.clone(), seat.id.clone(), session.says.clone()))
        });
        let place = match said.filter(|(name, ..)| self.takes_presence(tag, name)) {
            Some((name, id, says)) => self.presence.online.say(tag, &name, &id, full, says),
            None => return self.end_passing(tag, full, turn),
        };
        if let Some(place) = place {
            // A client of a room is not sent the presence of participants in the form of MIX.
            self.presence.online.take_news(&place);
            self.deliver_change(&place, turn);
        }
    }

    /// What a client said in a room holds no longer, unless it is in the channel by MIX as well.
    fn end_passing(&mut self, tag: u64, full: &FullJid, turn: &mut Turn) {
        let Some(place) = self.presence.online.place_of(tag, full) else { return };
        let channel = self.presence.online.name_of(tag).and_then(|name| self.channels.channel(name));
        let account = full.to_bare();
        let is_in = channel.is_some_and(|it| it.participant(&account).is_some() || it.settings().open_presence);
        if !is_in || !self.people.accounts().is_known(full, true) {
            self.unavailable(&place, turn);
        }
    }

    /// Whether what is said in a room is kept for people of MIX: somebody is there to hear it, and not too many say something.
    fn takes_presence(&self, tag: u64, name: &ChannelName) -> bool {
        let people_max = self.service.limits.presence_participants_max;
        self.channels.channel(name).is_some_and(|channel| {
            let people = channel.participant_count() + self.occupants.seats(tag).passer_by_count();
            channel.profile().tag == tag
                && channel.settings().presence
                && channel.has_subscribers(Node::Presence)
                && people <= people_max
        })
    }

    /// Somebody subscribed to presence in a channel: what those who pass by said before is on the node from here on.
    pub(super) fn recall_passing(&mut self, name: &ChannelName, tag: u64, turn: &mut Turn) {
        let Some(room) = self.occupants.room(tag).filter(|_| self.takes_presence(tag, name)) else { return };
        let passes = |full: &FullJid| room.seats.passer_by(&full.to_bare()).is_some();
        let sessions = room.occupants().flat_map(|seat| &seat.sessions).map(|session| &session.full);
        let unknown = sessions.filter(|full| passes(full) && self.presence.online.place_of(tag, full).is_none());
        let unknown: Vec<Arc<FullJid>> = unknown.cloned().collect();
        unknown.iter().for_each(|full| self.share_presence_of(tag, full, turn));
    }

    /// Whoever passes by in the room of a channel.
    pub(super) fn passer_by(&self, channel: &Channel, account: &BareJid) -> Option<&Member> {
        self.occupants.seats(channel.profile().tag).passer_by(account)
    }

    /// The same, if it goes by this id.
    pub(super) fn passes_by_as(&self, tag: u64, id: &ParticipantId) -> Option<&Member> {
        self.occupants.seats(tag).member_of(id)
    }
}
