//! Rows that are too old: what a look at every row says is gone, is gone everywhere, and the rest stays what it was.

use crate::fixture::{DAY_MS, NOON, Room, jid, loaded, name};
use crate::picked::narrow;
use mixd::channel::{Change, Command, Head, Message, Progress, Rest, Row, Stamp};
use mixd::store::{Bounds, Outdated, PagePlan, Retention, Store};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

claims!(
    a_channel_may_keep_its_rows_for_less,
    what_is_known_of_rows_goes_with_them,
    an_archive_that_is_all_gone_goes_on_where_it_was,
    rows_that_come_with_an_expiry_stay;
    inventions: months_that_are_old_go_with_every_row_in_them,
);

/// Everything that a sweep finds, a few channels at a time.
fn swept(store: &dyn Store, retention: &Retention) -> BTreeMap<String, (Head, Rest)> {
    let (mut all, mut from) = (BTreeMap::new(), Some(Vec::new()));
    while let Some(part) = from {
        let swept = store.sweep(retention, &part, 2).unwrap();
        all.extend(
            swept.outdated.into_iter().map(|Outdated { name, base, rest, .. }| (name.to_string(), (base, rest))),
        );
        from = swept.next;
    }
    all
}

/// The last row that is older than a time, where one is stamped so before any that is younger, by a look at every row. A
/// stamp that is yet to come says nothing.
pub fn aged(room: &Room, oldest: Stamp, now: Stamp) -> Option<Head> {
    let to_come = |row: &&mixd::channel::Row| row.stamp > now;
    let known = room.rows.iter().filter(|row| !to_come(row));
    let last = known.take_while(|row| row.stamp < oldest).last()?;
    Some(Head { row: last.number, ordinal: last.ordinal, stamp: last.stamp })
}

/// The last row that is gone, found by a look at every row.
fn naive(room: &Room, is_gone: impl Fn(Stamp) -> bool) -> Option<Head> {
    let last = room.rows.iter().rfind(|row| is_gone(row.stamp))?;
    Some(Head { row: last.number, ordinal: last.ordinal, stamp: last.stamp })
}

fn days_after(days: u64) -> Stamp {
    Stamp(NOON.0 + days * DAY_MS)
}

/// Expires what a sweep finds of a channel.
fn expire(store: &dyn Store, room: &mut Room, retention: &Retention) -> Option<Head> {
    room.now = retention.now;
    let (base, rest) = swept(store, retention).get(room.channel.name().as_str()).copied()?;
    let next = room.rows.iter().find(|row| row.number > base.row);
    match rest {
        Rest::From(stamp) => assert_eq!(next.map(|row| row.stamp), Some(stamp)),
        Rest::Nothing | Rest::Unknown => assert_eq!(next, None),
    }
    let records = room.apply(vec![Change::Expired { base, rest }]);
    store.commit(room.now, &records).unwrap();
    assert_eq!(swept(store, retention).get(room.channel.name().as_str()), None, "it is found twice");
    Some(base)
}

/// Pages, rows, facts, bounds and the channel are those of a look at every row.
fn agrees(store: &dyn Store, room: &Room, dice: &mut StdRng) {
    assert_eq!(loaded(store, room.channel.name().as_str()).unwrap(), room.channel);
    let (oldest, newest) = (room.rows.first().map(|row| row.number), room.rows.last().map(|row| row.number));
    let bounds = oldest.zip(newest).map(|(oldest, newest)| Bounds { oldest, newest, gaps: Vec::new() });
    assert_eq!(store.bounds(room.tag()).unwrap(), bounds);
    let head = room.channel.head().row.max(10);
    let numbers: Vec<u64> = (0..=head + 1).collect();
    let there: Vec<_> = numbers.iter().map(|&n| room.rows.iter().find(|row| row.number == n).cloned()).collect();
    assert_eq!(store.rows(room.tag(), &numbers).unwrap(), there);
    let facts = store.facts(room.tag(), &numbers).unwrap();
    let bare = |row: Option<Row>| row.map(|row| Row { payload: String::new(), ..row });
    let there: Vec<_> = there.into_iter().map(bare).collect();
    assert_eq!(facts.into_iter().map(|facts| facts.map(|facts| facts.row)).collect::<Vec<_>>(), there);
    for _ in 0..60 {
        let mut plan = PagePlan { narrow: narrow(dice, head), max: dice.random_range(0..40), ..room.plan() };
        plan.from_end = dice.random();
        plan.first = dice.random_range(0..head);
        plan.start = dice.random_ratio(1, 4).then(|| days_after(dice.random_range(0..200)));
        plan.end = dice.random_ratio(1, 4).then(|| days_after(dice.random_range(0..200)));
        let author = room.channel.members().nth(dice.random_range(0..3)).map(|member| member.id.clone());
        plan.author = author.filter(|_| dice.random_ratio(1, 3));
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan), "{plan:?}");
    }
}

