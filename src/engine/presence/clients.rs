//! Inbound presence, and bounces.

use super::super::requests::router::Target;
use super::super::{Engine, Turn};
use super::online::OwedTo;
use crate::channel::Refusal;
use crate::xep::availability::Availability;
use crate::xep::muc::{enter, errors};
use crate::xmpp::{Kind, Stanza};
use jid::FullJid;

/// Error conditions that mean that an address does not exist.
pub(in crate::engine) const GONE: [&str; 4] =
    ["service-unavailable", "recipient-unavailable", "item-not-found", "gone"];
/// XEP-0045 §18.3.1: others that mean that a client of a room cannot be reached.
pub(in crate::engine) const GONE_FROM_ROOMS: [&str; 3] = ["internal-server-error", "jid-malformed", "redirect"];
/// Those that mean that its server cannot be reached.
pub(in crate::engine) const LOST: [&str; 2] = ["remote-server-not-found", "remote-server-timeout"];

/// An entry to what is no room.
fn refuse_entry(stanza: &Stanza, refusal: &Refusal, turn: &mut Turn) {
    turn.refusals.push(refusal.into());
    turn.send(errors::of_entry(stanza, stanza.to.to_bare().as_str(), refusal).into_xml());
}

impl Engine {
    /// Whether a stanza is presence of an account whose membership is unknown.
    pub(in crate::engine) fn is_presence_of_stranger(&self, stanza: &Stanza) -> bool {
        stanza.kind == Kind::Presence
            && stanza.type_.is_empty()
            && stanza.from.is_full()
            && self.people.accounts().membership(&stanza.sender()).is_none()
    }

    pub(in crate::engine) fn presence(&mut self, stanza: &Stanza, turn: &mut Turn) {
        if stanza.type_ == "error" {
            if self.refused_by_multicast(stanza, turn) || self.is_of_session(stanza, turn) {
                return;
            }
            if let Some(returned) = self.returned(stanza) {
                self.doubt_address(stanza, returned, turn);
            }
            return;
        }
        let target = self.target(&stanza.to);
        let Ok(full) = stanza.from.try_as_full() else { return self.presence_of_account(stanza, target, turn) };
        self.presence.online.trust(full);
        self.note_act(&stanza.sender(), turn);
        match (&*stanza.type_, target) {
            ("", Some(Target::Occupant(name, nick))) => self.presence_in_room(stanza, full, (&name, &nick), turn),
            ("unavailable", Some(Target::Occupant(name, _))) => {
                self.leave_room(&name, full, &stanza.element, turn);
            }
            // XEP-0045 §10.1.1: the room cannot have such a name.
            ("", Some(Target::Nobody | Target::Participant(..))) if enter::entry(stanza).is_some() => {
                refuse_entry(stanza, &Refusal::BadName, turn);
            }
            ("", _) if enter::entry(stanza).is_some() => {
                refuse_entry(stanza, &Refusal::NoNick, turn);
            }
            ("", target) => {
                self.begin_anew(full, false, turn);
                self.came_online(full, stanza, turn);
                match target {
                    Some(Target::Channel(name)) => {
                        self.resume(&name, full, turn);
                        self.take_available(&name, full, &stanza.element, turn);
                    }
                    Some(Target::Service) => {
                        self.note_broadcast(full, stanza);
                        self.begin_watcher(full, stanza, turn);
                    }
                    _ => {}
                }
            }
            ("unavailable", Some(Target::Service)) => self.vanish(full, turn),
            ("unavailable", target) => {
                if let Some(Target::Channel(name)) = target {
                    self.take_unavailable(&name, full, turn);
                }
                // The resource may be offline altogether. Not every server sends that to the service (hosts.md, D.2).
                self.presence.online.doubt(full, self.people.accounts().is_known(full, true));
            }
            ("probe", Some(Target::Channel(name))) => {
                self.deliver_later(&name, OwedTo::Resource(full.to_bare(), full.resource().to_string()));
            }
            ("probe", Some(Target::Participant(name, id))) => self.answer_probe(stanza, &name, &id, turn),
            _ => {}
        }
    }

