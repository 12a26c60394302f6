//! How far rooms were when members left them. Somebody whose client reports nothing as read has been there all the same. A restart
//! forgets it, and so whoever was there is told once too often; a handover does not.

use super::super::share::{Hit, OwnDomains, Shares};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// Visits of all accounts.
const VISITS_MAX: usize = 200_000;

/// See the module.
pub struct Visits {
    /// By account and the channel's tag: how many rows counted.
    of: HashMap<BareJid, BTreeMap<u64, u64>>,
    shares: Shares<BareJid>,
}

impl Visits {
    /// Nobody was anywhere.
    pub fn new(own_domains: &OwnDomains) -> Visits {
        Visits { of: HashMap::new(), shares: Shares::new("visits of rooms", VISITS_MAX, own_domains.clone()) }
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// How many rows counted when an account left a room last.
    pub fn of(&self, account: &BareJid, tag: u64) -> u64 {
        self.of.get(account).and_then(|rooms| rooms.get(&tag)).copied().unwrap_or(0)
    }

    /// An account leaves a room. Where there is no room, who has most is as if it had not been in one of its rooms.
    pub fn note(&mut self, account: &BareJid, tag: u64, ordinal: u64) {
        let Visits { of, shares } = self;
        let is_known = of.get(account).is_some_and(|rooms| rooms.contains_key(&tag));
        if is_known || shares.take_over(account, 1, |loser| strike(of, loser)) {
            self.of.entry(account.clone()).or_default().insert(tag, ordinal);
        }
    }

    /// What is to be remembered, in order.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn remembered(&self) -> Vec<(BareJid, Vec<(u64, u64)>)> {
        let ordinals = |rooms: &BTreeMap<u64, u64>| rooms.iter().map(|(tag, ordinal)| (*tag, *ordinal)).collect();
        let mut visits: Vec<_> = self.of.iter().map(|(account, rooms)| (account.clone(), ordinals(rooms))).collect();
        visits.sort_unstable();
        visits
    }

    /// An account is no more.
    pub fn forget(&mut self, account: &BareJid) {
        let rooms = self.of.remove(account).unwrap_or_default();
        self.shares.give_back(account, rooms.len());
    }
}

/// Forgets one visit of an account; how many that are.
fn strike(of: &mut HashMap<BareJid, BTreeMap<u64, u64>>, account: &BareJid) -> usize {
    let Some(rooms) = of.get_mut(account) else { return 0 };
    let struck = usize::from(rooms.pop_first().is_some());
    if rooms.is_empty() {
        of.remove(account);
    }
    struck
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_leaves_room_for_visits_of_others() {
        let own = OwnDomains::new(["h".to_owned()]);
        let mut visits = Visits { shares: Shares::new("visits of rooms", 100, own.clone()), ..Visits::new(&own) };
        let who = |n: usize, domain: &str| BareJid::new(&format!("a{n}@{domain}")).unwrap();
        (0..200).for_each(|n| visits.note(&who(n % 20, "evil.example"), n as u64, 5));
        (0..50).for_each(|n| visits.note(&who(n, "h"), 7, 9));
        visits.note(&who(1, "h"), 7, 11);
        assert!((0..50).all(|n| visits.of(&who(n, "h"), 7) == if n == 1 { 11 } else { 9 }));
        let held: usize = visits.of.values().map(BTreeMap::len).sum();
        assert_eq!((held, visits.shares.held()), (100, 100));
        visits.forget(&who(1, "h"));
        assert_eq!((visits.of(&who(1, "h"), 7), visits.shares.held()), (0, 99));
    }
}