fn months_that_are_old_go_with_every_row_in_them(store: &dyn Store) {
    let mut dice = StdRng::seed_from_u64(6);
    let mut room = Room::group(store, "coven", 900, 150);
    Room::create(store, "empty", 3);
    let (mut gone, mut dropped) = (0, 0);
    for day in (0..330).step_by(15) {
        let retention = Retention { now: days_after(day), keep_days: 40 };
        let oldest = days_after(day.saturating_sub(40)).month();
        let expected = naive(&room, |stamp| stamp.month() < oldest).filter(|_| day >= 40);
        // A month that holds rows still is not dropped.
        let (went, waiting) = store.drop_months(&retention).unwrap();
        assert!((went == 0 && waiting > 0) || expected.is_none(), "day {day}: {went} went, {waiting} wait");
        dropped += went;
        assert_eq!(expire(store, &mut room, &retention), expected, "day {day}");
        gone += u64::from(expected.is_some());
        assert_eq!(room.channel.base(), expected.unwrap_or(room.channel.base()));
        let (went, waiting) = store.drop_months(&retention).unwrap();
        dropped += went;
        assert_eq!(waiting, 0, "day {day}");
        agrees(store, &room, &mut dice);
    }
    // The last month is the current one, and stays.
    assert!(room.rows.is_empty() && gone >= 5 && dropped as u64 >= gone - 1, "{gone} times, {dropped} months");
    assert_eq!(swept(store, &Retention { now: days_after(9999), keep_days: 0 }), BTreeMap::new());
}

fn a_channel_may_keep_its_rows_for_less(store: &dyn Store) {
    let mut dice = StdRng::seed_from_u64(9);
    let mut room = Room::chat(store, "coven", 4, 300, 90);
    let other = Room::create(store, "other", 4);
    let settings = mixd::channel::Settings { retention_days: 20, ..room.channel.settings().clone() };
    let records = room.apply(vec![Change::Configured(settings)]);
    store.commit(room.now, &records).unwrap();
    for day in [10, 21, 22, 30, 31, 60, 61, 100, 109, 200] {
        // What the service keeps for longer does not matter.
        let retention = Retention { now: days_after(day), keep_days: if day % 2 == 0 { 0 } else { 1000 } };
        let cutoff = days_after(day.saturating_sub(20));
        let expected = aged(&room, cutoff, days_after(day));
        assert_eq!(expire(store, &mut room, &retention), expected, "day {day}");
        agrees(store, &room, &mut dice);
        if day < 100 {
            let heads = (room.channel.head().row, room.channel.head().ordinal);
            room.say(store, "p0", "still here");
            let row = room.rows.last().unwrap();
            assert_eq!((row.number, row.ordinal), (heads.0 + 1, heads.1 + u64::from(row.counted)));
            agrees(store, &room, &mut dice);
        }
    }
    assert!(room.rows.is_empty());
    assert_eq!(loaded(store, "other").unwrap(), other.channel);
}

