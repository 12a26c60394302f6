//! Notes what is written while a backup copies, so that the copy can be brought to one moment.
//!
//! A copy that is made during writes holds each entry as of some moment. With all writes since the beginning applied
//! after it, in order, it becomes the store as of the last of them: entries that were written have their last value,
//! and all others were copied as they are.

use super::super::StoreError;
use super::super::databases::Space;
use super::super::pieces::Edits;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many bytes of writes may wait. A backup that falls behind further is given up, because commits never wait for
/// it.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Notes writes while a backup wants them.
#[derive(Default)]
pub(super) struct Tap(Mutex<Option<Noted>>);

#[derive(Default)]
struct Noted {
    writes: Vec<(Space, Edits)>,
    bytes: usize,
    overrun: bool,
}

impl Tap {
    /// Begins to note writes.
    ///
    /// # Errors
    /// Another backup is under way.
    pub(super) fn open(&self) -> Result<(), StoreError> {
        let mut noted = self.lock();
        if noted.is_some() {
            return Err(StoreError("another backup is being made: wait for its end".into()));
        }
        *noted = Some(Noted::default());
        Ok(())
    }

    /// Whether a backup wants writes noted.
    pub(super) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// Ends noting.
    pub(super) fn close(&self) {
        *self.lock() = None;
    }

    /// Notes a batch that was written.
    pub(super) fn note(&self, space: Space, edits: Edits) {
        let mut lock = self.lock();
        let Some(noted) = lock.as_mut() else { return };
        let bytes: usize = edits.iter().map(|(key, entry)| key.len() + entry.as_ref().map_or(0, Vec::len)).sum();
        noted.bytes += bytes;
        noted.overrun |= noted.bytes > WAITING_BYTES_MAX;
        if noted.overrun {
            noted.writes.clear();
        } else {
            noted.writes.push((space, edits));
        }
    }

    /// Takes what was noted since the last call, in order.
    ///
    /// # Errors
    /// More was noted than is kept.
    pub(super) fn take(&self) -> Result<Vec<(Space, Edits)>, StoreError> {
        let mut lock = self.lock();
        let Some(noted) = lock.as_mut() else { return Ok(Vec::new()) };
        if noted.overrun {
            return Err(StoreError("the backup is written more slowly than the store: try it on a faster disk".into()));
        }
        noted.bytes = 0;
        Ok(std::mem::take(&mut noted.writes))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
