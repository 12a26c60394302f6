//! XEP-0410, XEP-0045 §6.6: requests to occupants.

use super::super::{Engine, Turn};
use crate::channel::{ChannelName, Member, Nick, Refusal};
use crate::xep::Reply;
use crate::xmpp::{Stanza, ns};
use jid::Jid;
use minidom::Element;

impl Engine {
    /// A request to a nick. A client that pings its own nick asks whether it is still in the room (XEP-0410 §3).
    pub(in crate::engine) fn iq_to_occupant(
        &mut self,
        stanza: &Stanza,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) {
        let reply = Reply::to_stanza(stanza);
        if let Err(refusal) = self.admit_question(&self.actor(stanza.sender())) {
            return turn.refuse_by(reply, &refusal);
        }
        if !self.is_in_room(name, &stanza.from) {
            // XEP-0045 §6.6: what an occupant is tells itself, and to occupants alone.
            let is_disco = |payload: &Element| payload.has_ns(ns::DISCO_INFO) || payload.has_ns(ns::DISCO_ITEMS);
            let refusal = match stanza.payload().is_some_and(is_disco) {
                true => Refusal::BadRequest("you are not in this room".into()),
                false => Refusal::NotOccupant,
            };
            return turn.refuse_by(reply, &refusal);
        }
        let account = stanza.sender();
        let channel = self.channels.channel(name);
        let member = channel.and_then(|channel| self.occupants.member_on(channel, &account));
        let names =
            |own: &Member| own.id.as_str() == nick || Nick::new(nick).is_some_and(|nick| own.nick.key() == nick.key());
        let is_own = member.is_some_and(names);
        if is_own && stanza.payload().is_some_and(|payload| payload.is("ping", ns::PING)) {
            let text = reply.result(None);
            return turn.reply(&reply, text);
        }
        self.ask_occupant(stanza, (name, nick), turn);
    }
}

impl Engine {
    /// Whether an address is a client that sits in a room.
    pub(in crate::engine) fn is_in_room(&self, name: &ChannelName, asker: &Jid) -> bool {
        self.room_around(name, asker).is_some()
    }

    /// The tag of a room, where an address is a client that sits in it.
    fn room_around(&self, name: &ChannelName, asker: &Jid) -> Option<u64> {
        let (tag, full) = self.channels.tag_of(name).zip(asker.try_as_full().ok())?;
        self.occupants.is_session(tag, full).then_some(tag)
    }

    /// XEP-0045 §18.3.1: something that a room sent to a client came back: it is asked whether it is still there.
    pub(in crate::engine) fn doubt_session(&mut self, stanza: &Stanza, name: &ChannelName, turn: &mut Turn) -> bool {
        let Some(tag) = self.room_around(name, &stanza.from) else { return false };
        self.doubt_address(stanza, (tag, Some(name.clone())), turn);
        true
    }
}
