//! What a stanza says of its sender's client: whether it takes MIX, and whether it speaks as somebody in a room.

use super::super::{Engine, Turn};
use super::request::{Asked, Way};
use crate::channel::{Answer, ChannelName, Node, NodeSet, Refusal, Style};
use crate::xep::pubsub;
use crate::xmpp::{Parts, ns};
use jid::{FullJid, Jid};
use minidom::Element;

/// What the namespaces of MIX begin with.
const OF_MIX: &str = "urn:xmpp:mix:";

impl Engine {
    /// Refuses a message from an account that may not speak in the channel, or from a client that does not hear what is said
    /// there, before it is read.
    pub(super) fn check_speaker(&mut self, asked: &Asked<'_>, turn: &mut Turn) -> Result<(), Refusal> {
        let is_open = |name: &&ChannelName| !self.is_locked_for(name, &asked.actor);
        let name = asked.channel.as_ref().filter(is_open);
        if let (Some(full), Some(name)) = (asked.asker().and_then(|asker| asker.try_as_full().ok()), name) {
            self.check_speaking_client(full, name, turn)?;
        }
        let channel = name.and_then(|name| self.channels.channel(name));
        let seats = self.seats_of(asked.channel.as_ref());
        channel.ok_or(Refusal::NoSuchChannel)?.check_speaker(&asked.actor, seats, &self.service.limits)
    }

    /// XEP-0045 §7.4: a client that did not enter the room, or whose session is over, is told so by its next message, and enters
    /// again. Clients of MIX do not enter; where it is not known what a client takes, the record of its account says it.
    fn check_speaking_client(&mut self, full: &FullJid, name: &ChannelName, turn: &mut Turn) -> Result<(), Refusal> {
        let Some(channel) = self.channels.channel(name) else { return Ok(()) };
        let (account, tag) = (full.to_bare(), channel.profile().tag);
        if self.occupants.is_session(tag, full) || self.people.accounts().is_known(full, true) {
            return Ok(());
        }
        let Some(member) = channel.participant(&account) else {
            // Whoever is there as a room alone speaks by a client that entered.
            let passes_by = self.occupants.seats(tag).passer_by(&account).is_some();
            return if passes_by { Err(Refusal::NotOccupant) } else { Ok(()) };
        };
        if self.people.accounts().is_known(full, false) {
            return Err(Refusal::NotOccupant);
        }
        if !member.subscriptions.is_empty() {
            return Ok(());
        }
        // Once it has said what it takes, its next message passes or not by that. Meanwhile it may be one of MIX whose account
        // joined through its home server.
        self.ask_what_it_takes(full, turn);
        if self.people.accounts().is_at_bare(&account) { Ok(()) } else { Err(Refusal::NotOccupant) }
    }

    /// Notes the asker's resource: a client that sends MIX requests to a channel gets MIX traffic.
    pub(super) fn notice_asker(&mut self, asked: &Asked<'_>, answer: &Answer, turn: &mut Turn) {
        let Some(asker) = asked.asker() else { return };
        self.notice_client_of_service(asked, asker, turn);
        let Some(name) = &asked.channel else { return };
        if matches!(&asked.way, Way::Stanza { payload, .. } if is_of_any_client(payload)) {
            return;
        }
        let joined = matches!(answer, Answer::Joined { .. });
        let account = &asked.actor.account;
        let seated = self
            .channels
            .channel(name)
            .is_some_and(|channel| channel.participant(account).is_some() || channel.guest(account).is_some());
        let seated = seated || matches!(answer, Answer::Subscribed { subscribed: true, .. });
        if self.is_in_room(name, asker) {
            return;
        }
        let is_message = matches!(&asked.way, Way::Stanza { extension: None, .. });
        let participant = self.channels.channel(name).and_then(|channel| channel.participant(account));
        // A message to a channel to which its account subscribes in nothing may be of a client that thinks that it is in the room.
        let is_unclear = is_message && participant.is_some_and(|member| member.subscriptions.is_empty());
        if let (true, true, Ok(full)) = (says_something(answer), seated || joined, asker.try_as_full()) {
            if !is_unclear {
                self.people.spoke(full, &mut turn.outbox);
            }
            if joined || is_message {
                self.resume(name, full, turn);
            }
        }
        if joined {
            let at_bare = asked.is_at_bare();
            let tag = self.channels.tag_of(name);
            let unknown = self.people.joined(account, at_bare, tag, &mut turn.outbox);
            unknown.iter().for_each(|full| self.ask_resource(full, turn));
            if at_bare {
                self.ask_home_server(asked.actor.account.domain().as_str(), turn);
            }
        }
    }

