//! Rates: one token bucket for each holder.
//!
//! Pure: times are arguments, of a clock that never goes back. The number of buckets is bounded: the least recently
//! used ones are forgotten, and a forgotten bucket counts as full.

use crate::channel::Rate;
use std::collections::HashMap;
use std::hash::Hash;

/// The most buckets that are kept.
pub const KNOWN_MAX: usize = 20_000;

/// Buckets of one rate.
#[derive(Debug)]
pub struct Pace<Who> {
    /// How long an empty bucket takes to fill, in microseconds.
    full_us: u64,
    /// How long one token takes to come back, in microseconds. 0: no limit.
    each_us: u64,
    // When each bucket will be full again, in microseconds. `recent` has those used since the last turnover.
    recent: HashMap<Who, u64>,
    before: HashMap<Who, u64>,
}

impl<Who: Clone + Eq + Hash> Pace<Who> {
    /// Buckets of a rate with a burst.
    pub fn new(rate: Rate) -> Pace<Who> {
        let each_us = 1_000_000_u64.checked_div(rate.per_s).map_or(0, |each| each.max(1));
        Pace::with(each_us, rate.burst)
    }

    /// Buckets of `count` tokens in `within_ms`.
    pub fn within(count: u64, within_ms: u64) -> Pace<Who> {
        Pace::with((within_ms.saturating_mul(1000) / count.max(1)).max(1), count)
    }

