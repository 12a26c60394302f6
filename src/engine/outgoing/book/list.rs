//! The lists of one channel. Fan-outs share a list. Most changes are at its end, and none looks at more than a few entries.

use super::EntryNo;
use crate::engine::outgoing::outbox::{Placed, Rank};
use crate::xep::List;
use std::ops::Range;
use std::sync::Arc;

/// The few lists of one channel.
#[derive(Clone, Debug, Default)]
pub(super) struct ChannelLists(Vec<(List, Listed)>);

impl ChannelLists {
    /// A list. A new one is empty.
    pub fn of(&mut self, list: List) -> &mut Listed {
        let place = self.0.iter().position(|(other, _)| *other == list).unwrap_or_else(|| {
            self.0.push((list, Listed::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }

    /// A snapshot of a list, which later changes do not affect.
    pub fn share(&self, list: List) -> Arc<Vec<EntryNo>> {
        let found = self.0.iter().find(|(other, _)| *other == list);
        found.map(|(_, listed)| listed.share()).unwrap_or_default()
    }
}

/// One list, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    /// The entries. A removed one leaves [`EntryNo::NOBODY`], until those are half of all.
    numbers: Arc<Vec<EntryNo>>,
    /// Their ranks.
    ranks: Vec<Rank>,
    gone: usize,
}

impl Listed {
    /// A list of entries that are in order.
    pub fn of(entries: Vec<Placed>) -> Listed {
        let (ranks, numbers) = entries.into_iter().unzip();
        Listed { numbers: Arc::new(numbers), ranks, gone: 0 }
    }

    /// A snapshot. The next change copies a list that is still shared.
    fn share(&self) -> Arc<Vec<EntryNo>> {
        self.numbers.clone()
    }

    /// Adds an entry behind all of its rank and of lower ones.
    pub fn insert(&mut self, (rank, no): Placed) {
        let places = self.places(rank);
        if self.numbers[places.clone()].contains(&no) {
            return;
        }
        Arc::make_mut(&mut self.numbers).insert(places.end, no);
        self.ranks.insert(places.end, rank);
    }

    pub fn remove(&mut self, (rank, no): Placed) {
        let places = self.places(rank);
        let Some(place) = places.clone().find(|place| self.numbers[*place] == no) else { return };
        let numbers = Arc::make_mut(&mut self.numbers);
        numbers[place] = EntryNo::NOBODY;
        self.gone += 1;
        if 2 * self.gone > numbers.len() {
            let mut all = numbers.iter();
            self.ranks.retain(|_| all.next() != Some(&EntryNo::NOBODY));
            numbers.retain(|&other| other != EntryNo::NOBODY);
            self.gone = 0;
        }
    }

    /// Where entries of a rank are, or would be.
    fn places(&self, rank: Rank) -> Range<usize> {
        let from = self.ranks.partition_point(|other| *other < rank);
        let count = self.ranks[from..].iter().take_while(|other| **other == rank).count();
        from..from + count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &Listed) -> Vec<EntryNo> {
        list.share().iter().copied().filter(|&no| no != EntryNo::NOBODY).collect()
    }

    fn placed(number: u32) -> Placed {
        (Rank::at(u64::from(number.wrapping_mul(37) % 50)), EntryNo::first(number))
    }

    /// Every operation at every length, compared with a plain list.
    #[test]
    fn a_list_is_what_a_plain_one_would_be_that_is_sorted() {
        let mut plain: Vec<Placed> = (0..70).map(placed).collect();
        plain.sort_by_key(|(rank, _)| *rank);
        let mut list = Listed::of(plain.clone());
        let mut dice = 7_u32;
        for step in 0..20_000_u32 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let it = placed((dice >> 8) % 200);
            // The list grows and shrinks by turns.
            if (dice >> 20) % 10 < if step / 2000 % 2 == 0 { 7 } else { 3 } {
                list.insert(it);
                if !plain.contains(&it) {
                    plain.push(it);
                    plain.sort_by_key(|(rank, _)| *rank);
                }
            } else {
                list.remove(it);
                plain.retain(|&other| other != it);
            }
            assert!(list.numbers.len() <= 2 * plain.len() + 1, "{} for {}", list.numbers.len(), plain.len());
            assert_eq!(list.numbers.len(), list.ranks.len());
            assert_eq!(listed(&list), plain.iter().map(|(_, no)| *no).collect::<Vec<_>>(), "after {step}");
        }
    }

    #[test]
    fn what_was_shared_stays_as_it_was() {
        let mut list = Listed::of((0..100).map(|number| (Rank::at(0), EntryNo::first(number))).collect());
        let shared = list.share();
        list.remove((Rank::at(0), EntryNo::first(3)));
        list.insert((Rank::at(0), EntryNo::first(100)));
        assert_eq!(*shared, (0..100).map(EntryNo::first).collect::<Vec<_>>());
    }
}
