//! How many passwords may be wrong, of one address and of one account, however many are tried at the same time.
//!
//! Invariant: each check counts as failed until it is found to be good. So many at once get no further than one after
//! the other, and who has to wait for what is under way does, instead of being refused.

use super::pace::{Pace, Who};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// See the module.
pub struct Checks {
    failures: Pace,
    /// How many are under way, of each address and each account.
    under_way: Mutex<HashMap<Who, usize>>,
    ended: Notify,
}

/// A check that is under way.
pub struct Check<'a> {
    checks: &'a Checks,
    whos: [Who; 2],
}

/// Whether a check may begin.
pub enum Begun<'a> {
    /// It does.
    Check(Check<'a>),
    /// What is under way has to end before that is known.
    Later,
    /// Too many failed; in how many seconds there may be another one.
    Refused(u64),
}

impl Checks {
    /// So many failures within such a time, in milliseconds.
    pub fn new(failures: u64, within_ms: u64) -> Checks {
        Checks { failures: Pace::new(failures, within_ms), under_way: Mutex::default(), ended: Notify::new() }
    }

    /// Begins a check of an account's password that came from an address: one of an account at a time, so that what
    /// the first one finds serves those behind it.
    pub fn begin(&self, address: Who, account: Who, now_ms: u64) -> Begun<'_> {
        let mut under_way = self.lock();
        if under_way.contains_key(&account) {
            return Begun::Later;
        }
        if let Err(wait_s) = self.charge(&address, &account, now_ms) {
            return if under_way.contains_key(&address) { Begun::Later } else { Begun::Refused(wait_s) };
        }
        for who in [&address, &account] {
            *under_way.entry(who.clone()).or_default() += 1;
        }
        Begun::Check(Check { checks: self, whos: [address, account] })
    }

    /// Waits for the next end of a check from here on, whenever it is awaited.
    pub fn next_end(&self) -> impl Future<Output = ()> + '_ {
        let mut ended = Box::pin(self.ended.notified());
        ended.as_mut().enable();
        ended
    }

    fn charge(&self, address: &Who, account: &Who, now_ms: u64) -> Result<(), u64> {
        self.failures.take(address, now_ms)?;
        self.failures.take(account, now_ms).inspect_err(|_| self.failures.put_back(address))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Check<'_> {
    /// Ends it as no failure.
    pub fn forgive(self) {
        self.whos.iter().for_each(|who| self.checks.failures.put_back(who));
    }
}

impl Drop for Check<'_> {
    fn drop(&mut self) {
        let mut under_way = self.checks.lock();
        for who in &self.whos {
            match under_way.get_mut(who) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(under_way.remove(who)),
            }
        }
        drop(under_way);
        self.checks.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jid::BareJid;

    fn account(name: &str) -> Who {
        Who::Account(BareJid::new(&format!("{name}@example.org")).unwrap())
    }

    fn begun<'a>(checks: &'a Checks, name: &str) -> Result<Option<Check<'a>>, u64> {
        match checks.begin(Who::at([192, 0, 2, 1].into()), account(name), 10) {
            Begun::Check(check) => Ok(Some(check)),
            Begun::Later => Ok(None),
            Begun::Refused(wait_s) => Err(wait_s),
        }
    }

    #[test]
    fn many_at_once_get_no_further_than_one_after_the_other() {
        let checks = Checks::new(2, 10_000);
        let first = begun(&checks, "ann").unwrap().unwrap();
        assert!(begun(&checks, "ann").unwrap().is_none(), "two of one account at the same time");
        let second = begun(&checks, "bob").unwrap().unwrap();
        assert!(begun(&checks, "cy").unwrap().is_none(), "it is refused before it is known whether the others fail");
        second.forgive();
        let third = begun(&checks, "cy").unwrap().unwrap();
        drop((first, third));
        assert_eq!(begun(&checks, "dee").err(), Some(5));
        assert!(checks.lock().is_empty());
    }

    #[tokio::test]
    async fn an_end_wakes_who_began_to_wait_before_it() {
        let checks = Checks::new(2, 10_000);
        let check = begun(&checks, "ann").unwrap();
        let end = checks.next_end();
        drop(check);
        end.await;
    }
}
