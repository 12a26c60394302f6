//! XEP-0045 §17.4: requests to occupants, which go on to one of their clients, or to the server of their account.

use super::super::requests::relay::Question;
use super::super::{Engine, Turn};
use crate::channel::proxy::ProxyRequest;
use crate::channel::{Channel, ChannelName, Member, ParticipantId, Refusal};
use crate::xep::proxy;
use crate::xmpp::Stanza;
use jid::{BareJid, FullJid, Jid};

impl Engine {
    /// A request of an occupant to a nick, which was counted.
    pub(super) fn ask_occupant(&mut self, stanza: &Stanza, (name, nick): (&ChannelName, &str), turn: &mut Turn) {
        let asked = self.question_to_nick(stanza, (name, nick));
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
            let asked = self
                .admit_question(&self.actor(stanza.sender()))
                .and_then(|()| self.question_to_id(stanza, (name, id)));
            self.ask_on(stanza, asked, turn);
        }
        is_one
    }

    fn question_to_nick(&mut self, stanza: &Stanza, (name, nick): (&ChannelName, &str)) -> Result<Question, Refusal> {
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let seats = self.occupants.seats(channel.profile().tag);
        let own = self.occupants.member_on(channel, &stanza.sender()).ok_or(Refusal::NotOccupant)?;
        let holder = channel.occupant_at(nick, seats).ok_or(Refusal::NoSuchItem)?;
        let other = self.occupants.member_on(channel, holder).ok_or(Refusal::NoSuchItem)?;
        let from = [&self.service.address_of(name), "/", own.nick.as_str()].concat();
        let (to, veiled) = self.client_asked(channel, other, stanza)?;
        Ok(Question { id: self.fresh_id(), from, to, veiled })
    }

    fn question_to_id(
        &mut self,
        stanza: &Stanza,
        (name, id): (&ChannelName, &ParticipantId),
    ) -> Result<Question, Refusal> {
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let own = channel.participant(&stanza.sender()).ok_or(Refusal::NotOccupant)?;
        let other = self.occupants.seats(channel.profile().tag).member_of(id).ok_or(Refusal::NoSuchItem)?;
        let resource = stanza.from.resource().map(|resource| resource.as_str());
        let from = proxy::address(&self.service, channel, own, resource);
        let (to, veiled) = self.client_asked(channel, other, stanza)?;
        Ok(Question { id: self.fresh_id(), from, to, veiled })
    }

    /// Whom a request goes on to, and its account if that is hidden. Only what tells nothing of an account is asked where JIDs
    /// are hidden.
    fn client_asked(
        &self,
        channel: &Channel,
        other: &Member,
        stanza: &Stanza,
    ) -> Result<(Jid, Option<BareJid>), Refusal> {
        let payload = stanza.payload().ok_or(Refusal::NoSuchService)?;
        let tag = channel.profile().tag;
        let seat = self.occupants.room(tag).and_then(|here| here.seat_of(&other.jid));
        let is_veiled = !channel.settings().shows_jids();
        let errand = proxy::errand(payload, stanza.type_ == "set", is_veiled).ok_or(Refusal::NoSuchService)?;
        let client = match (errand, seat) {
            (ProxyRequest::SeeCard, None) if !other.preferences.shows_vcard => {
                return Err(Refusal::Forbidden("this participant shows its vCard to nobody here"));
            }
            // The server of the account answers.
            (ProxyRequest::SeeCard, _) => Some(other.jid.clone().into()),
            (ProxyRequest::Ask | ProxyRequest::Say, Some(seat)) => {
                seat.shown().map(|session| FullJid::clone(&session.full).into())
            }
            (ProxyRequest::Ask | ProxyRequest::Say, None) => self.client_shown(tag, other).map(Jid::from),
        };
        Ok((client.ok_or(Refusal::NoSuchService)?, is_veiled.then(|| other.jid.clone())))
    }

    /// A client of a participant by MIX that the channel shows as online: an answer tells no more than that.
    fn client_shown(&self, tag: u64, other: &Member) -> Option<FullJid> {
        let shown = self.presence.online().told_of(tag, &other.id);
        self.people.accounts().resource_of(&other.jid, |name| shown.iter().any(|it| it.resource == name))
    }
}
