//! How far the clock is trusted.
//!
//! A clock that is ahead does harm that setting it right does not undo: it ends things for good. A jump ahead is
//! noticed by steady time (since the machine started, which nobody sets), and at a start by what an earlier process
//! trusted. Until the operator confirms the jump, or it has lasted a day, stamps continue and nothing ends. A clock
//! that goes back is followed at once: this ends nothing, and mostly the clock was ahead before.

use crate::channel::Stamp;
use crate::store::Belief;

const DAY_MS: u64 = 24 * 3600 * 1000;
/// How far the clock may gain on steady time within a day, in milliseconds.
pub const JUMP_MS_MAX: u64 = DAY_MS;
/// How far the clock may be ahead of the last trusted time at a start, in milliseconds.
pub const AWAY_MS_MAX: u64 = 7 * DAY_MS;
/// How long a jump has to last until it is trusted, in milliseconds of steady time.
pub const PATIENCE_MS: u64 = DAY_MS;
/// How long after its start a machine's clock may still be unset, in milliseconds. Many machines have no clock that
/// runs while they are off.
const BOOT_MS: u64 = 10 * 60 * 1000;
/// 2026-01-01T00:00:00Z. An earlier time is wrong, because this program is newer.
const MADE: Stamp = Stamp(1_767_225_600_000);
/// How often the trusted time is stored: with other records, and alone. In milliseconds.
const KEEP_BESIDE_MS: u64 = 60_000;
const KEEP_ALONE_MS: u64 = 3600 * 1000;

/// Whether a clock with this time can be right.
pub fn can_be(wall: Stamp) -> bool {
    wall >= MADE
}

/// Whether a clock with this time is distrusted at a start, after an earlier process trusted `before`.
pub fn is_too_far(before: Stamp, wall: Stamp) -> bool {
    can_be(before) && wall.0 > before.0.saturating_add(AWAY_MS_MAX)
}

/// Both clocks, read at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The clock's time.
    pub wall: Stamp,
    /// The time since a fixed point, best the machine's start, in milliseconds. Nobody sets it, and it counts while the
    /// machine sleeps.
    pub steady_ms: u64,
}

impl From<Stamp> for Moment {
    /// Steady time equals the clock's.
    fn from(wall: Stamp) -> Moment {
        Moment { wall, steady_ms: wall.0 }
    }
}

impl Moment {
    /// The clock's time at a later steady time, if nobody sets it.
    fn at(self, steady_ms: u64) -> Stamp {
        Stamp(self.wall.0.saturating_add(steady_ms.saturating_sub(self.steady_ms)))
    }
}

/// Why the clock is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It gained too much.
    Ahead {
        /// By how much, in milliseconds.
        by_ms: u64,
    },
    /// Its time is before this program was made.
    Unset,
}

/// The times for different purposes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dial {
    /// The clock's time.
    pub wall: Stamp,
    /// The time that is stored and shown.
    pub stamp: Stamp,
    /// The time by which things end and months begin. It stands still while the clock is not trusted.
    pub due: Stamp,
    /// The time by which rows expire. After a jump it stands still until the operator confirms it, or the clock is
    /// right again.
    pub kept: Stamp,
    /// Why the clock is not trusted.
    pub doubt: Option<Doubt>,
    /// Whether retention waits for the operator.
    pub held: bool,
    /// How many jumps were noticed since the start.
    pub jumps: u64,
}

/// A clock that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Off {
    /// The reading at which this began.
    since: Moment,
    ahead: bool,
    /// Whether stamps follow it anyway, because there was no earlier reading.
    taken: bool,
}

/// One judgement of the clock.
#[derive(Clone, Debug)]
struct Trust {
    /// How long a jump ahead has to last to be trusted, in milliseconds. `None`: for ever.
    patience_ms: Option<u64>,
    /// A trusted reading. It is kept for a day, so that many small jumps count like a large one.
    anchor: Option<Moment>,
    /// Whether it is from an earlier process.
    from_before: bool,
    /// What an earlier process trusted; 0 if there was none.
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

    /// Judges a reading, and sets the stamp. Returns whether it is a new jump.
    fn read(&mut self, now: Moment) -> bool {
        if self.anchor.is_none() && self.before > Stamp(0) {
            let before = Moment { wall: self.before, ..now };
            (self.anchor, self.last) = (Some(before), Some(before));
        }
        let can_be = can_be(now.wall);
        let Some(anchor) = self.anchor else {
            // Nothing is known yet, so nothing can be lost.
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

    /// The clock's time is plausible.
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

    /// Follows the clock: for stamps, and for what ends.
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

    /// The latest time that is trusted. `None` if none is.
    fn reached(&self, now: Moment) -> Option<Stamp> {
        let due = self.anchor?.at(now.steady_ms);
        let is_right = self.off.is_none() && !self.is_unset;
        Some(if is_right { due.max(self.last.map_or(due, |last| last.wall)) } else { due })
    }
}

/// The engine's view of its clock.
#[derive(Clone, Debug)]
pub struct Clock {
    /// For everything but retention.
    life: Trust,
    /// For retention, which only the operator can let go on, because expired rows are gone for good.
    kept: Trust,
    read: Moment,
    jumps: u64,
    /// What the store has. `None` if it must be stored in any case.
    told: Option<Belief>,
}

impl Clock {
    /// A clock that was not read yet, with what an earlier process trusted.
    pub fn new(before: Belief) -> Clock {
        let (life, kept) = (Trust::new(Some(PATIENCE_MS), before.reached), Trust::new(None, before.kept));
        Clock { life, kept, read: Moment::default(), jumps: 0, told: Some(before) }
    }

    /// Takes a reading.
    pub fn read(&mut self, now: Moment) {
        // Steady time that goes back counts as standing still.
        let now = Moment { steady_ms: now.steady_ms.max(self.read.steady_ms), ..now };
        self.read = now;
        self.kept.read(now);
        self.jumps += u64::from(self.life.read(now));
    }

    /// The operator confirms the clock. Returns whether its time can be right.
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

    /// Steady time.
    pub fn steady(&self) -> Stamp {
        Stamp(self.read.steady_ms)
    }

    /// The times for different purposes.
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

    /// The trusted time, if it is due to be stored: earlier with other records (`beside`) than alone.
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

    /// The last stored value may be lost.
    pub fn tell_again(&mut self) {
        self.told = None;
    }
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
