//! What groups keep, over restarts and crashes.

use crate::disk::{copy, mix, open};
use crate::fixture::{NOON, Room, jid, loaded};
use crate::groups_room::KINDS;
use mixd::channel::{Change, Item, Limits, Node, Progress, Report, Rights, Stamp, Status};
use mixd::store::{Narrow, PagePlan, SledStore, Store};

/// Compares everything that a store tells of a group.
fn same(store: &SledStore, room: &Room) {
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    let numbers: Vec<u64> = (1..=room.channel.head().row).collect();
    assert_eq!(store.tombstones(room.tag(), &numbers).unwrap(), room.tombstones);
    let facts = store.facts(room.tag(), &numbers).unwrap();
    for (fact, row) in facts.into_iter().zip(&room.rows) {
        let went_along = row.corrected().is_some_and(|target| room.tombstones.contains_key(&target));
        assert_eq!(fact.unwrap().entombed, went_along || room.tombstones.contains_key(&row.number));
    }
    for media in [None, Some(KINDS.to_vec())] {
        let plan =
            PagePlan { max: 1000, narrow: Narrow { media, no_events: true, ..Narrow::default() }, ..room.plan() };
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
    }
}

/// Every kind of change that a group knows besides those of its rows.
fn change_everything(store: &SledStore, room: &mut Room) -> Vec<Report> {
    let ids = room.ids();
    let (waiting, mut left) = (room.record_of("late", Status::Waiting), room.record_of("p3", Status::Left));
    left.own.forgotten = true;
    let mut noted = room.record_of("p1", Status::Joined);
    noted.own.hidden = [(3, true)].into();
    let mut reports = Vec::new();
    let node = Node::Banned;
    let changes = vec![
        Change::ItemSet { node: Node::AvatarData, item: Item { payload: "y".repeat(90_000), ..Item::default() } },
        Change::ItemSet { node: Node::Video, item: Item::default() },
        Change::ListMade { node, exists: true },
        Change::Listed { node, jid: jid("evil"), present: true, reason: None },
        Change::ListMade { node, exists: true },
        Change::Listed { node, jid: jid("worse"), present: true, reason: None },
        Change::Listed { node, jid: jid("bad"), present: true, reason: None },
        Change::Listed { node, jid: jid("bad"), present: false, reason: None },
        Change::Invited(waiting),
        Change::Removed(left),
        Change::Noted(noted),
        Change::RightsSet(Rights { owners: vec![jid("p0")].into(), admins: vec![jid("p1")].into() }),
        Change::Configured(Limits::default().group_settings()),
        Change::ItemGone { node: Node::Video, id: String::new() },
    ];
    changes.into_iter().for_each(|change| room.make(store, vec![change]));
    // The last one again, later: what was reported stays as it was.
    for (member, first, last) in [(&ids[0], 5, 5), (&ids[0], 6, 20), (&ids[1], 1, 30), (&ids[0], 1, 20)] {
        let stamp = Stamp(NOON.0 + 100 * reports.len() as u64 + last);
        let member = room.channel.member_of(member).unwrap();
        let report = member.reports(Progress::Read, &[(first, last)], (last, last), stamp).remove(0);
        room.make(store, vec![Change::Reported(report.clone())]);
        reports.push(report);
    }
    assert_eq!(reports[3].rows, [(1, 4)]);
    reports
}

fn reported(store: &SledStore, room: &Room, reports: &[Report]) {
    for row in 0..32 {
        let found = store.receipts(room.tag(), row, &room.reached(row)).unwrap();
        for id in room.ids() {
            let stamp = reports.iter().find(|report| report.member == id && report.covers(row)).map(|it| it.stamp);
            let found = found.get(&id).copied().unwrap_or_default();
            assert_eq!((found.delivered, found.read), (stamp, stamp), "row {row}");
        }
    }
}

#[test]
fn a_group_comes_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut room = Room::group(&store, "coven", 150, 70);
    let reports = change_everything(&store, &mut room);
    same(&store, &room);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.replayed(), 0);
    same(&store, &room);
    reported(&store, &room, &reports);
}

#[test]
fn the_highest_number_is_replayed_after_its_channel_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    drop(Room::create(&store, "old", 3));
    store.idle(Stamp(NOON.0 + 5000)).unwrap();
    copy(&folder.path().join("live"), &folder.path().join("early"));
    Room::create(&store, "new", 4).destroy(&store);
    drop(store);
    copy(&folder.path().join("live"), &folder.path().join("late"));
    for path in [folder.path().join("late"), mix(folder.path(), "early", "late")] {
        let directory = open(&path).directory().unwrap();
        assert_eq!(directory.listings.iter().map(|listing| listing.gid).collect::<Vec<_>>(), [3]);
        assert_eq!(directory.gid_highest, 4);
        assert_eq!(open(&path).directory().unwrap(), directory, "and stays");
    }
}

#[test]
fn every_change_of_a_group_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("live"));
    let mut room = Room::group(&store, "coven", 150, 3);
    store.idle(Stamp(room.now.0 + 5000)).unwrap();
    copy(&folder.path().join("live"), &folder.path().join("early"));
    let reports = change_everything(&store, &mut room);
    for kind in KINDS {
        let mut row = room.next_row(&room.ids()[0], Default::default());
        (row.target, row.corrects, row.media) = (Some(2), true, Some(kind));
        let tombstone = room.tombstone(row.number - 1, &room.ids()[0]);
        room.make(&store, vec![Change::Published(row), Change::Entombed(tombstone)]);
    }
    drop(store);
    copy(&folder.path().join("live"), &folder.path().join("late"));
    let store = open(&mix(folder.path(), "early", "late"));
    assert!(store.replayed() >= 22, "{} commits", store.replayed());
    same(&store, &room);
    reported(&store, &room, &reports);
    let statuses = |who| store.groups_of(&jid(who)).unwrap().into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    assert_eq!(
        [statuses("late"), statuses("p3"), statuses("p1")],
        [vec![Status::Waiting], vec![], vec![Status::Joined]]
    );
}
