//! XEP-0033: the multicast services of home servers, found, used, and left alone after an error.
//!
//! With one, a single stanza reaches many recipients of a home server. If it refuses a stanza, the writer of the link
//! writes copies instead. Here the service is only marked as unused for a while.

use super::outbox::{Delta, HomeNo, MulticastService};
use crate::channel::Stamp;
use crate::timers::Timers;
use crate::xep::addresses;
use crate::xmpp::{Kind, Parts, address, ns};
use minidom::Element;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The addresses that a service takes if it states no limit (ejabberd's default for components).
pub(super) const ADDRESSES_DEFAULT: usize = 20;
/// XEP-0033 §2.3: how long a discovered service, or its absence, is cached, in milliseconds.
pub(super) const ASK_MS: u64 = 3_600_000;
/// How long a service that refused a stanza is left alone, in milliseconds.
pub(super) const REFUSED_MS: u64 = 300_000;
/// How long a service that got too many addresses is left alone, in milliseconds.
pub(super) const TOO_MANY_MS: u64 = 10_000;
/// The most services of one home server that are queried.
pub(in crate::engine) const ITEMS_MAX: usize = 50;

/// Where a home server's multicast service is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Multicast {
    /// To be discovered.
    #[default]
    Auto,
    /// None, or not to be used.
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

/// The configuration of multicast for one home server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MulticastSettings {
    /// Where the service is.
    pub service: Multicast,
    /// The most addresses in one stanza, if configured.
    pub addresses_max: Option<usize>,
}

/// A service in use, as the next process knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownService {
    domain: String,
    at: String,
    addresses_max: usize,
    presence_max: Option<usize>,
    as_text: bool,
}

#[derive(Debug)]
pub(super) struct Home {
    pub(super) domain: String,
    pub(super) settings: MulticastSettings,
    /// The most addresses, after it refused more.
    pub(super) addresses_max: usize,
    pub(super) service: Option<MulticastService>,
    pub(super) told: bool,
}

impl Home {
    /// The service that a disco info announces.
    fn announced(&self, by: &str, info: &Element) -> MulticastService {
        let most = |announced: Option<usize>| {
            let least = self.settings.addresses_max.into_iter().chain(announced).min().unwrap_or(ADDRESSES_DEFAULT);
            least.min(self.addresses_max).max(1)
        };
        let [messages, presence] = [Kind::Message, Kind::Presence].map(|kind| addresses::limit(info, kind));
        // ejabberd tells the limits that were set. Our module has one for both.
        let has = |feature: &str| info.parts().any(|child| child.attr("var") == Some(feature));
        let (is_ours, as_text) = (has(ns::MIXD_HOST), has(ns::MIXD_LIST));
        let presence = presence.or(messages.map(|messages| if is_ours { messages } else { ADDRESSES_DEFAULT }));
        let presence_max = addresses::takes_presence(info).then(|| most(presence));
        MulticastService { to: by.to_owned(), addresses_max: most(messages), presence_max, as_text }
    }
}

/// Home servers whose multicast services may be used, by domain.
#[derive(Debug, Default)]
pub struct Homes {
    homes: Vec<Home>,
    /// When each is queried again.
    asking: Timers<HomeNo>,
}

impl Homes {
    /// Starts with the configuration, by domain.
    pub fn new(settled: HashMap<String, MulticastSettings>) -> Homes {
        // In any order: they are sorted.
        let wanted = settled.into_iter().filter(|(_, settings)| settings.service != Multicast::Off);
        let mut homes: Vec<Home> = wanted
            .map(|(domain, settings)| Home { domain, settings, addresses_max: usize::MAX, service: None, told: false })
            .collect();
        homes.sort_by(|a, b| a.domain.cmp(&b.domain));
        homes.truncate(HomeNo::COUNT);
        Homes { homes, asking: Timers::default() }
    }

    /// The number of a home server, if a multicast service of it is used or may be.
    pub fn number(&self, domain: &str) -> Option<HomeNo> {
        let place = self.homes.binary_search_by(|home| home.domain.as_str().cmp(domain)).ok()?;
        HomeNo::new(place)
    }