fn what_is_known_of_rows_goes_with_them(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 5);
    room.join(store, "p0");
    room.join(store, "p1");
    let reader = room.channel.member(&jid("p1")).unwrap().id.clone();
    for n in 0..700u64 {
        room.now = Stamp(NOON.0 + n * DAY_MS / 10);
        let target = (n % 5 == 4).then(|| room.channel.head().row);
        let message = Message { corrects: target.is_some(), target, ..room.message("hello") };
        room.run(store, "p0", Command::Publish(message));
        let last = room.channel.head().row;
        let member = room.channel.member(&jid("p1")).unwrap();
        let mark = (last, room.channel.head().ordinal);
        let reports = member.reports(Progress::Read, &[(last, last)], mark, room.now);
        let records = room.apply(reports.into_iter().map(Change::Reported).collect());
        store.commit(room.now, &records).unwrap();
        if n % 7 == 6 {
            room.know(store, &[last - 3]);
            let command = mixd::channel::GroupCommand::Moderate { row: last - 3, reason: Some("spam".into()) };
            room.run(store, "p0", Command::Group(command));
        }
    }
    let known = |store: &dyn Store, row: u64| {
        let reports = store.receipts(room.tag(), row, &[(reader.clone(), Progress::Read)]).unwrap();
        (store.tombstones(room.tag(), &[row]).unwrap().len(), reports.len())
    };
    let numbers: Vec<u64> = (1..=room.channel.head().row).collect();
    let before: Vec<_> = numbers.iter().map(|&row| known(store, row)).collect();
    let sum = |all: &[(usize, usize)]| all.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    assert!(sum(&before).0 > 90 && sum(&before).1 == 700, "{:?}", sum(&before));
    let base = numbers[numbers.len() / 2];
    let head = room.rows[base as usize - 1].clone();
    let base = Head { row: base, ordinal: head.ordinal, stamp: head.stamp };
    let record = room.record(room.expired(base));
    store.commit(room.now, &[record]).unwrap();
    // It is cleared away a piece at a time.
    for _ in 0..20 {
        store.commit(room.now, &[]).unwrap();
        store.idle(room.now).unwrap();
    }
    let after: Vec<_> = numbers.iter().map(|&row| known(store, row)).collect();
    let (old, kept) = after.split_at(base.row as usize);
    assert_eq!(sum(old), (0, 0));
    assert_eq!(kept, &before[base.row as usize..]);
}

fn an_archive_that_is_all_gone_goes_on_where_it_was(store: &dyn Store) {
    let mut dice = StdRng::seed_from_u64(11);
    let mut room = Room::chat(store, "coven", 4, 40, 20);
    let head = room.channel.head();
    let retention = Retention { now: days_after(400), keep_days: 30 };
    assert_eq!(expire(store, &mut room, &retention), Some(head));
    agrees(store, &room, &mut dice);
    assert_eq!(store.bounds(room.tag()).unwrap(), None);
    let member = room.channel.member(&jid("p1")).unwrap();
    assert_eq!(room.channel.unread_of(member), 0);
    // Its month was the current one until now, when the expiry was written.
    assert_eq!(store.drop_months(&retention).unwrap().1, 0);
    assert_eq!(loaded(store, "coven").unwrap().head(), head);
    room.say(store, "p1", "somebody is still here");
    assert_eq!(room.rows.last().unwrap().number, head.row + 1);
    agrees(store, &room, &mut dice);
    assert_eq!(store.load(&[name("coven")]).unwrap()[0].as_ref(), Some(&room.channel));
}

fn rows_that_come_with_an_expiry_stay(store: &dyn Store) {
    let mut dice = StdRng::seed_from_u64(12);
    let mut room = Room::chat(store, "coven", 4, 30, 10);
    let base = room.channel.head();
    room.now = days_after(70);
    let message = room.message("in the same batch");
    let mut records = room.decide(&jid("p1"), Command::Publish(message));
    let expired = Change::Expired { base, rest: Rest::Unknown };
    records.extend(room.apply(vec![expired]));
    let message = room.message("and behind it");
    records.extend(room.decide(&jid("p2"), Command::Publish(message)));
    store.commit(room.now, &records).unwrap();
    assert_eq!(room.rows.len(), 2);
    agrees(store, &room, &mut dice);
}
