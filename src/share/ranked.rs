//! How much each has, and who has most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Amounts by key, ordered by size.
#[derive(Clone, Debug)]
pub(super) struct Ranked<Key> {
    pub(super) sum: usize,
    pub(super) held: BTreeMap<Key, usize>,
    pub(super) order: BTreeSet<(usize, Key)>,
}

impl<Key: Clone + Ord> Ranked<Key> {
    pub(super) fn of(&self, key: &Key) -> usize {
        self.held.get(key).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, key: &Key, amount: usize) {
        let held = self.of(key);
        self.set(key, held, held + amount);
    }

    /// Takes off up to an amount. Returns how much was taken off.
    pub(super) fn remove(&mut self, key: &Key, amount: usize) -> usize {
        let held = self.of(key);
        let less = amount.min(held);
        self.set(key, held, held - less);
        less
    }

    fn set(&mut self, key: &Key, held: usize, next: usize) {
        self.sum = self.sum - held + next;
        self.order.remove(&(held, key.clone()));
        if next == 0 {
            self.held.remove(key);
            return;
        }
        self.order.insert((next, key.clone()));
        self.held.insert(key.clone(), next);
    }

    /// The key with the largest amount among those that `is_meant` accepts, and that amount.
    pub(super) fn most(&self, is_meant: impl Fn(&Key) -> bool) -> Option<(&Key, usize)> {
        self.order.iter().rev().find(|(_, key)| is_meant(key)).map(|(held, key)| (key, *held))
    }
}

impl Ranked<Arc<str>> {
    pub(super) fn of_str(&self, key: &str) -> usize {
        self.held.get(key).copied().unwrap_or(0)
    }
}

impl<Key> Default for Ranked<Key> {
    fn default() -> Ranked<Key> {
        Ranked { sum: 0, held: BTreeMap::new(), order: BTreeSet::new() }
    }
}
