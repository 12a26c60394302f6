//! Work on the store beside the loop, and how its results become turns.

use super::inbox::Inbox;
use crate::engine::Inbound;
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// Runs work on the store that may take long, in a thread of its own.
///
/// # Errors
/// Those of the work.
pub async fn beside<T: Send + 'static>(
    store: &Arc<dyn Store>,
    work: impl FnOnce(&dyn Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = store.clone();
    let done = tokio::task::spawn_blocking(move || work(&*store)).await;
    done.unwrap_or_else(|error| Err(StoreError(error.to_string())))
}

/// Waits for `time`. Returns whether the process is to end.
pub async fn rest(stopping: &mut watch::Receiver<bool>, time: Duration) -> bool {
    timeout(time, stopping.wait_for(|stop| *stop)).await.is_ok()
}

/// Puts something into the inbox. Waits while there is no room: what people send goes first. Returns whether the
/// process is to end.
pub async fn hand_over(
    inbox: &Inbox,
    mut inbound: Inbound,
    weight: usize,
    stopping: &mut watch::Receiver<bool>,
    pause: Duration,
) -> bool {
    while let Err(refused) = inbox.offer(inbound, weight) {
        inbound = refused;
        if rest(stopping, pause).await {
            return true;
        }
    }
    false
}
