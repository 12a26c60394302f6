//! The settings of a channel, its owners and admins, and sets of row numbers.

use super::{NodeSet, Stamp};
use serde::{Deserialize, Serialize};

/// What a channel was created as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Style {
    /// XEP-0369: a plain MIX channel.
    #[default]
    Plain,
    /// groups.md §1: a group. People are added and removed, and changes are events in its archive.
    Group,
}

/// How people come to be in a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    /// Everybody may join.
    #[default]
    Open,
    /// People who are added are participants at once. Nobody else gets in.
    Auto,
    /// People who are added wait until they join. Nobody else gets in.
    Invite,
}

/// Which rows a participant sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum History {
    /// All rows.
    #[default]
    Full,
    /// The rows that came while it was in.
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
    /// What it was created as.
    pub style: Style,
    /// How people come to be in it.
    pub membership: Membership,
    /// Which rows a participant sees.
    pub history: History,
    /// Whether changes of people and of the profile become rows.
    pub events: bool,
    /// Who is told of receipts and markers.
    pub receipts: ReceiptPolicy,
    /// Whether all members may add others, and not admins alone.
    pub members_add: bool,
    /// The most people who are joined or wait.
    pub participants_max: usize,
    /// The longest name, in Unicode scalar values.
    pub subject_chars_max: usize,
    /// How long an author may retract a message, in seconds. 0 means for ever.
    pub retract_window_s: u64,
    /// Days after which its rows expire. 0 keeps them as long as the service does.
    pub retention_days: u64,
    /// XEP-0406 §2.4: when it is destroyed. Never where absent.
    pub end_of_life: Option<Stamp>,
    /// XEP-0406 §2.4: its nodes that are switched off. They can be the participants, the information, the picture and
    /// the video. What is on such a node is kept.
    pub switched_off: NodeSet,
    /// Who may subscribe to which of its nodes.
    pub access: super::NodeAccess,
    /// Who may do what, in a plain channel.
    pub grants: super::Grants,
    /// XEP-0404 §2.2: who sees the JIDs of participants. Groups show them.
    pub visibility: super::Visibility,
    /// Who may send private messages to participants.
    pub private_messages: super::PrivateMessages,
    /// XEP-0403 §3.5: whether participants share their presence with it. The presence node exists where they do.
    pub presence: bool,
    /// XEP-0406 §2.4: whether others may share their presence with it as well.
    pub open_presence: bool,
    /// XEP-0406 §2.4: whether participants have to share their presence with it.
    pub presence_required: bool,
    /// groups.md §4: whether its people get the notices of the HTTP API.
    pub notices: bool,
    /// What only rooms have a form for.
    pub room: super::RoomSettings,
}

const DAY_MS: u64 = 24 * 3600 * 1000;

impl Settings {
    /// The stamp of the oldest rows that are still shown. Rows from before it have expired.
    pub fn horizon(&self, now: Stamp) -> Stamp {
        match self.retention_days {
            0 => Stamp(0),
            days => Stamp(now.0.saturating_sub(days.saturating_mul(DAY_MS))),
        }
    }

    /// groups.md §1 rule 11: whether the channel is in the list of channels. `past` says whether it was. A group is
    /// listed while everybody may join it, a plain channel as the form of rooms says.
    pub fn lists(&self, past: bool) -> bool {
        match self.style {
            Style::Plain => self.room.listed.unwrap_or(past),
            Style::Group => self.membership == Membership::Open,
        }
    }

    /// Whether all participants see the JIDs of all.
    pub fn shows_jids(&self) -> bool {
        self.visibility == super::Visibility::Visible
    }
}

/// The owners and admins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// The owners.
    pub owners: super::Holders,
    /// The admins. An owner is not among them.
    pub admins: super::Holders,
}

/// A set of row numbers, as intervals in order and apart, both ends included.
///
/// Its size is bounded. When it grows too large, its lowest rows are given up: they are not in the set any more, and no
/// such row is added again. They are stored as one interval that begins with 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervals(Vec<(u64, u64)>);

/// The most intervals. Beyond that, the lowest one is given up.
const INTERVALS_MAX: usize = 256;

impl Intervals {
    /// The highest row that was given up. 0 where none was.
    fn given_up(&self) -> u64 {
        self.0.first().filter(|&&(first, _)| first == 0).map_or(0, |&(_, last)| last)
    }

    /// Whether a row is in the set.
    pub fn contains(&self, row: u64) -> bool {
        self.covers(row, row)
    }

    /// Whether all of `first..=last` is in the set.
    pub fn covers(&self, first: u64, last: u64) -> bool {
        let at = self.0.partition_point(|&(start, _)| start <= first);
        at > 0 && self.0[at - 1].0 > 0 && last <= self.0[at - 1].1
    }

    /// The parts of `first..=last` that can be added and are not in the set, in order.
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

    /// The intervals in order, both ends included, without rows that were given up.
    pub fn known(&self) -> impl Iterator<Item = (u64, u64)> {
        self.0.iter().copied().filter(|&(first, _)| first > 0)
    }

    /// The number of intervals.
    pub fn pieces(&self) -> usize {
        self.0.len()
    }

    /// Adds `first..=last`, without rows that were given up.
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

    /// The highest row. 0 where the set is empty.
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
