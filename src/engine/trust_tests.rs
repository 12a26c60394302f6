//! Clocks that jump, as tables of readings in hours.

use super::*;

const HOUR_MS: u64 = 3600 * 1000;
const DAY: i64 = 24;
const YEAR: i64 = 365 * DAY;
/// The right time at hour 0.
const START: Stamp = Stamp(MADE.0 + 300 * DAY_MS);
/// How long the machine is on at hour 0, in milliseconds.
const ON_MS: u64 = 100 * HOUR_MS;

fn later(stamp: Stamp, hours: i64) -> Stamp {
    Stamp(stamp.0.saturating_add_signed(hours * HOUR_MS as i64))
}

/// A clock that an earlier process trusted `before` hours before the start. `None`: there was none.
fn clock(before: Option<i64>) -> Clock {
    let reached = before.map_or(Stamp(0), |hours| later(START, -hours));
    Clock::new(Belief { reached, kept: reached })
}

/// Reads a clock that is off by so many hours. Returns stamp, due and kept, in hours off the right time.
fn read(clock: &mut Clock, (hour, off): (i64, i64)) -> [i64; 3] {
    let steady_ms = ON_MS + hour as u64 * HOUR_MS;
    clock.read(Moment { wall: later(START, hour + off), steady_ms });
    off_by(clock, hour)
}

fn off_by(clock: &Clock, hour: i64) -> [i64; 3] {
    let dial = clock.dial();
    let hours = |stamp: Stamp| (stamp.0 as i64 - later(START, hour).0 as i64) / HOUR_MS as i64;
    [dial.stamp, dial.due, dial.kept].map(hours)
}

/// Readings: the hour, how far the clock is off, then stamp, due and kept.
type Script = [((i64, i64), [i64; 3])];

fn plays(name: &str, before: Option<i64>, script: &Script) -> Clock {
    let mut clock = clock(before);
    for (step, &(reading, expected)) in script.iter().enumerate() {
        assert_eq!(read(&mut clock, reading), expected, "{name}, step {step}: {reading:?}");
    }
    clock
}

#[test]
fn a_clock_that_nobody_sets_is_taken_as_it_is() {
    for before in [None, Some(0), Some(3), Some(7 * DAY)] {
        let clock = plays("as it is", before, &[((0, 0), [0; 3]), ((1, 0), [0; 3]), ((900, 0), [0; 3])]);
        assert_eq!((clock.dial().doubt, clock.dial().held, clock.dial().jumps), (None, false, 0));
    }
}

#[test]
fn a_jump_ahead_is_noticed_and_gone_once_the_clock_is_right() {
    let clock = plays(
        "two seconds at ten years",
        Some(1),
        &[
            ((0, 0), [0, 0, 0]),
            // Stamps continue, everything else stands still.
            ((5, 10 * YEAR), [0, -5, -5]),
            ((6, 10 * YEAR), [0, -6, -6]),
            ((7, 0), [0, 0, 0]),
        ],
    );
    assert_eq!((clock.dial().doubt, clock.dial().held, clock.dial().jumps), (None, false, 1));
    // A gain of exactly a day is no jump.
    plays("a day", Some(1), &[((0, 0), [0; 3]), ((1, DAY), [DAY; 3]), ((2, DAY + 1), [DAY, DAY - 1, DAY - 1])]);
}

#[test]
fn what_was_read_in_between_counts_by_the_time_that_passed() {
    let mut clock = clock(None);
    read(&mut clock, (0, 0));
    read(&mut clock, (1, 10 * YEAR));
    let dial = clock.dial();
    assert_eq!((dial.doubt, dial.held), (Some(Doubt::Ahead { by_ms: 10 * YEAR as u64 * HOUR_MS }), true));
    // A machine that slept for a month has no clock that jumped.
    plays("asleep", None, &[((0, 0), [0; 3]), ((30 * DAY, 0), [0; 3])]);
}

#[test]
fn many_small_jumps_are_a_large_one() {
    let mut clock = clock(None);
    read(&mut clock, (0, 0));
    (0..3).for_each(|n| assert_eq!(read(&mut clock, (n, 8 * n))[1], 8 * n));
    read(&mut clock, (3, 25));
    assert!(clock.dial().doubt.is_some());
    // Over days, small gains are of a clock that runs fast.
    plays("small ones", None, &[((0, 0), [0; 3]), ((30, 20), [20; 3]), ((60, 40), [40; 3]), ((90, 60), [60; 3])]);
}

