//! How fast one may ask and how often one may fail, by address and by account.
//!
//! Bounded: at most so many of them are remembered; the oldest ones go first that matter no more.

use jid::BareJid;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many are remembered.
const KNOWN_MAX: usize = 20_000;

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// From this address; of IPv6 the network of 64 bits, within which one may take any.
    Address(IpAddr),
    /// As this account.
    Account(BareJid),
}

impl Who {
    /// An address as it counts.
    pub fn at(address: IpAddr) -> Who {
        Who::Address(match address.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
            v4 => v4,
        })
    }
}

/// A bucket for each, which fills again with time.
pub struct Pace {
    full_ms: u64,
    each_ms: u64,
    known: Mutex<HashMap<Who, u64>>,
}

impl Pace {
    /// So many in any such time, in milliseconds.
    pub fn new(count: u64, within_ms: u64) -> Pace {
        let each_ms = (within_ms / count.max(1)).max(1);
        Pace { full_ms: each_ms * count.max(1), each_ms, known: Mutex::default() }
    }

    /// Takes one out; in how many seconds there is one again, where there is none.
    pub fn take(&self, who: &Who, now_ms: u64) -> Result<(), u64> {
        let mut known = self.lock();
        // What is kept is when the bucket is full again.
        let full_at = known.get(who).copied().unwrap_or(0).max(now_ms) + self.each_ms;
        if full_at > now_ms + self.full_ms {
            return Err((full_at - now_ms - self.full_ms).div_ceil(1000));
        }
        if known.len() >= KNOWN_MAX && !known.contains_key(who) {
            known.retain(|_, full_at| *full_at > now_ms);
            while known.len() >= KNOWN_MAX {
                let Some(any) = known.keys().next().cloned() else { break };
                known.remove(&any);
            }
        }
        known.insert(who.clone(), full_at);
        Ok(())
    }

    /// Puts one back.
    pub fn put_back(&self, who: &Who) {
        if let Some(full_at) = self.lock().get_mut(who) {
            *full_at = full_at.saturating_sub(self.each_ms);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, u64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Who {
        Who::at(text.parse().unwrap())
    }

    #[test]
    fn a_bucket_empties_fills_again_and_is_one_s_own() {
        let pace = Pace::new(3, 3000);
        let (a, b) = (at("192.0.2.1"), at("192.0.2.2"));
        assert!((0..3).all(|_| pace.take(&a, 10).is_ok()));
        assert_eq!(pace.take(&a, 10), Err(1));
        assert!(pace.take(&b, 10).is_ok());
        assert!(pace.take(&a, 1010).is_ok() && pace.take(&a, 1010).is_err());
        pace.put_back(&a);
        assert!(pace.take(&a, 1010).is_ok());
        assert!((0..3).all(|_| pace.take(&a, 100_000).is_ok()) && pace.take(&a, 100_000).is_err());
    }

    #[test]
    fn one_network_is_one_address_and_strangers_in_any_number_take_bounded_room() {
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
        let pace = Pace::new(1, 1_000_000);
        for n in 0..KNOWN_MAX as u32 + 100 {
            assert!(pace.take(&Who::at(IpAddr::from(n.to_be_bytes())), 0).is_ok());
        }
        assert_eq!(pace.lock().len(), KNOWN_MAX);
    }
}
