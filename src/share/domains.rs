//! The service's own domains, and what is reserved for them and for all others.

use super::tally::Tally;
use crate::site;
use jid::BareJid;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Of something scarce that nobody takes away again, one account may have one part in so many of what is left.
const PART: usize = 16;
/// If there is less than this in all, there are no parts: the first to come gets it.
const SCARCE_MIN: usize = 4 * PART;

/// The service's own domains: the host server's, and those whose users may create channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnDomains(Arc<BTreeSet<String>>);

impl OwnDomains {
    /// These domains; `*` is none.
    pub fn new(domains: impl IntoIterator<Item = String>) -> OwnDomains {
        OwnDomains(Arc::new(domains.into_iter().filter(|domain| domain != "*").collect()))
    }

    /// Whether a domain is one of them.
    pub fn has(&self, domain: &str) -> bool {
        self.0.contains(domain)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    /// Whether all of these are among them. `*`, which stands for every domain, is not.
    pub fn has_all(&self, domains: &[String]) -> bool {
        domains.iter().all(|domain| self.has(domain))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The name that a domain's share goes by: each own domain by itself, and of all others the name that was
    /// registered.
    pub fn site<'a>(&self, domain: &'a str) -> &'a str {
        let site = site::of(domain);
        if self.has(domain) || self.has(site) { domain } else { site }
    }

    /// The counts that matter to an account that wants more. It looks only at the service's own domains.
    pub fn held(&self, who: &BareJid, tally: &Tally) -> Held {
        let domain = who.domain().as_str();
        let of_domain = |domain: &str| tally.domains.get(domain).copied().unwrap_or(0);
        let home = self.iter().map(|domain| of_domain(domain)).sum::<usize>();
        let (side, others) = match self.side(domain) {
            Side::Home => (home, tally.all - home),
            Side::Foreign => (tally.all - home, home),
        };
        let site = site::of(domain);
        let domain = match self.has(domain) || self.has(site) {
            true => of_domain(domain),
            false => {
                let own = self.iter().filter(|own| site::of(own) == site).map(|own| of_domain(own));
                tally.sites.get(site).copied().unwrap_or(0) - own.sum::<usize>()
            }
        };
        Held { own: tally.accounts.get(who).copied().unwrap_or(0), domain, side, others }
    }

    /// Whether an account of a domain may have `amount` more of what nobody takes away again (see
    /// [`Shares::settle`](super::Shares::settle)).
    pub fn may_settle(&self, domain: &str, held: &Held, amount: usize, max: usize, for_all: bool) -> bool {
        let side = self.side(self.site(domain));
        let kept = if for_all { side.other().kept(max) } else { 0 };
        // What others have beyond their reserve is used up for everybody.
        let room = max.saturating_sub(held.others.max(kept));
        let free = room.saturating_sub(held.side);
        let is_scarce = free.saturating_sub(amount) < room / 2 && max >= SCARCE_MIN;
        let is_alone = side == Side::Home && self.count() == 1;
        // Accounts of a domain that have much do not keep out those that have little. The last part is for domains that
        // have little: equal parts for the service's own domains; a larger one for all others, which anybody may have
        // any number of.
        let (for_domains, each) = match side {
            Side::Home => (room / 4, room / 4 / self.count()),
            Side::Foreign => (room / 8 * 3, 0),
        };
        let for_accounts = free.saturating_sub(for_domains);
        let is_small = |held: usize, part: usize| held == 0 || held.saturating_add(amount) <= part;
        let is_fair = !is_scarce
            || (is_small(held.own, free / PART) && (is_alone || is_small(held.domain, each.max(free / PART))))
            || (is_small(held.own, for_accounts / PART) && amount <= for_accounts);
        amount <= free && is_fair
    }

    /// The side that a domain is on.
    pub(super) fn side(&self, domain: &str) -> Side {
        if self.has(domain) { Side::Home } else { Side::Foreign }
    }
}

/// How much of something is held, as seen by an account that wants more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// By the account.
    pub own: usize,
    /// By its domain.
    pub domain: usize,
    /// By all domains of its side: the service's own, or all others.
    pub side: usize,
    /// By the other side.
    pub others: usize,
}

/// The service's own domains, or all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Home,
    Foreign,
}

impl Side {
    pub(super) fn other(self) -> Side {
        match self {
            Side::Home => Side::Foreign,
            Side::Foreign => Side::Home,
        }
    }

    /// How much is reserved for this side.
    pub(super) fn kept(self, max: usize) -> usize {
        match self {
            Side::Home => max / 2,
            Side::Foreign => max / 4,
        }
    }
}
