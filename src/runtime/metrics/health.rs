//! Whether the process makes progress, and whether it can serve.

use super::super::clock;
use super::super::timepiece::{Timepiece, notes};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What `/health` is based on.
#[derive(Debug, Default)]
pub struct Health {
    /// The pulse of the worker.
    pub worker: Pulse,
    /// The pulse of the writer.
    pub writer: Pulse,
    /// What time it is.
    pub time: Timepiece,
    linked: AtomicBool,
    shared: AtomicBool,
    store_failed: AtomicBool,
}

/// The pulse of a thread or task: it beats at each step, and rests while there is nothing to do.
#[derive(Debug, Default)]
pub struct Pulse {
    /// When it last beat, by `clock::uptime_ms`, plus one; 0 while it rests.
    beat: AtomicU64,
}

impl Pulse {
    /// A step begins.
    pub fn beat(&self) {
        self.beat_at(clock::uptime_ms());
    }

    fn beat_at(&self, now_ms: u64) {
        self.beat.store(now_ms + 1, Ordering::Relaxed);
    }

    /// There is nothing to do, or another one is waited for.
    pub fn rest(&self) {
        self.beat.store(0, Ordering::Relaxed);
    }

    /// How long the current step has taken so far, in milliseconds.
    fn step_ms(&self, now_ms: u64) -> u64 {
        match self.beat.load(Ordering::Relaxed) {
            0 => 0,
            beat => now_ms.saturating_sub(beat - 1),
        }
    }
}

impl Health {
    /// The link came up, or went down.
    pub fn note_link(&self, up: bool) {
        self.linked.store(up, Ordering::Relaxed);
    }

    /// Whether the link is up.
    pub fn is_linked(&self) -> bool {
        self.linked.load(Ordering::Relaxed)
    }

    /// Another link serves the domain, or none does any more.
    pub fn note_shared(&self, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
    }

    /// Whether another link serves the domain.
    pub fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// The store did what was asked of it, or failed.
    pub fn note_store(&self, usable: bool) {
        self.store_failed.store(!usable, Ordering::Relaxed);
    }

    /// What waits for the operator although everybody is served, as text.
    pub fn notes(&self) -> Vec<String> {
        notes(&self.time.dial())
    }

    /// Checks that no step has taken longer than `stuck`.
    ///
    /// # Errors
    /// Why the process counts as stuck, as text.
    pub fn live(&self, stuck: Duration) -> Result<(), Vec<String>> {
        let (now_ms, hearts) = (clock::uptime_ms(), [("the worker", &self.worker), ("the writer", &self.writer)]);
        let step = |(name, pulse): (&str, &Pulse)| {
            let step = Duration::from_millis(pulse.step_ms(now_ms));
            (step > stuck).then(|| format!("{name} has been at one step for {} s", step.as_secs()))
        };
        none(hearts.into_iter().filter_map(step).collect())
    }

    /// Checks that people can be served.
    ///
    /// # Errors
    /// Why they cannot, as text.
    pub fn ready(&self, stuck: Duration) -> Result<(), Vec<String>> {
        let mut reasons = self.live(stuck).err().unwrap_or_default();
        if !self.is_linked() {
            reasons.push("there is no link to the host server".to_owned());
        }
        if self.is_shared() {
            reasons.push(
                "another link serves this domain at the host server, and gets a part of what is for it".to_owned(),
            );
        }
        if self.store_failed.load(Ordering::Relaxed) {
            reasons.push("the store could not do what was last asked of it".to_owned());
        }
        none(reasons)
    }
}

fn none(reasons: Vec<String>) -> Result<(), Vec<String>> {
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_grows_until_the_next_one_and_rest_is_no_step() {
        let pulse = Pulse::default();
        assert_eq!(pulse.step_ms(9000), 0);
        pulse.beat_at(0);
        assert_eq!(pulse.step_ms(9000), 9000);
        pulse.beat_at(8000);
        assert_eq!((pulse.step_ms(9000), pulse.step_ms(7000)), (1000, 0));
        pulse.rest();
        assert_eq!(pulse.step_ms(9000), 0);
    }

    #[test]
    fn who_is_stuck_is_named_and_readiness_needs_the_link_and_the_store() {
        let (health, stuck) = (Health::default(), Duration::from_millis(1));
        assert_eq!(health.ready(stuck).unwrap_err(), ["there is no link to the host server"]);
        health.note_link(true);
        assert_eq!((health.live(stuck), health.ready(stuck)), (Ok(()), Ok(())));
        health.note_shared(true);
        assert!(health.ready(stuck).unwrap_err()[0].starts_with("another link serves this domain"));
        health.note_shared(false);
        health.note_store(false);
        assert_eq!(health.ready(stuck).unwrap_err(), ["the store could not do what was last asked of it"]);
        assert_eq!(health.live(stuck), Ok(()));
        health.note_store(true);
        health.writer.beat();
        std::thread::sleep(Duration::from_millis(20));
        assert_eq!(health.live(stuck).unwrap_err(), ["the writer has been at one step for 0 s"]);
        assert!(health.ready(stuck).is_err());
    }
}
