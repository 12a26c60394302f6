//! Reports: the first that covers a row counts, whatever comes later and in whatever order.

use crate::fixture::{NOON, Room, jid};
use mixd::channel::{Change, ParticipantId, Progress, Report, Stamp, Status};
use mixd::store::Store;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::HashMap;

claims!(
    the_reports_of_a_destroyed_channel_are_gone;
    inventions: the_first_report_of_a_row_counts,
    a_report_up_to_a_row_leaves_what_was_reported_exactly,
    who_read_a_row_got_it,
);

fn people(store: &dyn Store, room: &mut Room, count: usize) -> Vec<ParticipantId> {
    let joined = (0..count).map(|n| Change::Joined(room.record_of(&format!("p{n}"), Status::Joined))).collect();
    room.make(store, joined);
    room.ids()
}

fn report(member: &ParticipantId, progress: Progress, first: u64, last: u64, stamp: u64) -> Change {
    Change::Reported(Report { member: member.clone(), progress, first, last, stamp: Stamp(NOON.0 + stamp) })
}

fn the_first_report_of_a_row_counts(store: &dyn Store) {
    const ROWS: u64 = 120;
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 6);
    let mut dice = StdRng::seed_from_u64(2);
    let mut naive: HashMap<(Progress, u64, ParticipantId), Stamp> = HashMap::new();
    for turn in 0..150u64 {
        let mut changes = Vec::new();
        for n in 0..dice.random_range(1..4) {
            let member = &ids[dice.random_range(0..4)];
            let progress = if dice.random() { Progress::Delivered } else { Progress::Read };
            let first = dice.random_range(1..=ROWS);
            let last = if dice.random() { first } else { dice.random_range(first..=ROWS.min(first + 40)) };
            changes.push(report(member, progress, first, last, 10 * turn + n));
            for row in first..=last {
                naive.entry((progress, row, member.clone())).or_insert(Stamp(NOON.0 + 10 * turn + n));
            }
        }
        room.make(store, changes);
        if turn % 10 != 0 {
            continue;
        }
        for row in 0..=ROWS + 1 {
            let of = |progress| -> HashMap<ParticipantId, Stamp> {
                let named = ids.iter().filter_map(|id| Some((id.clone(), *naive.get(&(progress, row, id.clone()))?)));
                named.collect()
            };
            let (mut delivered, read) = (of(Progress::Delivered), of(Progress::Read));
            assert_eq!(store.reports(room.tag(), row, Progress::Read, &ids).unwrap(), read, "turn {turn}, row {row}");
            for (id, stamp) in read {
                delivered.entry(id).and_modify(|first| *first = stamp.min(*first)).or_insert(stamp);
            }
            assert_eq!(store.reports(room.tag(), row, Progress::Delivered, &ids).unwrap(), delivered);
            let two: HashMap<_, _> = delivered.into_iter().filter(|(id, _)| ids[..2].contains(id)).collect();
            assert_eq!(store.reports(room.tag(), row, Progress::Delivered, &ids[..2]).unwrap(), two);
        }
    }
}

fn a_report_up_to_a_row_leaves_what_was_reported_exactly(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 2);
    let exact: Vec<Change> = [4, 9, 5].iter().map(|&row| report(&ids[0], Progress::Read, row, row, row)).collect();
    room.make(store, exact);
    // Both in one commit, the second around the first.
    let both = [report(&ids[1], Progress::Read, 3, 3, 1), report(&ids[1], Progress::Read, 1, 4, 2)];
    room.make(store, both.into());
    room.make(store, vec![report(&ids[0], Progress::Read, 1, 12, 100), report(&ids[0], Progress::Read, 12, 13, 200)]);
    let told = |row| {
        let stamps = store.reports(room.tag(), row, Progress::Read, &ids).unwrap();
        ids.iter().map(|id| stamps.get(id).map(|stamp| stamp.0 - NOON.0)).collect::<Vec<_>>()
    };
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
    wanted.iter().for_each(|(row, stamps)| assert_eq!(told(*row), stamps, "row {row}"));
}

fn who_read_a_row_got_it(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 1);
    room.make(store, vec![report(&ids[0], Progress::Read, 1, 5, 7), report(&ids[0], Progress::Delivered, 4, 9, 3)]);
    let told = |row, progress| store.reports(room.tag(), row, progress, &ids).unwrap().get(&ids[0]).copied();
    assert_eq!(told(2, Progress::Delivered), Some(Stamp(NOON.0 + 7)));
    assert_eq!(told(4, Progress::Delivered), Some(Stamp(NOON.0 + 3)));
    assert_eq!(told(8, Progress::Read), None);
}

fn the_reports_of_a_destroyed_channel_are_gone(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let ids = people(store, &mut room, 3);
    let reports = (1..300).map(|row| report(&ids[row % 3], Progress::Read, row as u64, row as u64, 1));
    room.make(store, reports.collect());
    assert_eq!(store.reports(room.tag(), 7, Progress::Read, &ids).unwrap().len(), 1);
    room.destroy(store);
    for _ in 0..6 {
        assert!((0..300).all(|row| store.reports(room.tag(), row, Progress::Read, &ids).unwrap().is_empty()));
        store.commit(room.now, &[]).unwrap();
    }
    assert_eq!(store.channels_of(&jid("p1")).unwrap(), []);
}
