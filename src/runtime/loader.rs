//! Channels that are not in memory, read beside the loop.
//!
//! A channel is asked for between two turns and is not changed until it is back (`engine::parking`), so what is read here
//! is what the store holds of it all the while.

use super::inbox::Inbox;
use super::queue::Queue;
use super::vital::Vital;
use crate::channel::ChannelName;
use crate::engine::Arrival;
use crate::store::{Store, StoreError};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// What was loaded and is not fetched yet: so many channels, of so many bytes. Beyond, loading waits.
const LOADED_MAX: (usize, usize) = (64, 8 << 20);
/// How long a thread sleeps at most when nothing happens.
const LONG: Duration = Duration::from_secs(3600);

/// A channel, or why it cannot be loaded.
pub type Loaded = Result<Arrival, (ChannelName, StoreError)>;

/// The thread that reads channels.
pub struct Loader {
    wanted: Arc<Queue<ChannelName>>,
    loaded: Arc<Queue<Loaded>>,
    thread: JoinHandle<()>,
}

impl Loader {
    /// Starts the thread. It wakes whoever waits at the inbox.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: &Arc<dyn Store>, inbox: &Arc<Inbox>) -> io::Result<Loader> {
        // What is wanted is bounded by what waits for it.
        let wanted = Arc::new(Queue::new(usize::MAX, usize::MAX));
        let loaded = Arc::new(Queue::new(LOADED_MAX.0, LOADED_MAX.1));
        let thread = std::thread::Builder::new().name("loader".to_owned()).spawn({
            let (wanted, loaded, store, inbox) = (wanted.clone(), loaded.clone(), store.clone(), inbox.clone());
            move || run(&wanted, &loaded, &*store, &inbox)
        })?;
        Ok(Loader { wanted, loaded, thread })
    }

    /// Has channels loaded.
    pub fn want(&self, names: Vec<ChannelName>) {
        for name in names {
            self.wanted.push(name, 0);
        }
    }

    /// What was loaded.
    pub fn take_now(&self) -> Vec<Loaded> {
        self.loaded.take_now(LOADED_MAX.0)
    }

    /// What was loaded; waits for some.
    pub fn take(&self) -> Vec<Loaded> {
        self.loaded.take_in_thread((LOADED_MAX.0, usize::MAX), LONG).unwrap_or_default()
    }

    /// Ends.
    pub fn finish(self) {
        self.wanted.close();
        self.loaded.close();
        let _ = self.thread.join();
    }
}

fn run(wanted: &Queue<ChannelName>, loaded: &Queue<Loaded>, store: &dyn Store, inbox: &Inbox) {
    let _vital = Vital("the loader of channels");
    while let Some(names) = wanted.take_in_thread((1, usize::MAX), LONG) {
        for name in names {
            let read = store.load(std::slice::from_ref(&name)).map(|mut read| read.pop().flatten());
            let outcome = match read {
                Ok(channel) => Ok(Arrival::new(name, channel)),
                Err(error) => Err((name, error)),
            };
            let bytes = outcome.as_ref().map_or(0, Arrival::bytes);
            loaded.push(outcome, bytes);
            inbox.wake();
        }
    }
}
