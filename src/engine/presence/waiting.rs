//! Entries of accounts that wait in channels, by the channels' tags, within a bound ([`Pool`]).

use super::super::fairness::pool::{Pool, Put};
use super::super::share::{Hit, OwnDomains};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The most waiting entries of each kind.
pub(in crate::engine) const WAITING_MAX: usize = 100_000;

/// Waiting entries.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Waiting<T> {
    pool: Pool<BareJid, (u64, T)>,
    by_channel: BTreeMap<u64, BTreeSet<T>>,
}

impl<T: Ord + Clone> Waiting<T> {
    /// Room for `max` entries. `what` names them in the log and in metrics.
    pub fn new(what: &'static str, max: usize, own_domains: &OwnDomains) -> Waiting<T> {
        Waiting { pool: Pool::new(what, max, own_domains.clone()), by_channel: BTreeMap::new() }
    }

    /// Adds an entry of an account in a channel, if there is room.
    pub fn put(&mut self, who: &BareJid, tag: u64, thing: T) {
        match self.pool.put(who, (tag, thing.clone())) {
            Put::Refused => return,
            Put::For((tag, gone)) => self.leave(tag, &gone),
            Put::In => {}
        }
        self.by_channel.entry(tag).or_default().insert(thing);
    }

    /// Removes an entry. Returns whether it was there.
    pub fn take(&mut self, tag: u64, thing: &T) -> bool {
        let is_taken = self.pool.take(&(tag, thing.clone())).is_some();
        if is_taken {
            self.leave(tag, thing);
        }
        is_taken
    }

    fn leave(&mut self, tag: u64, thing: &T) {
        let Some(things) = self.by_channel.get_mut(&tag) else { return };
        things.remove(thing);
        if things.is_empty() {
            self.by_channel.remove(&tag);
        }
    }

    /// The entries of a channel.
    pub fn of(&self, tag: u64) -> impl Iterator<Item = &T> {
        self.by_channel.get(&tag).into_iter().flatten()
    }

    /// Whether an entry is there.
    pub fn has(&self, tag: u64, thing: &T) -> bool {
        self.by_channel.get(&tag).is_some_and(|things| things.contains(thing))
    }

    /// All entries, by the channels' tags.
    pub fn all(&self) -> impl Iterator<Item = (u64, &T)> {
        self.by_channel.iter().flat_map(|(tag, things)| things.iter().map(|thing| (*tag, thing)))
    }

    /// The channels with entries after `tag`, in order.
    pub fn channels_behind(&self, tag: Option<&u64>) -> impl Iterator<Item = u64> {
        let from = tag.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_channel.range((from, Bound::Unbounded)).map(|(tag, _)| *tag)
    }

    /// The next entry after `thing`, in a circle.
    pub fn next_behind(&self, thing: Option<&(u64, T)>) -> Option<&(u64, T)> {
        self.pool.next_behind(thing)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.pool.len()
    }

    /// How many entries are one account's.
    pub fn len_of(&self, who: &BareJid) -> usize {
        self.pool.len_of(who)
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<T> {
        self.pool.hits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn waiting(max: usize) -> Waiting<char> {
        Waiting::new("things", max, &OwnDomains::new(["home".to_owned()]))
    }

    #[test]
    fn a_circle_goes_through_everything_whatever_comes_and_goes() {
        let mut waiting = waiting(10);
        let things = [(1, 'a'), (1, 'b'), (2, 'a'), (4, 'c'), (1, 'a')];
        things.iter().for_each(|(tag, thing)| waiting.put(&who("a@h"), *tag, *thing));
        let mut seen = vec![*waiting.next_behind(None).unwrap()];
        for _ in 0..4 {
            seen.push(*waiting.next_behind(seen.last()).unwrap());
        }
        assert_eq!(seen, [(1, 'a'), (1, 'b'), (2, 'a'), (4, 'c'), (1, 'a')]);
        waiting.take(4, &'c');
        waiting.take(4, &'c');
        assert_eq!((waiting.len(), waiting.len_of(&who("a@h"))), (3, 3));
        assert_eq!(waiting.next_behind(Some(&(3, 'x'))), Some(&(1, 'a')));
        assert_eq!(waiting.channels_behind(Some(&1)).collect::<Vec<_>>(), [2]);
        assert_eq!(waiting.of(1).collect::<String>(), "ab");
    }

    #[test]
    fn what_goes_for_something_else_waits_in_no_channel() {
        let mut waiting = waiting(3);
        (1..=4).for_each(|tag| waiting.put(&who("a@away"), tag, 'x'));
        assert_eq!(waiting.channels_behind(None).collect::<Vec<_>>(), [1, 2, 3]);
        waiting.put(&who("b@home"), 9, 'y');
        assert_eq!(waiting.channels_behind(None).collect::<Vec<_>>(), [2, 3, 9]);
        assert_eq!((waiting.len(), waiting.of(1).count(), waiting.hits().count()), (3, 0, 1));
    }
}
