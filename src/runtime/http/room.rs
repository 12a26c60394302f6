//! Memory for what requests carry, with a share for each account and domain.
//!
//! Invariant: the memory for all bodies together is bounded, however many connections there are.

use super::fault::Fault;
use super::pace::Who;
use super::portions::Portions;

/// How many copies of a request's bytes exist at the same time: as received, as a field, as parsed, and in the command.
pub const COPIES: usize = 4;

/// The memory, in bytes.
#[derive(Debug)]
pub struct Room(Portions);

/// The memory of one request. It is given back when this is dropped.
#[derive(Debug)]
pub struct Share<'a> {
    room: &'a Room,
    who: Who,
    taken: usize,
}

impl Room {
    /// This much memory, in bytes.
    pub fn new(portions: Portions) -> Room {
        Room(portions)
    }

    /// The memory of a client's request, empty so far.
    pub fn share(&self, who: Who) -> Share<'_> {
        Share { room: self, who, taken: 0 }
    }
}

impl Share<'_> {
    /// Takes memory for this many bytes of a request.
    ///
    /// # Errors
    /// 500 where there is not enough left.
    pub fn take(&mut self, bytes: usize) -> Result<(), Fault> {
        let wanted = bytes.saturating_mul(COPIES);
        if !self.room.0.take(&self.who, wanted) {
            return Err(Fault::busy("too many requests are worked on"));
        }
        self.taken += wanted;
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.room.0.give_back(&self.who, self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::share::OwnDomains;
    use std::sync::Arc;

    fn room(bytes: usize) -> Room {
        let own = OwnDomains::new(["h".to_owned()]);
        Room::new(Portions::of_accounts("bodies", bytes * COPIES, &own, &Arc::default()))
    }

    fn who(text: &str) -> Who {
        Who::Account(text.parse().unwrap())
    }

    #[test]
    fn what_is_taken_is_bounded_and_given_back() {
        let room = room(1000);
        let mut one = room.share(who("a@h"));
        assert!(one.take(300).is_ok() && one.take(usize::MAX).is_err());
        let taken = (0..1000).filter(|_| one.take(1).is_ok()).count();
        assert!((50..450).contains(&taken), "{taken}");
        drop(one);
        assert!(room.share(who("a@h")).take(300).is_ok());
    }

    #[test]
    fn one_holds_much_and_others_have_room() {
        let room = room(1000);
        let mut flood: Vec<Share<'_>> = (0..100).map(|_| room.share(who("flood@h"))).collect();
        let refused = flood.iter_mut().filter_map(|share| share.take(100).err()).next().unwrap();
        assert_eq!((refused.code, refused.retry_after_s), (500, Some(1)));
        assert!((0..3).all(|n| room.share(who(&format!("a{n}@h"))).take(100).is_ok()));
        assert!(room.share(who("b@away")).take(200).is_ok());
    }
}
