//! How requests to have the program on disk take over reach whoever carries them out, and what goes on beside a handover.

use crate::runtime::handover::Asker;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Why there is no second one.
pub const UNDER_WAY: &str = "a handover is under way already";
/// Why nothing long begins meanwhile.
pub(super) const LEAVING: &str = "another program is taking over just now: ask again in a moment";

/// How such requests reach whoever carries them out, and what a handover would cut short.
#[derive(Clone, Debug)]
pub struct Handing {
    pub(super) asked: mpsc::Sender<(Asker, Claim)>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether a handover was asked for.
    is_claimed: bool,
    /// Whether the process leaves, because another program agreed to take over.
    is_leaving: bool,
    /// How much goes on that a handover would cut short.
    busy: usize,
}

/// The handover that is under way: there is one at a time. It is over when this is dropped.
#[derive(Debug)]
pub struct Claim(Handing);

/// Held while something goes on that a handover would cut short.
#[derive(Debug)]
pub(super) struct Busy(Handing);

impl Drop for Claim {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        (state.is_claimed, state.is_leaving) = (false, false);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
    }
}

impl Claim {
    /// From here on nothing begins that the handover would cut short. Returns whether nothing of that goes on.
    pub fn leave(&self) -> bool {
        let mut state = self.0.lock();
        state.is_leaving = state.busy == 0;
        state.is_leaving
    }
}

impl Handing {
    /// Requests, and where they come out.
    pub fn new() -> (Handing, mpsc::Receiver<(Asker, Claim)>) {
        let (asked, requests) = mpsc::channel(1);
        (Handing { asked, state: Arc::default() }, requests)
    }

    /// Begins a handover. `None`: one is under way.
    pub fn claim(&self) -> Option<Claim> {
        let is_claimed = std::mem::replace(&mut self.lock().is_claimed, true);
        (!is_claimed).then(|| Claim(self.clone()))
    }

    /// Whether something goes on that a handover would cut short.
    pub fn is_busy(&self) -> bool {
        self.lock().busy > 0
    }

    /// Whether the process leaves, because another program takes over.
    pub(super) fn is_leaving(&self) -> bool {
        self.lock().is_leaving
    }

    /// Something begins that a handover would cut short. `None`: the process leaves.
    pub(super) fn busy(&self) -> Option<Busy> {
        let mut state = self.lock();
        if state.is_leaving {
            return None;
        }
        state.busy += 1;
        Some(Busy(self.clone()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_handover_is_under_way_at_a_time() {
        let (handing, _requests) = Handing::new();
        let claim = handing.claim().unwrap();
        assert!(handing.claim().is_none() && !handing.is_leaving());
        drop(claim);
        assert!(handing.claim().is_some_and(|claim| claim.leave()));
        assert!(!handing.is_leaving());
    }

    #[test]
    fn what_would_be_cut_short_comes_before_a_handover_or_waits_for_its_end() {
        let (handing, _requests) = Handing::new();
        let (busy, claim) = (handing.busy().unwrap(), handing.claim().unwrap());
        let more = handing.busy().unwrap();
        drop(busy);
        assert!(handing.is_busy() && !claim.leave(), "it was begun while the program was asked");
        drop(more);
        assert!(!handing.is_busy() && claim.leave());
        assert!(handing.busy().is_none() && handing.is_leaving());
        drop(claim);
        assert!(handing.busy().is_some());
    }
}
