//! How far the clock is believed.
//!
//! A clock that is ahead does harm that setting it right does not undo: what ends by time is gone. So a jump ahead is
//! noticed, by the time since the machine started, which nobody sets, and at a start by what an earlier process believed.
//! Until the operator confirms it, or it has lasted for a day, stamps go on and nothing ends. A clock that goes back is
//! followed at once: it makes nothing end, and most often it was ahead before.

use crate::channel::Stamp;
use crate::store::Belief;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// How far the clock may get ahead within a day of steady time, in milliseconds.
pub const JUMP_MS_MAX: u64 = DAY_MS;
/// How far it may be ahead, at a start, of what was believed before, in milliseconds.
pub const AWAY_MS_MAX: u64 = 7 * DAY_MS;
/// How long a clock has to go on as it is to be believed in spite of a jump, in milliseconds of steady time.
pub const PATIENCE_MS: u64 = DAY_MS;
/// For how long after its start a machine's clock may be unset yet: many have none that runs while they are off.
const BOOT_MS: u64 = 10 * 60 * 1000;
/// 2026-01-01T00:00:00Z: no clock that says less is right, since this program is younger.
const MADE: Stamp = Stamp(1_767_225_600_000);
/// How much time passes until what is believed is kept again: beside what is kept anyway, and otherwise.
const KEEP_BESIDE_MS: u64 = 60_000;
const KEEP_ALONE_MS: u64 = 3600 * 1000;

/// Whether a clock that says this can be right.
pub fn can_be(wall: Stamp) -> bool {
    wall >= MADE
}

/// Whether a clock that says this at a start is not believed, after an earlier process was sure of `before`.
pub fn is_too_far(before: Stamp, wall: Stamp) -> bool {
    can_be(before) && wall.0 > before.0.saturating_add(AWAY_MS_MAX)
}

/// Two clocks read at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// What the clock says.
    pub wall: Stamp,
    /// The time since some point that nobody sets, sleep of the machine included: best its start. In milliseconds.
    pub steady_ms: u64,
}

impl From<Stamp> for Moment {
    /// A clock that nobody sets.
    fn from(wall: Stamp) -> Moment {
        Moment { wall, steady_ms: wall.0 }
    }
}

impl Moment {
    /// What the clock says later, where nobody sets it meanwhile.
    fn at(self, steady_ms: u64) -> Stamp {
        Stamp(self.wall.0.saturating_add(steady_ms.saturating_sub(self.steady_ms)))
    }
}

/// Why the clock is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is further ahead than it can have got.
    Ahead {
        /// By how much, in milliseconds.
        by_ms: u64,
    },
    /// It says a time from before this program was made.
    Unset,
}

/// What time it is, for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dial {
    /// What the clock says.
    pub wall: Stamp,
    /// What is stored and shown has this time.
    pub stamp: Stamp,
    /// What ends before this time has ended, and months begin by it: it stands still while the clock is not believed.
    pub due: Stamp,
    /// Rows are too old by this time: it stands still until the operator confirms a jump, or the clock is right again.
    pub kept: Stamp,
    /// Why the clock is not believed.
    pub doubt: Option<Doubt>,
    /// Whether retention waits for the operator.
    pub held: bool,
    /// How many jumps were noticed since the start.
    pub jumps: u64,
}

/// A clock that is off what it should say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Off {
    /// The reading with which that began.
    since: Moment,
    ahead: bool,
    /// Whether stamps take it, since there is no better time: nothing was read before.
    taken: bool,
}

/// One judgement of the clock.
#[derive(Clone, Debug)]
struct Trust {
    /// How long a jump ahead has to last to be believed, in milliseconds; for ever where absent.
    patience_ms: Option<u64>,
    /// A reading that was believed. It stays for a day, so that many small jumps are no more than a large one.
    anchor: Option<Moment>,
    /// Whether that is what an earlier process believed.
    from_before: bool,
    /// What an earlier process believed; 0 where there was none.
    before: Stamp,
    off: Option<Off>,
    is_unset: bool,
    /// The last stamp, and when it was given.
    last: Option<Moment>,
    has_taken: bool,
    due: Stamp,
}

impl Trust {
    fn new(patience_ms: Option<u64>, before: Stamp) -> Trust {
        let before = if can_be(before) { before } else { Stamp(0) };
        Trust {
            patience_ms,
            anchor: None,
            from_before: true,
            before,
            off: None,
            is_unset: false,
            last: None,
            has_taken: false,
            due: before,
        }
    }

    /// Judges a reading; the stamp it leads to. Whether a jump is news.
    fn read(&mut self, now: Moment) -> bool {
        if self.anchor.is_none() && self.before > Stamp(0) {
            let before = Moment { wall: self.before, ..now };
            (self.anchor, self.last) = (Some(before), Some(before));
        }
        let can_be = can_be(now.wall);
        let Some(anchor) = self.anchor else {
            // Nothing is known yet, and so there is nothing to be lost.
            if can_be && now.steady_ms >= BOOT_MS {
                self.believe(now);
            }
            self.take(now);
            return false;
        };
        self.is_unset = !can_be;
        if !can_be {
            self.off = None;
            self.go_on(now);
            return false;
        }
        let (due, bound) = (anchor.at(now.steady_ms), if self.from_before { AWAY_MS_MAX } else { JUMP_MS_MAX });
        let is_ahead = now.wall.0 > due.0.saturating_add(bound);
        if !is_ahead && now.wall.0.saturating_add(JUMP_MS_MAX) >= due.0 {
            self.off = None;
            self.agree(now, anchor);
            self.take(now);
            return false;
        }
        let goes_on =
            |off: &Off| off.ahead == is_ahead && off.since.at(now.steady_ms).0.abs_diff(now.wall.0) <= JUMP_MS_MAX;
        let known = self.off.filter(goes_on);
        let off = known.unwrap_or(Off { since: now, ahead: is_ahead, taken: !self.has_taken });
        self.off = Some(off);
        let patience_ms = if is_ahead { self.patience_ms } else { Some(PATIENCE_MS) };
        if patience_ms.is_some_and(|ms| now.steady_ms.saturating_sub(off.since.steady_ms) >= ms) {
            self.believe(now);
        }
        match self.off {
            Some(Off { ahead: true, taken: false, .. }) => self.go_on(now),
            Some(Off { ahead: true, taken: true, .. }) => {
                self.has_taken = true;
                self.stamp(now, now.wall);
            }
            _ => self.take(now),
        }
        is_ahead && known.is_none()
    }

