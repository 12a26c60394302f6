//! Clocks that were wrong: stamps that go back, months that wait, and how far the clock was believed.

use crate::disk::open;
use crate::fixture::{DAY_MS, NOON, Room, jid, loaded, wrong};
use crate::picked::narrow;
use crate::retention::aged;
use mixd::channel::{Change, Command, Settings, Stamp};
use mixd::store::{Belief, PagePlan, Record, Retention, Store};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng, rngs::StdRng};

claims!(
    pages_bear_stamps_that_go_back,
    nothing_young_goes_where_the_clock_was_wrong,
    how_far_the_clock_is_believed_is_kept,
);

fn days(days: i64) -> Stamp {
    Stamp(NOON.0.saturating_add_signed(days * DAY_MS as i64))
}

/// Says something by a clock that is off by so many days, on a day that is not.
fn say_at(store: &dyn Store, room: &mut Room, (day, off): (i64, i64)) {
    let message = room.message(&format!("day {day}, off by {off}"));
    room.now = days(day + off);
    let records = room.decide(&jid("hag66"), Command::Publish(message));
    store.commit(days(day), &records).unwrap();
}

/// Every kind of page is that of a look at every row.
fn agrees(store: &dyn Store, room: &Room, dice: &mut StdRng) {
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    let head = room.channel.head().row.max(10);
    for turn in 0..150 {
        let stamp = |dice: &mut StdRng| match room.rows.choose(dice) {
            Some(row) if dice.random() => Stamp(row.stamp.0 + dice.random_range(0..3) - 1),
            _ => days(dice.random_range(-100..500)),
        };
        let mut plan = PagePlan { max: dice.random_range(0..40), from_end: dice.random(), ..room.plan() };
        if dice.random() {
            plan.narrow = narrow(dice, head);
        }
        plan.first = dice.random_range(0..head);
        plan.start = dice.random_ratio(2, 3).then(|| stamp(dice));
        plan.end = dice.random_ratio(2, 3).then(|| stamp(dice));
        let author = room.channel.members().next().map(|member| member.id.clone());
        plan.author = author.filter(|_| dice.random_ratio(1, 4));
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan), "turn {turn}: {plan:?}");
    }
}

/// How far the clock is off on some days: mostly as before.
fn off_by(dice: &mut StdRng, off: i64) -> i64 {
    if dice.random_ratio(1, 12) { *[0, 0, 60, 400, -20, -90].choose(dice).unwrap() } else { off }
}

fn pages_bear_stamps_that_go_back(store: &dyn Store) {
    let mut dice = StdRng::seed_from_u64(4);
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    let mut off = 0;
    for n in 0..400 {
        off = off_by(&mut dice, off);
        say_at(store, &mut room, (n / 3, off));
        if n % 80 == 79 {
            agrees(store, &room, &mut dice);
        }
    }
    let falls = room.rows.windows(2).filter(|rows| rows[1].stamp < rows[0].stamp).count();
    assert!(falls > 8, "{falls} times");
}

/// As before, with a restart of the process between any two rows, and months in which the channel says nothing.
#[test]
fn stamps_go_back_across_restarts_and_months() {
    for seed in 0..3 {
        let mut dice = StdRng::seed_from_u64(seed);
        let folder = tempfile::tempdir().unwrap();
        let mut room = Room::create(&open(folder.path()), "coven", 1);
        room.join(&open(folder.path()), "hag66");
        let (mut off, mut day) = (0, 0);
        for _ in 0..30 {
            off = off_by(&mut dice, off);
            day += dice.random_range(0..20);
            let store = open(folder.path());
            (0..dice.random_range(1..4)).for_each(|_| say_at(&store, &mut room, (day, off)));
        }
        let store = open(folder.path());
        agrees(&store, &room, &mut dice);
        assert_eq!(wrong(|watch| store.verify(watch).unwrap()), Vec::<String>::new());
    }
}

fn nothing_young_goes_where_the_clock_was_wrong(store: &dyn Store) {
    let mut dice = StdRng::seed_from_u64(7);
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    let settings = Settings { retention_days: 30, ..room.channel.settings().clone() };
    let records = room.apply(vec![Change::Configured(settings)]);
    store.commit(room.now, &records).unwrap();
    let mut gone = 0;
    for day in 0..200 {
        // For a moment it says 1970, or another year; no row that is younger than 30 days may go for that.
        let off = *[0, 0, 0, 0, 0, 0, 60, 4000, -90, -day - 20_000].choose(&mut dice).unwrap();
        say_at(store, &mut room, (day, off));
        let retention = Retention { now: days(day), keep_days: 0 };
        let found = store.sweep(&retention, &[], usize::MAX).unwrap().outdated.pop();
        assert_eq!(found.as_ref().map(|found| found.base), aged(&room, days(day - 30), days(day)), "day {day}");
        let Some(found) = found else { continue };
        let right = |row: &mixd::channel::Row| row.payload.contains("off by 0<");
        let young =
            room.rows.iter().find(|row| row.number <= found.base.row && right(row) && row.stamp >= days(day - 30));
        assert_eq!(young, None, "day {day}");
        gone += 1;
        let records = room.apply(vec![Change::Expired { base: found.base, rest: found.rest }]);
        store.commit(days(day), &records).unwrap();
        if gone % 20 == 0 {
            agrees(store, &room, &mut dice);
        }
    }
    assert!(gone > 80, "{gone} times");
}

fn how_far_the_clock_is_believed_is_kept(store: &dyn Store) {
    let believed = || store.directory().unwrap().clock;
    assert_eq!(believed(), Belief::default());
    // Where nobody said so, the rows do.
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    say_at(store, &mut room, (3, 0));
    Room::create(store, "empty", 2);
    assert_eq!(believed(), Belief { reached: days(3), kept: days(3) });
    let belief = Belief { reached: days(9), kept: days(5) };
    store.commit(days(9), &[Record::Clock(belief)]).unwrap();
    assert_eq!(believed(), belief);
    say_at(store, &mut room, (20, 0));
    assert_eq!(believed(), belief);
}

#[test]
fn how_far_the_clock_is_believed_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let belief = Belief { reached: days(9), kept: days(5) };
    open(folder.path()).commit(days(9), &[Record::Clock(belief)]).unwrap();
    assert_eq!(open(folder.path()).directory().unwrap().clock, belief);
    assert_eq!(wrong(|watch| open(folder.path()).verify(watch).unwrap()), Vec::<String>::new());
}
