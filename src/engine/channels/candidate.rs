//! An item on its way to a turn, with its number among the parked ones ([`super::parking`]).

use super::super::Inbound;

/// An item on its way to a turn.
#[derive(Clone, Debug)]
pub struct Candidate<T> {
    /// The item.
    pub item: T,
    /// Its number by arrival, which keeps its place if it is parked again.
    pub(in crate::engine) number: Option<u64>,
}

impl<T> Candidate<T> {
    /// Splits a batch into numbers and items.
    pub fn apart(batch: Vec<Candidate<T>>) -> (Vec<Option<u64>>, Vec<T>) {
        batch.into_iter().map(|candidate| (candidate.number, candidate.item)).unzip()
    }

    /// What a turn deferred, with its number. The input is (index in the batch, item).
    pub fn deferred(put_off: Vec<(usize, T)>, numbers: &[Option<u64>]) -> impl Iterator<Item = Candidate<T>> {
        put_off.into_iter().map(|(place, item)| Candidate { item, number: numbers[place] })
    }
}

impl<T> From<T> for Candidate<T> {
    fn from(item: T) -> Candidate<T> {
        Candidate { item, number: None }
    }
}

impl<T: AsRef<Inbound>> AsRef<Inbound> for Candidate<T> {
    fn as_ref(&self) -> &Inbound {
        self.item.as_ref()
    }
}