    /// The clock says what it can say.
    fn agree(&mut self, now: Moment, anchor: Moment) {
        let is_over = now.steady_ms.saturating_sub(anchor.steady_ms) >= DAY_MS;
        if is_over || (self.from_before && now.wall > anchor.at(now.steady_ms)) {
            self.anchor = Some(now);
        }
        self.from_before &= now.steady_ms < BOOT_MS;
    }

    fn believe(&mut self, now: Moment) {
        (self.anchor, self.off, self.is_unset) = (Some(now), None, false);
        self.from_before = now.steady_ms < BOOT_MS;
    }

    /// Stamps are what the clock says, and what ends by then has ended.
    fn take(&mut self, now: Moment) {
        self.has_taken |= can_be(now.wall);
        self.stamp(now, now.wall);
        self.due = self.last.map_or(now.wall, |last| last.wall);
    }

    fn go_on(&mut self, now: Moment) {
        let stamp = self.last.map_or(now.wall, |last| last.at(now.steady_ms));
        self.stamp(now, stamp);
    }

    fn stamp(&mut self, now: Moment, stamp: Stamp) {
        let stamp = self.last.map_or(stamp, |last| stamp.following(last.wall));
        self.last = Some(Moment { wall: stamp, ..now });
    }

    fn doubt(&self, now: Moment) -> Option<Doubt> {
        match self.off {
            Some(Off { ahead: true, .. }) => {
                let due = self.anchor.map_or(now.wall, |anchor| anchor.at(now.steady_ms));
                Some(Doubt::Ahead { by_ms: now.wall.0.saturating_sub(due.0) })
            }
            _ => self.is_unset.then_some(Doubt::Unset),
        }
    }

    /// The highest time that is believed to have come; `None` where nothing is believed yet.
    fn reached(&self, now: Moment) -> Option<Stamp> {
        let due = self.anchor?.at(now.steady_ms);
        let is_right = self.off.is_none() && !self.is_unset;
        Some(if is_right { due.max(self.last.map_or(due, |last| last.wall)) } else { due })
    }
}

/// What the engine makes of its clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// Of everything but retention.
    life: Trust,
    /// Of retention, which waits for the operator alone: what it takes is gone for good.
    kept: Trust,
    read: Moment,
    jumps: u64,
    /// What the store keeps; `None` where it is to be told in any case.
    told: Option<Belief>,
}

impl Clock {
    /// A clock that was not read yet, with what an earlier process believed.
    pub fn new(before: Belief) -> Clock {
        let (life, kept) = (Trust::new(Some(PATIENCE_MS), before.reached), Trust::new(None, before.kept));
        Clock { life, kept, read: Moment::default(), jumps: 0, told: Some(before) }
    }

    /// Takes a reading.
    pub fn read(&mut self, now: Moment) {
        // Steady time that is not steady counts as standing still.
        let now = Moment { steady_ms: now.steady_ms.max(self.read.steady_ms), ..now };
        self.read = now;
        self.kept.read(now);
        self.jumps += u64::from(self.life.read(now));
    }

    /// The operator says that the clock is right. Whether it can be.
    pub fn confirm(&mut self) -> bool {
        let can_be = can_be(self.read.wall);
        if can_be {
            for trust in [&mut self.life, &mut self.kept] {
                trust.believe(self.read);
                trust.take(self.read);
            }
            self.told = None;
        }
        can_be
    }

    /// The time that goes on whatever happens to the clock.
    pub fn steady(&self) -> Stamp {
        Stamp(self.read.steady_ms)
    }

    /// What time it is, for what.
    pub fn dial(&self) -> Dial {
        Dial {
            wall: self.read.wall,
            stamp: self.life.last.map_or(self.read.wall, |last| last.wall),
            due: self.life.due,
            kept: self.kept.due,
            doubt: self.life.doubt(self.read),
            held: self.kept.doubt(self.read).is_some(),
            jumps: self.jumps,
        }
    }

    /// What is believed, where the store should learn it: a lot sooner where it keeps something else at the same time.
    pub fn news(&mut self, beside: bool) -> Option<Belief> {
        let belief = Belief { reached: self.life.reached(self.read)?, kept: self.kept.reached(self.read)? };
        let moved =
            self.told.map(|told| told.reached.0.abs_diff(belief.reached.0).max(told.kept.0.abs_diff(belief.kept.0)));
        let pause_ms = if beside { KEEP_BESIDE_MS } else { KEEP_ALONE_MS };
        if moved.is_some_and(|ms| ms < pause_ms) {
            return None;
        }
        self.told = Some(belief);
        Some(belief)
    }

    /// What the store was told last may be lost.
    pub fn tell_again(&mut self) {
        self.told = None;
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
