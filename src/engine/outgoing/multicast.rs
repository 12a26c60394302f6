//! Multicast services of home servers (XEP-0033): looked for, used, refused, and looked for again.
//!
//! One stanza then reaches many recipients of a home server. What is written this way and refused is written again as
//! copies by whoever writes to the link; here it is only learned that the service is not to be used for a while.

use super::super::people::pending::Purpose;
use super::super::{Engine, Turn};
use super::outbox::{Delta, HomeNo, MulticastService, Out};
use crate::channel::Stamp;
use crate::xep::addresses;
use crate::xmpp::{Parts, Stanza, address, ns};
use jid::Jid;
use minidom::Element;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// What a service takes at least, where it does not tell (ejabberd's default for components).
const ADDRESSES_DEFAULT: usize = 20;
/// How long what was found counts, and how long nothing is looked for where there was nothing (XEP-0033 §2.3).
const ASK_MS: u64 = 3_600_000;
/// How long a service that refused is left alone.
const REFUSED_MS: u64 = 300_000;
/// How long one is left alone that was sent too many addresses.
const TOO_MANY_MS: u64 = 10_000;
/// Services of one home server that are asked what they are.
const ITEMS_MAX: usize = 50;

/// Where a home server's multicast service is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Multicast {
    /// It is looked for.
    #[default]
    Auto,
    /// There is none, or it is not to be used.
    Off,
    /// At this domain.
    At(String),
}

impl TryFrom<String> for Multicast {
    type Error = String;

    fn try_from(text: String) -> Result<Multicast, String> {
        match &*text {
            "auto" => Ok(Multicast::Auto),
            "off" => Ok(Multicast::Off),
            _ => match address::bare_jid(&text) {
                Ok(jid) if jid.node().is_none() => Ok(Multicast::At(jid.to_string())),
                _ => Err(format!("found {text:?}, expected \"auto\", \"off\" or the domain of a multicast service")),
            },
        }
    }
}

impl From<Multicast> for String {
    fn from(multicast: Multicast) -> String {
        match multicast {
            Multicast::Auto => "auto".to_owned(),
            Multicast::Off => "off".to_owned(),
            Multicast::At(domain) => domain,
        }
    }
}

/// What the operator settles about multicast at one home server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MulticastSettings {
    /// Where it is.
    pub service: Multicast,
    /// How many addresses one stanza may hold, where that is settled.
    pub addresses_max: Option<usize>,
}

#[derive(Debug)]
struct Home {
    domain: String,
    settings: MulticastSettings,
    /// What it took when it refused more.
    addresses_max: usize,
    service: Option<MulticastService>,
    ask_next: Stamp,
    told: bool,
}

/// Home servers whose multicast service is used where there is one, in the order of their domains.
#[derive(Debug, Default)]
pub struct Homes(Vec<Home>);

impl Homes {
    /// Starts with what the operator settled, by domain.
    pub fn new(settled: HashMap<String, MulticastSettings>) -> Homes {
        // In any order: they are sorted.
        let wanted = settled.into_iter().filter(|(_, settings)| settings.service != Multicast::Off);
        let mut homes: Vec<Home> = wanted
            .map(|(domain, settings)| Home {
                domain,
                settings,
                addresses_max: usize::MAX,
                service: None,
                ask_next: Stamp::default(),
                told: false,
            })
            .collect();
        homes.sort_by(|a, b| a.domain.cmp(&b.domain));
        homes.truncate(HomeNo::COUNT);
        Homes(homes)
    }

    /// The number of a home server, where its multicast service is used or may be.
    pub fn number(&self, domain: &str) -> Option<HomeNo> {
        let place = self.0.binary_search_by(|home| home.domain.as_str().cmp(domain)).ok()?;
        HomeNo::new(place)
    }

    /// Everything is asked again: the host server may have been started with other settings.
    pub fn link_up(&mut self) {
        self.0.iter_mut().for_each(|home| home.ask_next = Stamp::default());
    }

    /// The home servers about which it is time to ask, and whom: the multicast service, or else the home server.
    fn due(&mut self, now: Stamp) -> Vec<(String, Option<String>)> {
        let due = self.0.iter_mut().filter(|home| home.ask_next <= now);
        due.map(|home| {
            home.ask_next = Stamp(now.0 + ASK_MS);
            let at = match &home.settings.service {
                Multicast::At(service) => Some(service.clone()),
                Multicast::Auto | Multicast::Off => None,
            };
            (home.domain.clone(), at)
        })
        .collect()
    }

    /// Whether the operator named the service.
    fn is_settled(&self, domain: &str) -> bool {
        self.number(domain).is_none_or(|no| self.0[no.place()].settings.service != Multicast::Auto)
    }

    /// Whether a service is the one in use, or the one that the operator named.
    fn is_about(&self, domain: &str, service: &str) -> bool {
        self.number(domain).is_some_and(|no| {
            let home = &self.0[no.place()];
            home.settings.service != Multicast::Auto || home.service.as_ref().is_some_and(|used| used.to == service)
        })
    }

