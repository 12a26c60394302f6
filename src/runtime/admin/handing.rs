//! How requests to have the program on disk take over reach whoever carries them out.

use crate::runtime::handover::Asker;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// How such requests reach whoever carries them out, and what a handover would cut short.
#[derive(Clone, Debug)]
pub struct Handing {
    pub(super) asked: mpsc::Sender<Asker>,
    busy: Arc<AtomicUsize>,
}

/// Held while something goes on that a handover would cut short.
#[derive(Debug)]
pub(super) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Handing {
    /// Requests, and where they come out. There is one at a time.
    pub fn new() -> (Handing, mpsc::Receiver<Asker>) {
        let (asked, requests) = mpsc::channel(1);
        (Handing { asked, busy: Arc::default() }, requests)
    }

    /// Whether something goes on that a handover would cut short.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    pub(super) fn busy(&self) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        Busy(self.busy.clone())
    }
}
