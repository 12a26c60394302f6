//! Bounds wrong passwords of each address and each account, however many are tried at the same time.
//!
//! Invariant: each check counts as failed until it is found to be good. So parallel checks get no further than serial
//! ones; a request that depends on checks under way waits for them and is not refused. Failures of strangers do not
//! lock an account out of an address from which it logged in before.

use super::pace::{HttpPace, Who};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How long an address is remembered from which an account logged in, in milliseconds; and how many addresses are.
const FAMILIAR_MS: u64 = 30 * 24 * 3600 * 1000;
const FAMILIAR_MAX: usize = 20_000;

/// The checks of passwords.
pub struct Checks {
    failures: HttpPace,
    /// The pairs of address and account that logged in, and until when that counts.
    familiar: Mutex<HashMap<[Who; 2], u64>>,
    /// How many checks of each address and each account are under way.
    under_way: Mutex<HashMap<Who, usize>>,
    ended: Notify,
}

/// A check that is under way.
pub struct Check<'a> {
    checks: &'a Checks,
    whos: [Who; 2],
    /// Whether a failure counts against the address alone.
    is_familiar: bool,
}

/// Whether a check may begin.
pub enum Begun<'a> {
    /// It may.
    Check(Check<'a>),
    /// Checks under way have to end first.
    Later,
    /// Too many failed. Another one may begin after this many seconds.
    Refused(u64),
}

impl Checks {
    /// Checks with at most `failures` failures within a time, in milliseconds.
    pub fn new(failures: u64, within_ms: u64) -> Checks {
        Checks {
            failures: HttpPace::new(failures, within_ms),
            familiar: Mutex::default(),
            under_way: Mutex::default(),
            ended: Notify::new(),
        }
    }

    /// Begins a check of an account's password from an address. Checks of one account run one after the other, so that
    /// the result of one serves the next.
    pub fn begin(&self, address: Who, account: Who, now_ms: u64) -> Begun<'_> {
        let mut under_way = self.lock();
        if under_way.contains_key(&account) {
            return Begun::Later;
        }
        let whos = [address, account];
        let is_familiar = self.familiar().get(&whos).is_some_and(|until_ms| *until_ms > now_ms);
        if let Err(wait_s) = self.charge(&whos, is_familiar, now_ms) {
            return if under_way.contains_key(&whos[0]) { Begun::Later } else { Begun::Refused(wait_s) };
        }
        for who in &whos {
            *under_way.entry(who.clone()).or_default() += 1;
        }
        Begun::Check(Check { checks: self, whos, is_familiar })
    }

    /// Waits until the next check ends, counted from this call and not from the first poll.
    pub fn next_end(&self) -> impl Future<Output = ()> + '_ {
        let mut ended = Box::pin(self.ended.notified());
        ended.as_mut().enable();
        ended
    }

    fn charge(&self, [address, account]: &[Who; 2], is_familiar: bool, now_ms: u64) -> Result<(), u64> {
        self.failures.take(address, now_ms)?;
        if is_familiar {
            return Ok(());
        }
        self.failures.take(account, now_ms).inspect_err(|_| self.failures.put_back(address))
    }

    fn familiar(&self) -> MutexGuard<'_, HashMap<[Who; 2], u64>> {
        self.familiar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Check<'_> {
    /// Ends the check without a failure.
    pub fn forgive(self) {
        let charged = if self.is_familiar { &self.whos[..1] } else { &self.whos[..] };
        charged.iter().for_each(|who| self.checks.failures.put_back(who));
    }

    /// Ends the check as a good login.
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    pub fn praise(self, now_ms: u64) {
        let mut familiar = self.checks.familiar();
        if familiar.len() >= FAMILIAR_MAX && !familiar.contains_key(&self.whos) {
            familiar.retain(|_, until_ms| *until_ms > now_ms);
        }
        // If there is no room left, strangers can lock the account out of this address.
        if familiar.len() < FAMILIAR_MAX || familiar.contains_key(&self.whos) {
            familiar.insert(self.whos.clone(), now_ms.saturating_add(FAMILIAR_MS));
        }
        drop(familiar);
        self.forgive();
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
