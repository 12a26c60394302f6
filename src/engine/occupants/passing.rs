//! XEP-0045 §7.5: private messages to occupants. Nothing of them is kept.

use super::super::outgoing::outbox::Audience;
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use crate::channel::{Channel, ChannelName, Member, Nick, ParticipantId, Refusal};
use crate::engine::outgoing::outbox::Lasting;
use crate::xep::{Reply, occupant, proxy};
use crate::xmpp::{Stanza, Tag, ns};

impl Engine {
    /// A message to a nick.
    pub(in crate::engine) fn message_to_occupant(
        &mut self,
        stanza: &Stanza,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) {
        match self.private_message(stanza, (name, nick)) {
            Ok((audience, message)) => {
                let since = turn.outbox.len();
                turn.fan(audience, halves(&message, false), Lasting::Fleeting);
                self.load(&stanza.sender(), name, &mut turn.outbox[since..]);
                if stanza.type_ != "headline" {
                    turn.replies.push(Reply::to_stanza(stanza).into());
                }
            }
            Err(_) if stanza.type_ == "headline" => {}
            Err(refusal) => turn.refuse_by(Reply::to_stanza(stanza), &refusal),
        }
    }

    fn private_message(
        &mut self,
        stanza: &Stanza,
        (name, nick): (&ChannelName, &str),
    ) -> Result<(Audience, Tag), Refusal> {
        if stanza.type_ == "groupchat" {
            return Err(Refusal::BadRequest("a groupchat message goes to the room".into()));
        }
        if !self.is_in_room(name, &stanza.from) {
            return Err(Refusal::NotOccupant);
        }
        if self.channels.is_ending(&stanza.sender()) {
            return Err(Refusal::Busy);
        }
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let (seats, account) = (self.occupants.seats(channel.profile().tag), stanza.sender());
        let own = self.occupants.member_on(channel, &account).ok_or(Refusal::NotOccupant)?;
        if !channel.sends_private_messages(&account, seats) {
            return Err(Refusal::Forbidden("you may not send private messages in this room"));
        }
        let nick = Nick::new(nick).ok_or(Refusal::NoSuchItem)?;
        let holder = channel.occupant_called(&nick, seats).ok_or(Refusal::NoSuchItem)?;
        let other = self.occupants.member_on(channel, holder).ok_or(Refusal::NoSuchItem)?;
        let (audience, message) = self.way_to(channel, (own, other), stanza)?;
        let message = message.ok_or_else(|| Refusal::BadRequest("the message is empty".into()))?;
        let max = self.service.limits.payload_bytes_max;
        if message.bytes() > max {
            return Err(Refusal::TooLong { what: "the message", max });
        }
        Ok((audience, message))
    }

    /// A private message of a participant by MIX, to the id of somebody who has a seat; `None` for everything else.
    pub(in crate::engine) fn message_to_seat(
        &self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
    ) -> Option<(Audience, Tag)> {
        let channel = self.channels.channel(name)?;
        let seats = self.occupants.seats(channel.profile().tag);
        if !channel.sends_private_messages(&stanza.sender(), seats) {
            return None;
        }
        let seated = || channel.member_of(id).filter(|member| seats.is_seated(&member.jid));
        let other = seats.member_of(id).or_else(seated)?;
        let own = channel.participant(&stanza.sender()).filter(|_| stanza.type_ != "groupchat")?;
        let (audience, message) = self.way_to(channel, (own, other), stanza).ok()?;
        Some((audience, message.filter(|message| message.bytes() <= self.service.limits.payload_bytes_max)?))
    }

    /// Whoever has a seat gets it at its sessions, as MUC has it; a participant without one at its account, as MIX has it.
    fn way_to(
        &self,
        channel: &Channel,
        (own, other): (&Member, &Member),
        stanza: &Stanza,
    ) -> Result<(Audience, Option<Tag>), Refusal> {
        // XEP-0191 §3.3: the answer is that of somebody who blocks the asker.
        if other.preferences.blocks_messages {
            return Err(Refusal::NoSuchService);
        }
        let (room, hides) = (self.service.address_of(channel.name()), !channel.settings().shows_jids());
        let seat = self.occupants.room(channel.profile().tag).and_then(|here| here.seat_of(&other.jid));
        if let Some(seat) = seat {
            let from = [&room, "/", own.nick.as_str()].concat();
            let message = proxy::message(stanza, &room, hides, &from, None);
            let x = Tag::in_ns("x", ns::MUC_USER);
            return Ok((
                Audience::these(seat.numbers()),
                message.map(|message| message.child(x).child(occupant::id(&own.id))),
            ));
        }
        let no = self.people.accounts().find(&other.jid).ok_or(Refusal::NoSuchItem)?;
        let from = format!("{}#{room}", own.id);
        Ok((Audience::One(no), proxy::message(stanza, &room, hides, &from, None)))
    }
}