    /// A client that sends the service a request in the groups namespace gets the traffic of groups, whatever its
    /// capabilities say, and one that sends a request of MIX is one of MIX. Nothing is kept of an account without channels whose
    /// presence is not known.
    fn notice_client_of_service(&mut self, asked: &Asked<'_>, asker: &Jid, turn: &mut Turn) {
        let Way::Stanza { payload, reply, .. } = &asked.way else { return };
        // Of a request that creates a channel, the channel is known by now. What is sent goes to the bare JID as before.
        let is_of_mix = payload.ns().starts_with(OF_MIX)
            && reply.from == self.service.domain.as_str()
            && self.people.accounts().is_at_bare(&asked.actor.account);
        let speaks = is_of_mix || payload.has_ns(ns::GROUP) || payload.parts().any(|child| child.has_ns(ns::GROUP));
        let is_known = self.people.accounts().find(&asked.actor.account).is_some();
        if let (true, true, Ok(full)) =
            (speaks && (is_of_mix || asked.channel.is_none()), is_known, asker.try_as_full())
        {
            self.people.spoke(full, &mut turn.outbox);
        }
    }

    /// Whether what a client asks for is written as rooms write it: it is in the room, or takes no MIX as far as is known.
    pub(super) fn asks_as_room(&self, asked: &Asked<'_>) -> bool {
        let Way::Stanza { reply, .. } = &asked.way else { return false };
        let name = asked.channel.as_ref();
        let Some(channel) = name.and_then(|name| self.channels.channel(name)) else { return false };
        let Ok(full) = reply.to.try_as_full() else { return false };
        if reply.delegated.is_some() {
            return false;
        }
        if self.is_in_room(channel.name(), &reply.to) {
            return true;
        }
        let (accounts, account) = (self.people.accounts(), &asked.actor.account);
        if accounts.is_known(full, true) {
            return false;
        }
        let of_mix = |subscriptions: NodeSet| subscriptions.contains(Node::Messages);
        let is_of_mix = channel.participant(account).is_some_and(|member| of_mix(member.subscriptions))
            || (channel.settings().style == Style::Group && channel.participant(account).is_none())
            || channel.guest(account).is_some_and(|guest| of_mix(guest.subscriptions));
        accounts.is_known(full, false) || !is_of_mix
    }
}

/// Whether any client may send a request, and most of those that do speak no MIX: that of rooms, and what channels share with them.
fn is_of_any_client(payload: &Element) -> bool {
    let ns = &*payload.ns();
    // A query of the archive that names a node is one of MIX (XEP-0369 §6.1).
    let of_archive = ns == ns::MAM && payload.attr("node").is_none();
    [ns::COMMANDS, ns::REGISTER, ns::FORM, ns::VCARD, ns::MODERATE, ns::FASTEN].contains(&ns)
        || ns.starts_with(ns::MUC)
        || of_archive
        || pubsub::is_about_picture(payload)
}

/// Whether an answer is to something that says what its asker's client is.
fn says_something(answer: &Answer) -> bool {
    !matches!(
        answer,
        Answer::Description
            | Answer::Nodes
            | Answer::Occupants(_)
            | Answer::Pong
            | Answer::Version
            | Answer::Left
            // Whoever asks as an occupant of a room says nothing of MIX.
            | Answer::Ruled { .. }
            | Answer::Roles { .. }
            | Answer::Affiliations { .. }
    )
}
