//! Queries to clients and home servers, and what their answers say about where accounts are reached.

use super::super::{Engine, Turn};
use super::accounts::Sighting;
use super::capabilities;
use super::pending::{Announced, GivenUp, Purpose};
use crate::channel::Refusal;
use crate::xmpp::{Condition, Parts, Stanza, StanzaError, Tag, address, ns};
use jid::{FullJid, Jid};

impl Engine {
    /// The link came up: queries of the last link will not be answered.
    pub(in crate::engine) fn people_link_up(&mut self, turn: &mut Turn) {
        self.people.accounts.hosts.link_up();
        self.people.accounts.ask_again();
        let given_up = self.people.pending.give_up();
        self.take_given_up(given_up, &timed_out(), turn);
    }

    /// Queries home servers: those that may have multicast services, and those that take MIX traffic. Done early,
    /// because the answer to a leave depends on the server's software.
    pub(in crate::engine) fn ask_home_servers(&mut self, turn: &mut Turn) {
        self.ask_homes(turn);
        for domain in self.people.accounts.bare_domains() {
            self.ask_home_server(&domain, turn);
        }
    }

    /// Gives up queries that are unanswered for too long.
    pub(in crate::engine) fn give_up_late(&mut self, turn: &mut Turn) {
        let given_up = self.people.pending.expire(self.steady);
        self.take_given_up(given_up, &timed_out(), turn);
    }

    /// Answers askers whose queries were dropped because there were too many.
    pub(in crate::engine) fn give_up_ousted(&mut self, turn: &mut Turn) {
        let ousted = self.people.pending.ousted();
        self.take_given_up(ousted, &(&Refusal::Busy).into(), turn);
    }

    /// Answers the askers of dropped queries with an error.
    fn take_given_up(&mut self, given_up: GivenUp, error: &StanzaError, turn: &mut Turn) {
        for full in given_up.resources {
            self.people.accounts.forget_question(&full);
        }
        for reply in given_up.askers {
            turn.send(reply.error(error));
        }
        given_up.bookmarks.iter().for_each(|place| self.give_bookmark_up(place));
    }

    /// XEP-0403 §4.3: probes a resource with disco, to see whether it is online.
    pub(in crate::engine) fn probe_resource(&mut self, full: &FullJid, turn: &mut Turn) {
        let purpose = Purpose::Presence { full: full.clone() };
        self.ask_disco(Jid::from(full.clone()), ns::DISCO_INFO, None, purpose, turn);
    }

    /// Handles `available` presence of a resource, with the capabilities it announces.
    pub(in crate::engine) fn came_online(&mut self, full: &FullJid, stanza: &Stanza, turn: &mut Turn) {
        let account = full.to_bare();
        let member = self.channels.is_in_any(&account);
        let member = self.people.accounts.membership(&account).or(member).unwrap_or(false);
        // Presence of accounts in no channel matters only if the server sends all presence by privilege, because it is
        // sent once.
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

    /// Queries a resource that came online before its account joined.
    pub(in crate::engine) fn ask_resource(&mut self, full: &FullJid, turn: &mut Turn) {
        let announced = self.people.accounts.asking(full);
        match announced.as_ref().and_then(|announced| self.people.capabilities.of(announced)) {
            Some(takes) => self.people.accounts.settle(full, takes, &mut turn.outbox),
            None => self.ask_capabilities(full, announced, turn),
        }
    }

    /// Asks a client of a participant what it takes, although it sent no presence, unless it was asked already.
    pub(in crate::engine) fn ask_what_it_takes(&mut self, full: &FullJid, turn: &mut Turn) {
        if let Sighting::Ask(announced) = self.people.accounts.available(full, None, None, &mut turn.outbox) {
            self.ask_capabilities(full, announced, turn);
        }
    }

    fn ask_capabilities(&mut self, full: &FullJid, announced: Option<Announced>, turn: &mut Turn) {
        let node = announced.as_ref().map(|announced| format!("{}#{}", announced.node, announced.ver));
        let purpose = Purpose::Capabilities { full: full.clone(), announced };
        self.ask_disco(Jid::from(full.clone()), ns::DISCO_INFO, node.as_deref(), purpose, turn);
    }

    /// Queries a home server for its software once, because ejabberd's own PAM needs a marker (hosts.md, C.1).
    pub(in crate::engine) fn ask_home_server(&mut self, domain: &str, turn: &mut Turn) {
        if self.people.accounts.hosts.wants_asking(domain) {
            self.ask_what_it_is(domain, turn);
        }
    }

    /// Queries a home server for its identity and features, even if it was queried before.
    pub(in crate::engine) fn ask_what_it_is(&mut self, domain: &str, turn: &mut Turn) {
        let Ok(whom) = address::jid(domain) else { return };
        self.people.accounts.hosts.note_asked(domain, self.steady);
        self.ask_disco(whom, ns::DISCO_INFO, None, Purpose::HomeServer { domain: domain.to_owned() }, turn);
    }

    /// Queries home servers that are due, and those that did not answer. A silent one may still have a multicast
    /// service at the default address: ejabberd drops queries to itself, but not to its services.
    pub(in crate::engine) fn ask_homes_again(&mut self, turn: &mut Turn) {
        self.ask_homes(turn);
        for (domain, again) in self.people.accounts.hosts.take_unanswered(self.steady) {
            if again {
                self.ask_what_it_is(&domain, turn);
            }
            self.guess_multicast(&domain, turn);
        }
    }

    /// A host server granted a privilege. If it dropped a query before, it is queried again.
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
            // Without a query the resource counts as not asked, so its next presence causes one.
            self.people.accounts.forget_question(&full);
        }
    }

    /// Handles the answer to a query of the service.
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
                self.presence.spread(&full.to_bare());
            }
            Purpose::Presence { full } if self.is_gone(&full, stanza) => self.vanish(&full, turn),
            Purpose::Presence { .. } => {}
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
                self.presence.spread_all(&domain);
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
            Purpose::Bookmark(bookmarking) => self.go_on_with_bookmark(stanza, *bookmarking, turn),
        }
    }
}

/// The error for an unanswered query.
fn timed_out() -> StanzaError {
    StanzaError::new(Condition::RemoteServerTimeout, "")
}
