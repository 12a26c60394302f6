//! Discovers the multicast services (XEP-0033 §2.2) of home servers.

use super::super::outgoing::multicast::ITEMS_MAX;
use super::super::outgoing::outbox::{Delta, Out};
use super::super::{Engine, Turn};
use super::pending::Purpose;
use crate::xep::addresses;
use crate::xmpp::{Parts, Stanza, address, ns};
use jid::Jid;
use minidom::Element;

impl Engine {
    /// Queries the home servers and services that are due.
    pub(in crate::engine) fn ask_homes(&mut self, turn: &mut Turn) {
        for (domain, at) in self.people.accounts.hosts.homes.due(self.steady) {
            match at.and_then(|service| address::jid(&service).ok()) {
                Some(service) => self.ask_service(&domain, &service, turn),
                None => self.ask_what_it_is(&domain, turn),
            }
        }
    }

    /// Notes whether a home server has our module, which knows best where accounts are reached.
    pub(in crate::engine) fn learn_delivery(&mut self, domain: &str, info: &Element, turn: &mut Turn) {
        let delivers = info.parts().any(|child| child.attr("var") == Some(ns::MIXD_HOST));
        if self.people.accounts.hosts.learn_delivery(domain, delivers) {
            if delivers {
                tracing::info!(%domain, "the host server delivers to the clients of its accounts");
            }
            self.people.accounts.reroute(domain, &mut turn.outbox);
            self.people.accounts.readdress(domain, &mut turn.outbox);
        }
    }

    /// XEP-0033 §2.2: a home server may be a multicast service itself, or host one.
    pub(in crate::engine) fn look_for_multicast(&mut self, domain: &str, info: &Element, turn: &mut Turn) {
        if self.people.accounts.hosts.homes.number(domain).is_none()
            || self.people.accounts.hosts.homes.is_settled(domain)
        {
            return;
        }
        self.learn_multicast(domain, domain, Some(info), turn);
        if addresses::is_served(info) {
            return;
        }
        let Ok(whom) = address::jid(domain) else { return };
        let purpose = Purpose::Services { domain: domain.to_owned() };
        self.ask_disco(whom, ns::DISCO_ITEMS, None, purpose, turn);
    }

    /// Queries the services that a home server lists.
    pub(in crate::engine) fn ask_services(&mut self, domain: &str, items: &Element, turn: &mut Turn) {
        let services = items.parts().filter_map(|item| address::jid(item.attr("jid")?).ok());
        let others: Vec<Jid> = services
            .filter(|jid| jid.node().is_none() && jid.is_bare() && jid.domain() != &*self.service.domain)
            .take(ITEMS_MAX)
            .collect();
        others.iter().for_each(|service| self.ask_service(domain, service, turn));
    }

    /// Queries a service for multicast support.
    fn ask_service(&mut self, domain: &str, service: &Jid, turn: &mut Turn) {
        let Ok(whom) = address::jid(&address::at_resource(service.as_str())) else { return };
        let purpose = Purpose::Multicast { domain: domain.to_owned() };
        self.ask_disco(whom, ns::DISCO_INFO, None, purpose, turn);
    }

    /// Queries `multicast.<domain>`, the default address of a home server's multicast service.
    pub(in crate::engine) fn guess_multicast(&mut self, domain: &str, turn: &mut Turn) {
        let service = address::jid(&format!("multicast.{domain}"));
        if let (Ok(service), false) = (service, self.people.accounts.hosts.homes.is_settled(domain)) {
            self.ask_service(domain, &service, turn);
        }
    }

    /// Handles a service's answer, or its lack.
    pub(in crate::engine) fn learn_multicast(
        &mut self,
        domain: &str,
        by: &str,
        info: Option<&Element>,
        turn: &mut Turn,
    ) {
        // Most services are something else. A negative answer matters only for the one in use.
        if info.is_none_or(|info| !addresses::is_served(info)) && !self.people.accounts.hosts.homes.is_about(domain, by)
        {
            return;
        }
        turn.outbox.extend(self.people.accounts.hosts.homes.learn(domain, by, info).map(Out::Book));
    }

    /// Handles a bounce from a multicast service. Returns whether it was one.
    pub(in crate::engine) fn refused_by_multicast(&mut self, stanza: &Stanza, turn: &mut Turn) -> bool {
        if stanza.from.node().is_some() || stanza.from.is_full() {
            return false;
        }
        let condition = stanza.error_condition().unwrap_or("undefined-condition");
        let stopped = self.people.accounts.hosts.homes.refused(stanza.from.as_str(), condition, self.steady);
        let deltas = stopped.iter().map(|&home| Out::Book(Delta::Multicast { home, service: None }));
        turn.outbox.extend(deltas);
        !stopped.is_empty()
    }
}
