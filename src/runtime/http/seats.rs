//! How many may do something at the same time, in all and of one address or account.

use super::pace::Who;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who does it at present.
#[derive(Debug)]
pub struct Seats {
    all_max: usize,
    each_max: usize,
    taken: Mutex<(usize, HashMap<Who, usize>)>,
}

/// The place of one of them, given up with it.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    who: Who,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// Whoever asks has as many as one may have.
    Each,
    /// There are as many as there may be.
    All,
}

impl Seats {
    /// So many places, so many of them for each.
    pub fn new(all_max: usize, each_max: usize) -> Arc<Seats> {
        Arc::new(Seats { all_max, each_max, taken: Mutex::default() })
    }

    /// Takes a place where there is one.
    ///
    /// # Errors
    /// [`Full`] where there is none.
    pub fn take(self: &Arc<Seats>, who: Who) -> Result<Seat, Full> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.1.get(&who).copied().unwrap_or(0);
        if own >= self.each_max {
            return Err(Full::Each);
        }
        if taken.0 >= self.all_max {
            return Err(Full::All);
        }
        taken.0 += 1;
        taken.1.insert(who.clone(), own + 1);
        drop(taken);
        Ok(Seat { seats: self.clone(), who })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.0 -= 1;
        match taken.1.get_mut(&self.who) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(taken.1.remove(&self.who)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_all_and_of_each_and_given_up() {
        let seats = Seats::new(3, 2);
        let who = |text: &str| Who::at(text.parse().unwrap());
        let (a, b, c) = (who("192.0.2.1"), who("192.0.2.2"), who("192.0.2.3"));
        let first = [seats.take(a.clone()).unwrap(), seats.take(a.clone()).unwrap()];
        assert_eq!(seats.take(a.clone()).unwrap_err(), Full::Each);
        let _other = seats.take(b).unwrap();
        assert_eq!(seats.take(c.clone()).unwrap_err(), Full::All);
        drop(first);
        let _more = [seats.take(c).unwrap(), seats.take(a).unwrap()];
        assert_eq!(seats.taken.lock().unwrap().1.len(), 3);
    }
}