    /// Learns what a service said of itself; the delta where that changes anything.
    fn learn(&mut self, domain: &str, by: &str, info: Option<&Element>) -> Option<Delta> {
        let no = self.number(domain)?;
        let home = &mut self.0[no.place()];
        let announced = info.filter(|info| addresses::is_served(info)).map(addresses::limit);
        let service = announced.map(|announced| {
            let settled = home.settings.addresses_max;
            let least = settled.into_iter().chain(announced).min().unwrap_or(ADDRESSES_DEFAULT);
            MulticastService { to: by.to_owned(), addresses_max: least.min(home.addresses_max).max(1) }
        });
        match &service {
            Some(found) if home.service != service => {
                tracing::info!(%domain, service = by, addresses_max = found.addresses_max, "one stanza for many recipients");
            }
            None if home.settings.service != Multicast::Auto && !std::mem::replace(&mut home.told, true) => {
                tracing::warn!(%domain, service = by, "hosts: the multicast service does not say that it is one; copies are sent");
            }
            _ => {}
        }
        let changed = home.service != service;
        home.service = service.clone();
        changed.then_some(Delta::Multicast { home: no, service })
    }

    /// A service sent something back: it is left alone for a while. The home servers that it was used for.
    fn refused(&mut self, by: &str, condition: &str, now: Stamp) -> Vec<HomeNo> {
        let mut stopped = Vec::new();
        for (place, home) in self.0.iter_mut().enumerate() {
            let Some(service) = home.service.take_if(|service| service.to == by) else { continue };
            let too_many = condition == "not-acceptable" && service.addresses_max > ADDRESSES_DEFAULT;
            if too_many {
                home.addresses_max = ADDRESSES_DEFAULT;
            }
            home.ask_next = Stamp(now.0 + if too_many { TOO_MANY_MS } else { REFUSED_MS });
            tracing::warn!(
                domain = %home.domain,
                service = by,
                condition,
                addresses = service.addresses_max,
                "the multicast service refuses a stanza; copies are sent, and it is tried again later"
            );
            stopped.extend(HomeNo::new(place));
        }
        stopped
    }
}

impl Engine {
    /// Asks where it is time to.
    pub(in crate::engine) fn ask_homes(&mut self, turn: &mut Turn) {
        for (domain, at) in self.people.accounts.hosts.homes.due(self.steady) {
            match at.and_then(|service| address::jid(&service).ok()) {
                Some(service) => self.ask_service(&domain, &service, turn),
                None => self.ask_what_it_is(&domain, turn),
            }
        }
    }

    /// A home server said whether it has our module, which knows best where its accounts are reached.
    pub(in crate::engine) fn learn_delivery(&mut self, domain: &str, info: &Element, turn: &mut Turn) {
        let delivers = info.parts().any(|child| child.attr("var") == Some(ns::MIXD_HOST));
        if self.people.accounts.hosts.learn_delivery(domain, delivers) {
            if delivers {
                tracing::info!(%domain, "the host server delivers to the clients of its accounts");
            }
            self.people.accounts.reroute(domain, &mut turn.outbox);
        }
    }

    /// A home server said what it is: it may be its own multicast service, or have one.
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

    /// A home server said which services it has.
    pub(in crate::engine) fn ask_services(&mut self, domain: &str, items: &Element, turn: &mut Turn) {
        let services = items.parts().filter_map(|item| address::jid(item.attr("jid")?).ok());
        let others: Vec<Jid> = services
            .filter(|jid| jid.node().is_none() && jid.is_bare() && jid.domain() != &*self.service.domain)
            .take(ITEMS_MAX)
            .collect();
        others.iter().for_each(|service| self.ask_service(domain, service, turn));
    }

    /// Asks a service of a home server whether it is the multicast service.
    fn ask_service(&mut self, domain: &str, service: &Jid, turn: &mut Turn) {
        let Ok(whom) = address::jid(&address::at_resource(service.as_str())) else { return };
        let purpose = Purpose::Multicast { domain: domain.to_owned() };
        self.ask_disco(whom, ns::DISCO_INFO, None, purpose, turn);
    }

    /// Asks at the place where a home server has its multicast service unless it is told otherwise.
    pub(in crate::engine) fn guess_multicast(&mut self, domain: &str, turn: &mut Turn) {
        let service = address::jid(&format!("multicast.{domain}"));
        if let (Ok(service), false) = (service, self.people.accounts.hosts.homes.is_settled(domain)) {
            self.ask_service(domain, &service, turn);
        }
    }

    /// A service said what it is, or did not answer as one.
    pub(in crate::engine) fn learn_multicast(
        &mut self,
        domain: &str,
        by: &str,
        info: Option<&Element>,
        turn: &mut Turn,
    ) {
        // Of the services of a home server, most are others; only the one in use can cease to be one.
        if info.is_none_or(|info| !addresses::is_served(info)) && !self.people.accounts.hosts.homes.is_about(domain, by)
        {
            return;
        }
        turn.outbox.extend(self.people.accounts.hosts.homes.learn(domain, by, info).map(Out::Book));
    }

    /// A message came back from a multicast service; whether it is one.
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
