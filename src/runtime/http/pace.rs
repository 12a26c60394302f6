//! How fast one may ask and how often one may fail, by address and by account.

use crate::engine::fairness::pace;
use jid::BareJid;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// A bucket for each.
pub struct HttpPace(Mutex<pace::Pace<Who>>);

impl HttpPace {
    /// So many in any such time, in milliseconds.
    pub fn new(count: u64, within_ms: u64) -> HttpPace {
        HttpPace(Mutex::new(pace::Pace::within(count, within_ms)))
    }

    /// Takes one out; in how many seconds there is one again, where there is none.
    pub fn take(&self, who: &Who, now_ms: u64) -> Result<(), u64> {
        self.lock().take(who, now_ms)
    }

    /// Puts one back.
    pub fn put_back(&self, who: &Who) {
        self.lock().put_back(who);
    }

    fn lock(&self) -> MutexGuard<'_, pace::Pace<Who>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Who {
        Who::at(text.parse().unwrap())
    }

    #[test]
    fn one_network_is_one_address() {
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
