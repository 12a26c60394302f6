//! Home servers: what they grant, and how they take MIX traffic.

use super::super::fairness::pool::{Pool, Put};
use super::super::outgoing::multicast::{Homes, MulticastSettings};
use super::super::outgoing::outbox::HomeNo;
use super::super::share::{Hit, OwnDomains};
use crate::channel::Stamp;
use crate::xep::privilege::Privileges;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The most domains known, without trusted ones. A forgotten domain is queried again.
const HOSTS_MAX: usize = 10_000;
/// How long to wait for a domain's answer, and how often to query it on one link. ejabberd 24.12 and later drop queries
/// of a component until it has a privilege: some during the first milliseconds of a link, some for good (hosts.md,
/// J.2).
const ASK_AGAIN_MS: u64 = 1000;
const TRIES_MAX: u8 = 3;

/// How a home server takes MIX traffic (MIX-PAM, XEP-0405).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pam {
    /// Unknown: found by who sends the join, and by the server's software.
    #[default]
    Auto,
    /// XEP-0405 §2.2: at the bare JID.
    Standard,
    /// At the bare JID, with the marker that ejabberd's own module needs (hosts.md, C.1).
    Ejabberd,
    /// Only at full JIDs.
    None,
}

/// A home server, as the next process knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownHost {
    /// Its domain.
    pub domain: String,
    said: bool,
    is_ejabberd: Option<bool>,
    delivers: bool,
    delegates: bool,
    privileges: Privileges,
}

#[derive(Clone, Debug, Default)]
struct Host {
    pam: Pam,
    asked: bool,
    /// When it was last queried, and how often on this link without an answer.
    asked_at: Stamp,
    tries: u8,
    /// Whether it ever answered.
    said: bool,
    is_ejabberd: Option<bool>,
    /// Whether it has our module, which delivers MIX traffic to the clients of every account (prosody/README.md).
    delivers: bool,
    privileges: Privileges,
    /// Whether it delegates MIX-PAM to the service (XEP-0355).
    delegates: bool,
}

/// Known home servers, by domain.
#[derive(Debug)]
pub struct Hosts {
    hosts: HashMap<String, Host>,
    /// Those that may be forgotten.
    room: Pool<String, String>,
    /// Domains that may grant privileges: the host server's own, and those that the operator configured.
    trusted: HashSet<String>,
    /// Home servers whose multicast services are used.
    pub(super) homes: Homes,
    /// Unanswered queries, by time. Each domain is there once.
    unanswered: BTreeSet<(Stamp, String)>,
}

impl Hosts {
    /// Starts with the configuration. `service` is the component's domain; its parent is the host server's.
    #[expect(clippy::disallowed_methods, reason = "in any order: each for itself")]
    pub fn new(
        settled: HashMap<String, Pam>,
        multicast: HashMap<String, MulticastSettings>,
        service: &str,
        own_domains: OwnDomains,
    ) -> Hosts {
        let host = |pam| Host { pam, ..Host::default() };
        let parent = service.split_once('.').map(|(_, parent)| parent.to_owned());
        let trusted = settled.keys().cloned().chain(parent).collect();
        let hosts = settled.into_iter().map(|(domain, pam)| (domain, host(pam))).collect();
        let (room, homes) = (Pool::new("known domains", HOSTS_MAX, own_domains), Homes::new(multicast));
        Hosts { hosts, room, trusted, homes, unanswered: BTreeSet::new() }
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// Whether the domain's announcements are believed. Any federating server can send one.
    pub fn trusts(&self, domain: &str) -> bool {
        self.trusted.contains(domain)
    }

    /// A link came up. Privileges are announced anew, and unanswered domains may be queried again.
    #[expect(clippy::disallowed_methods, clippy::iter_over_hash_type, reason = "in any order: each for itself")]
    pub fn link_up(&mut self) {
        self.homes.link_up();
        for host in self.hosts.values_mut() {
            host.privileges = Privileges::default();
            host.delegates = false;
            host.asked = host.said;
            host.tries = 0;
        }
        self.unanswered.clear();
    }

    /// What is known of domains, in their order.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn known(&self) -> Vec<KnownHost> {
        let known = self.hosts.iter().map(|(domain, host)| KnownHost {
            domain: domain.clone(),
            said: host.said,
            is_ejabberd: host.is_ejabberd,
            delivers: host.delivers,
            delegates: host.delegates,
            privileges: host.privileges,
        });
        let mut known: Vec<KnownHost> = known.collect();
        known.sort_unstable_by(|a, b| a.domain.cmp(&b.domain));
        known
    }

    /// An earlier process on the same link knew this.
    pub fn know(&mut self, known: &KnownHost) {
        let trusted = self.trusts(&known.domain);
        let Some(host) = self.host(&known.domain) else { return };
        (host.asked, host.said, host.is_ejabberd) = (known.said, known.said, known.is_ejabberd);
        if trusted {
            (host.delivers, host.delegates, host.privileges) = (known.delivers, known.delegates, known.privileges);
        }
    }

