//! Who is online where: presence, bounces, and the questions that settle what a resource takes.

use super::super::channels::places::IN;
use super::super::people::accounts::Sighting;
use super::super::people::capabilities;
use super::super::people::pending::{Announced, Purpose};
use super::super::requests::router::Target;
use super::super::{Engine, Turn};
use super::online::OwedTo;
use crate::xep::Reply;
use crate::xep::availability::Availability;
use crate::xmpp::{Condition, Kind, Parts, Stanza, StanzaError, Tag, address, ns};
use jid::{FullJid, Jid};

/// The errors by which a server tells that there is nobody behind an address.
pub(in crate::engine) const GONE: [&str; 4] =
    ["service-unavailable", "recipient-unavailable", "item-not-found", "gone"];

impl Engine {
    /// Whether a stanza is the presence of an account of which it is not known whether it is in a channel.
    pub(in crate::engine) fn is_presence_of_stranger(&self, stanza: &Stanza) -> bool {
        stanza.kind == Kind::Presence
            && stanza.type_.is_empty()
            && stanza.from.is_full()
            && self.people.accounts.membership(&stanza.sender()).is_none()
    }

    pub(in crate::engine) fn presence(&mut self, stanza: &Stanza, turn: &mut Turn) {
        if stanza.type_ == "error" {
            if let Some(returned) = self.returned(stanza) {
                self.doubt_whether_there(stanza, returned, turn);
            }
            return;
        }
        let target = self.target(&stanza.to);
        let Ok(full) = stanza.from.try_as_full() else { return self.presence_of_account(stanza, target, turn) };
        self.presence.online.trust(full);
        self.note_act(&stanza.sender(), turn);
        match (&*stanza.type_, target) {
            ("", _) if stanza.element.has_part("x", ns::MUC) => {
                // Whoever joins as a MUC client waits for an answer.
                let error = StanzaError::new(Condition::ServiceUnavailable, "join this channel with a MIX client");
                turn.refuse(Reply::to_stanza(stanza), &error);
            }
            ("", target) => {
                self.begin_anew(full, false, turn);
                self.came_online(full, stanza, turn);
                match target {
                    Some(Target::Channel(name)) => {
                        self.resume(&name, full, turn);
                        self.share(&name, full, &stanza.element, turn);
                    }
                    Some(Target::Service) => self.said_to_all(full, stanza),
                    _ => {}
                }
            }
            ("unavailable", Some(Target::Service)) => self.vanish(full, turn),
            ("unavailable", target) => {
                if let Some(Target::Channel(name)) = target {
                    self.unshare(&name, full, turn);
                }
                // It may be gone altogether, and not every server tells that to the service (hosts.md, D.2).
                self.presence.online.doubt(full, self.people.accounts.takes(full));
            }
            ("probe", Some(Target::Channel(name))) => {
                self.deliver_later(&name, OwedTo::Resource(full.to_bare(), full.resource().to_string()));
            }
            ("probe", Some(Target::Participant(name, id))) => self.answer_probe(stanza, &name, &id, turn),
            _ => {}
        }
    }

    /// Presence from a bare JID: subscriptions, and what home servers ask for their accounts.
    fn presence_of_account(&mut self, stanza: &Stanza, target: Option<Target>, turn: &mut Turn) {
        let account = stanza.sender();
        match (&*stanza.type_, target) {
            // XEP-0405 §2.9.3: presence from the bare JID asks for everybody's.
            ("" | "probe", Some(Target::Channel(name))) => self.deliver_later(&name, OwedTo::Account(account)),
            ("probe", Some(Target::Participant(name, id))) => self.answer_probe(stanza, &name, &id, turn),
            ("subscribe", Some(Target::Channel(name))) => self.answer_subscription(&name, &account, turn),
            // `unsubscribed` says nothing: some servers answer so to a probe that they do not answer, and a server that ends
            // a subscription tells of each resource that it is unavailable (RFC 6121 §3.2.2, §4.3.2).
            ("unsubscribe", Some(Target::Channel(name))) => self.unshare_all(&name, &account, turn),
            _ => {}
        }
    }

    /// Whether a stanza is presence that a host server tells us of all its accounts (XEP-0356 §4.4).
    pub(in crate::engine) fn is_broadcast(&self, stanza: &Stanza) -> bool {
        stanza.kind == Kind::Presence
            && stanza.type_.is_empty()
            && stanza.from.is_full()
            && self.people.accounts.hosts.trusts(stanza.from.domain().as_str())
            && matches!(self.target(&stanza.to), Some(Target::Service))
            && self.people.accounts.membership(&stanza.sender()) != Some(false)
    }

