//! Reports: the first that covers a row counts, whatever comes later and in whatever order.

use crate::fixture::{NOON, Room, jid, loaded};
use mixd::channel::{Change, ParticipantId, Progress, Receipt, Stamp, Status};
use mixd::store::{Record, Store};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::HashMap;

claims!(
    the_reports_of_a_destroyed_channel_are_gone;
    inventions: the_first_report_of_a_row_counts,
    a_report_up_to_a_row_leaves_what_was_reported_exactly,
    who_read_a_row_got_it,
    a_report_that_reaches_far_is_found_from_every_row_of_it,
    what_was_reported_survives_every_other_change_of_the_record,
);

fn people(store: &dyn Store, room: &mut Room, count: usize) -> Vec<ParticipantId> {
    let joined = (0..count).map(|n| Change::Joined(room.record_of(&format!("p{n}"), Status::Joined))).collect();
    room.make(store, joined);
    room.ids()
}

/// What somebody reports, made so in memory.
fn report(room: &mut Room, id: &ParticipantId, progress: Progress, rows: (u64, u64), stamp: u64) -> Vec<Record> {
    let member = room.channel.member_of(id).unwrap();
    let reports = member.reports(progress, &[rows], (rows.1, rows.1), Stamp(NOON.0 + stamp));
    room.apply(reports.into_iter().map(Change::Reported).collect())
}

/// When a row came at these, as milliseconds since noon.
fn told(store: &dyn Store, room: &Room, row: u64, ids: &[ParticipantId]) -> Vec<[Option<u64>; 2]> {
    let receipts = store.receipts(room.tag(), row, &room.reached(row)).unwrap();
    let told = |id| {
        let Receipt { delivered, read } = receipts.get(id).copied().unwrap_or_default();
        [delivered, read].map(|stamp| stamp.map(|stamp| stamp.0 - NOON.0))
    };
    ids.iter().map(told).collect()
}

fn the_first_report_of_a_row_counts(store: &dyn Store) {
    const ROWS: u64 = 120;
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 6);
    let mut dice = StdRng::seed_from_u64(2);
    let mut naive: HashMap<(u64, ParticipantId), [Option<u64>; 2]> = HashMap::new();
    for turn in 0..150u64 {
        let mut records = Vec::new();
        for n in 0..dice.random_range(1..4) {
            let member = &ids[dice.random_range(0..4)];
            let progress = if dice.random() { Progress::Delivered } else { Progress::Read };
            let first = dice.random_range(1..=ROWS);
            let last = if dice.random() { first } else { dice.random_range(first..=ROWS.min(first + 40)) };
            let stamp = 10 * turn + n;
            let told = report(&mut room, member, progress, (first, last), stamp);
            assert!(told.len() <= 1, "one report is one record");
            records.extend(told);
            for row in first..=last {
                let [delivered, read] = naive.entry((row, member.clone())).or_default();
                delivered.get_or_insert(stamp);
                if progress == Progress::Read {
                    read.get_or_insert(stamp);
                }
            }
        }
        store.commit(room.now, &records).unwrap();
        assert_eq!(loaded(store, "coven").unwrap(), room.channel, "turn {turn}");
        for row in (0..=ROWS + 1).filter(|_| turn % 10 == 0) {
            let owed = ids.iter().map(|id| naive.get(&(row, id.clone())).copied().unwrap_or_default());
            assert_eq!(told(store, &room, row, &ids), owed.collect::<Vec<_>>(), "turn {turn}, row {row}");
        }
    }
}

fn a_report_up_to_a_row_leaves_what_was_reported_exactly(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 2);
    let mut make = |steps: &[(usize, (u64, u64), u64)]| {
        let told =
            steps.iter().flat_map(|&(who, rows, stamp)| report(&mut room, &ids[who], Progress::Read, rows, stamp));
        let records: Vec<Record> = told.collect();
        store.commit(NOON, &records).unwrap();
    };
    make(&[(0, (4, 4), 4), (0, (9, 9), 9), (0, (5, 5), 5)]);
    // Both in one commit, the second around the first.
    make(&[(1, (3, 3), 1), (1, (1, 4), 2)]);
    make(&[(0, (1, 12), 100)]);
    make(&[(0, (12, 13), 200)]);
    let wanted: [(u64, [Option<u64>; 2]); 11] = [
        (0, [None, None]),
        (1, [Some(100), Some(2)]),
        (3, [Some(100), Some(1)]),
        (4, [Some(4), Some(2)]),
        (5, [Some(5), None]),
        (6, [Some(100), None]),
        (8, [Some(100), None]),
        (9, [Some(9), None]),
        (12, [Some(100), None]),
        (13, [Some(200), None]),
        (14, [None, None]),
    ];
    for (row, stamps) in wanted {
        assert_eq!(told(store, &room, row, &ids), stamps.map(|stamp| [stamp, stamp]), "row {row}");
    }
}