    /// The configured mode of a domain.
    pub fn pam(&self, domain: &str) -> Pam {
        self.hosts.get(domain).map_or(Pam::Auto, |host| host.pam)
    }

    /// Whether accounts of a domain are reached at their bare JIDs: as configured, else as `found`.
    pub fn takes_bare(&self, domain: &str, found: bool) -> bool {
        match self.pam(domain) {
            Pam::Auto => found || self.hosts.get(domain).is_some_and(|host| host.delivers),
            Pam::Standard | Pam::Ejabberd => true,
            Pam::None => false,
        }
    }

    /// Whether a groupchat message to a bare JID needs ejabberd's marker. It is sent until the software is known to be
    /// another, because it does no harm.
    pub fn is_marked(&self, domain: &str) -> bool {
        match self.pam(domain) {
            Pam::Ejabberd => true,
            Pam::Standard | Pam::None => false,
            Pam::Auto => self.hosts.get(domain).and_then(|host| host.is_ejabberd).unwrap_or(true),
        }
    }

    /// Whether a domain's server hands what comes to a bare JID to all clients of the account, whatever they take, as ejabberd's
    /// own module does.
    pub fn spreads(&self, domain: &str) -> bool {
        match self.pam(domain) {
            Pam::Ejabberd => true,
            Pam::Standard | Pam::None => false,
            Pam::Auto => self.hosts.get(domain).is_some_and(|host| host.is_ejabberd == Some(true) && !host.delivers),
        }
    }

    /// Whether a leave by the home server must be answered by an error, or its client never hears of it (hosts.md,
    /// C.2).
    pub fn chokes_on_leave(&self, domain: &str) -> bool {
        match self.pam(domain) {
            Pam::Ejabberd => true,
            Pam::Standard | Pam::None => false,
            Pam::Auto => self.hosts.get(domain).and_then(|host| host.is_ejabberd).unwrap_or(false),
        }
    }

    /// Whether to query a domain for its software. It is queried once, or once a link until it answers.
    pub fn wants_asking(&mut self, domain: &str) -> bool {
        self.host(domain).is_some_and(|host| host.pam == Pam::Auto && !host.asked)
    }

    /// Sets a domain's software. Returns whether its accounts are addressed differently now.
    pub fn learn_software(&mut self, domain: &str, is_ejabberd: bool) -> bool {
        let before = self.way_to(domain);
        if let Some(host) = self.host(domain) {
            (host.said, host.is_ejabberd) = (true, Some(is_ejabberd));
        }
        before != self.way_to(domain)
    }

    /// Notes that a domain is being queried.
    pub fn note_asked(&mut self, domain: &str, now: Stamp) {
        let Some(host) = self.host(domain) else { return };
        let (before, said) = (std::mem::replace(&mut host.asked_at, now), host.said);
        host.asked = true;
        self.unanswered.remove(&(before, domain.to_owned()));
        if !said {
            self.unanswered.insert((now, domain.to_owned()));
        }
    }

    /// Domains that did not answer in time, and whether to query them again. For a domain that was queried several
    /// times, the last time counts.
    pub fn take_unanswered(&mut self, now: Stamp) -> Vec<(String, bool)> {
        let is_late = |asked: &Stamp| asked.0.saturating_add(ASK_AGAIN_MS) <= now.0;
        let mut late = Vec::new();
        while let Some(first) = self.unanswered.first().filter(|(asked, _)| is_late(asked)).cloned() {
            self.unanswered.remove(&first);
            late.push(first);
        }
        let open = |(asked, domain): (Stamp, String)| {
            let host = self.hosts.get_mut(&domain).filter(|host| !host.said && host.asked_at == asked)?;
            host.asked_at = Stamp(0);
            host.tries = host.tries.saturating_add(1);
            let again = host.tries < TRIES_MAX;
            Some((domain, again))
        };
        late.into_iter().filter_map(open).collect()
    }

    /// Whether a domain was queried and did not answer.
    pub fn is_unanswered(&self, domain: &str) -> bool {
        self.hosts.get(domain).is_some_and(|host| host.asked && !host.said)
    }

    /// Notes that a domain runs ejabberd, by a request that only ejabberd sends, unless the domain said what it is. Returns
    /// whether its accounts are addressed differently now.
    pub fn learn_ejabberd(&mut self, domain: &str) -> bool {
        let before = self.way_to(domain);
        if let Some(host) = self.host(domain) {
            host.is_ejabberd.get_or_insert(true);
        }
        before != self.way_to(domain)
    }

    /// All that the address book has of a domain's accounts because of their server.
    fn way_to(&self, domain: &str) -> (bool, bool, bool) {
        (self.takes_bare(domain, false), self.is_marked(domain), self.spreads(domain))
    }

