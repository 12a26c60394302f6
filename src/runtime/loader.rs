//! Loads channels beside the loop, and collects what other threads read for the loop.
//!
//! A channel is asked for between two turns and is not changed until it is back (`engine::channels::parking`). So the
//! store does not change what is read here.

use super::inbox::Inbox;
use super::queue::Queue;
use super::vital::Vital;
use crate::channel::ChannelName;
use crate::engine::{Arrival, Errand, Loaded};
use crate::store::{Store, StoreError};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How much may be loaded and not yet taken: channels, and bytes. Beyond, loading waits.
const FETCHED_MAX: (usize, usize) = (64, 8 << 20);
/// The approximate size of what is known of one row, and of one channel of an account, in bytes.
const FACTS_BYTES: usize = 512;
const PLACE_BYTES: usize = 64;
/// The longest sleep of the thread when nothing happens.
const LONG: Duration = Duration::from_secs(3600);

/// What was read beside the loop.
pub enum Fetched {
    /// A channel, or why it cannot be loaded.
    Channel(Result<Arrival, (ChannelName, StoreError)>),
    /// The result of an errand.
    Errand(Box<Errand>, Result<Box<Loaded>, Missed>),
}

/// Why something was not read.
pub enum Missed {
    /// It cannot be read.
    Unreadable(StoreError),
    /// The account asked for too much.
    Busy,
}

/// Where what was read goes, and who is woken by it.
#[derive(Clone)]
pub struct Returns {
    fetched: Arc<Queue<Fetched>>,
    inbox: Arc<Inbox>,
}

impl Returns {
    /// Hands over what was read, from a thread of its own. Blocks while much is not taken yet.
    pub fn give(&self, fetched: Fetched) {
        let bytes = match &fetched {
            Fetched::Channel(outcome) => outcome.as_ref().map_or(0, Arrival::bytes),
            Fetched::Errand(_, outcome) => outcome.as_ref().map_or(0, |loaded| bytes_of(loaded)),
        };
        self.fetched.push(fetched, bytes);
        self.inbox.wake();
    }

    /// Reports, from the loop's own thread, that an errand is not carried out.
    pub fn miss(&self, errand: Box<Errand>) {
        self.fetched.push_beyond(Fetched::Errand(errand, Err(Missed::Busy)));
        self.inbox.wake();
    }
}

fn bytes_of(loaded: &Loaded) -> usize {
    let joined: usize = loaded.memberships.iter().map(|(_, names)| names.len()).sum();
    let groups: usize = loaded.groups.iter().map(|(_, names)| names.len()).sum();
    let listed: usize = loaded.mentions.iter().map(|(_, mentions)| mentions.by_channel.len()).sum();
    let said = loaded.backlogs.iter().flat_map(|(_, said)| &said.rows);
    let said: usize = said.map(|row| FACTS_BYTES + row.payload.len()).sum();
    said + FACTS_BYTES * loaded.facts.len() + PLACE_BYTES * (joined + groups + listed)
}

/// The thread that loads channels.
pub struct Loader {
    wanted: Arc<Queue<ChannelName>>,
    returns: Returns,
    thread: JoinHandle<()>,
}

impl Loader {
    /// Starts the thread. It wakes the worker at the inbox.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(store: &Arc<dyn Store>, inbox: &Arc<Inbox>) -> io::Result<Loader> {
        // Bounded by the requests that wait for these channels.
        let wanted = Arc::new(Queue::new(usize::MAX, usize::MAX));
        let fetched = Arc::new(Queue::new(FETCHED_MAX.0, FETCHED_MAX.1));
        let returns = Returns { fetched, inbox: inbox.clone() };
        let thread = std::thread::Builder::new().name("loader".to_owned()).spawn({
            let (wanted, returns, store) = (wanted.clone(), returns.clone(), store.clone());
            move || run(&wanted, &returns, &*store)
        })?;
        Ok(Loader { wanted, returns, thread })
    }

    /// Where other threads hand over what they read for the loop.
    pub fn returns(&self) -> &Returns {
        &self.returns
    }

    /// Has channels loaded.
    pub fn want(&self, names: Vec<ChannelName>) {
        for name in names {
            self.wanted.push(name, 0);
        }
    }

    /// Takes what was read so far.
    pub fn take_now(&self) -> Vec<Fetched> {
        self.returns.fetched.take_now(FETCHED_MAX.0)
    }

    /// Takes what was read; blocks until there is something.
    pub fn take(&self) -> Vec<Fetched> {
        self.returns.fetched.take_in_thread((FETCHED_MAX.0, usize::MAX), LONG).unwrap_or_default()
    }

    /// Ends the thread.
    pub fn finish(self) {
        self.wanted.close();
        self.returns.fetched.close();
        let _ = self.thread.join();
    }
}

fn run(wanted: &Queue<ChannelName>, returns: &Returns, store: &dyn Store) {
    let _vital = Vital("the loader of channels");
    while let Some(names) = wanted.take_in_thread((1, usize::MAX), LONG) {
        for name in names {
            let read = store.load(std::slice::from_ref(&name)).map(|mut read| read.pop().flatten());
            returns.give(Fetched::Channel(match read {
                Ok(channel) => Ok(Arrival::new(name, channel)),
                Err(error) => Err((name, error)),
            }));
        }
    }
}
