//! Who waits for the result of a call: from its token to its place.
//!
//! Bounded by the calls that its user lets wait: a place that nobody waits at any more is cleared by its result.

use super::answer::receipts_of;
use crate::channel::Refusal;
use crate::engine::{CallResult, Called, Lookup};
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What a caller gets.
pub type CallOutcome = Result<CallResult, Refusal>;

/// See the module.
#[derive(Debug, Default)]
pub struct Callers {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<CallOutcome>>,
}

impl Callers {
    /// A token for a call, and the place where its result arrives; the place fails when the process ends before.
    pub fn enter(&self) -> (u64, oneshot::Receiver<CallOutcome>) {
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.next += 1;
        let token = inner.next;
        inner.waiting.insert(token, sender);
        (token, receiver)
    }

    /// Gives up on a call: its result is dropped when it comes.
    pub fn forget(&self, token: u64) {
        self.lock().waiting.remove(&token);
    }

    /// Hands out a result.
    pub fn tell(&self, (token, outcome): Called) {
        let sender = self.lock().waiting.remove(&token);
        if let Some(sender) = sender {
            // Whoever went away needs no result.
            let _ = sender.send(outcome);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes a result from the store.
pub fn complete(lookup: Lookup, store: &dyn Store) -> Called {
    let token = lookup.token;
    let receipts = receipts_of(lookup.tag, lookup.row, &lookup.recipients, store);
    let outcome = receipts.map(|receipts| CallResult { receipts, ..lookup.result });
    let outcome = outcome.map_err(|error| {
        tracing::error!(%error, "the reports of a message cannot be read");
        Refusal::Internal
    });
    (token, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_reaches_its_caller_and_nobody_else() {
        let callers = Callers::default();
        let ((a, mut at_a), (b, mut at_b)) = (callers.enter(), callers.enter());
        assert_ne!(a, b);
        callers.tell((b, Err(Refusal::Busy)));
        assert_eq!(at_b.try_recv().unwrap(), Err(Refusal::Busy));
        assert!(at_a.try_recv().is_err());
        callers.forget(a);
        callers.tell((a, Err(Refusal::Busy)));
        assert!(callers.lock().waiting.is_empty());
    }
}