    /// Sets whether a trusted domain has our module. Returns whether its accounts are addressed differently now.
    pub fn learn_delivery(&mut self, domain: &str, delivers: bool) -> bool {
        let before = self.way_to(domain);
        let delivers = delivers && self.trusts(domain);
        if let Some(host) = self.host(domain) {
            host.delivers = delivers;
        }
        before != self.way_to(domain)
    }

    /// Whether a domain has our module, and its mode is not configured.
    pub fn delivers(&self, domain: &str) -> bool {
        self.hosts.get(domain).is_some_and(|host| host.delivers && host.pam == Pam::Auto)
    }

    /// The number of a domain, if a multicast service of it is used or may be.
    pub fn home(&self, domain: &str) -> Option<HomeNo> {
        self.homes.number(domain)
    }

    /// The privileges that a domain granted (XEP-0356).
    pub fn privileges(&self, domain: &str) -> Privileges {
        self.hosts.get(domain).map(|host| host.privileges).unwrap_or_default()
    }

    /// Sets the privileges that a domain granted.
    pub fn grant(&mut self, domain: &str, privileges: Privileges) {
        if let Some(host) = self.host(domain) {
            host.privileges = privileges;
        }
    }

    /// Notes that a domain delegates MIX-PAM to the service (XEP-0355).
    pub fn delegate(&mut self, domain: &str) {
        if let Some(host) = self.host(domain) {
            host.delegates = true;
        }
    }

    /// XEP-0405 §2.9: whether the service forwards accounts' presence to channels, as a MIX server does. It does if it
    /// provides MIX-PAM for the domain, alone or together with our module, and gets the presence of its accounts.
    pub fn proxies_pam(&self, domain: &str) -> bool {
        let host = self.hosts.get(domain).filter(|host| host.privileges.presence);
        host.is_some_and(|host| host.delegates || host.delivers)
    }

    /// Whether presence of a domain comes by privilege from ejabberd, which sends no `unavailable` when a stream ends
    /// (hosts.md, D.2).
    pub fn is_forgetful(&self, domain: &str) -> bool {
        let host = self.hosts.get(domain).filter(|host| host.privileges.presence);
        host.is_some_and(|host| host.is_ejabberd == Some(true))
    }

    /// A roster item could not be set although the privilege is granted. ejabberd 23.01 always fails.
    pub fn roster_failed(&mut self, domain: &str) {
        if let Some(host) = self.host(domain) {
            host.privileges.roster = false;
        }
    }

    fn host(&mut self, domain: &str) -> Option<&mut Host> {
        if !self.hosts.contains_key(domain) && !self.trusted.contains(domain) {
            match self.room.put(&domain.to_owned(), domain.to_owned()) {
                Put::In => {}
                Put::For(ousted) => self.forget(&ousted),
                Put::Refused => return None,
            }
        }
        Some(self.hosts.entry(domain.to_owned()).or_default())
    }

    fn forget(&mut self, domain: &str) {
        if let Some(host) = self.hosts.remove(domain) {
            self.unanswered.remove(&(host.asked_at, domain.to_owned()));
        }
    }
}

impl Default for Hosts {
    fn default() -> Hosts {
        Hosts::new(HashMap::new(), HashMap::new(), "", OwnDomains::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_with_any_number_of_hosts_leaves_room_for_those_of_others() {
        let settled = [("settled.example".to_owned(), Pam::Ejabberd)].into();
        let own = OwnDomains::new(["home.example".to_owned()]);
        let mut hosts = Hosts::new(settled, HashMap::new(), "mix.home.example", own);
        (0..2 * HOSTS_MAX).for_each(|n| hosts.note_asked(&format!("x{n}.evil.example"), Stamp(n as u64)));
        for domain in ["chat.good.example", "home.example", "b.home.example"] {
            assert!(hosts.wants_asking(domain), "{domain}");
            hosts.note_asked(domain, Stamp(0));
            hosts.learn_software(domain, true);
            assert!(hosts.chokes_on_leave(domain) && !hosts.wants_asking(domain), "{domain}");
        }
        // A flood of other domains takes nothing from them.
        (0..2 * HOSTS_MAX).for_each(|n| hosts.note_asked(&format!("y{n}.evil.example"), Stamp(n as u64)));
        assert!(hosts.chokes_on_leave("chat.good.example") && hosts.pam("settled.example") == Pam::Ejabberd);
        assert!(hosts.hosts.len() <= HOSTS_MAX + 2 && hosts.unanswered.len() <= hosts.hosts.len());
        assert!(hosts.hits().all(|hit| (hit.what, &*hit.domain) == ("known domains", "evil.example")));
    }

    #[test]
    fn a_domain_that_is_asked_twice_is_late_once() {
        let mut hosts = Hosts::default();
        [0, 500].iter().for_each(|now| hosts.note_asked("h", Stamp(*now)));
        assert_eq!(hosts.take_unanswered(Stamp(1000)), []);
        assert_eq!(hosts.take_unanswered(Stamp(1500)), [("h".to_owned(), true)]);
        assert_eq!(hosts.take_unanswered(Stamp(9000)), []);
    }
}
