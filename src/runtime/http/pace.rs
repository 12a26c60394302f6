//! Rates of requests and of failures, by address and by account.

use crate::engine::fairness::pace;
use jid::BareJid;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// By address. For IPv6 it is the network of 64 bits, within which a client may use any address.
    Address(IpAddr),
    /// By account.
    Account(BareJid),
}

impl Who {
    /// The client at an address.
    pub fn at(address: IpAddr) -> Who {
        Who::Address(match address.to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & !u128::from(u64::MAX)).into()),
            v4 => v4,
        })
    }
}

/// A token bucket for each client.
pub struct HttpPace(Mutex<pace::Pace<Who>>);

impl HttpPace {
    /// Buckets of `count` tokens, which fill within a time in milliseconds.
    pub fn new(count: u64, within_ms: u64) -> HttpPace {
        HttpPace(Mutex::new(pace::Pace::within(count, within_ms)))
    }

    /// Takes a token. Where there is none, returns after how many seconds there is one.
    pub fn take(&self, who: &Who, now_ms: u64) -> Result<(), u64> {
        self.lock().take(who, now_ms)
    }

    /// Puts a token back.
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
