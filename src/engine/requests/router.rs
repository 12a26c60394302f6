//! Routes stanzas: the address gives the target, the payload gives the extension.

use super::super::{Engine, Inbound, Turn};
use super::request::{Asked, Way};
use crate::channel::{Actor, ChannelName, ParticipantId, Refusal};
use crate::xep::invitations::Invite;
use crate::xep::reply::is_of_ejabberd;
use crate::xep::{self, Extension, Reply, Scope, commands, delegation, muc, privilege, proxy};
use crate::xmpp::{Kind, Parts, Stanza, Unreadable, ns};
use jid::{BareJid, Jid};
use minidom::Element;

/// What an address of the service refers to.
pub(in crate::engine) enum Target {
    Service,
    Channel(ChannelName),
    /// A participant of a channel, by participant id.
    Participant(ChannelName, ParticipantId),
    /// An occupant of a room, by its nick (XEP-0045).
    Occupant(ChannelName, String),
    /// An address that nothing is behind.
    Nobody,
}

impl Engine {
    /// What an address refers to. `None` if its domain is not the service's, so no answer can be sent from it.
    pub(in crate::engine) fn target(&self, to: &Jid) -> Option<Target> {
        if to.domain() != &*self.service.domain {
            return None;
        }
        let participant = to.node().and_then(proxy::parse);
        Some(match (to.node(), to.resource()) {
            _ if participant.is_some() => {
                participant.map_or(Target::Nobody, |(channel, id)| Target::Participant(channel, id))
            }
            (None, None) => Target::Service,
            (Some(node), None) => ChannelName::of(node).map_or(Target::Nobody, Target::Channel),
            (Some(node), Some(nick)) => match ChannelName::of(node) {
                Some(name) => Target::Occupant(name, nick.to_string()),
                None => Target::Nobody,
            },
            _ => Target::Nobody,
        })
    }

    pub(in crate::engine) fn stanza(&mut self, stanza: &Stanza, turn: &mut Turn) {
        if stanza.to.domain() != &*self.service.domain {
            tracing::debug!(id = stanza.id, kind = stanza.kind.name(), "a stanza for another domain was dropped");
            return;
        }
        if let Ok(full) = stanza.from.try_as_full()
            && !stanza.is_answer()
        {
            self.occupants.hear(full, self.steady.0);
        }
        match stanza.kind {
            Kind::Iq if stanza.is_answer() => self.take_answer(stanza, turn),
            Kind::Iq => self.iq(stanza, turn),
            Kind::Message if stanza.type_ == "error" => self.bounce(stanza, turn),
            Kind::Message => self.message(stanza, turn),
            Kind::Presence => self.presence(stanza, turn),
        }
    }

    fn iq(&mut self, stanza: &Stanza, turn: &mut Turn) {
        let reply = Reply::to_stanza(stanza);
        if is_of_ejabberd(stanza) {
            self.people.learn_ejabberd(stanza.from.domain().as_str(), &mut turn.outbox);
        }
        let Some(payload) = stanza.payload() else {
            let refusal = Refusal::BadRequest("a request has exactly one child (RFC 6120 §8.2.3)".into());
            return turn.refuse_by(reply, &refusal);
        };
        if let Some((version, inner)) = delegation::forwarded(stanza) {
            return self.delegated(stanza, version, inner, turn);
        }
        let (scope, channel) = match self.target(&stanza.to) {
            Some(Target::Service) => (Scope::Service, None),
            Some(Target::Channel(name)) => (Scope::Channel, Some(name)),
            Some(Target::Participant(name, id)) => return self.pass_question(stanza, &name, &id, turn),
            Some(Target::Occupant(name, nick)) => return self.iq_to_occupant(stanza, (&name, &nick), turn),
            _ => return turn.refuse_by(reply, &Refusal::NoSuchService),
        };
        let set = stanza.type_ == "set";
        let Some(extension) = xep::route(scope, set, payload) else {
            let actor = self.actor(stanza.sender());
            let hidden = channel.as_ref().is_some_and(|name| self.is_hidden(name, &actor));
            let refusal = if hidden { Refusal::NoSuchChannel } else { Refusal::NoSuchService };
            return turn.refuse_by(reply, &refusal);
        };
        tracing::debug!(id = stanza.id, extension = extension.name(), "routed");
        let actor = self.actor(stanza.sender());
        let channel = channel.or_else(|| commands::channel_of(payload, self.service.domain.as_str()));
        let extension = Some(extension);
        let asker = stanza.from.clone();
        let way = Way::Stanza { reply: reply.into(), asker, payload, set, extension };
        self.ask(Asked { actor, channel, way }, turn);
    }

