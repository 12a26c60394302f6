//! A random order of addresses. Where JIDs are hidden, the order of stanzas must not reveal the order of JIDs.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A random order, drawn at each start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lot(u64);

impl Lot {
    /// The order for this salt, which is secret.
    pub fn new(salt: u64) -> Lot {
        Lot(salt)
    }

    /// The place of an address. Two addresses may share one.
    pub fn of(self, address: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        address.hash(&mut hasher);
        hasher.finish()
    }

    /// An address with its place, as a key in this order.
    pub fn place<T: Hash + Clone>(self, address: &T) -> (u64, T) {
        (self.of(address), address.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_draw_is_another_order_and_none_is_that_of_addresses() {
        let all: Vec<String> = (0..50).map(|n| format!("a{n:02}@h")).collect();
        let order = |salt| {
            let mut drawn: Vec<(u64, String)> = all.iter().map(|address| Lot::new(salt).place(address)).collect();
            drawn.sort();
            drawn.into_iter().map(|(_, address)| address).collect::<Vec<_>>()
        };
        assert_eq!(order(1), order(1));
        assert!(order(1) != order(2) && order(1) != all);
    }
}
