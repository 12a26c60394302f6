//! XEP-0502: how much is said in a channel, by hours.
//!
//! Nothing of it is stored: a load sees the newest rows with their stamps. Where those do not reach back for a day, the hours that
//! they do reach stand for it.

use super::{Row, RowKind, Stamp};

/// The hour that is going on, and a day before it.
const HOURS: usize = 25;
const HOUR_MS: u64 = 3_600_000;

/// How many messages came in each of the last hours.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse {
    /// The hour of the first counter, since 1970.
    hour: u64,
    /// The newest hour first.
    counts: [u32; HOURS],
    /// The hour of the oldest row that was seen, where there are older ones.
    seen_since: Option<u64>,
}

/// What was counted makes no difference to what a channel is.
impl PartialEq for Pulse {
    fn eq(&self, _: &Pulse) -> bool {
        true
    }
}

impl Pulse {
    /// Rows before this one were not seen.
    pub fn begin(&mut self, stamp: Stamp) {
        self.seen_since = Some(stamp.0 / HOUR_MS);
    }

    /// Counts a message. Corrections are none, and neither is what has nothing to read.
    pub fn note(&mut self, row: &Row) {
        if row.kind != RowKind::Message || !row.counted || row.corrects {
            return;
        }
        let hour = row.stamp.0 / HOUR_MS;
        if hour > self.hour {
            let passed = usize::try_from(hour - self.hour).unwrap_or(HOURS).min(HOURS);
            self.counts.copy_within(..HOURS - passed, passed);
            self.counts[..passed].fill(0);
            self.hour = hour;
        }
        // Stamps may be lower where the clock was set back.
        if let Some(count) = usize::try_from(self.hour - hour).ok().and_then(|age| self.counts.get_mut(age)) {
            *count = count.saturating_add(1);
        }
    }

    /// Messages an hour over the day before the hour that is going on.
    pub fn per_hour(&self, now: Stamp) -> f64 {
        let hour = (now.0 / HOUR_MS).max(self.hour);
        let passed = hour - self.hour;
        // The hour in which the oldest row was seen was not seen as a whole.
        let seen = self.seen_since.map_or(u64::MAX, |since| hour.saturating_sub(since.saturating_add(1)));
        let hours = seen.min(HOURS as u64 - 1);
        if hours == 0 {
            // All that was seen is of this hour and the one before.
            return f64::from(self.counts.iter().copied().fold(0, u32::saturating_add));
        }
        let ages = (passed..).zip(self.counts).filter(|(age, _)| (1..=hours).contains(age));
        f64::from(ages.fold(0, |sum: u32, (_, count)| sum.saturating_add(count))) / hours as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ParticipantId;

    fn row(minutes: u64) -> Row {
        Row {
            number: 1,
            stamp: Stamp(minutes * 60_000),
            author: ParticipantId::new("aaaaaaaaaaaaaaaaaaaa").unwrap(),
            ordinal: 1,
            counted: true,
            target: None,
            corrects: false,
            kind: RowKind::Message,
            media: None,
            nick: String::new(),
            stanza_id: None,
            origin_id: None,
            lang: None,
            payload: String::new(),
        }
    }

    fn at(minutes: u64) -> Stamp {
        Stamp(minutes * 60_000)
    }

    #[test]
    fn a_day_of_whole_hours_counts() {
        let mut pulse = Pulse::default();
        let day = 500_000 * 60;
        // Every tenth minute of 30 hours.
        (0..180).for_each(|n| pulse.note(&row(day + n * 10)));
        assert_eq!(pulse.per_hour(at(day + 1799)), 6.0);
        // An hour without a word.
        assert_eq!(pulse.per_hour(at(day + 1860)), 23.0 * 6.0 / 24.0);
        assert_eq!((pulse.per_hour(at(day + 1800 + 23 * 60)), pulse.per_hour(at(day + 1800 + 24 * 60))), (0.25, 0.0));
        // A clock that is set back loses nothing, and one that jumps ahead is no trouble.
        pulse.note(&row(day + 1700));
        assert_eq!(pulse.per_hour(at(0)), (24.0 * 6.0 + 1.0) / 24.0);
        pulse.note(&row(u64::MAX / 60_000 / 2));
        assert_eq!(pulse.per_hour(at(u64::MAX / 60_000 / 2)), 0.0);
    }

    #[test]
    fn corrections_and_events_are_no_messages() {
        let mut pulse = Pulse::default();
        let minute = 500_000 * 60;
        pulse.note(&Row { corrects: true, target: Some(1), ..row(minute) });
        pulse.note(&Row { counted: false, ..row(minute) });
        pulse.note(&row(minute));
        assert_eq!(pulse.per_hour(at(minute + 60)), 1.0 / 24.0);
    }

    #[test]
    fn hours_that_were_not_seen_are_like_those_that_were() {
        let mut pulse = Pulse::default();
        let minute = 500_000 * 60;
        pulse.begin(at(minute + 30));
        (30..240).for_each(|n| pulse.note(&row(minute + n)));
        assert_eq!(pulse.per_hour(at(minute + 239)), 60.0);
        assert_eq!(pulse.per_hour(at(minute + 100)), 60.0);
        let mut fast = Pulse::default();
        fast.begin(at(minute + 30));
        (0..512).for_each(|_| fast.note(&row(minute + 31)));
        assert_eq!(fast.per_hour(at(minute + 31)), 512.0);
    }
}
