//! What is on its way to its turn, with its place among what waits ([`super::parking`]).

use super::super::Inbound;

/// Something on its way to its turn.
#[derive(Clone, Debug)]
pub struct Candidate<T> {
    /// What came in.
    pub item: T,
    /// Its number, from when it came in: it keeps its place among what waits.
    pub(in crate::engine) number: Option<u64>,
}

impl<T> Candidate<T> {
    /// What these are, and their numbers.
    pub fn apart(batch: Vec<Candidate<T>>) -> (Vec<Option<u64>>, Vec<T>) {
        batch.into_iter().map(|candidate| (candidate.number, candidate.item)).unzip()
    }

    /// What a turn put off, each with its number, by its place in the batch.
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
