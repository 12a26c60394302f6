//! The rows of an archive that an asker may see, as arithmetic: ranges of numbers, less single rows that are hidden.
//!
//! Row numbers have no gaps. So the number of visible rows, and which of them are the newest, follow without reading a
//! row.

use super::Narrow;

/// Ranges of rows, first and last included, in order and apart, and the hidden rows within them, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Visible<'a> {
    ranges: Vec<(u64, u64)>,
    hidden: &'a [u64],
}

impl<'a> Visible<'a> {
    /// The visible rows of `first..=last`.
    pub(super) fn between(first: u64, last: u64, narrow: &'a Narrow) -> Visible<'a> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        let all = [(first, last)];
        for &(low, high) in narrow.windows.as_deref().unwrap_or(&all) {
            // Windows are supposed to lie apart. Where they do not, no row is shown twice all the same.
            let behind = ranges.last().map_or(0, |&(_, high)| high.saturating_add(1));
            let (low, high) = (low.max(first).max(behind), high.min(last));
            if low <= high {
                ranges.push((low, high));
            }
        }
        Visible { ranges, hidden: &narrow.hidden }
    }

    /// Those of these rows that are in given ranges, which are in order and apart.
    pub(super) fn only(mut self, wanted: &[(u64, u64)]) -> Visible<'a> {
        let mut kept = Vec::new();
        for &(low, high) in &self.ranges {
            let from = wanted.partition_point(|&(_, end)| end < low);
            let within = wanted.iter().skip(from).take_while(|&&(begin, _)| begin <= high);
            kept.extend(within.map(|&(begin, end)| (begin.max(low), end.min(high))));
        }
        self.ranges = kept;
        self
    }

    /// These rows without given ranges of numbers, which are in order.
    pub(super) fn without(mut self, gaps: &[(u64, u64)]) -> Visible<'a> {
        for &(gap_low, gap_high) in gaps {
            let cut = |(low, high): (u64, u64)| {
                let before = (low, high.min(gap_low.saturating_sub(1)));
                let behind = (low.max(gap_high.saturating_add(1)), high);
                if high < gap_low || gap_high < low { vec![(low, high)] } else { vec![before, behind] }
            };
            self.ranges = self.ranges.into_iter().flat_map(cut).filter(|(low, high)| low <= high).collect();
        }
        self
    }

    /// The ranges. They include hidden rows.
    pub(super) fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// Whether a row is hidden.
    pub(super) fn hides(&self, row: u64) -> bool {
        self.hidden.binary_search(&row).is_ok()
    }

    /// How many rows are visible.
    pub(super) fn count(&self) -> u64 {
        self.ranges.iter().map(|&(low, high)| self.count_between(low, high)).sum()
    }

    /// The `max` oldest visible rows.
    pub(super) fn oldest(mut self, max: u64) -> Visible<'a> {
        let mut left = max;
        let mut kept = Vec::new();
        for &(low, high) in &self.ranges {
            if left == 0 {
                break;
            }
            let count = self.count_between(low, high);
            if count <= left {
                kept.push((low, high));
                left -= count;
                continue;
            }
            let mut end = low + left - 1;
            for &row in self.hidden_from(low) {
                if row > end {
                    break;
                }
                end += 1;
            }
            kept.push((low, end));
            left = 0;
        }
        self.ranges = kept;
        self
    }

    /// The `max` newest visible rows.
    pub(super) fn newest(mut self, max: u64) -> Visible<'a> {
        let mut left = max;
        let mut kept = Vec::new();
        for &(low, high) in self.ranges.iter().rev() {
            if left == 0 {
                break;
            }
            let count = self.count_between(low, high);
            if count <= left {
                kept.push((low, high));
                left -= count;
                continue;
            }
            let mut start = high - (left - 1);
            for &row in self.hidden_to(high).iter().rev() {
                if row < start {
                    break;
                }
                start -= 1;
            }
            kept.push((start, high));
            left = 0;
        }
        kept.reverse();
        self.ranges = kept;
        self
    }

    fn count_between(&self, low: u64, high: u64) -> u64 {
        let hidden = self.hidden_to(high).len() + self.hidden_from(low).len() - self.hidden.len();
        high - low + 1 - hidden as u64
    }

    fn hidden_from(&self, low: u64) -> &'a [u64] {
        &self.hidden[self.hidden.partition_point(|&row| row < low)..]
    }

    fn hidden_to(&self, high: u64) -> &'a [u64] {
        &self.hidden[..self.hidden.partition_point(|&row| row <= high)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    #[test]
    fn arithmetic_agrees_with_a_look_at_every_row() {
        let mut dice = StdRng::seed_from_u64(3);
        for turn in 0..3000 {
            let edges: Vec<u64> = (0..dice.random_range(0..5)).map(|_| dice.random_range(0..60)).collect();
            let mut edges: Vec<u64> =
                edges.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
            edges.truncate(edges.len() / 2 * 2);
            let windows: Vec<(u64, u64)> = edges.chunks(2).map(|pair| (pair[0], pair[1])).collect();
            let hidden = (0..60).filter(|_| dice.random_ratio(1, 3)).collect();
            let narrow = Narrow { windows: dice.random::<bool>().then_some(windows), hidden, ..Narrow::default() };
            let (first, last) = (dice.random_range(0..40), dice.random_range(0..70));
            let is_visible = |row: &u64| {
                let windows = narrow.windows.as_ref();
                windows.is_none_or(|windows| windows.iter().any(|&(low, high)| low <= *row && *row <= high))
                    && !narrow.hidden.contains(row)
            };
            let rows: Vec<u64> = (first..=last).filter(is_visible).collect();
            let gaps: Vec<(u64, u64)> = if dice.random() { vec![(10, 14), (30, 30)] } else { Vec::new() };
            let narrow = Narrow { hidden: not_in(narrow.hidden, &gaps), ..narrow };
            let rows: Vec<u64> = not_in(rows, &gaps);
            let visible = Visible::between(first, last, &narrow).without(&gaps);
            let listed = |visible: &Visible<'_>| -> Vec<u64> {
                let ranges = visible.ranges().iter().flat_map(|&(low, high)| low..=high);
                ranges.filter(|&row| !visible.hides(row)).collect()
            };
            assert_eq!(listed(&visible), rows, "turn {turn}");
            assert_eq!(visible.count(), rows.len() as u64, "turn {turn}");
            let max = dice.random_range(0..20usize);
            let taken = rows.len().min(max);
            assert_eq!(listed(&visible.clone().oldest(max as u64)), rows[..taken], "turn {turn}");
            assert_eq!(listed(&visible.newest(max as u64)), rows[rows.len() - taken..], "turn {turn}");
        }
    }

    fn not_in(rows: Vec<u64>, gaps: &[(u64, u64)]) -> Vec<u64> {
        rows.into_iter().filter(|row| !gaps.iter().any(|(low, high)| low <= row && row <= high)).collect()
    }

    #[test]
    fn windows_that_overlap_show_no_row_twice() {
        let narrow = Narrow { windows: Some(vec![(2, 5), (4, 8), (8, 8)]), ..Narrow::default() };
        assert_eq!(Visible::between(1, 10, &narrow).ranges(), [(2, 5), (6, 8)]);
    }
}
