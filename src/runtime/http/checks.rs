//! How many passwords may be wrong, of one address and of one account, however many are tried at the same time.
//!
//! Invariant: each check counts as failed until it is found to be good. So many at once get no further than one after
//! the other, and who has to wait for what is under way does, instead of being refused. Failures of strangers do not
//! keep an account out from where it logged in before.

use super::pace::{HttpPace, Who};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// For how long an address is remembered from which an account logged in, in milliseconds, and how many are.
const FAMILIAR_MS: u64 = 30 * 24 * 3600 * 1000;
const FAMILIAR_MAX: usize = 20_000;

/// See the module.
pub struct Checks {
    failures: HttpPace,
    /// From which addresses which accounts logged in, and until when that counts.
    familiar: Mutex<HashMap<[Who; 2], u64>>,
    /// How many are under way, of each address and each account.
    under_way: Mutex<HashMap<Who, usize>>,
    ended: Notify,
}

/// A check that is under way.
pub struct Check<'a> {
    checks: &'a Checks,
    whos: [Who; 2],
    /// Whether it counts for the address alone.
    is_familiar: bool,
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
        Checks {
            failures: HttpPace::new(failures, within_ms),
            familiar: Mutex::default(),
            under_way: Mutex::default(),
            ended: Notify::new(),
        }
    }

    /// Begins a check of an account's password that came from an address: one of an account at a time, so that what
    /// the first one finds serves those behind it.
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

    /// Waits for the next end of a check from here on, whenever it is awaited.
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
    /// Ends it as no failure.
    pub fn forgive(self) {
        let charged = if self.is_familiar { &self.whos[..1] } else { &self.whos[..] };
        charged.iter().for_each(|who| self.checks.failures.put_back(who));
    }

    /// Ends it as a good one.
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    pub fn praise(self, now_ms: u64) {
        let mut familiar = self.checks.familiar();
        if familiar.len() >= FAMILIAR_MAX && !familiar.contains_key(&self.whos) {
            familiar.retain(|_, until_ms| *until_ms > now_ms);
        }
        // Where that made no room, strangers can keep it out from there.
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
