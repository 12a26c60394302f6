//! The lists of one channel. Fan-outs share a list, and a change costs the same whatever its length.

use super::EntryNo;
use crate::xep::List;
use std::collections::HashMap;
use std::sync::Arc;

/// Up to this length a list is searched. A longer one has an index.
const SHORT: usize = 64;

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

/// One list, in the order in which entries were added.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    /// The entries. In a long list, a removed one leaves [`EntryNo::NOBODY`].
    numbers: Arc<Vec<EntryNo>>,
    /// The index. Empty for a short list, and for one that did not change since it was filled.
    places: HashMap<EntryNo, usize>,
    gone: usize,
}

impl Listed {
    pub fn of(numbers: Vec<EntryNo>) -> Listed {
        Listed { numbers: Arc::new(numbers), ..Listed::default() }
    }

    /// A snapshot. The next change copies a list that is still shared.
    fn share(&self) -> Arc<Vec<EntryNo>> {
        self.numbers.clone()
    }

    pub fn insert(&mut self, no: EntryNo) {
        if self.numbers.len() <= SHORT {
            if !self.numbers.contains(&no) {
                Arc::make_mut(&mut self.numbers).push(no);
            }
            return;
        }
        self.find_places();
        let end = self.numbers.len();
        if *self.places.entry(no).or_insert(end) == end {
            Arc::make_mut(&mut self.numbers).push(no);
        }
    }

    pub fn remove(&mut self, no: EntryNo) {
        if self.numbers.len() <= SHORT {
            return Arc::make_mut(&mut self.numbers).retain(|&other| other != no);
        }
        self.find_places();
        let Some(place) = self.places.remove(&no) else { return };
        let numbers = Arc::make_mut(&mut self.numbers);
        numbers[place] = EntryNo::NOBODY;
        self.gone += 1;
        if 2 * self.gone > numbers.len() {
            numbers.retain(|&other| other != EntryNo::NOBODY);
            self.places.clear();
            self.gone = 0;
        }
    }

    fn find_places(&mut self) {
        if self.places.is_empty() {
            self.places = self.numbers.iter().enumerate().map(|(place, &no)| (no, place)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &Listed) -> Vec<EntryNo> {
        list.share().iter().copied().filter(|&no| no != EntryNo::NOBODY).collect()
    }

    /// Every operation at every length, compared with a plain list.
    #[test]
    fn a_long_list_is_what_a_plain_one_would_be() {
        let (mut list, mut plain) = (Listed::of((0..70).map(EntryNo::first).collect()), Vec::new());
        plain.extend((0..70).map(EntryNo::first));
        let mut dice = 7_u32;
        for step in 0..20_000_u32 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let no = EntryNo::first((dice >> 8) % 200);
            // The list grows and shrinks by turns.
            if (dice >> 20) % 10 < if step / 2000 % 2 == 0 { 7 } else { 3 } {
                list.insert(no);
                if !plain.contains(&no) {
                    plain.push(no);
                }
            } else {
                list.remove(no);
                plain.retain(|&other| other != no);
            }
            assert!(
                list.numbers.len() <= (2 * plain.len()).max(SHORT + 1),
                "{} for {}",
                list.numbers.len(),
                plain.len()
            );
            assert_eq!(listed(&list), plain, "after {step}");
        }
    }

    #[test]
    fn what_was_shared_stays_as_it_was() {
        let mut list = Listed::of((0..100).map(EntryNo::first).collect());
        let shared = list.share();
        list.remove(EntryNo::first(3));
        list.insert(EntryNo::first(100));
        assert_eq!(*shared, (0..100).map(EntryNo::first).collect::<Vec<_>>());
    }
}