    fn with(each_us: u64, burst: u64) -> Pace<Who> {
        let full_us = each_us.saturating_mul(burst.max(1));
        Pace { full_us, each_us, recent: HashMap::new(), before: HashMap::new() }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The seconds until there is one.
    pub fn take(&mut self, who: &Who, now_ms: u64) -> Result<(), u64> {
        if self.each_us == 0 {
            return Ok(());
        }
        let now_us = now_ms.saturating_mul(1000);
        let known = self.recent.get(who).or_else(|| self.before.get(who)).copied().unwrap_or(0);
        let latest = now_us.saturating_add(self.full_us);
        let full_at = known.max(now_us).saturating_add(self.each_us);
        if full_at > latest {
            return Err((full_at - latest).div_ceil(1_000_000));
        }
        self.keep(who, full_at);
        Ok(())
    }

    /// How long until the bucket has `count` tokens, in microseconds. A count above the burst needs a full bucket.
    pub fn wait_us(&self, who: &Who, count: u64, now_ms: u64) -> u64 {
        let now_us = now_ms.saturating_mul(1000);
        let known = self.recent.get(who).or_else(|| self.before.get(who)).copied().unwrap_or(0);
        let wanted_us = self.each_us.saturating_mul(count).min(self.full_us);
        let full_at = known.max(now_us).saturating_add(wanted_us);
        full_at.saturating_sub(now_us.saturating_add(self.full_us))
    }

    /// Takes `count` tokens. The bucket may go below zero.
    pub fn charge(&mut self, who: &Who, count: u64, now_ms: u64) {
        if self.each_us > 0 && count > 0 {
            let known = self.recent.get(who).or_else(|| self.before.get(who)).copied().unwrap_or(0);
            let full_at = known.max(now_ms.saturating_mul(1000)).saturating_add(self.each_us.saturating_mul(count));
            self.keep(who, full_at);
        }
    }

    /// Takes `count` tokens, or as many as there are.
    pub fn empty_by(&mut self, who: &Who, count: u64, now_ms: u64) {
        let lacks_us = self.wait_us(who, count, now_ms);
        let lacking = lacks_us.checked_div(self.each_us).unwrap_or(0);
        self.charge(
            who,
            count.min(self.full_us.checked_div(self.each_us).unwrap_or(0)).saturating_sub(lacking),
            now_ms,
        );
    }

    /// Puts a token back.
    pub fn put_back(&mut self, who: &Who) {
        if let Some(full_at) = self.recent.get_mut(who) {
            *full_at = full_at.saturating_sub(self.each_us);
        }
    }

    /// How many buckets are kept.
    pub fn known(&self) -> usize {
        self.recent.len() + self.before.len()
    }

    fn keep(&mut self, who: &Who, full_at: u64) {
        if let Some(kept) = self.recent.get_mut(who) {
            *kept = full_at;
            return;
        }
        if self.recent.len() >= KNOWN_MAX / 2 {
            self.before = std::mem::take(&mut self.recent);
        }
        self.before.remove(who);
        self.recent.insert(who.clone(), full_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_fills_again_and_is_one_s_own() {
        let mut pace = Pace::new(Rate { per_s: 1, burst: 3 });
        assert!((0..3).all(|_| pace.take(&'a', 10).is_ok()));
        assert_eq!(pace.take(&'a', 10), Err(1));
        assert!(pace.take(&'b', 10).is_ok());
        assert!(pace.take(&'a', 1010).is_ok() && pace.take(&'a', 1010).is_err());
        pace.put_back(&'a');
        assert!(pace.take(&'a', 1010).is_ok());
        assert!((0..3).all(|_| pace.take(&'a', 100_000).is_ok()) && pace.take(&'a', 100_000).is_err());
    }

    #[test]
    fn a_rate_holds_in_the_long_run_and_zero_is_no_limit() {
        let mut pace = Pace::new(Rate { per_s: 3000, burst: 10 });
        let taken = (0..100_000).filter(|tenth_ms| pace.take(&'a', tenth_ms / 10).is_ok()).count();
        assert!((30_000..30_050).contains(&taken), "{taken}");
        let mut pace = Pace::new(Rate { per_s: 0, burst: 1 });
        assert!((0..1000).all(|_| pace.take(&'a', 0).is_ok()) && pace.known() == 0);
        let mut pace = Pace::within(2, 10_000);
        assert!(pace.take(&'a', 0).is_ok() && pace.take(&'a', 0).is_ok());
        assert_eq!(pace.take(&'a', 0), Err(5));
    }

    #[test]
    fn what_is_taken_beyond_what_is_there_is_waited_for() {
        let mut pace = Pace::new(Rate { per_s: 10, burst: 5 });
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                let wait_us = pace.wait_us(&'a', 1, 1000);
                pace.charge(&'a', 1, 1000);
                wait_us
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 100_000, 200_000, 300_000]);
        assert_eq!((pace.wait_us(&'a', 1, 1300), pace.wait_us(&'a', 1, 1400)), (100_000, 0));
        // A full bucket gives more than the burst.
        assert_eq!((pace.wait_us(&'b', 500, 1000), pace.wait_us(&'a', 500, 1300)), (0, 500_000));
        pace.charge(&'b', 500, 1000);
        assert_eq!(pace.take(&'b', 1000), Err(50));
        let mut none = Pace::new(Rate { per_s: 0, burst: 1 });
        none.charge(&'a', 9, 0);
        assert_eq!((none.wait_us(&'a', 9, 0), none.known()), (0, 0));
    }

    #[test]
    fn a_time_that_was_looked_at_long_ago_fills_nothing() {
        let mut pace = Pace::new(Rate { per_s: 1, burst: 2 });
        assert!((0..2).all(|_| pace.take(&'a', 60_000).is_ok()));
        assert!((0..9).all(|_| pace.take(&'a', 5000).is_err()) && pace.take(&'a', 60_000).is_err());
        assert!(pace.take(&'a', 61_000).is_ok() && pace.take(&'a', 61_000).is_err());
    }

    #[test]
    fn strangers_in_any_number_take_bounded_room_and_who_goes_on_is_remembered() {
        let mut pace = Pace::new(Rate { per_s: 1, burst: 1 });
        for n in 0..4 * KNOWN_MAX {
            assert!(pace.take(&n, 0).is_ok());
            // A holder that is always refused may be forgotten, one that is served is not.
            assert!(pace.known() <= KNOWN_MAX, "{}", pace.known());
        }
        let mut pace = Pace::new(Rate { per_s: 1, burst: 100 });
        for n in 1..4 * KNOWN_MAX {
            assert!(pace.take(&n, 0).is_ok());
            if n % 1000 == 0 {
                assert!(pace.take(&0, 0).is_ok());
            }
        }
        assert!((0..100 - 79).all(|_| pace.take(&0, 0).is_ok()));
        assert!(pace.take(&0, 0).is_err());
    }
}
