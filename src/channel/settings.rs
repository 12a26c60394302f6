//! What an owner may settle of a channel, and the rights that go with roles.

use super::{NodeSet, Stamp};
use serde::{Deserialize, Serialize};

/// What a channel was made as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// A MIX channel as XEP-0369 has it.
    #[default]
    Plain,
    /// A group: its people are added and removed, and its changes are events (groups.md §1).
    Group,
}

/// How somebody comes to be in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// Whoever wants joins.
    #[default]
    Open,
    /// Whoever is added is in at once; nobody else gets in.
    Auto,
    /// Whoever is added waits until joining; nobody else gets in.
    Invite,
}

/// Which rows a participant sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// All.
    #[default]
    Full,
    /// Those that came while in.
    Joined,
}

/// Who is told of receipts and markers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReceiptPolicy {
    /// Everybody, as MUC clients expect.
    #[default]
    Relay,
    /// The author alone.
    Author,
}

/// The settings of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// What it was made as.
    pub style: Style,
    /// How somebody comes to be in it.
    pub membership: Membership,
    /// Which rows a participant sees.
    pub history: History,
    /// Whether changes of people and profile become rows.
    pub events: bool,
    /// Who is told of receipts and markers.
    pub receipts: ReceiptPolicy,
    /// Whether members may add others, and not admins alone.
    pub members_add: bool,
    /// Joined and waiting together, at most.
    pub participants_max: usize,
    /// The name's length at most, in Unicode scalar values.
    pub subject_chars_max: usize,
    /// For how long one may retract one's own message, in seconds; 0: for ever.
    pub retract_window_s: u64,
    /// Days after which its rows are gone; 0: for ever, as far as the service keeps them.
    pub retention_days: u64,
    /// When it is destroyed (XEP-0406 §2.4); never where absent.
    pub end_of_life: Option<Stamp>,
    /// Which of its nodes are switched off, among the participants, the information, the picture and the video; what is on
    /// them waits (XEP-0406 §2.4).
    pub switched_off: NodeSet,
    /// Who may subscribe to which of its nodes.
    pub access: super::NodeAccess,
    /// Who may do what in it, where it is no group.
    pub grants: super::Grants,
    /// Who sees the JIDs of participants (XEP-0404 §2.2); a group shows them.
    pub visibility: super::Visibility,
    /// Whether participants write to one another through the channel (XEP-0404 §2.1).
    pub private_messages: bool,
    /// Whether participants share their presence with it (XEP-0403): whether there is a node for that.
    pub presence: bool,
    /// Whether others than participants share their presence with it, too.
    pub open_presence: bool,
    /// Whether everybody in it has to share its presence with it.
    pub presence_required: bool,
    /// Whether its people are told of changes by the notices of the HTTP API (groups.md §4).
    pub notices: bool,
}

const DAY_MS: u64 = 24 * 3600 * 1000;

impl Settings {
    /// Rows from before this point are shown to nobody any more.
    pub fn horizon(&self, now: Stamp) -> Stamp {
        match self.retention_days {
            0 => Stamp(0),
            days => Stamp(now.0.saturating_sub(days.saturating_mul(DAY_MS))),
        }
    }

    /// Whether the channel is in the public list, where `past` says whether it was: a group is as long as anybody may
    /// join it (groups.md §1 rule 11).
    pub fn lists(&self, past: bool) -> bool {
        match self.style {
            Style::Plain => past,
            Style::Group => self.membership == Membership::Open,
        }
    }

    /// Whether everybody sees the JIDs of everybody.
    pub fn shows_jids(&self) -> bool {
        self.visibility == super::Visibility::Visible
    }
}

/// Who has which role.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// The owners.
    pub owners: super::Holders,
    /// The admins; an owner is none.
    pub admins: super::Holders,
}

/// A set of row numbers as intervals, first and last included, in order and apart.
///
/// It has bounded room. What does not fit is given up, from the lowest rows on: no row is in the set that was not put in,
/// and of rows that were given up nothing more is taken. They are the interval that begins with 0, where there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervals(Vec<(u64, u64)>);

/// Intervals that are kept apart; beyond that the lowest one is given up.
const INTERVALS_MAX: usize = 256;

