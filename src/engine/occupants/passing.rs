//! XEP-0045 §7.5: private messages to occupants. Nothing of them is kept.

use super::super::outgoing::outbox::Audience;
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use crate::channel::{Channel, ChannelName, Member, ParticipantId, Refusal};
use crate::engine::outgoing::outbox::Lasting;
use crate::xep::{Reply, occupant, proxy};
use crate::xmpp::{Stanza, Tag, ns};
use jid::BareJid;

/// A private message on its way.
pub(in crate::engine) struct Private {
    /// Those whom it goes to; `None`: nothing is known of where the account is reached, and its server may keep it.
    audience: Option<Audience>,
    message: Tag,
    /// The nick of its sender.
    nick: String,
    /// The account that has a seat, and how many clients it goes to.
    seat: Option<(BareJid, usize)>,
}

impl Engine {
    /// A message to a nick.
    pub(in crate::engine) fn message_to_occupant(
        &mut self,
        stanza: &Stanza,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) {
        match self.private_message(stanza, (name, nick)) {
            Ok(private) => {
                self.send_private(stanza, name, private, turn);
                if stanza.type_ != "headline" {
                    turn.replies.push(Reply::to_stanza(stanza).into());
                }
            }
            Err(_) if stanza.type_ == "headline" => {}
            Err(refusal) => turn.refuse_by(Reply::to_stanza(stanza), &refusal),
        }
    }

    /// A private message goes out, charged to who wrote it, and may come back.
    pub(in crate::engine) fn send_private(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        private: Private,
        turn: &mut Turn,
    ) {
        let Private { audience, message, nick, seat } = private;
        let since = turn.outbox.len();
        match audience {
            Some(audience) => turn.fan(audience, halves(&message, false), Lasting::Fleeting),
            None => turn.send(message.into_xml()),
        }
        self.load(&stanza.sender(), name, &mut turn.outbox[since..]);
        if let Some(seat) = seat {
            self.note_letter(stanza, (name, &nick), seat);
        }
    }

    fn private_message(&mut self, stanza: &Stanza, (name, nick): (&ChannelName, &str)) -> Result<Private, Refusal> {
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
        let holder = channel.occupant_at(nick, seats).ok_or(Refusal::NoSuchItem)?;
        let other = self.occupants.member_on(channel, holder).ok_or(Refusal::NoSuchItem)?;
        let private = self.way_to(channel, (own, other), stanza)?;
        let max = self.service.limits.payload_bytes_max;
        if private.message.bytes() > max {
            return Err(Refusal::TooLong { what: "the message", max });
        }
        Ok(private)
    }

    /// A private message of a participant by MIX, to the id of somebody who has a seat; `None` for everything else.
    pub(in crate::engine) fn message_to_seat(
        &self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
    ) -> Option<Private> {
        let channel = self.channels.channel(name)?;
        let seats = self.occupants.seats(channel.profile().tag);
        if !channel.sends_private_messages(&stanza.sender(), seats) {
            return None;
        }
        let seated = || channel.member_of(id).filter(|member| seats.is_seated(&member.jid));
        let other = seats.member_of(id).or_else(seated)?;
        let own = channel.participant(&stanza.sender()).filter(|_| stanza.type_ != "groupchat")?;
        let private = self.way_to(channel, (own, other), stanza).ok()?;
        Some(private).filter(|private| private.message.bytes() <= self.service.limits.payload_bytes_max)
    }

    /// Whoever has a seat gets it at its sessions, as MUC has it; a participant without one at its account, as MIX has it.
    fn way_to(&self, channel: &Channel, (own, other): (&Member, &Member), stanza: &Stanza) -> Result<Private, Refusal> {
        // XEP-0191 §3.3: the answer is that of somebody who blocks the asker.
        if other.preferences.blocks_messages {
            return Err(Refusal::NoSuchService);
        }
        let empty = || Refusal::BadRequest("the message is empty".into());
        let (room, hides) = (self.service.address_of(channel.name()), !channel.settings().shows_jids());
        let nick = own.nick.as_str().to_owned();
        let seat = self.occupants.room(channel.profile().tag).and_then(|here| here.seat_of(&other.jid));
        if let Some(seat) = seat {
            let from = [&room, "/", &nick].concat();
            let message = proxy::message(stanza, &room, hides, &from, None).ok_or_else(empty)?;
            let message = message.child(Tag::in_ns("x", ns::MUC_USER)).child(occupant::id(&own.id));
            let seat_of = Some((other.jid.clone(), seat.numbers().count()));
            return Ok(Private { audience: Some(Audience::these(seat.numbers())), message, nick, seat: seat_of });
        }
        let accounts = self.people.accounts();
        let no = accounts.find(&other.jid).filter(|_| accounts.is_anywhere(&other.jid));
        let from = format!("{}#{room}", own.id);
        let to = Some(other.jid.as_str()).filter(|_| no.is_none());
        let message = proxy::message(stanza, &room, hides, &from, to).ok_or_else(empty)?;
        Ok(Private { audience: no.map(Audience::One), message, nick, seat: None })
    }
}
