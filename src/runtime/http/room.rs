//! Memory for what requests carry, shared by all of them.
//!
//! Invariant: what is kept of all bodies together is bounded, however many connections there are.

use super::fault::Fault;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How often a byte of a request is kept at the same time while it is worked on: as it came, as a field, as what is
/// read of it, and within the command.
pub const COPIES: usize = 4;

/// What there is, in bytes.
#[derive(Debug)]
pub struct Room(Semaphore);

/// What one request has of it, given up with it.
#[derive(Debug)]
pub struct Share<'a> {
    room: &'a Room,
    taken: Option<SemaphorePermit<'a>>,
}

impl Room {
    /// So much, in bytes.
    pub fn new(bytes: usize) -> Room {
        Room(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)))
    }

    /// Nothing of it yet.
    pub fn share(&self) -> Share<'_> {
        Share { room: self, taken: None }
    }
}

impl Share<'_> {
    /// Takes room for so many bytes of a request.
    ///
    /// # Errors
    /// 500 where there is not so much left.
    pub fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        let wanted = u32::try_from(bytes.saturating_mul(COPIES)).ok();
        let permit = wanted.and_then(|wanted| self.room.0.try_acquire_many(wanted).ok());
        let permit = permit.ok_or(Fault::busy("too many requests are worked on"))?;
        match &mut self.taken {
            Some(taken) => taken.merge(permit),
            None => self.taken = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_bounded_and_given_back() {
        let room = Room::new(100 * COPIES);
        let (mut one, mut other) = (room.share(), room.share());
        assert!(one.take(60).is_ok() && one.take(20).is_ok() && other.take(20).is_ok());
        let fault = other.take(1).unwrap_err();
        assert_eq!((fault.code, fault.retry_after_s), (500, Some(1)));
        drop(one);
        assert!(other.take(80).is_ok() && other.take(usize::MAX).is_err());
    }
}