#[test]
fn a_jump_that_lasts_for_a_day_is_believed_but_by_retention() {
    let script: &Script = &[
        ((0, 0), [0, 0, 0]),
        ((1, 60 * DAY), [0, -1, -1]),
        ((24, 60 * DAY), [0, -24, -24]),
        ((25, 60 * DAY), [60 * DAY, 60 * DAY, -25]),
        ((900, 60 * DAY), [60 * DAY, 60 * DAY, -900]),
    ];
    let mut clock = plays("a day long", None, script);
    assert_eq!((clock.dial().doubt, clock.dial().held), (None, true));
    assert!(clock.confirm());
    assert_eq!((off_by(&clock, 900), clock.dial().held), ([60 * DAY; 3], false));
    // A jump during a jump begins anew, and so does one back to the first.
    plays(
        "on top",
        None,
        &[
            ((0, 0), [0, 0, 0]),
            ((1, 60 * DAY), [0, -1, -1]),
            ((20, 90 * DAY), [0, -20, -20]),
            ((30, 90 * DAY), [0, -30, -30]),
            ((40, 60 * DAY), [0, -40, -40]),
            ((60, 60 * DAY), [0, -60, -60]),
            ((64, 60 * DAY), [60 * DAY, 60 * DAY, -64]),
        ],
    );
}

#[test]
fn the_operator_is_believed_at_once() {
    let mut clock = plays("confirmed", Some(90 * DAY), &[((0, 0), [0, -90 * DAY, -90 * DAY])]);
    assert!(clock.dial().doubt.is_some() && clock.dial().held);
    assert!(clock.confirm());
    assert_eq!((off_by(&clock, 0), clock.dial().doubt, clock.dial().held), ([0; 3], None, false));
    assert_eq!(read(&mut clock, (1, 0)), [0; 3]);
    assert_eq!(read(&mut clock, (2, 2 * DAY)), [0, -1, -1]);
}

#[test]
fn at_a_start_stamps_take_a_clock_that_is_not_believed() {
    let clock = plays(
        "sixty days",
        Some(2),
        &[
            ((0, 60 * DAY), [60 * DAY, -2, -2]),
            ((10, 60 * DAY), [60 * DAY, -12, -12]),
            // A second jump, by steady time, is not followed.
            ((11, 10 * YEAR), [60 * DAY, -13, -13]),
            ((12, 0), [0, 0, 0]),
        ],
    );
    assert_eq!((clock.dial().doubt, clock.dial().held, clock.dial().jumps), (None, false, 2));
    plays("a week", Some(7 * DAY), &[((0, 1), [1, -7 * DAY, -7 * DAY]), ((1, 0), [0; 3])]);
    plays(
        "away",
        Some(8 * DAY),
        &[((0, 0), [0, -8 * DAY, -8 * DAY]), ((24, 0), [0, 0, -9 * DAY]), ((99, 0), [0, 0, -8 * DAY - 99])],
    );
}

#[test]
fn a_clock_that_goes_back_is_followed_at_once() {
    plays("back", None, &[((0, 0), [0; 3]), ((1, -90 * DAY), [-90 * DAY; 3]), ((2, 0), [0; 3])]);
    // After a day, the clock is measured by what it said.
    plays(
        "back for long",
        None,
        &[
            ((0, 0), [0; 3]),
            ((1, -90 * DAY), [-90 * DAY; 3]),
            ((25, -90 * DAY), [-90 * DAY; 3]),
            ((26, 0), [-90 * DAY, -90 * DAY - 1, -90 * DAY - 1]),
        ],
    );
    // At the very first start a clock is trusted wherever it stands, and followed when it goes back.
    plays("ahead at first", None, &[((0, 10 * YEAR), [10 * YEAR; 3]), ((1, 0), [0; 3]), ((2, 0), [0; 3])]);
}

#[test]
fn a_small_step_back_has_stamps_stand_still() {
    let (mut clock, at) = (clock(None), |ms: i64| Stamp(START.0.saturating_add_signed(ms)));
    let mut read = |ms: i64, steady_ms: u64| {
        clock.read(Moment { wall: at(ms), steady_ms: ON_MS + steady_ms });
        clock.dial().stamp.0 as i64 - START.0 as i64
    };
    assert_eq!([read(0, 0), read(-59_000, 1000), read(-58_000, 2000), read(500, 3000)], [0, 0, 0, 500]);
    assert_eq!([read(-60_000, 4000), read(-59_000, 5000)], [-60_000, -59_000]);
}

