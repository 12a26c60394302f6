//! Between the reader of the link and the inbox. Once it is closed, what comes in is held for the process that takes the
//! stream over, in order and as it came.

use super::framer::HalfRead;
use super::handover::Held;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Beyond this many bytes nothing more is read: it waits in the connection.
const HELD_BYTES_MAX: usize = 16 << 20;

/// See the module.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<GateState>,
    stopped: Notify,
}

/// What is held.
#[derive(Debug, Default)]
pub struct GateState {
    /// `None` while it is open.
    held: Option<Vec<Held>>,
    bytes: usize,
    is_stopped: bool,
    /// Where the framer stood as the reader stopped.
    half_read: Option<HalfRead>,
}

impl GateState {
    /// Whether what comes in is held.
    pub fn is_closed(&self) -> bool {
        self.held.is_some()
    }

    /// Holds what came in.
    pub fn hold(&mut self, held: Held) {
        self.bytes += held.bytes();
        self.held.get_or_insert_default().push(held);
    }

    /// Whether nothing more is to be read.
    pub fn is_full(&self) -> bool {
        self.bytes >= HELD_BYTES_MAX
    }
}

impl Gate {
    /// What is held. Whoever has it decides what becomes of each stanza; the gate closes between two stanzas.
    pub fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on, what comes in is held.
    pub fn close(&self) {
        self.lock().held.get_or_insert_default();
    }

    /// Whether what comes in is held.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed()
    }

    /// The reader is to stop.
    pub fn stop(&self) {
        self.lock().is_stopped = true;
        self.stopped.notify_one();
    }

    /// Waits until the reader is to stop. One task at a time.
    pub async fn stopped(&self) {
        while !self.lock().is_stopped {
            self.stopped.notified().await;
        }
    }

    /// The reader has stopped, where the framer stands there.
    pub fn leave(&self, half_read: HalfRead) {
        self.lock().half_read = Some(half_read);
    }

    /// What is held, and where the framer stood, if the reader stopped.
    pub fn take(&self) -> (Vec<Held>, Option<HalfRead>) {
        let mut state = self.lock();
        (state.held.take().unwrap_or_default(), state.half_read.take())
    }
}
