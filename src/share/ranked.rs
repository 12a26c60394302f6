//! How much each has, and who has most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Amounts by key, ordered by size. Both orders share the keys.
#[derive(Debug)]
pub(super) struct Ranked<Key: ?Sized> {
    pub(super) sum: usize,
    pub(super) held: BTreeMap<Arc<Key>, usize>,
    pub(super) order: BTreeSet<(usize, Arc<Key>)>,
}

impl<Key: Ord + ?Sized> Ranked<Key> {
    pub(super) fn of(&self, key: &Key) -> usize {
        self.held.get(key).copied().unwrap_or(0)
    }

    /// The key of whoever has something, to be shared.
    pub(super) fn key(&self, key: &Key) -> Option<Arc<Key>> {
        self.held.get_key_value(key).map(|(key, _)| key.clone())
    }

    pub(super) fn add(&mut self, key: Arc<Key>, amount: usize) {
        let held = self.of(&key);
        self.set(key, held, held + amount);
    }

    /// Takes off up to an amount. Returns how much was taken off.
    pub(super) fn remove(&mut self, key: &Key, amount: usize) -> usize {
        let Some(key) = self.key(key) else { return 0 };
        let held = self.of(&key);
        let less = amount.min(held);
        self.set(key, held, held - less);
        less
    }

    fn set(&mut self, key: Arc<Key>, held: usize, next: usize) {
        self.sum = self.sum - held + next;
        let mut ranked = (held, key);
        self.order.remove(&ranked);
        if next == 0 {
            self.held.remove(&*ranked.1);
            return;
        }
        ranked.0 = next;
        self.held.insert(ranked.1.clone(), next);
        self.order.insert(ranked);
    }

    /// The key with the largest amount among those that `is_meant` accepts, and that amount.
    pub(super) fn most(&self, is_meant: impl Fn(&Key) -> bool) -> Option<(&Key, usize)> {
        self.order.iter().rev().find(|(_, key)| is_meant(key)).map(|(held, key)| (&**key, *held))
    }
}

impl<Key: ?Sized> Default for Ranked<Key> {
    fn default() -> Ranked<Key> {
        Ranked { sum: 0, held: BTreeMap::new(), order: BTreeSet::new() }
    }
}

impl<Key: ?Sized> Clone for Ranked<Key> {
    fn clone(&self) -> Ranked<Key> {
        Ranked { sum: self.sum, held: self.held.clone(), order: self.order.clone() }
    }
}
