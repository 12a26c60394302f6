//! What is on its way to its turn, with its place among what waits ([`super::parking`]).

use super::Inbound;

/// Something on its way to its turn.
#[derive(Clone, Debug)]
pub struct Candidate<T> {
    /// What came in.
    pub item: T,
    /// Its number, where it waited already: it keeps its place among what waits.
    pub(super) number: Option<u64>,
    /// Whether it was taken already and put off, so that it comes before whatever came in since.
    pub(super) is_early: bool,
}

impl<T> Candidate<T> {
    /// What these are, and their numbers.
    pub fn apart(batch: Vec<Candidate<T>>) -> (Vec<Option<u64>>, Vec<T>) {
        batch.into_iter().map(|candidate| (candidate.number, candidate.item)).unzip()
    }

    /// What a turn took and put off, by its number where it had one.
    pub fn again(item: T, number: Option<u64>) -> Candidate<T> {
        Candidate { item, number, is_early: true }
    }
}

impl<T> From<T> for Candidate<T> {
    fn from(item: T) -> Candidate<T> {
        Candidate { item, number: None, is_early: false }
    }
}

impl<T: AsRef<Inbound>> AsRef<Inbound> for Candidate<T> {
    fn as_ref(&self) -> &Inbound {
        self.item.as_ref()
    }
}
