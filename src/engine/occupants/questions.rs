//! XEP-0045 §17.4: requests to occupants, which go on to one of their clients, or to the server of their account.

use super::super::people::pending::{Purpose, Relayed};
use super::super::{Engine, Turn};
use crate::channel::proxy::ProxyRequest;
use crate::channel::{Channel, ChannelName, Member, ParticipantId, Refusal};
use crate::xep::{Reply, proxy};
use crate::xmpp::{Stanza, Tag};
use jid::{FullJid, Jid};

/// A request that goes on.
struct Question {
    from: String,
    to: Jid,
    relayed: Relayed,
}

impl Engine {
    /// A request of an occupant to a nick.
    pub(super) fn ask_occupant(&mut self, stanza: &Stanza, (name, nick): (&ChannelName, &str), turn: &mut Turn) {
        let asked = self.admit_question(stanza).and_then(|()| self.question_to_nick(stanza, (name, nick)));
        self.ask_on(stanza, asked, turn);
    }

    /// A request of a participant by MIX, to the id of somebody who passes by. Returns whether it was one.
    pub(in crate::engine) fn ask_passer_by(
        &mut self,
        stanza: &Stanza,
        (name, id): (&ChannelName, &ParticipantId),
        turn: &mut Turn,
    ) -> bool {
        let Some(channel) = self.channels.channel(name) else { return false };
        let seats = self.occupants.seats(channel.profile().tag);
        let is_one = seats.member_of(id).is_some() && channel.participant(&stanza.sender()).is_some();
        if is_one {
            let asked = self.admit_question(stanza).and_then(|()| self.question_to_id(stanza, (name, id)));
            self.ask_on(stanza, asked, turn);
        }
        is_one
    }

    fn admit_question(&mut self, stanza: &Stanza) -> Result<(), Refusal> {
        let actor = self.actor(stanza.sender());
        if self.channels.is_ending(&actor.account) {
            return Err(Refusal::Busy);
        }
        self.admit_request(&actor)
    }

    fn question_to_nick(&self, stanza: &Stanza, (name, nick): (&ChannelName, &str)) -> Result<Question, Refusal> {
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let seats = self.occupants.seats(channel.profile().tag);
        let own = self.occupants.member_on(channel, &stanza.sender()).ok_or(Refusal::NotOccupant)?;
        let holder = channel.occupant_at(nick, seats).ok_or(Refusal::NoSuchItem)?;
        let other = self.occupants.member_on(channel, holder).ok_or(Refusal::NoSuchItem)?;
        let from = [&self.service.address_of(name), "/", own.nick.as_str()].concat();
        self.question(channel, other, (stanza, from))
    }

    fn question_to_id(&self, stanza: &Stanza, (name, id): (&ChannelName, &ParticipantId)) -> Result<Question, Refusal> {
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let own = channel.participant(&stanza.sender()).ok_or(Refusal::NotOccupant)?;
        let other = self.occupants.seats(channel.profile().tag).member_of(id).ok_or(Refusal::NoSuchItem)?;
        let resource = stanza.from.resource().map(|resource| resource.as_str());
        let from = proxy::address(&self.service, channel, own, resource);
        self.question(channel, other, (stanza, from))
    }

    /// What goes on of a request, and where. Only what tells nothing of an account is asked where JIDs are hidden.
    fn question(&self, channel: &Channel, other: &Member, asked: (&Stanza, String)) -> Result<Question, Refusal> {
        let (stanza, from) = asked;
        let payload = stanza.payload().ok_or(Refusal::NoSuchService)?;
        let here = self.occupants.room(channel.profile().tag);
        let seat = here.and_then(|here| here.seat_of(&other.jid));
        let client: Option<Jid> = match seat {
            Some(seat) => seat.shown().map(|session| FullJid::clone(&session.full).into()),
            None => self.people.accounts().resource_of(&other.jid, |_| true).map(Jid::from),
        };
        let is_veiled = !channel.settings().shows_jids();
        let errand = proxy::errand(payload, stanza.type_ == "set", is_veiled).ok_or(Refusal::NoSuchService)?;
        let to = match errand {
            ProxyRequest::SeeCard if seat.is_none() && !other.preferences.shows_vcard => {
                return Err(Refusal::Forbidden("this participant shows its vCard to nobody here"));
            }
            // The server of the account answers.
            ProxyRequest::SeeCard => other.jid.clone().into(),
            ProxyRequest::Ask | ProxyRequest::Say => client.ok_or(Refusal::NoSuchService)?,
        };
        let veiled = is_veiled.then(|| other.jid.clone());
        Ok(Question { from, to, relayed: Relayed { reply: Reply::to_stanza(stanza), veiled } })
    }

    fn ask_on(&mut self, stanza: &Stanza, asked: Result<Question, Refusal>, turn: &mut Turn) {
        let Question { from, to, relayed } = match asked {
            Ok(question) => question,
            Err(refusal) => return turn.refuse_by(Reply::to_stanza(stanza), &refusal),
        };
        let id = self.fresh_id();
        let head = Tag::new("iq").attr("type", &stanza.type_).attr("id", &id).attr("from", from);
        let tag = head.attr("to", to.as_str()).raw(&proxy::content(stanza, None));
        match self.people.ask(id, to, Purpose::Relay(Box::new(relayed)), self.steady) {
            true => turn.ask(tag.into_xml()),
            false => turn.refuse_by(Reply::to_stanza(stanza), &Refusal::Busy),
        }
    }
}
