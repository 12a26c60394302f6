//! Who waits for the result of a call, by the call's token.
//!
//! Bounded by the calls that callers let wait. An entry whose caller went away is removed when the result comes.

use super::answer::receipts_of;
use crate::channel::Refusal;
use crate::engine::{CallResult, Called, Lookup};
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The result of a call, or why it was refused.
pub type CallOutcome = Result<CallResult, Refusal>;

/// The callers that wait.
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
    /// A token for a call, and the receiver of its result. The receiver fails if the process ends first.
    pub fn enter(&self) -> (u64, oneshot::Receiver<CallOutcome>) {
        let (sender, receiver) = oneshot::channel();
        let mut inner = self.lock();
        inner.next += 1;
        let token = inner.next;
        inner.waiting.insert(token, sender);
        (token, receiver)
    }

    /// Gives a call up: its result is dropped.
    pub fn forget(&self, token: u64) {
        self.lock().waiting.remove(&token);
    }

    /// Passes a result to its caller.
    pub fn tell(&self, (token, outcome): Called) {
        let sender = self.lock().waiting.remove(&token);
        if let Some(sender) = sender {
            // The caller may be gone.
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
