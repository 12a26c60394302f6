//! Bounds how many clients do something at the same time, in all and for each address or account.

use super::pace::Who;
use super::portions::{Portions, PortionsFull};
use std::sync::Arc;

/// The places.
#[derive(Debug)]
pub struct Seats {
    portions: Portions,
    each_max: usize,
}

/// A place. It is given back when this is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    who: Who,
}

impl Seats {
    /// Places, `each_max` of them for each client.
    pub fn new(portions: Portions, each_max: usize) -> Arc<Seats> {
        Arc::new(Seats { portions, each_max })
    }

    /// Takes a place.
    ///
    /// # Errors
    /// [`PortionsFull`] where there is none.
    pub fn take(self: &Arc<Seats>, who: Who) -> Result<Seat, PortionsFull> {
        self.take_of(who, false)
    }

    /// The same for a proxy, which stands for many clients.
    ///
    /// # Errors
    /// [`PortionsFull`] where there is none.
    pub fn take_for_many(self: &Arc<Seats>, who: Who) -> Result<Seat, PortionsFull> {
        self.take_of(who, true)
    }

    fn take_of(self: &Arc<Seats>, who: Who, for_many: bool) -> Result<Seat, PortionsFull> {
        self.portions.take_one(&who, self.each_max, for_many)?;
        Ok(Seat { seats: self.clone(), who })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.portions.give_back(&self.who, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_all_places_that_there_are() {
        let seats = Seats::new(Portions::of_addresses("seats", 512, &Arc::default()), 512);
        let proxy = || Who::at("127.0.0.1".parse().unwrap());
        let taken: Vec<Seat> = std::iter::from_fn(|| seats.take_for_many(proxy()).ok()).collect();
        assert_eq!(taken.len(), 512);
        drop(taken);
        assert!(seats.take(proxy()).is_ok());
    }

    #[test]
    fn places_are_counted_in_all_and_of_each_and_given_up() {
        let seats = Seats::new(Portions::of_addresses("seats", 3, &Arc::default()), 2);
        let who = |text: &str| Who::at(text.parse().unwrap());
        let (a, b, c) = (who("192.0.2.1"), who("192.0.2.2"), who("192.0.2.3"));
        let first = [seats.take(a.clone()).unwrap(), seats.take(a.clone()).unwrap()];
        assert_eq!(seats.take(a.clone()).unwrap_err(), PortionsFull::Each);
        let _other = seats.take(b).unwrap();
        assert_eq!(seats.take(c.clone()).unwrap_err(), PortionsFull::All);
        drop(first);
        let _more = [seats.take(c).unwrap(), seats.take(a).unwrap()];
    }
}
