//! Pages of what one may see, against a look at every row.

use crate::fixture::{DAY_MS, NOON, Room};
use crate::groups_room::KINDS;
use mixd::channel::Stamp;
use mixd::store::{Narrow, PagePlan, Store};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeSet;

claims!(
    no_window_shows_nothing;
    inventions: picked_pages_agree_with_a_look_at_every_row,
    paging_on_through_windows_meets_every_row_once,
    a_file_that_was_retracted_is_no_media,
);

fn windows(dice: &mut StdRng, rows: u64) -> Vec<(u64, u64)> {
    let edges: BTreeSet<u64> = (0..dice.random_range(1..8)).map(|_| dice.random_range(1..rows + 50)).collect();
    let edges: Vec<u64> = edges.into_iter().collect();
    let mut windows: Vec<(u64, u64)> = edges.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    if dice.random() {
        let open = windows.last().map_or(1, |&(_, last)| last + 1);
        windows.push((open + dice.random_range(0..rows / 4), u64::MAX));
    }
    windows
}

pub fn narrow(dice: &mut StdRng, rows: u64) -> Narrow {
    let hidden: BTreeSet<u64> = match dice.random_range(0..3) {
        0 => BTreeSet::new(),
        1 => (0..dice.random_range(1..300)).map(|_| dice.random_range(1..=rows)).collect(),
        _ => (rows / 3..rows / 2).collect(),
    };
    Narrow {
        windows: dice.random::<bool>().then(|| windows(dice, rows)),
        hidden: hidden.into_iter().collect(),
        no_events: dice.random(),
        media: dice.random_ratio(1, 3).then(|| (0..dice.random_range(0..4)).map(|n| KINDS[n]).collect()),
    }
}

fn picked_pages_agree_with_a_look_at_every_row(store: &dyn Store) {
    const ROWS: u64 = 1300;
    let room = Room::group(store, "coven", ROWS, 120);
    let mut dice = StdRng::seed_from_u64(5);
    let ids = room.ids();
    let (mut cut, mut rows) = (0, 0);
    for turn in 0..1200 {
        let mut plan = PagePlan { narrow: narrow(&mut dice, ROWS), ..room.plan() };
        plan.max = dice.random_range(0..60);
        plan.from_end = dice.random();
        if dice.random() {
            plan.first = dice.random_range(0..ROWS);
            plan.last = if dice.random() { u64::MAX } else { dice.random_range(0..ROWS + 100) };
        }
        let stamp = |dice: &mut StdRng| Stamp(NOON.0 + dice.random_range(0..130) * DAY_MS);
        plan.start = dice.random_ratio(1, 4).then(|| stamp(&mut dice));
        plan.end = dice.random_ratio(1, 4).then(|| stamp(&mut dice));
        plan.author = dice.random_ratio(1, 3).then(|| ids[dice.random_range(0..ids.len())].clone());
        let page = store.page(&plan).unwrap();
        assert_eq!(page, room.naive(&plan), "turn {turn}: {plan:?}");
        cut += usize::from(page.cut);
        rows += page.rows.len();
    }
    assert!(cut > 200 && rows > 5000, "{cut} pages cut, {rows} rows");
    let months: BTreeSet<String> = room.rows.iter().map(|row| row.stamp.month()).collect();
    assert!(months.len() >= 4, "{months:?}");
}

fn paging_on_through_windows_meets_every_row_once(store: &dyn Store) {
    let room = Room::group(store, "coven", 500, 70);
    let mut dice = StdRng::seed_from_u64(8);
    for turn in 0..12 {
        let mut plan = PagePlan { max: 13, narrow: narrow(&mut dice, 500), from_end: turn % 2 == 0, ..room.plan() };
        let wanted = room.naive(&PagePlan { max: 1000, ..plan.clone() }).rows;
        let mut seen = Vec::new();
        loop {
            let page = store.page(&plan).unwrap();
            if let (true, Some(row)) = (plan.from_end, page.rows.first()) {
                plan.last = row.number - 1;
                seen.splice(0..0, page.rows);
            } else if let Some(row) = page.rows.last() {
                plan.first = row.number + 1;
                seen.extend(page.rows);
            }
            if !page.cut {
                break;
            }
        }
        assert_eq!(seen, wanted, "turn {turn}: {:?}", plan.narrow);
    }
}

fn a_file_that_was_retracted_is_no_media(store: &dyn Store) {
    let mut room = Room::group(store, "coven", 200, 60);
    let author = room.ids()[0].clone();
    let plan = |room: &Room| PagePlan {
        max: 3,
        from_end: true,
        narrow: Narrow { media: Some(KINDS.to_vec()), ..Narrow::default() },
        ..room.plan()
    };
    let mut met = 0;
    loop {
        let page = store.page(&plan(&room)).unwrap();
        assert_eq!(page, room.naive(&plan(&room)));
        assert!(page.tombstones.is_empty());
        let Some(row) = page.rows.last().map(|row| row.number) else { break };
        let tombstone = room.tombstone(row, &author);
        room.make(store, vec![mixd::channel::Change::Entombed(tombstone.clone())]);
        let whole = store.page(&PagePlan { first: row, last: row, ..room.plan() }).unwrap();
        assert_eq!(whole.tombstones.get(&row), Some(&tombstone));
        met += 1;
    }
    assert!(met > 10, "{met}");
}

fn no_window_shows_nothing(store: &dyn Store) {
    let room = Room::group(store, "coven", 30, 3);
    for (windows, count) in [(vec![], 0), (vec![(31, u64::MAX)], 0), (vec![(0, 0)], 0), (vec![(5, 6), (30, 31)], 3)] {
        for from_end in [false, true] {
            let narrow = Narrow { windows: Some(windows.clone()), ..Narrow::default() };
            let plan = PagePlan { narrow, from_end, ..room.plan() };
            let page = store.page(&plan).unwrap();
            assert_eq!((page.rows.len(), page.counted), (count, Some((count as u64, 0))), "{plan:?}");
        }
    }
}