    /// It comes once, and whoever is in no channel may join one.
    fn said_to_all(&mut self, full: &FullJid, stanza: &Stanza) {
        let (account, domain) = (full.to_bare(), full.domain().as_str());
        let is_member = self.people.accounts.membership(&account) == Some(true);
        let is_told = self.people.accounts.hosts.trusts(domain)
            && (is_member || self.people.accounts.hosts.privileges(domain).presence);
        if !is_told {
            return;
        }
        let says = Availability::of(&stanza.element);
        if self.presence.online.broadcast(full, says, is_member) && is_member {
            self.presence.online.spread(&account);
        }
    }

    /// Asks whether a resource is still there: every client of MIX answers disco (XEP-0403 §4.3).
    pub(in crate::engine) fn ask_whether_there(&mut self, full: &FullJid, turn: &mut Turn) {
        let purpose = Purpose::Presence { full: full.clone() };
        self.ask_disco(Jid::from(full.clone()), ns::DISCO_INFO, None, purpose, turn);
    }

    fn came_online(&mut self, full: &FullJid, stanza: &Stanza, turn: &mut Turn) {
        let account = full.to_bare();
        let member = self.channels.memberships.of(&account).map(|channels| channels.count(IN) > 0);
        let member = self.people.accounts.membership(&account).or(member).unwrap_or(false);
        // Presence of people who are in no channel matters only where their server sends it for everybody, once.
        if !member && !self.people.accounts.hosts.privileges(account.domain().as_str()).presence {
            return;
        }
        let announced = capabilities::announced(&stanza.element);
        let takes = announced.as_ref().and_then(|announced| self.people.capabilities.of(announced));
        if !self.people.accounts.admit(&account, member, &mut turn.outbox) {
            return;
        }
        let sighting = self.people.accounts.available(full, announced, takes, &mut turn.outbox);
        if let Sighting::Ask(announced) = sighting {
            self.ask_capabilities(full, announced, turn);
        }
    }

    /// Asks a resource that came online before its account joined.
    pub(in crate::engine) fn ask_resource(&mut self, full: &FullJid, turn: &mut Turn) {
        let announced = self.people.accounts.asking(full);
        match announced.as_ref().and_then(|announced| self.people.capabilities.of(announced)) {
            Some(takes) => self.people.accounts.settle(full, takes, &mut turn.outbox),
            None => self.ask_capabilities(full, announced, turn),
        }
    }

    fn ask_capabilities(&mut self, full: &FullJid, announced: Option<Announced>, turn: &mut Turn) {
        let node = announced.as_ref().map(|announced| format!("{}#{}", announced.node, announced.ver));
        let purpose = Purpose::Capabilities { full: full.clone(), announced };
        self.ask_disco(Jid::from(full.clone()), ns::DISCO_INFO, node.as_deref(), purpose, turn);
    }

    /// Asks a home server, once, which software it is: ejabberd's own PAM needs a marker (hosts.md, C.1).
    pub(in crate::engine) fn ask_home_server(&mut self, domain: &str, turn: &mut Turn) {
        if self.people.accounts.hosts.wants_asking(domain) {
            self.ask_what_it_is(domain, turn);
        }
    }

    /// Asks a home server what it is, whoever asked before.
    pub(in crate::engine) fn ask_what_it_is(&mut self, domain: &str, turn: &mut Turn) {
        let Ok(whom) = address::jid(domain) else { return };
        self.people.accounts.hosts.note_asked(domain, self.steady);
        self.ask_disco(whom, ns::DISCO_INFO, None, Purpose::HomeServer { domain: domain.to_owned() }, turn);
    }

    /// Asks home servers again that did not say what they are. One that is silent may have a multicast service at the
    /// usual place all the same: ejabberd lets questions to its services through, and none to itself.
    pub(in crate::engine) fn ask_homes_again(&mut self, turn: &mut Turn) {
        for (domain, again) in self.people.accounts.hosts.take_unanswered(self.steady) {
            if again {
                self.ask_what_it_is(&domain, turn);
            }
            self.guess_multicast(&domain, turn);
        }
    }

    /// A host server granted something: what it dropped until then it lets through.
    pub(in crate::engine) fn ask_at_last(&mut self, domain: &str, turn: &mut Turn) {
        if self.people.accounts.hosts.is_unanswered(domain) {
            self.ask_what_it_is(domain, turn);
        }
    }