    /// Queries everything again, because the host server may have been restarted with other settings.
    pub fn link_up(&mut self) {
        self.asking.stop_all();
    }

    /// The services in use.
    pub(in crate::engine) fn known(&self) -> Vec<KnownService> {
        let known = self.homes.iter().filter_map(|home| {
            let MulticastService { to, addresses_max, presence_max, as_text } = home.service.clone()?;
            Some(KnownService { domain: home.domain.clone(), at: to, addresses_max, presence_max, as_text })
        });
        known.collect()
    }

    /// An earlier process on the same link used this service. Returns the change, unless the settings name another one.
    pub(in crate::engine) fn know(&mut self, known: KnownService) -> Option<Delta> {
        let no = self.number(&known.domain)?;
        let home = &mut self.homes[no.place()];
        let is_meant = match &home.settings.service {
            Multicast::Auto => true,
            Multicast::At(at) => *at == known.at,
            Multicast::Off => false,
        };
        if !is_meant {
            return None;
        }
        let settled = home.settings.addresses_max.unwrap_or(usize::MAX);
        let most = |known: usize| settled.min(known).max(1);
        let (addresses_max, presence_max) = (most(known.addresses_max), known.presence_max.map(most));
        home.service = Some(MulticastService { to: known.at, addresses_max, presence_max, as_text: known.as_text });
        Some(Delta::Multicast { home: no, service: home.service.clone() })
    }

    /// The home servers to query now, with their multicast service, if it is known.
    pub(in crate::engine) fn due(&mut self, now: Stamp) -> Vec<(String, Option<String>)> {
        let numbers = (0..self.homes.len()).filter_map(HomeNo::new);
        let due: Vec<HomeNo> = numbers.filter(|no| !self.asking.is_running(*no, now.0)).collect();
        let asked = due.into_iter().map(|no| {
            self.asking.start(no, now.0, ASK_MS);
            let home = &self.homes[no.place()];
            let at = match &home.settings.service {
                Multicast::At(service) => Some(service.clone()),
                Multicast::Auto | Multicast::Off => None,
            };
            (home.domain.clone(), at)
        });
        asked.collect()
    }

    /// Whether the service is configured.
    pub(in crate::engine) fn is_settled(&self, domain: &str) -> bool {
        self.number(domain).is_none_or(|no| self.homes[no.place()].settings.service != Multicast::Auto)
    }

    /// Whether this is the service in use, or the configured one.
    pub(in crate::engine) fn is_about(&self, domain: &str, service: &str) -> bool {
        self.number(domain).is_some_and(|no| {
            let home = &self.homes[no.place()];
            home.settings.service != Multicast::Auto || home.service.as_ref().is_some_and(|used| used.to == service)
        })
    }

    /// Handles a service's disco info. Returns the change, if any.
    pub(in crate::engine) fn learn(&mut self, domain: &str, by: &str, info: Option<&Element>) -> Option<Delta> {
        let no = self.number(domain)?;
        let home = &mut self.homes[no.place()];
        let service = info.filter(|info| addresses::is_served(info)).map(|info| home.announced(by, info));
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

    /// A service bounced a stanza, and is left alone for a while. Returns the home servers that used it.
    pub(in crate::engine) fn refused(&mut self, by: &str, condition: &str, now: Stamp) -> Vec<HomeNo> {
        let mut stopped = Vec::new();
        for (place, home) in self.homes.iter_mut().enumerate() {
            let Some(service) = home.service.take_if(|service| service.to == by) else { continue };
            let too_many = condition == "not-acceptable" && service.addresses_max > ADDRESSES_DEFAULT;
            if too_many {
                home.addresses_max = ADDRESSES_DEFAULT;
            }
            let Some(no) = HomeNo::new(place) else { continue };
            self.asking.start(no, now.0, if too_many { TOO_MANY_MS } else { REFUSED_MS });
            tracing::warn!(
                domain = %home.domain,
                service = by,
                condition,
                addresses = service.addresses_max,
                "the multicast service refuses a stanza; copies are sent, and it is tried again later"
            );
            stopped.push(no);
        }
        stopped
    }
}
