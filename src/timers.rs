//! The timers of one owner: what each is for, and when it expires.
//!
//! Pure: times are arguments, in milliseconds of a clock that never goes back.

use std::collections::BTreeMap;

/// A table of timers. `Name` is the owner's type of names for them.
#[derive(Clone, Debug)]
pub struct Timers<Name>(BTreeMap<Name, u64>);

impl<Name> Default for Timers<Name> {
    fn default() -> Timers<Name> {
        Timers(BTreeMap::new())
    }
}

impl<Name: Copy + Ord> Timers<Name> {
    /// Starts a timer, or restarts it. It expires after `in_ms`.
    pub fn start(&mut self, timer: Name, now_ms: u64, in_ms: u64) {
        self.0.insert(timer, now_ms.saturating_add(in_ms));
    }

    /// Whether a timer was started and has not expired.
    pub fn is_running(&self, timer: Name, now_ms: u64) -> bool {
        self.left_ms(timer, now_ms) > 0
    }

    /// After how many milliseconds a timer expires; 0 if it has expired or was not started.
    pub fn left_ms(&self, timer: Name, now_ms: u64) -> u64 {
        self.0.get(&timer).map_or(0, |at_ms| at_ms.saturating_sub(now_ms))
    }

    /// Stops all timers, as if each had expired.
    pub fn stop_all(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_runs_until_its_time_and_no_other_one_does() {
        let mut timers = Timers::default();
        assert!(!timers.is_running('a', 0));
        timers.start('a', 100, 50);
        assert_eq!(
            (timers.is_running('a', 149), timers.left_ms('a', 149), timers.is_running('a', 150)),
            (true, 1, false)
        );
        assert!(!timers.is_running('b', 100));
        timers.start('a', 150, 50);
        assert!(timers.is_running('a', 150));
        timers.stop_all();
        assert!(!timers.is_running('a', 150));
    }
}
