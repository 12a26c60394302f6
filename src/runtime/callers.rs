//! Who waits for the result of a call: from its token to its place.
//!
//! Bounded by the calls that its user lets wait: a place that nobody waits at any more is cleared by its result.

use crate::channel::{Progress, Refusal};
use crate::engine::Called;
use crate::engine::Recipient;
use crate::engine::{CallResult, Lookup};
use crate::store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What a caller gets.
pub type Outcome = Result<CallResult, Refusal>;

/// See the module.
#[derive(Default)]
pub struct Callers {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    waiting: HashMap<u64, oneshot::Sender<Outcome>>,
}

impl Callers {
    /// A token for a call, and the place where its result arrives; the place fails when the process ends before.
    pub fn enter(&self) -> (u64, oneshot::Receiver<Outcome>) {
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
    let outcome = recipients(&lookup, store).map(|recipients| CallResult { recipients, ..lookup.result });
    let outcome = outcome.map_err(|error| {
        tracing::error!(%error, "the reports of a message cannot be read");
        Refusal::Internal
    });
    (token, outcome)
}

/// When each recipient reported; reading implies arriving.
fn recipients(lookup: &Lookup, store: &dyn Store) -> Result<Vec<Recipient>, StoreError> {
    let ids: Vec<_> = lookup.recipients.iter().map(|(id, _)| id.clone()).collect();
    let delivered = store.reports(lookup.tag, lookup.row, Progress::Delivered, &ids)?;
    let read = store.reports(lookup.tag, lookup.row, Progress::Read, &ids)?;
    let mut recipients: Vec<Recipient> = lookup
        .recipients
        .iter()
        .map(|(id, jid)| {
            let read = read.get(id).copied();
            let delivered = delivered.get(id).copied().into_iter().chain(read).min();
            Recipient { jid: jid.clone(), delivered, read }
        })
        .collect();
    recipients.sort_unstable_by(|a, b| a.jid.cmp(&b.jid));
    Ok(recipients)
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
