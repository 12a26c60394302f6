//! Steps: things that are looked at one by one, such as elements of a stanza or people of a channel.
//!
//! With debug assertions they are counted for each thread, so that tests and fuzzing see without a clock what grows
//! faster than it should (`tests/cost/`). A release build counts nothing and pays nothing.

use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// Counts a number of steps.
#[inline]
pub fn take(count: usize) {
    if cfg!(debug_assertions) {
        TAKEN.with(|taken| taken.set(taken.get().saturating_add(count as u64)));
    }
}

/// How many steps this thread has taken; 0 in a release build.
pub fn taken() -> u64 {
    TAKEN.with(Cell::get)
}

/// An iterator that counts each item as a step.
#[derive(Clone, Debug)]
pub struct Walk<I>(I);

/// Iterators whose items can be counted as steps.
pub trait Counted: Iterator + Sized {
    /// This iterator, with each item counted as a step.
    fn counted(self) -> Walk<Self> {
        Walk(self)
    }
}

impl<I: Iterator> Counted for I {}

impl<I: Iterator> Iterator for Walk<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        take(1);
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<I: DoubleEndedIterator> DoubleEndedIterator for Walk<I> {
    #[inline]
    fn next_back(&mut self) -> Option<I::Item> {
        take(1);
        self.0.next_back()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for Walk<I> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_looked_at_is_a_step() {
        let before = taken();
        assert_eq!((0..10).counted().filter(|n| n % 2 == 0).rev().count(), 5);
        assert_eq!((0..10).counted().find(|&n| n == 3), Some(3));
        assert_eq!(taken() - before, 11 + 4);
    }
}