    fn message(&mut self, stanza: &Stanza, turn: &mut Turn) {
        let reply = Reply::to_stanza(stanza);
        match self.target(&stanza.to) {
            Some(Target::Channel(name)) if is_for_everybody(stanza) => {
                tracing::debug!(id = stanza.id, channel = name.as_str(), "routed");
                let actor = self.actor(stanza.sender());
                let (payload, asker) = (&stanza.element, stanza.from.clone());
                let channel = Some(name);
                let way = Way::Stanza { reply: reply.into(), asker, payload, set: true, extension: None };
                self.ask(Asked { actor, channel, way }, turn);
            }
            Some(Target::Channel(name)) if let Some((payload, extension)) = request_in(stanza) => {
                let (actor, asker) = (self.actor(stanza.sender()), stanza.from.clone());
                let extension = Some(extension);
                let way = Way::Stanza { reply: reply.into(), asker, payload, set: true, extension };
                self.ask(Asked { actor, channel: Some(name), way }, turn);
            }
            Some(Target::Participant(name, id)) => self.pass_message(stanza, &name, &id, turn),
            Some(Target::Occupant(name, nick)) => self.message_to_occupant(stanza, (&name, &nick), turn),
            // What a server announces is not answered.
            Some(Target::Service) if stanza.from.node().is_none() => self.advert(stanza, turn),
            _ if stanza.type_ == "headline" => {}
            _ => turn.refuse_by(reply, &Refusal::NoSuchService),
        }
    }

    /// Handles a host server's announcement of delegated namespaces (XEP-0355 §4.2) or privileges (XEP-0356 §4.2).
    fn advert(&mut self, stanza: &Stanza, turn: &mut Turn) {
        if stanza.from.is_full() {
            return;
        }
        let domain = stanza.from.domain().as_str().to_owned();
        if !self.people.hosts().trusts(&domain) {
            tracing::debug!(%domain, "an announcement of a server that is not the host server is ignored");
            return;
        }
        if let Some(version) = delegation::advert(&stanza.element) {
            tracing::info!(%domain, version, "the host server delegates MIX-PAM: its users join through their accounts");
            self.people.hosts_mut().delegate(&domain);
        }
        if let Some(privileges) = privilege::advert(&stanza.element) {
            let privilege::Privileges { roster, presence, bookmarks, .. } = privileges;
            tracing::info!(%domain, roster, presence, bookmarks, "the host server grants privileges");
            self.people.hosts_mut().grant(&domain, privileges);
        }
        self.presence.spread_all(&domain);
        self.ask_at_last(&domain, turn);
    }

    /// Refuses a stanza as too fast. Presence gets no error (RFC 6120 §8.3.1), nor does a message that expects no
    /// answer.
    pub(in crate::engine) fn refused(&mut self, inbound: &Inbound, refusal: &Refusal, turn: &mut Turn) {
        let stanza = match inbound {
            Inbound::Stanza(stanza) => stanza,
            Inbound::Call(call) => {
                turn.tokens.push(call.token);
                return turn.refuse_call(call.token, refusal.clone());
            }
            _ => return,
        };
        match stanza.kind {
            _ if stanza.is_answer() || stanza.type_ == "headline" => turn.refusals.push(refusal.into()),
            Kind::Presence => self.refuse_entry(stanza, refusal, turn),
            Kind::Iq | Kind::Message => {
                let refusal = refused_in_terms(stanza, refusal);
                turn.refuse_by(Reply::to_stanza(stanza), &refusal)
            }
        }
    }

    pub(in crate::engine) fn unreadable(&mut self, unreadable: &Unreadable, turn: &mut Turn) {
        let (Some(kind), Some(from), Some(to)) = (unreadable.kind, &unreadable.from, &unreadable.to) else { return };
        let matchable = kind == Kind::Message || (kind == Kind::Iq && unreadable.id.is_some());
        if !unreadable.answerable || !matchable || to.domain() != &*self.service.domain {
            return;
        }
        let (id, from, to) = (unreadable.id.clone(), to.to_string(), from.clone());
        let reply = Reply { kind, id, from, to, delegated: None, repeated: None };
        turn.refuse(reply, &unreadable.error);
    }

    pub(in crate::engine) fn actor(&self, account: BareJid) -> Actor {
        let operator = self.service.operators.contains(&account);
        Actor { account, operator }
    }
}

/// The refusal of a stanza before it was handled, in the terms of its request.
fn refused_in_terms(stanza: &Stanza, refusal: &Refusal) -> Refusal {
    let scope = if stanza.to.node().is_none() { Scope::Service } else { Scope::Channel };
    let payload = stanza.payload().filter(|_| stanza.kind == Kind::Iq);
    let extension = payload.and_then(|payload| xep::route(scope, stanza.type_ == "set", payload));
    extension.map_or_else(|| refusal.clone(), |extension| extension.refine(refusal.clone()))
}

/// Whether a message is published to the channel. In the examples of XEP-0407 §4, a retraction has no type.
fn is_for_everybody(stanza: &Stanza) -> bool {
    let element = &stanza.element;
    let retracts = || element.has_part("retract", ns::MIX_MISC) && !element.has_part("body", ns::CLIENT);
    stanza.type_ == "groupchat" || (stanza.type_.is_empty() && retracts())
}

/// What is asked of the channel in a message that is not published: an acknowledgement of an invitation (XEP-0407 §6), or
/// what rooms take (XEP-0045).
fn request_in(stanza: &Stanza) -> Option<(&Element, &'static dyn Extension)> {
    if stanza.type_ == "headline" {
        return None;
    }
    let of_mix = stanza.element.part("invitation-ack", ns::MIX_MISC).map(|ack| (ack, &Invite as &dyn Extension));
    let of_room = || muc::invite::of_message(stanza).or_else(|| muc::voice::of_message(stanza));
    of_mix.or_else(|| of_room().map(|x| (x, &muc::Muc as &dyn Extension)))
}
