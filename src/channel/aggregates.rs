//! How far rows came at all their recipients. The counts of the newest rows are kept, so that a report does not look at
//! every recipient.

use super::group::Aggregate;
use super::tallies::{Count, NEWEST, Newest, less, more};
use super::{Channel, Member, ParticipantId, Progress};
use std::collections::BTreeMap;

/// Ranges of places in a list of rows, in order and apart. Each begins at its first number and ends before its second.
type Ranges = Vec<(usize, usize)>;

/// A number for each place. Whole ranges of places are raised at once.
struct Counts(Vec<isize>);

impl Counts {
    fn raise(&mut self, ranges: &[(usize, usize)]) {
        for &(from, to) in ranges {
            self.0[from] += 1;
            self.0[to] -= 1;
        }
    }

    fn into_sums(self) -> Vec<usize> {
        let mut sum = 0;
        let sums = self.0.into_iter().map(|change| {
            sum += change;
            sum.unsigned_abs()
        });
        sums.collect()
    }
}

/// For each row: how many got it, at how many it arrived, and how many read it.
struct Tally {
    recipients: Counts,
    delivered: Counts,
    read: Counts,
}

impl Tally {
    fn of(rows: &[u64]) -> Tally {
        let none = || Counts(vec![0; rows.len() + 1]);
        Tally { recipients: none(), delivered: none(), read: none() }
    }
}

impl Channel {
    /// How far rows came at their recipients. `of` has the rows in order, each with its author, who is no recipient.
    /// `instead` is the record of one member as it is after the report.
    pub(super) fn aggregates(&self, of: &[(u64, &ParticipantId)], instead: &Member) -> Vec<Aggregate> {
        let newest = self.tallies.0.get_or_init(|| self.count_newest());
        let older: Vec<u64> = of.iter().map(|(row, _)| *row).filter(|row| newest.of(*row).is_none()).collect();
        let older: BTreeMap<u64, Count> = match older.is_empty() {
            true => BTreeMap::new(),
            false => older.iter().copied().zip(self.counts(&older)).collect(),
        };
        let before = self.member_of(&instead.id);
        let aggregate = |&(row, author): &(u64, &ParticipantId)| {
            let mut count = newest.of(row).or_else(|| older.get(&row)).copied().unwrap_or_default();
            let author = self.member_of(author).map(|author| as_it_will_be(author, instead));
            if let Some(before) = before {
                less(&mut count, before, row);
                more(&mut count, instead, row);
            }
            author.into_iter().for_each(|author| less(&mut count, author, row));
            let [recipients, delivered, read, there, reached, done] = count;
            let least = match () {
                () if there == 0 || reached < there => None,
                () if done < there => Some(Progress::Delivered),
                () => Some(Progress::Read),
            };
            Aggregate { recipients, delivered, read, all: least }
        };
        of.iter().map(aggregate).collect()
    }

    fn count_newest(&self) -> Newest {
        let last = self.head().row;
        let first = (last + 1).saturating_sub(NEWEST as u64).max(self.base().row + 1);
        let rows: Vec<u64> = (first..=last).collect();
        Newest { first, counts: self.counts(&rows).into() }
    }

    /// How far rows came at everybody, also at their authors. The rows are in order. It takes one walk over the people,
    /// however many rows there are.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are counted")]
    fn counts(&self, rows: &[u64]) -> Vec<Count> {
        let (mut all, mut joined) = (Tally::of(rows), Tally::of(rows));
        for member in self.members() {
            let present = places(rows, open_windows(member));
            let read = meet(&present, &places(rows, member.own.reported().read.known()));
            let delivered = meet(&present, &places(rows, member.own.reported().delivered.known()));
            let delivered = join(delivered, &read);
            for tally in [Some(&mut all), Some(&mut joined).filter(|_| member.is_joined())].into_iter().flatten() {
                tally.recipients.raise(&present);
                tally.delivered.raise(&delivered);
                tally.read.raise(&read);
            }
        }
        let counted = |tally: Tally| [tally.recipients, tally.delivered, tally.read].map(Counts::into_sums);
        let ([a, b, c], [d, e, f]) = (counted(all), counted(joined));
        (0..rows.len()).map(|at| [a[at], b[at], c[at], d[at], e[at], f[at]]).collect()
    }