    pub(in crate::engine) fn ask_disco(
        &mut self,
        whom: Jid,
        what: &'static str,
        node: Option<&str>,
        purpose: Purpose,
        turn: &mut Turn,
    ) {
        let id = self.fresh_id();
        let iq = Tag::new("iq")
            .attr("type", "get")
            .attr("id", &id)
            .attr("from", self.service.domain.as_str())
            .attr("to", whom.as_str())
            .child(Tag::in_ns("query", what).attr_opt("node", node));
        let full = whom.try_as_full().ok().cloned();
        if self.people.pending.ask(id, whom, purpose, self.steady) {
            turn.ask(iq.into_xml());
        } else if let Some(full) = full {
            // It counts as not asked, or no later presence of it would lead to a question.
            self.people.accounts.forget_question(&full);
        }
    }

    /// Takes the answer to a question of the service's own.
    pub(in crate::engine) fn take_answer(&mut self, stanza: &Stanza, turn: &mut Turn) {
        let Some(purpose) = stanza.id.as_ref().and_then(|id| self.people.pending.take(id, &stanza.from)) else {
            return;
        };
        let result = stanza.payload().filter(|_| stanza.type_ == "result");
        let query = result.filter(|payload| payload.has_ns(ns::DISCO_INFO));
        match purpose {
            Purpose::Capabilities { full, announced } => {
                let takes =
                    query.is_some_and(|query| self.people.capabilities.learn(&full.to_bare(), announced, query));
                self.people.accounts.settle(&full, takes, &mut turn.outbox);
                self.presence.online.spread(&full.to_bare());
            }
            Purpose::Presence { full } => {
                if stanza.type_ == "error"
                    && stanza.error_condition().is_some_and(|condition| GONE.contains(&condition))
                {
                    self.vanish(&full, turn);
                }
            }
            Purpose::HomeServer { domain } => {
                let Some(query) = query else { return };
                let is_ejabberd = query.parts().any(|child| {
                    child.name() == "identity"
                        && child.attr("name").is_some_and(|name| name.eq_ignore_ascii_case("ejabberd"))
                });
                if self.people.accounts.hosts.learn_software(&domain, is_ejabberd) {
                    self.people.accounts.readdress(&domain, &mut turn.outbox);
                }
                self.learn_delivery(&domain, query, turn);
                self.presence.online.spread_all(&domain);
                self.look_for_multicast(&domain, query, turn);
            }
            Purpose::Services { domain } => {
                if let Some(items) = result.filter(|payload| payload.has_ns(ns::DISCO_ITEMS)) {
                    self.ask_services(&domain, items, turn);
                }
            }
            Purpose::Multicast { domain } => {
                self.learn_multicast(&domain, stanza.from.to_bare().as_str(), query, turn);
            }
            Purpose::RosterItem { domain } if stanza.type_ == "error" => {
                let reason = stanza.error_condition().unwrap_or("no reason given");
                tracing::debug!(%domain, reason, "the host server granted its rosters and does not let them be changed");
                self.people.accounts.hosts.roster_failed(&domain);
            }
            Purpose::RosterItem { .. } => {}
            Purpose::Doubt { whom } => self.settle_doubt(&whom, stanza, turn),
            Purpose::Newcomer { account } => self.learn_newcomer(&account, stanza, turn),
            Purpose::Relay(relay) => self.pass_answer(stanza, &relay, turn),
            Purpose::PassedOn(passed) => self.pass_back(stanza, *passed, turn),
        }
    }

    /// A message came back (protocol.md §3).
    pub(in crate::engine) fn bounce(&mut self, stanza: &Stanza, turn: &mut Turn) {
        tracing::debug!(id = stanza.id, from = %stanza.from, condition = stanza.error_condition(), "bounced");
        if self.refused_by_multicast(stanza, turn) {
            return;
        }
        if let Some(returned) = self.returned(stanza) {
            if !self.bounced_off(stanza, turn) {
                self.doubt_whether_there(stanza, returned, turn);
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
    use crate::engine::{Inbound, fixture};

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
            if !engine.people.pending.ask(format!("q{n}"), Jid::new("a@h").unwrap(), purpose, Stamp(1)) {
                break;
            }
        }
        let presence = "<presence from='a@h/r' to='mix.h'/>";
        assert!(!take(&mut engine, 2, presence).contains("disco#info"));
        take(&mut engine, 100_000, "<presence from='x@h' to='mix.h'/>");
        assert!(take(&mut engine, 100_001, presence).contains("disco#info"));
    }
}
