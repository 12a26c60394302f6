//! Removes the files of videos once it is durable that nothing refers to them: the group was destroyed or has another
//! video.
//!
//! Invariant: what is removed is decided by the contents of the store, while no upload is settled. Bounded: where too
//! many channels wait to be looked through, all files are.

use super::super::vital::Vital;
use super::files::{FileScope, Files};
use crate::channel::ChannelName;
use crate::store::Store;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// How many channels may wait to be looked through.
const WAITING_MAX: usize = 10_000;

/// The channels that may have files that nothing refers to.
#[derive(Default)]
pub struct Superseded {
    waiting: Mutex<Option<FileScope>>,
    woken: Notify,
}

impl Superseded {
    /// Notes channels, by their tags, whose video was replaced or removed durably.
    pub fn note(&self, channels: Vec<(u64, ChannelName)>) {
        if channels.is_empty() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let scope = match waiting.take().unwrap_or(FileScope::Of(HashMap::new())) {
            FileScope::Of(mut names) => {
                names.extend(channels);
                if names.len() > WAITING_MAX { FileScope::All } else { FileScope::Of(names) }
            }
            FileScope::All => FileScope::All,
        };
        *waiting = Some(scope);
        drop(waiting);
        self.woken.notify_one();
    }

    fn take(&self) -> Option<FileScope> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Removes useless files whenever there may be some. Ends with the process.
pub async fn run(superseded: Arc<Superseded>, files: Arc<Files>, store: Arc<dyn Store>) {
    let _vital = Vital("the sweep of videos");
    loop {
        superseded.woken.notified().await;
        let settling = files.settling.lock().await;
        let Some(scope) = superseded.take() else { continue };
        let (files, store) = (files.clone(), store.clone());
        let swept = tokio::task::spawn_blocking(move || files.sweep(&*store, &scope)).await;
        drop(settling);
        if let Err(error) = swept.unwrap_or_else(|error| Err(error.into())) {
            tracing::warn!("files of videos that nothing refers to stay until the next start: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_wait_are_bounded() {
        let superseded = Superseded::default();
        assert_eq!(superseded.take(), None);
        let name = |n: u64| ChannelName::new(&format!("c{n}")).unwrap();
        superseded.note(vec![(1, name(1)), (2, name(2)), (1, name(1))]);
        assert_eq!(superseded.take(), Some(FileScope::Of(HashMap::from([(1, name(1)), (2, name(2))]))));
        for n in 0..=WAITING_MAX as u64 {
            superseded.note(vec![(n, name(n))]);
        }
        superseded.note(vec![(1, name(1))]);
        assert_eq!((superseded.take(), superseded.take()), (Some(FileScope::All), None));
    }
}