    #[cfg(test)]
    pub(super) fn assert_tallies(&self, is_message: impl Fn(u64) -> bool) {
        if let Some(newest) = self.tallies.0.get() {
            let rows: Vec<u64> = (newest.first..).take(newest.counts.len()).collect();
            let counts = self.counts(&rows);
            let counted = rows.iter().zip(&counts).filter(|(row, _)| is_message(**row));
            let kept = rows.iter().zip(&newest.counts).filter(|(row, _)| is_message(**row));
            assert_eq!(kept.collect::<Vec<_>>(), counted.collect::<Vec<_>>());
        }
    }
}

/// The ranges of rows that came while somebody was in the channel.
fn open_windows(member: &Member) -> impl Iterator<Item = (u64, u64)> {
    member.windows.iter().map(|&(first, last)| (first, last.unwrap_or(u64::MAX)))
}

/// `instead` where it is the record of the same member, else `member`.
fn as_it_will_be<'m>(member: &'m Member, instead: &'m Member) -> &'m Member {
    if instead.id == member.id { instead } else { member }
}

/// The places of those rows whose numbers are within the ranges; the ranges include their ends.
fn places(rows: &[u64], ranges: impl Iterator<Item = (u64, u64)>) -> Ranges {
    let place = |(first, last)| (rows.partition_point(|row| *row < first), rows.partition_point(|row| *row <= last));
    ranges.map(place).filter(|(from, to)| from < to).collect()
}

/// The places that are in both.
fn meet(a: &[(usize, usize)], b: &[(usize, usize)]) -> Ranges {
    let (mut i, mut j, mut both) = (0, 0, Vec::new());
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        let (from, to) = (x.0.max(y.0), x.1.min(y.1));
        if from < to {
            both.push((from, to));
        }
        if x.1 < y.1 { i += 1 } else { j += 1 }
    }
    both
}

/// The places that are in one of them.
fn join(mut a: Ranges, b: &[(usize, usize)]) -> Ranges {
    a.extend_from_slice(b);
    a.sort_unstable();
    let mut either: Ranges = Vec::with_capacity(a.len());
    for (from, to) in a {
        match either.last_mut().filter(|last| from <= last.1) {
            Some(last) => last.1 = last.1.max(to),
            None => either.push((from, to)),
        }
    }
    either
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_places_meet_and_join_as_sets_do() {
        let rows = [3, 5, 5, 9, 20];
        let sets: [&[(u64, u64)]; 6] =
            [&[], &[(1, 100)], &[(3, 3), (9, 9)], &[(4, 8), (10, 19)], &[(5, 9)], &[(1, 4), (6, 30)]];
        let held = |ranges: &Ranges| -> Vec<usize> { ranges.iter().flat_map(|&(from, to)| from..to).collect() };
        for a in sets {
            for b in sets {
                let is_in = |set: &[(u64, u64)], at: &usize| set.iter().any(|(f, l)| (*f..=*l).contains(&rows[*at]));
                let [x, y] = [a, b].map(|set| places(&rows, set.iter().copied()));
                let of =
                    |is_meant: &dyn Fn(&usize) -> bool| (0..rows.len()).filter(|at| is_meant(at)).collect::<Vec<_>>();
                assert_eq!(held(&meet(&x, &y)), of(&|at| is_in(a, at) && is_in(b, at)), "{a:?} {b:?}");
                assert_eq!(held(&join(x, &y)), of(&|at| is_in(a, at) || is_in(b, at)), "{a:?} {b:?}");
            }
        }
    }
}