#[test]
fn a_machine_whose_clock_starts_in_1970_needs_nobody() {
    let mut clock = clock(None);
    let boot = |wall, steady_ms| Moment { wall, steady_ms };
    clock.read(boot(Stamp(5000), 5000));
    assert_eq!((clock.dial().stamp, clock.dial().due, clock.dial().doubt), (Stamp(5000), Stamp(5000), None));
    assert_eq!(clock.news(true), None, "there is nothing to remember");
    clock.read(boot(START, 60_000));
    assert_eq!((clock.dial().stamp, clock.dial().due, clock.dial().held), (START, START, false));

    // The time of an earlier process goes on until the clock is set.
    let before = later(START, -3 * DAY);
    let mut clock = Clock::new(Belief { reached: before, kept: before });
    clock.read(boot(Stamp(5000), 5000));
    assert_eq!((clock.dial().stamp, clock.dial().due), (before, before));
    assert_eq!((clock.dial().doubt, clock.confirm()), (Some(Doubt::Unset), false));
    clock.read(boot(Stamp(65_000), 65_000));
    assert_eq!((clock.dial().stamp.0 - before.0, clock.dial().due), (60_000, before));
    clock.read(boot(START, 70_000));
    assert_eq!((clock.dial().stamp, clock.dial().due, clock.dial().kept), (START, START, START));
    assert_eq!((clock.dial().doubt, clock.dial().jumps), (None, 0));

    // The same for a clock that starts where it ended, and is set some minutes later.
    let mut clock = Clock::new(Belief { reached: before, kept: before });
    clock.read(boot(before, 5000));
    clock.read(boot(START, 300_000));
    assert_eq!((clock.dial().due, clock.dial().kept, clock.dial().jumps), (START, START, 0));
}

#[test]
fn a_clock_that_falls_before_the_program_was_made_is_not_followed() {
    let mut clock = plays("fallen", None, &[((0, 0), [0; 3])]);
    clock.read(Moment { wall: Stamp(0), steady_ms: ON_MS + 30 * HOUR_MS });
    assert_eq!((off_by(&clock, 30), clock.dial().doubt), ([0, -30, -30], Some(Doubt::Unset)));
    assert_eq!(read(&mut clock, (31, 0)), [0; 3]);
}

#[test]
fn what_is_believed_is_told_now_and_then_and_outlives_a_restart() {
    let mut clock = clock(None);
    read(&mut clock, (0, 0));
    assert_eq!(clock.news(true), Some(Belief { reached: START, kept: START }));
    assert_eq!(clock.news(true), None);
    clock.tell_again();
    assert!(clock.news(true).is_some(), "the store refused it");
    let moment = |minutes: u64| Moment { wall: Stamp(START.0 + minutes * 60_000), steady_ms: ON_MS + minutes * 60_000 };
    clock.read(moment(1));
    assert!(clock.news(false).is_none() && clock.news(true).is_some());
    clock.read(moment(61));
    assert!(clock.news(false).is_some());
    // A jump moves neither, and the next start is measured by the time before it.
    read(&mut clock, (2, 60 * DAY));
    let belief = clock.news(true).unwrap();
    assert_eq!([belief.reached, belief.kept].map(|it| (it.0 - START.0) / HOUR_MS), [2, 2]);
    let mut next = Clock::new(belief);
    assert_eq!(read(&mut next, (3, 60 * DAY)), [60 * DAY, -1, -1]);
    // Once the jump is trusted, retention still waits, also after a restart.
    read(&mut next, (27, 60 * DAY));
    let belief = next.news(true).unwrap();
    assert_eq!([belief.reached, belief.kept].map(|it| it.0.abs_diff(START.0) / HOUR_MS), [60 * 24 + 27, 26]);
    let mut third = Clock::new(belief);
    assert_eq!(read(&mut third, (28, 60 * DAY)), [60 * DAY, 60 * DAY, -2]);
    assert!(third.dial().held && third.dial().doubt.is_none());
    assert!(third.confirm());
    let belief = third.news(true).unwrap();
    assert_eq!(belief.reached, belief.kept);
    assert_eq!(read(&mut Clock::new(belief), (29, 60 * DAY)), [60 * DAY; 3]);
}
