//! What the engine may make of its clock, judged by everything that it ever read: the slow and plain way.

use mixd::channel::Stamp;
use mixd::engine::{Dial, Moment};

const DAY_MS: i64 = 86_400_000;
/// How far back a clock is stepped over.
const STILL_MS: u64 = 60_000;

#[derive(Clone, Copy)]
struct Reading {
    steady_ms: i64,
    /// By how much the clock is off that.
    off_ms: i64,
    believed: bool,
    stamp: Stamp,
    due: Stamp,
}

/// Every reading since the first, and where the last start is among them.
#[derive(Default)]
pub struct Sense {
    readings: Vec<Reading>,
    start: usize,
    /// How far the clock was believed to have come, as the store knew at the last start.
    reached: Stamp,
    /// How often something was not believed, and how often stamps went back.
    pub jumps: u64,
    pub falls: u64,
}

impl Sense {
    /// The process starts, and the store knows how far the clock was believed to have come.
    pub fn restart(&mut self, reached: Stamp) {
        if reached == Stamp(0) {
            self.readings.clear();
        }
        self.start = self.readings.len();
        self.reached = reached;
    }

    /// The operator says that the clock is right.
    pub fn confirm(&mut self, dial: Dial, moment: Moment) {
        assert_eq!((dial.doubt, dial.held), (None, false), "the operator is believed");
        self.note(dial, moment);
    }

    pub fn check(&mut self, dial: Dial, moment: Moment) {
        let (steady_ms, wall) = (moment.steady_ms as i64, moment.wall);
        let off_ms = wall.0 as i64 - steady_ms;
        let since_start = &self.readings[self.start..];
        let is_set = since_start.iter().any(|it| it.believed);
        let is_as_before = |it: &&Reading| (it.off_ms - off_ms).abs() <= DAY_MS;
        if dial.doubt.is_none() {
            let allowed_ms = if is_set { DAY_MS } else { 7 * DAY_MS };
            let is_near = self.readings.iter().any(|it| it.believed && off_ms <= it.off_ms + allowed_ms + 60_000);
            let lasted = since_start.iter().rev().take_while(is_as_before).last();
            let is_old = lasted.is_some_and(|it| steady_ms - it.steady_ms >= DAY_MS);
            assert!(self.readings.is_empty() || is_near || is_old, "a jump of the clock is not noticed");
            let ahead_ms = dial.stamp.0.checked_sub(wall.0);
            assert!(ahead_ms.is_some_and(|ms| ms <= STILL_MS), "the stamp is not what the clock says");
            assert_eq!(dial.due, dial.stamp);
        } else {
            let is_ahead = self.readings.iter().any(|it| it.believed && it.off_ms + DAY_MS < off_ms);
            // Time goes on while the process, or its store, does not; what it knew of that may be lost with a start.
            let is_late = !is_set && wall.0 as i64 > self.reached.0 as i64 + 7 * DAY_MS;
            assert!(is_ahead || is_late, "the clock is not believed, and never said anything else");
            self.check_doubted(dial, moment);
        }
        let highest = self.readings.iter().filter(|it| it.believed).map(|it| it.off_ms).max();
        let highest = highest.into_iter().chain(dial.doubt.is_none().then_some(off_ms)).max().unwrap();
        assert!(dial.due.0 as i64 <= steady_ms + highest + STILL_MS as i64, "what ends does so before its time");
        let last = self.readings.last();
        self.jumps += u64::from(dial.doubt.is_some() && last.is_some_and(|last| last.believed));
        self.falls += u64::from(last.is_some_and(|last| dial.stamp < last.stamp));
        self.note(dial, moment);
    }

    /// Stamps go on, or take the clock where there is nothing to go on from; and everything else stands still.
    fn check_doubted(&self, dial: Dial, moment: Moment) {
        let takes_clock = dial.stamp.0.checked_sub(moment.wall.0).is_some_and(|ms| ms <= STILL_MS);
        let Some(last) = self.readings[self.start..].last() else {
            return assert!(takes_clock, "after a start stamps take the clock");
        };
        let goes_on = dial.stamp.0 == last.stamp.0 + (moment.steady_ms - last.steady_ms as u64);
        assert!(goes_on || (takes_clock && !last.believed), "the stamp is out of nowhere");
        assert_eq!(dial.due, last.due, "something ends while the clock is not believed");
        assert!(dial.held && dial.kept <= dial.stamp);
    }

    fn note(&mut self, dial: Dial, moment: Moment) {
        let (believed, steady_ms) = (dial.doubt.is_none(), moment.steady_ms as i64);
        let off_ms = moment.wall.0 as i64 - steady_ms;
        self.readings.push(Reading { steady_ms, off_ms, believed, stamp: dial.stamp, due: dial.due });
    }
}
