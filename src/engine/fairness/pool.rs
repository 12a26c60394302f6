//! A bounded set of things that belong to accounts. If it is full, the account with the most loses its first.

use super::super::share::{Full, Hit, Holder, OwnDomains, Shares};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// A bounded set of things with holders.
#[derive(Clone, Debug)]
pub struct Pool<Who, Thing> {
    shares: Shares<Who>,
    all: BTreeMap<Thing, Who>,
    own: BTreeMap<Who, BTreeSet<Thing>>,
}

/// The result of [`Pool::put`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put<Thing> {
    /// It was added, or was there.
    In,
    /// It was added, and this one gave way.
    For(Thing),
    /// There is no room.
    Refused,
}

impl<Who: Holder, Thing: Clone + Ord> Pool<Who, Thing> {
    /// Room for `max` things. `what` names them in the log and in metrics.
    pub fn new(what: &'static str, max: usize, own_domains: OwnDomains) -> Pool<Who, Thing> {
        Pool { shares: Shares::new(what, max, own_domains), all: BTreeMap::new(), own: BTreeMap::new() }
    }

    /// Adds a thing, if it is not there yet.
    pub fn put(&mut self, who: &Who, thing: Thing) -> Put<Thing> {
        if self.all.contains_key(&thing) {
            return Put::In;
        }
        let mut gone = None;
        match self.shares.take(who, 1) {
            Ok(()) => {}
            Err(Full::Own) => return Put::Refused,
            Err(Full::Of(loser)) => {
                gone = self.own.get(&loser).and_then(|things| things.first()).cloned();
                gone.iter().for_each(|thing| drop(self.take(thing)));
                self.shares.count(who, 1);
            }
        }
        self.own.entry(who.clone()).or_default().insert(thing.clone());
        self.all.insert(thing, who.clone());
        gone.map_or(Put::In, Put::For)
    }

    /// Removes a thing. Returns its holder.
    pub fn take(&mut self, thing: &Thing) -> Option<Who> {
        let who = self.all.remove(thing)?;
        self.shares.give_back(&who, 1);
        let things = self.own.get_mut(&who)?;
        things.remove(thing);
        if things.is_empty() {
            self.own.remove(&who);
        }
        Some(who)
    }

    /// How many things there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// How many things one holder has.
    pub fn len_of(&self, who: &Who) -> usize {
        self.own.get(who).map_or(0, BTreeSet::len)
    }

    /// The first thing of one holder.
    pub fn first_of(&self, who: &Who) -> Option<&Thing> {
        self.own.get(who).and_then(BTreeSet::first)
    }

    /// All things, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Thing> {
        self.all.keys()
    }

    /// The next thing after `thing`, in a circle.
    pub fn next_behind(&self, thing: Option<&Thing>) -> Option<&Thing> {
        let from = thing.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.all.range((from, Bound::Unbounded)).next();
        next.or_else(|| self.all.first_key_value()).map(|(thing, _)| thing)
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<Who, Thing> {
        self.shares.hits()
    }

    /// Removes all things.
    pub fn clear(&mut self) {
        let all: Vec<Thing> = self.all.keys().cloned().collect();
        all.iter().for_each(|thing| drop(self.take(thing)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jid::BareJid;

    #[test]
    fn where_it_is_full_who_has_most_loses_its_first() {
        let who = |text: &str| BareJid::new(text).unwrap();
        let mut pool = Pool::new("things", 4, OwnDomains::new(["home".to_owned()]));
        assert!((0..4).all(|n| pool.put(&who("a@away"), n) == Put::In));
        assert_eq!((pool.put(&who("a@away"), 0), pool.put(&who("a@away"), 9)), (Put::In, Put::Refused));
        assert_eq!([5, 6, 7].map(|n| pool.put(&who("b@home"), n)), [Put::For(0), Put::For(1), Put::Refused]);
        assert_eq!(pool.iter().copied().collect::<Vec<_>>(), [2, 3, 5, 6]);
        assert_eq!((pool.take(&2), pool.take(&2), pool.len_of(&who("a@away"))), (Some(who("a@away")), None, 1));
        assert_eq!((pool.next_behind(Some(&3)), pool.next_behind(Some(&6))), (Some(&5), Some(&3)));
        pool.clear();
        assert!(pool.len() == 0 && pool.own.is_empty() && pool.shares.held() == 0 && pool.hits().count() > 0);
    }
}
