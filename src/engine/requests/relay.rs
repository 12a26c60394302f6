//! XEP-0403 §4.5, XEP-0404 §3.2: private messages and IQs that a channel relays between participants. Nothing is
//! stored.

use super::super::outgoing::outbox::{Audience, Lasting};
use super::super::outgoing::unsent::halves;
use super::super::people::pending::{Purpose, Relayed};
use super::super::{Engine, Turn};
use crate::channel::proxy::ProxyRequest;
use crate::channel::{Actor, Channel, ChannelName, Member, ParticipantId, Refusal};
use crate::xep::{Reply, proxy};
use crate::xmpp::{Stanza, Tag, restated};
use jid::{BareJid, Jid};

/// A request that goes on to somebody.
pub(in crate::engine) struct Question {
    /// The id that it goes on with.
    pub id: String,
    /// Whom it is from, as whoever is asked knows it.
    pub from: String,
    /// Whoever is asked.
    pub to: Jid,
    /// The account that is asked, if its JID is hidden.
    pub veiled: Option<BareJid>,
}

impl Engine {
    /// Relays a message to one participant.
    pub(in crate::engine) fn pass_message(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
        turn: &mut Turn,
    ) {
        if let Some(private) = self.message_to_seat(stanza, name, id) {
            self.send_private(stanza, name, private, turn);
            return turn.replies.push(Reply::to_stanza(stanza).into());
        }
        match self.message_between(stanza, name, id) {
            Ok(message) => {
                // The sender's resource takes MIX traffic from now on, so that an answer or an error reaches it.
                if let Ok(full) = stanza.from.try_as_full() {
                    self.people.spoke(full, &mut turn.outbox);
                }
                turn.send(message.into_xml());
                // If the commit of the turn is refused, the message is not sent, and its sender gets an error.
                if stanza.type_ != "headline" {
                    turn.replies.push(Reply::to_stanza(stanza).into());
                }
            }
            // A headline (chat states, for example) gets no error.
            Err(_) if stanza.type_ == "headline" => {}
            Err(refusal) => turn.refuse_by(Reply::to_stanza(stanza), &refusal),
        }
    }

    fn message_between(&mut self, stanza: &Stanza, name: &ChannelName, id: &ParticipantId) -> Result<Tag, Refusal> {
        let actor = self.actor(stanza.sender());
        if self.is_hidden(name, &actor) {
            return Err(Refusal::NoSuchChannel);
        }
        if self.channels.is_ending(&actor.account) {
            return Err(Refusal::Busy);
        }
        if stanza.type_ == "groupchat" {
            return Err(Refusal::BadRequest("a groupchat message goes to the channel".into()));
        }
        let limits = &self.service.limits;
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let (asker, asked) = channel.correspondents(&actor, id, ProxyRequest::Say, limits)?;
        let from = proxy::address(&self.service, channel, asker, resource_of(&stanza.from));
        let to = self.real(channel, asked, &stanza.to);
        let hides = !channel.settings().shows_jids();
        let message = proxy::message(stanza, &self.service.address_of(name), hides, &from, Some(to.as_str()));
        let message = message.ok_or_else(|| Refusal::BadRequest("the message is empty".into()))?;
        let max = limits.payload_bytes_max;
        if message.bytes() > max {
            return Err(Refusal::TooLong { what: "the message", max });
        }
        Ok(message)
    }

    /// The JID to deliver to: the participant's resource that the proxy JID names, if known, else its bare JID.
    fn real(&self, channel: &Channel, member: &Member, named: &Jid) -> Jid {
        let wanted = resource_of(named);
        let sealer = &self.service.sealer;
        let is_meant =
            |resource: &str| wanted.is_some_and(|it| it == proxy::shown_resource(sealer, channel, member, resource));
        match self.people.accounts().resource_of(&member.jid, is_meant) {
            Some(full) => full.into(),
            None => member.jid.clone().into(),
        }
    }

    /// XEP-0403 §4.5: relays an IQ request to one participant under a fresh id, by which the answer is matched.
    pub(in crate::engine) fn pass_question(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
        turn: &mut Turn,
    ) {
        if self.ask_passer_by(stanza, (name, id), turn) {
            return;
        }
        let asked = self.question_between(stanza, name, id);
        self.ask_on(stanza, asked, turn);
    }

    fn question_between(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
    ) -> Result<Question, Refusal> {
        let actor = self.actor(stanza.sender());
        if self.is_hidden(name, &actor) {
            return Err(Refusal::NoSuchChannel);
        }
        self.admit_question(&actor)?;
        let Some(payload) = stanza.payload() else { return Err(Refusal::NoSuchService) };
        let question = self.fresh_id();
        let channel = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let asked = channel.member_of(id).ok_or(Refusal::NoSuchItem);
        let is_veiled = asked.is_ok_and(|asked| asked.shown_jid(channel.settings().visibility).is_none());
        let is_guarded = is_veiled || stanza.to.is_bare();
        let errand = proxy::errand(payload, stanza.type_ == "set", is_guarded);
        let limits = &self.service.limits;
        let (asker, asked) = channel.correspondents(&actor, id, errand.unwrap_or(ProxyRequest::Ask), limits)?;
        let errand = errand.ok_or(Refusal::NoSuchService)?;
        let from = proxy::address(&self.service, channel, asker, resource_of(&stanza.from));
        let to = match errand {
            // XEP-0403 §4.6: a vCard request goes to the bare JID, so the home server answers.
            ProxyRequest::SeeCard => asked.jid.clone().into(),
            _ => self.real(channel, asked, &stanza.to),
        };
        if errand == ProxyRequest::Ask && resource_of(&stanza.to).is_some() && to.is_bare() {
            return Err(Refusal::NoSuchService);
        }
        Ok(Question { id: question, from, to, veiled: is_veiled.then(|| asked.jid.clone()) })
    }