fn who_read_a_row_got_it(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 1);
    for (progress, rows, stamp) in
        [(Progress::Delivered, (4, 9), 3), (Progress::Read, (1, 5), 7), (Progress::Delivered, (1, 9), 8)]
    {
        let records = report(&mut room, &ids[0], progress, rows, stamp);
        assert_eq!(records.len(), usize::from(stamp != 8), "of what was read, nobody needs to hear that it came");
        store.commit(room.now, &records).unwrap();
    }
    let owed = [(2, [Some(7), Some(7)]), (4, [Some(3), Some(7)]), (8, [Some(3), None]), (10, [None, None])];
    for (row, stamps) in owed {
        assert_eq!(told(store, &room, row, &ids), [stamps], "row {row}");
    }
    // Whoever had only got it when it was asked has only got it.
    let asked = store.receipts(room.tag(), 4, &[(ids[0].clone(), Progress::Delivered)]).unwrap();
    assert_eq!(asked[&ids[0]], Receipt { delivered: Some(Stamp(NOON.0 + 3)), read: None });
}

fn a_report_that_reaches_far_is_found_from_every_row_of_it(store: &dyn Store) {
    const ROWS: u64 = 300_000;
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 2);
    for (stamp, last) in (1..).zip([100, 227, 228, 400, 1000, 140_000]) {
        let records = report(&mut room, &ids[0], Progress::Delivered, (1, last), stamp);
        store.commit(room.now, &records).unwrap();
    }
    let late = report(&mut room, &ids[1], Progress::Read, (1, ROWS), 50);
    assert_eq!(late.len(), 3, "what is missing is more than one record may reach");
    store.commit(room.now, &late).unwrap();
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    let owed =
        [(1, 1), (100, 1), (101, 2), (228, 3), (229, 4), (400, 4), (401, 5), (1001, 6), (131_073, 6), (140_000, 6)];
    for (row, stamp) in owed {
        assert_eq!(told(store, &room, row, &ids), [[Some(stamp), None], [Some(50), Some(50)]], "row {row}");
    }
    assert_eq!(told(store, &room, 140_001, &ids), [[None, None], [Some(50), Some(50)]]);
}

fn what_was_reported_survives_every_other_change_of_the_record(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 1);
    let records = report(&mut room, &ids[0], Progress::Read, (1, 7), 1);
    store.commit(room.now, &records).unwrap();
    for change in [Change::Noted, Change::Left, Change::Joined, Change::Removed] {
        let mut member = room.record_of("p0", Status::Left);
        member.own.cleared += 1;
        room.make(store, vec![change(member)]);
        assert_eq!(loaded(store, "coven").unwrap(), room.channel);
        assert_eq!(room.channel.member_of(&ids[0]).unwrap().own.mark, (7, 7));
    }
    assert_eq!(told(store, &room, 7, &ids), [[Some(1), Some(1)]]);
}

fn the_reports_of_a_destroyed_channel_are_gone(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 3);
    for row in 1..300 {
        let records = report(&mut room, &ids[row as usize % 3], Progress::Read, (row, row), row);
        store.commit(room.now, &records).unwrap();
    }
    let reached = room.reached(7);
    assert_eq!(store.receipts(room.tag(), 7, &reached).unwrap().len(), 1);
    room.destroy(store);
    for _ in 0..6 {
        assert!((0..300).all(|row| store.receipts(room.tag(), row, &reached).unwrap().is_empty()));
        store.commit(room.now, &[]).unwrap();
    }
    assert_eq!(store.channels_of(&jid("p1")).unwrap(), []);
}
