//! The time and the system's randomness: the only file that reads them.

use crate::channel::Stamp;
use crate::engine::Moment;
use rand::TryRngCore;
use rand::rngs::OsRng;
use rustix::time::{ClockId, clock_gettime};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock.
pub fn now() -> Stamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Stamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The wall clock, and the time since the machine started, including sleep.
pub fn moment() -> Moment {
    let since_boot = clock_gettime(ClockId::Boottime);
    let (s, ns) = (u64::try_from(since_boot.tv_sec).unwrap_or(0), u64::try_from(since_boot.tv_nsec).unwrap_or(0));
    Moment { wall: now(), steady_ms: s.saturating_mul(1000).saturating_add(ns / 1_000_000) }
}

/// The time since the first call, by a clock that never goes back.
pub fn uptime() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// The same in milliseconds.
pub fn uptime_ms() -> u64 {
    u64::try_from(uptime().as_millis()).unwrap_or(u64::MAX)
}

/// The clock of timers, which a test can move.
pub fn of_timers() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Fresh randomness from the system.
///
/// # Errors
/// When the system has none to give.
pub fn seed() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    OsRng.try_fill_bytes(&mut seed).map_err(std::io::Error::other)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_run_forward_and_seeds_differ() {
        assert!(now().0 > Stamp::from_xmpp("2025-01-01T00:00:00Z").unwrap().0);
        let first = uptime_ms();
        assert!(uptime_ms() >= first);
        let first = moment();
        std::thread::sleep(Duration::from_millis(20));
        let passed_ms = moment().steady_ms - first.steady_ms;
        assert!(first.steady_ms > 0 && (20..10_000).contains(&passed_ms), "{passed_ms} ms");
        assert_ne!(seed().unwrap(), seed().unwrap());
    }
}