    /// Presence from a bare JID: subscriptions, and probes by home servers.
    fn presence_of_account(&mut self, stanza: &Stanza, target: Option<Target>, turn: &mut Turn) {
        let account = stanza.sender();
        match (&*stanza.type_, target) {
            // XEP-0405 §2.9.3: presence from the bare JID asks for the presence of all participants.
            ("" | "probe", Some(Target::Channel(name))) => self.deliver_later(&name, OwedTo::Account(account)),
            ("probe", Some(Target::Participant(name, id))) => self.answer_probe(stanza, &name, &id, turn),
            ("subscribe", Some(Target::Channel(name))) => self.answer_subscription(&name, &account, turn),
            // `unsubscribed` is ignored: some servers send it instead of answering a probe, and a server that ends a
            // subscription sends `unavailable` for each resource (RFC 6121 §3.2.2, §4.3.2).
            ("unsubscribe", Some(Target::Channel(name))) => self.take_unsubscribe(&name, &account, turn),
            _ => {}
        }
    }

    /// XEP-0356 §7.3: whether a stanza is presence that a host server sends for all of its accounts.
    pub(in crate::engine) fn is_broadcast(&self, stanza: &Stanza) -> bool {
        stanza.kind == Kind::Presence
            && stanza.type_.is_empty()
            && stanza.from.is_full()
            && self.people.hosts().trusts(stanza.from.domain().as_str())
            && matches!(self.target(&stanza.to), Some(Target::Service))
            && self.people.accounts().membership(&stanza.sender()) != Some(false)
    }

    /// Notes such presence. It is sent once, so it is kept also for accounts that may join a channel later.
    fn note_broadcast(&mut self, full: &FullJid, stanza: &Stanza) {
        let (account, domain) = (full.to_bare(), full.domain().as_str());
        let is_member = self.people.accounts().membership(&account) == Some(true);
        let is_told =
            self.people.hosts().trusts(domain) && (is_member || self.people.hosts().privileges(domain).presence);
        if !is_told {
            return;
        }
        let says = Availability::of(&stanza.element);
        if self.presence.online.broadcast(full, says, is_member) && is_member {
            self.presence.online.spread(&account);
        }
    }

    /// Takes an error of a client that sits in the room that it is sent to.
    fn is_of_session(&mut self, stanza: &Stanza, turn: &mut Turn) -> bool {
        match self.target(&stanza.to) {
            Some(Target::Channel(name) | Target::Occupant(name, _)) => self.doubt_session(stanza, &name, turn),
            Some(Target::Service | Target::Participant(..) | Target::Nobody) | None => false,
        }
    }

    /// A message came back (protocol.md §3).
    pub(in crate::engine) fn bounce(&mut self, stanza: &Stanza, turn: &mut Turn) {
        tracing::debug!(id = stanza.id, from = %stanza.from, condition = stanza.error_condition(), "bounced");
        if self.refused_by_multicast(stanza, turn) {
            return;
        }
        if let Some(Target::Occupant(name, nick)) = self.target(&stanza.to) {
            self.return_letter(stanza, (&name, &nick), turn);
        }
        if self.is_of_session(stanza, turn) {
            return;
        }
        if let Some(returned) = self.returned(stanza) {
            if !self.bounced_off(stanza, turn) {
                self.doubt_address(stanza, returned, turn);
            }
        } else if let Some(Target::Participant(name, id)) = self.target(&stanza.to) {
            self.pass_error(stanza, &name, &id, turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Stamp;
    use crate::engine::people::pending::Purpose;
    use crate::engine::{Inbound, fixture};
    use jid::Jid;

    fn engine() -> Engine {
        Engine::new(fixture::settings(), [7; 16], [7; 32], Default::default(), Vec::new())
    }

    fn take(engine: &mut Engine, now: u64, xml: &str) -> String {
        let turn =
            engine.turn(Stamp(now), vec![Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()), Inbound::Tick]);
        format!("{:?}", turn.outbox)
    }

    #[test]
    fn a_question_that_found_no_room_is_asked_later() {
        let mut engine = engine();
        let create = "<create xmlns='urn:xmpp:mix:core:1' channel='c'/>";
        take(&mut engine, 1, &format!("<iq type='set' id='1' from='a@h' to='mix.h'>{create}</iq>"));
        let join = "<iq type='set' id='2' from='a@h' to='c@mix.h'><join xmlns='urn:xmpp:mix:core:1'/></iq>";
        take(&mut engine, 1, join);
        for n in 0.. {
            let purpose = Purpose::RosterItem { domain: "h".into() };
            if !engine.people.ask(format!("q{n}"), Jid::new("a@h").unwrap(), purpose, Stamp(1)) {
                break;
            }
        }
        let presence = "<presence from='a@h/r' to='mix.h'/>";
        assert!(!take(&mut engine, 2, presence).contains("disco#info"));
        take(&mut engine, 100_000, "<presence from='x@h' to='mix.h'/>");
        assert!(take(&mut engine, 100_001, presence).contains("disco#info"));
    }
}
