//! What is written while a backup copies, so that the copy can be brought to one point.
//!
//! A copy that is made while others write holds each entry as it was at some time or other. With every write since the
//! copying began behind it, in order, it is what the store was after the last of them: whatever was written has its last
//! value there, and what was not was copied as it is.

use super::super::StoreError;
use super::super::databases::Space;
use super::super::pieces::Edits;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How much may wait to be taken, in bytes; a backup that falls behind further is given up, and commits never wait.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Where writes are noted, while somebody wants them.
#[derive(Default)]
pub(super) struct Tap(Mutex<Option<Noted>>);

#[derive(Default)]
struct Noted {
    writes: Vec<(Space, Edits)>,
    bytes: usize,
    overrun: bool,
}

impl Tap {
    /// Begins to note what is written.
    ///
    /// # Errors
    /// Somebody wants it already.
    pub(super) fn open(&self) -> Result<(), StoreError> {
        let mut noted = self.lock();
        if noted.is_some() {
            return Err(StoreError("another backup is being made: wait for its end".into()));
        }
        *noted = Some(Noted::default());
        Ok(())
    }

    /// Whether somebody wants what is written.
    pub(super) fn is_open(&self) -> bool {
        self.lock().is_some()
    }

    /// Notes no more.
    pub(super) fn close(&self) {
        *self.lock() = None;
    }

    /// A batch was written.
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

    /// Takes what was noted since the last time, in order.
    ///
    /// # Errors
    /// It was more than is kept.
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