impl Intervals {
    /// The row up to which it was given up; 0 where it was not.
    fn given_up(&self) -> u64 {
        self.0.first().filter(|&&(first, _)| first == 0).map_or(0, |&(_, last)| last)
    }

    /// Whether a row is in it.
    pub fn contains(&self, row: u64) -> bool {
        self.covers(row, row)
    }

    /// Whether all of `first..=last` is in it.
    pub fn covers(&self, first: u64, last: u64) -> bool {
        let at = self.0.partition_point(|&(start, _)| start <= first);
        at > 0 && self.0[at - 1].0 > 0 && last <= self.0[at - 1].1
    }

    /// What may be put in of `first..=last` and is not there, in order.
    pub fn gaps(&self, first: u64, last: u64) -> Vec<(u64, u64)> {
        let (mut gaps, mut next) = (Vec::new(), first);
        let from = self.0.partition_point(|&(_, end)| end < first);
        for &(start, end) in self.0[from..].iter().take_while(|&&(start, _)| start <= last) {
            if next < start {
                gaps.push((next, start - 1));
            }
            next = next.max(end.saturating_add(1));
        }
        if next <= last {
            gaps.push((next, last));
        }
        gaps
    }

    /// What is in it, first and last included, in order and apart.
    pub fn known(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied().filter(|&(first, _)| first > 0)
    }

    /// Into how many pieces it falls.
    pub fn pieces(&self) -> usize {
        self.0.len()
    }

    /// Puts `first..=last` in, as far as it was not given up.
    pub fn insert(&mut self, first: u64, last: u64) {
        let given_up = self.given_up();
        let (mut first, mut last) = (first.max(given_up + 1), last);
        if first > last {
            return;
        }
        let lowest = usize::from(given_up > 0);
        let from = self.0.partition_point(|&(_, end)| end.saturating_add(1) < first).max(lowest);
        let to = self.0.partition_point(|&(start, _)| start <= last.saturating_add(1));
        if from < to {
            first = first.min(self.0[from].0);
            last = last.max(self.0[to - 1].1);
        }
        self.0.splice(from..to, [(first, last)]);
        if self.0.len() > INTERVALS_MAX + lowest {
            self.0.splice(..=lowest, [(0, self.0[lowest].1)]);
        }
    }

    /// The highest row in it; 0 where it is empty.
    pub fn highest(&self) -> u64 {
        self.0.last().filter(|&&(first, _)| first > 0).map_or(0, |&(_, last)| last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_agree_with_a_set() {
        let mut intervals = Intervals::default();
        let mut set = std::collections::BTreeSet::new();
        let mut x = 7u64;
        for _ in 0..300 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let (first, length) = (1 + (x >> 33) % 200, (x >> 20) % 4);
            intervals.insert(first, first + length);
            set.extend(first..=first + length);
            assert!((0..=210).all(|row| intervals.contains(row) == set.contains(&row)));
            assert_eq!(intervals.highest(), *set.last().unwrap());
            let gaps = intervals.gaps(first / 2, first + 20);
            let missing: Vec<u64> = gaps.iter().flat_map(|&(first, last)| first..=last).collect();
            let expected: Vec<u64> = (first / 2..=first + 20).filter(|row| !set.contains(row)).collect();
            assert_eq!(missing, expected);
        }
        assert!(intervals.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{intervals:?}");
        assert!(intervals.covers(3, 3) == set.contains(&3));
    }

    #[test]
    fn single_rows_far_apart_take_bounded_room() {
        let mut intervals = Intervals::default();
        (1..2000).for_each(|n| intervals.insert(3 * n, 3 * n));
        assert_eq!(intervals.0.len(), INTERVALS_MAX + 1);
        assert!(intervals.contains(5997) && (1..6000).all(|row| row % 3 == 0 || !intervals.contains(row)));
        assert!(
            !intervals.contains(3) && !intervals.contains(0) && intervals.gaps(1, 5000).iter().all(|gap| gap.0 > 5000)
        );
        // What was given up is not put in again, and what is next to it does not become a part of it.
        let end = intervals.given_up();
        intervals.insert(1, end + 2);
        assert!(!intervals.contains(end) && intervals.contains(end + 1) && intervals.highest() == 5997);
        assert_eq!((intervals.given_up(), intervals.0.len()), (end, INTERVALS_MAX + 1));
    }
}
