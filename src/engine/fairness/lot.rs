//! An order of addresses that tells nothing of them. Their own would: where they are hidden, what is done for one after the
//! other arrives in that order.

use std::hash::{DefaultHasher, Hash, Hasher};

/// See the module; drawn at each start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lot(u64);

impl Lot {
    /// The order that is drawn from this, which is nobody's to know.
    pub fn new(salt: u64) -> Lot {
        Lot(salt)
    }

    /// The place of an address; those of two may be the same.
    pub fn of(self, address: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        address.hash(&mut hasher);
        hasher.finish()
    }

    /// An address behind its place: in this order.
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