    /// Counts a request that goes on to somebody, before anything else of it.
    pub(in crate::engine) fn admit_question(&mut self, actor: &Actor) -> Result<(), Refusal> {
        if self.channels.is_ending(&actor.account) {
            // The name's next owner waits until the old account is ended everywhere.
            return Err(Refusal::Busy);
        }
        self.admit_request(actor)
    }

    /// A request goes on to whom it is for, or is refused. What goes on is bounded and counted as a message is.
    pub(in crate::engine) fn ask_on(&mut self, stanza: &Stanza, asked: Result<Question, Refusal>, turn: &mut Turn) {
        let asked = asked.and_then(|question| {
            let (content, max) = (proxy::content(stanza, None), self.service.limits.payload_bytes_max);
            if content.len() > max {
                return Err(Refusal::TooLong { what: "the request", max });
            }
            let actor = self.actor(stanza.sender());
            self.admit_answers(&actor)?;
            self.admit_freight(&actor)?;
            self.admit_bytes(&actor, content.len())?;
            let Question { id, from, to, veiled } = question;
            let head = Tag::new("iq").attr("type", &stanza.type_).attr("id", &id).attr("from", from);
            let tag = head.attr("to", to.as_str()).raw(&content);
            let relayed = Relayed { reply: Reply::to_stanza(stanza), veiled };
            match self.people.ask(id, to, Purpose::Relay(Box::new(relayed)), self.steady) {
                true => Ok(tag),
                false => Err(Refusal::Busy),
            }
        });
        match asked {
            Ok(question) => turn.ask(question.into_xml()),
            Err(refusal) => turn.refuse_by(Reply::to_stanza(stanza), &refusal),
        }
    }

    /// Relays the answer to an IQ to its asker.
    pub(in crate::engine) fn pass_answer(&mut self, stanza: &Stanza, relayed: &Relayed, turn: &mut Turn) {
        let reply = &relayed.reply;
        turn.replies.push(reply.clone().into());
        if stanza.type_ == "error" {
            let error = bare_error(stanza);
            let tag = answer(reply, "error").child_opt(error);
            return turn.send(tag.into_xml());
        }
        let content = proxy::content(stanza, relayed.veiled.as_ref());
        self.charge_answer(&reply.to.to_bare(), content.len());
        turn.send(answer(reply, "result").raw(&content).into_xml());
    }

    /// Relays the bounce of a private message to its sender, from the proxy JID. Only the defined condition is kept,
    /// because an error text may contain real JIDs.
    pub(in crate::engine) fn pass_error(
        &mut self,
        stanza: &Stanza,
        name: &ChannelName,
        id: &ParticipantId,
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.channel(name) else { return };
        let seats = self.occupants.seats(channel.profile().tag);
        let sender = channel.member_or_passer_by(id, seats);
        let sender = sender.filter(|member| member.is_joined() || seats.is_seated(&member.jid));
        let (Some(sender), Some(bounced)) = (sender, channel.participant(&stanza.sender())) else { return };
        let (Some(error), true) = (bare_error(stanza), channel.settings().private_messages.are_passed_on()) else {
            return;
        };
        let head = Tag::new("message").attr("type", "error");
        // Clients of MIX write by a resource, and those in rooms by none.
        let numbers = self.occupants.entries_of(channel.profile().tag, &sender.jid);
        let (audience, message) = if resource_of(&stanza.to).is_none() && !numbers.is_empty() {
            let from = [&self.service.address_of(name), "/", bounced.nick.as_str()].concat();
            (Some(Audience::these(numbers)), head.attr("from", from))
        } else {
            // A full JID whose resource is not online never sent the message.
            let to = self.real(channel, sender, &stanza.to);
            if (resource_of(&stanza.to).is_some() || !sender.is_joined()) && to.is_bare() {
                return;
            }
            let from = proxy::address(&self.service, channel, bounced, resource_of(&stanza.from));
            (None, head.attr("from", from).attr("to", to.as_str()))
        };
        let message = message.attr_opt("id", stanza.id.as_deref()).child(error);
        // A bounce cannot be matched to a message, so it is counted as a message of its sender.
        if self.admit_message(&self.actor(stanza.sender()), name).is_ok() {
            match audience {
                Some(audience) => turn.fan(audience, halves(&message, false), Lasting::Fleeting),
                None => turn.send(message.into_xml()),
            }
        }
    }
}

fn resource_of(jid: &Jid) -> Option<&str> {
    jid.resource().map(|resource| resource.as_str())
}

fn answer(reply: &Reply, type_: &str) -> Tag {
    let head = Tag::new("iq").attr("type", type_).attr_opt("id", reply.id.as_deref());
    head.attr("from", &reply.from).attr("to", reply.to.as_str())
}

/// An error's defined condition and type, without text or application conditions.
fn bare_error(stanza: &Stanza) -> Option<Tag> {
    stanza.error_condition().map(restated)
}
