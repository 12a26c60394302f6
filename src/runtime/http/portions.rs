//! What requests use together, with a share for each account and domain, or for each address where no account is known.
//!
//! A request keeps what it has (see [`Shares::settle`]).

use super::super::clock;
use super::super::metrics::Metrics;
use super::pace::Who;
use crate::engine::share::{Hit, Holder, OwnDomains, Shares};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What addresses are called in the log and in metrics, which name none.
const ADDRESSES: &str = "addresses";

/// A limited amount of something, such as connections or bytes.
#[derive(Debug)]
pub struct Portions {
    shares: Mutex<Shares<Who>>,
    /// Whether parts of it are reserved for the service's own domains and for all others.
    is_for_accounts: bool,
    metrics: Arc<Metrics>,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortionsFull {
    /// The client has as many as each may have.
    Each,
    /// All are in use, or the client's share is used up.
    All,
}

impl Holder for Who {
    fn host(&self) -> Cow<'_, str> {
        match self {
            Who::Address(address) => Cow::Owned(address.to_string()),
            Who::Account(account) => account.host(),
        }
    }
}

impl Portions {
    /// An amount of `max` that accounts use. The log and metrics call it `what`.
    pub fn of_accounts(what: &'static str, max: usize, own: &OwnDomains, metrics: &Arc<Metrics>) -> Portions {
        let shares = Mutex::new(Shares::new(what, max, own.clone()));
        Portions { shares, is_for_accounts: true, metrics: metrics.clone() }
    }

    /// An amount of `max` that addresses use.
    pub fn of_addresses(what: &'static str, max: usize, metrics: &Arc<Metrics>) -> Portions {
        let shares = Mutex::new(Shares::new(what, max, OwnDomains::default()));
        Portions { shares, is_for_accounts: false, metrics: metrics.clone() }
    }

    /// Takes one of it; each client may have `each_max`. With `for_many`, `who` stands for many clients that cannot be
    /// told apart yet, and gets one as long as there is any.
    ///
    /// # Errors
    /// [`PortionsFull`] where there is none.
    pub fn take_one(&self, who: &Who, each_max: usize, for_many: bool) -> Result<(), PortionsFull> {
        let shares = self.lock();
        if shares.held_by(who) >= each_max {
            return Err(PortionsFull::Each);
        }
        if self.take_of(shares, who, 1, for_many) { Ok(()) } else { Err(PortionsFull::All) }
    }

    /// Takes an amount. Returns whether there is room for it in the client's share.
    pub fn take(&self, who: &Who, amount: usize) -> bool {
        self.take_of(self.lock(), who, amount, false)
    }

    fn take_of(&self, mut shares: MutexGuard<'_, Shares<Who>>, who: &Who, amount: usize, for_many: bool) -> bool {
        let has_room = match for_many {
            true => shares.take(who, amount).is_ok(),
            false => shares.settle(who, amount, self.is_for_accounts),
        };
        let hits: Vec<Hit> = shares.hits().map(named).collect();
        drop(shares);
        if !hits.is_empty() {
            self.metrics.count_hits(hits, clock::uptime_ms());
        }
        has_room
    }

    /// Gives an amount back.
    pub fn give_back(&self, who: &Who, amount: usize) {
        self.lock().give_back(who, amount);
    }

    fn lock(&self) -> MutexGuard<'_, Shares<Who>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(hit: Hit) -> Hit {
    match hit.domain.parse::<IpAddr>() {
        Ok(_) => Hit { domain: ADDRESSES.to_owned(), ..hit },
        Err(_) => hit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> Who {
        Who::Account(text.parse().unwrap())
    }

    fn take(portions: &Portions, who: &Who, count: usize) -> usize {
        (0..count).filter(|_| portions.take(who, 1)).count()
    }

    /// Counted in places, not in time.
    #[test]
    fn one_account_or_many_of_one_domain_flood_and_the_others_are_served() {
        let own = OwnDomains::new(["h".to_owned(), "other".to_owned()]);
        let portions = Portions::of_accounts("requests", 512, &own, &Arc::default());
        // A few accounts take all they get, and others of the same domain come beside them.
        let few: usize = (0..12).map(|n| take(&portions, &account(&format!("x{n}@h")), 16)).sum();
        assert_eq!(few, 12 * 16);
        assert!((0..20).all(|n| take(&portions, &account(&format!("b{n}@h")), 2) == 2));
        let few: usize = (0..8).map(|n| take(&portions, &account(&format!("x{n}@away")), 16)).sum();
        assert_eq!(few, 8 * 16);
        assert!((0..20).all(|n| take(&portions, &account(&format!("b{n}@away")), 1) == 1));
        // All accounts of a domain together leave something to other domains.
        let flood: usize = 232 + (0..400).map(|n| take(&portions, &account(&format!("y{n}@h")), 16)).sum::<usize>();
        assert!((232..288).contains(&flood), "{flood}");
        assert!((0..10).all(|n| take(&portions, &account(&format!("a{n}@other")), 1) == 1));
        assert!((0..4).all(|n| take(&portions, &account(&format!("a{n}@far")), 1) == 1));
        // What is given back can be taken again.
        (0..16).for_each(|_| portions.give_back(&account("x0@h"), 1));
        assert_eq!(portions.take_one(&account("a0@far"), 1, false), Err(PortionsFull::Each));
        assert_eq!(take(&portions, &account("a@other"), 1), 1);
    }

    #[test]
    fn one_address_or_a_few_flood_and_others_find_room() {
        let portions = Portions::of_addresses("connections", 512, &Arc::default());
        let at = |n: usize| Who::at(IpAddr::from([192, 0, 2, u8::try_from(n).unwrap()]));
        let flood: usize = (0..8).map(|n| take(&portions, &at(n), 64)).sum();
        assert!((256..400).contains(&flood), "{flood}");
        assert!((10..110).all(|n| take(&portions, &at(n), 1) == 1));
    }

    #[test]
    fn no_address_is_named() {
        let hit = |domain: &str| named(Hit { what: "connections", domain: domain.to_owned(), count: 1 }).domain;
        assert_eq!([hit("192.0.2.1"), hit("2001:db8::"), hit("h.example")], [ADDRESSES, ADDRESSES, "h.example"]);
    }
}
