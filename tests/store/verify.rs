//! A look through a store finds what is wrong with it, and says where.

use crate::disk::open;
use crate::fixture::{DAY_MS, NOON, Room, jid, wrong};
use crate::samples::database;
use mixd::channel::{Change, Command, GroupCommand, Limits, Message, Node, NodeSet, Progress, Stamp};
use mixd::store::{Deed, StoreCensus, VerifyEvent};
use std::fs;
use std::path::Path;

/// A store with something of everything, in three months.
fn build(path: &Path) {
    let store = open(path);
    let mut room = Room::create(&store, "coven", 1);
    for (n, who) in ["owner", "p0", "p1"].into_iter().enumerate() {
        room.now = Stamp(NOON.0 + n as u64 * 30 * DAY_MS);
        let subscribe = NodeSet::ALL;
        room.run(&store, who, Command::Join(mixd::channel::JoinWish { subscribe, ..Default::default() }));
        for _ in 0..6 {
            room.say(&store, who, &"long ".repeat(1500));
        }
    }
    let settings = room.apply(vec![Change::Configured(Limits::default().group_settings())]);
    mixd::store::Store::commit(&store, room.now, &settings).unwrap();
    let file = Message { media: Some(mixd::channel::MediaKind::Image), ..room.message("a picture") };
    room.run(&store, "p0", Command::Publish(file));
    let target = room.rows.last().map(|row| row.number);
    room.know(&store, &Vec::from_iter(target));
    let correction = Message { corrects: true, target, ..room.message("a better one") };
    room.run(&store, "p0", Command::Publish(correction));
    room.know(&store, &[4, 8]);
    room.run(&store, "p0", Command::Group(GroupCommand::Hide { rows: vec![8] }));
    room.run(&store, "owner", Command::Group(GroupCommand::Moderate { row: 4, reason: None }));
    room.run(&store, "p0", Command::Group(GroupCommand::Report { row: 8, progress: Progress::Read, exact: false }));
    let nick = mixd::channel::Nick::new("Peter");
    store_one(&store, mixd::store::Record::Nick { account: jid("p0"), nick });
    let tour = mixd::store::Tour {
        account: jid("p0"),
        deed: Deed::Clear,
        since: NOON,
        behind: None,
        settled: Default::default(),
    };
    store_one(&store, mixd::store::Record::Tour { account: jid("p0"), deed: Deed::Clear, tour: Some(tour) });
    let client = mixd::store::SavedClient { resource: "phone".into(), sees_all: true };
    let seat = mixd::store::SavedSeat {
        account: jid("p0"),
        tag: 1,
        room: mixd::channel::ChannelName::new("coven").unwrap(),
        place: 1,
        id: room.channel.member(&jid("p0")).unwrap().id.clone(),
        nick: mixd::channel::Nick::new("Peter").unwrap(),
        windows: None,
        moderates: false,
        is_open: false,
        is_silent: false,
        clients: vec![client],
    };
    store_one(&store, mixd::store::Record::Seat { account: jid("p0"), tag: 1, seat: Some(seat) });
    let mark = mixd::channel::AccountMark(5);
    store_one(&store, mixd::store::Record::Ended { mark, count: 1 });
    let passer_by = crate::passing::passer_by(&store, &room, "passenger", 0);
    store_one(&store, room.record(Change::Traced(passer_by)));
    let gone = crate::gone::gone("ruin", 9, "owner");
    store_one(&store, mixd::store::Record::Gone { name: gone.name.clone(), gone: Some(gone.into()) });
    room.run(&store, "owner", Command::Invite { invitee: jid("guest2") });
    let subscriptions = [Node::Messages].into_iter().collect();
    let guest = mixd::channel::Guest { jid: jid("guest"), since: NOON, subscriptions, first: 1 };
    store_one(&store, room.record(Change::GuestSet { guest, ended: Default::default() }));
    store_one(&store, room.record(Change::VoiceSet { account: jid("stranger"), voice: Some(false) }));
    for (node, exists) in [(Node::Banned, true), (Node::Allowed, true)] {
        store_one(&store, room.record(Change::ListMade { node, exists }));
        store_one(&store, room.record(Change::Listed { node, jid: jid("stranger"), present: true, reason: None }));
    }
    let settings = mixd::channel::Settings { style: mixd::channel::Style::Group, ..room.channel.settings().clone() };
    store_one(&store, room.record(Change::Configured(settings)));
    mixd::store::Store::idle(&store, Stamp(room.now.0 + 5000)).unwrap();
}

fn store_one(store: &dyn mixd::store::Store, record: mixd::store::Record) {
    store.commit(NOON, &[record]).unwrap();
}

fn found(path: &Path) -> Vec<String> {
    let store = open(path);
    wrong(|watch| store.verify(watch).unwrap())
}

/// The months there are, oldest first.
fn months(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.join("archive")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_sound_store_is_counted_and_nothing_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    let store = open(folder.path());
    let mut begun = 0;
    let census = store.verify(&mut |sighting| match sighting {
        VerifyEvent::Begins(_) => begun += 1,
        VerifyEvent::Wrong(finding) => panic!("{finding}"),
    });
    assert_eq!(census.unwrap(), StoreCensus { months: 3, channels: 1, members: 3, rows: 21, wrong: 0 });
    assert!(begun >= 10);
}

/// What is done to the first entry of a letter.
#[derive(Clone, Copy)]
enum Damage {
    Gone,
    /// The last byte of the value is another.
    Spoilt,
    /// The value is of another version.
    Foreign,
    /// The entry lies under another key, whose last byte is another.
    Moved,
}

/// In the state, or in a month; the letter; what is done; what is told.
const DAMAGES: &[(&str, u8, Damage, &str)] = &[
    ("state", b'c', Damage::Foreign, "of version 9"),
    ("state", b'c', Damage::Gone, "of a channel that does not exist"),
    ("state", b'c', Damage::Moved, "channels: channel coven: it lies under the key of another name"),
    ("state", b'i', Damage::Gone, "channels: channel coven: it has no information item"),
    ("state", b'm', Damage::Gone, "of whom there is no record"),
    ("state", b'm', Damage::Gone, "which has no record of it"),
    ("state", b'm', Damage::Moved, "members: channel coven, member "),
    ("state", b'a', Damage::Gone, "@host.example says nothing of it, its record Joined"),
    ("state", b'a', Damage::Moved, "an account is listed in channel coven"),
    ("state", b'u', Damage::Gone, "as a guest of channel coven, which has no record of it"),
    (
        "state",
        b'j',
        Damage::Moved,
        "invitations: channel coven, invitation of guest2@host.example: it lies under other",
    ),
    ("state", b'b', Damage::Moved, "rooms: channel coven, voice of stranger@host.example: it lies under another"),
    ("state", b'y', Damage::Moved, "nicks: registered nick of p0@host.example: it lies under another account"),
    ("state", b'z', Damage::Moved, "tours: what p0@host.example set off: it lies under another account"),
    ("state", b'H', Damage::Moved, "gone: what is left of channel ruin: it lies under the key of another name"),
    (
        "state",
        b'N',
        Damage::Moved,
        "endings: accounts of a name that ended, AccountMark(5): they lie under another name",
    ),
    ("state", b'P', Damage::Moved, "traces: channel coven, number 1 of those who passed by"),
    ("state", b'P', Damage::Gone, "it has no place in the circle"),
    ("state", b'Q', Damage::Gone, "it lies elsewhere, or only 0 did"),
    ("state", b'S', Damage::Moved, "seats: the seat of p0@host.example in room coven: it lies under another account"),
    ("state", b'v', Damage::Gone, "guests: channel coven, guest guest@host.example: the list of channels"),
    ("state", b'e', Damage::Moved, "lists: channel coven, list Allowed: stranger@host.example lies under"),
    (
        "state",
        b'd',
        Damage::Gone,
        "lists: channel coven, list Allowed: the list of channels that have stranger@host.example",
    ),
    ("state", b'd', Damage::Moved, "somebody is said to be on a list of channel coven that has no such entry"),
    ("state", b'l', Damage::Gone, "is on a list that ceased to be and is not cleared away"),
    ("state", b'h', Damage::Gone, "rows: channel coven, row 1: it lies in month"),
    ("state", b'o', Damage::Moved, "it lies where that of row"),
    ("state", b'k', Damage::Gone, "a row is missing in the index"),
    ("state", b'k', Damage::Moved, "the index names a row that says nothing of the kind"),
    ("state", b'q', Damage::Moved, "receipts: channel coven, report 1 of member "),
    ("state", b'q', Damage::Gone, "it counts 1 reports, and there are 0"),
    ("state", b'p', Damage::Moved, "amount to: it lies under the key of another"),
    ("state", b'p', Damage::Gone, "amount to: there is none"),
    ("month", b'r', Damage::Gone, "are missing"),
    ("month", b'r', Damage::Moved, "rows: channel coven, row "),
    ("month", b'b', Damage::Gone, "indexes: channel coven, month "),
    ("month", b't', Damage::Gone, "indexes: channel coven, month "),
    ("month", b'f', Damage::Gone, "indexes: channel coven, month "),
    ("month", b't', Damage::Moved, "the index names a row that says nothing of the kind"),
    ("month", b'x', Damage::Gone, "is missing"),
    ("month", b'x', Damage::Moved, "a piece of a value that is not there"),
    ("month", b'n', Damage::Moved, "the number of its newest commit is missing"),
    ("month", b'd', Damage::Spoilt, "the redo record of commit "),
    ("state", b's', Damage::Spoilt, "a part of the archive is lost"),
];

fn damage(db: &sled::Db, letter: u8, damage: Damage) -> bool {
    let Some((key, value)) = db.scan_prefix([letter]).next().transpose().unwrap() else { return false };
    let (mut other, mut spoilt) = (key.to_vec(), value.to_vec());
    *other.last_mut().unwrap() ^= 0x55;
    match damage {
        Damage::Gone => drop(db.remove(&key).unwrap()),
        Damage::Foreign => {
            spoilt[2] = 9;
            db.insert(&key, spoilt).unwrap();
        }
        Damage::Spoilt => {
            *spoilt.last_mut().unwrap() = 0x7F;
            db.insert(&key, spoilt).unwrap();
        }
        Damage::Moved => {
            db.remove(&key).unwrap();
            db.insert(other, value).unwrap();
        }
    }
    true
}

#[test]
fn every_kind_of_damage_is_found_and_its_place_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    build(&whole);
    for (n, &(place, letter, kind, told)) in DAMAGES.iter().enumerate() {
        let path = folder.path().join(n.to_string());
        crate::disk::copy(&whole, &path);
        // The newest month is not the only one that can be damaged.
        let places = match place {
            "state" => vec![path.join("state")],
            _ => months(&path).iter().map(|month| path.join("archive").join(month)).collect(),
        };
        let hit = places.iter().any(|place| damage(&database(place), letter, kind));
        assert!(hit, "there is no entry '{}' to damage", letter as char);
        let found = match mixd::store::SledStore::open(mixd::store::SledOptions::at(&path)) {
            Ok(store) => wrong(|watch| store.verify(watch).unwrap()),
            Err(error) => vec![error.to_string()],
        };
        let is_told = found.iter().any(|finding| finding.contains(told));
        assert!(is_told, "damage {n} ({}): expected {told:?}, found {found:#?}", letter as char);
    }
}

#[test]
fn a_month_that_went_is_told_with_the_rows_it_held() {
    let folder = tempfile::tempdir().unwrap();
    build(folder.path());
    fs::remove_dir_all(folder.path().join("archive").join(&months(folder.path())[0])).unwrap();
    let found = found(folder.path());
    assert!(found.iter().any(|finding| finding.contains("the month is not there, and holds rows")), "{found:#?}");
}

#[test]
fn what_is_wrong_is_told_in_the_same_order_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let people: Vec<String> = (0..12).map(|n| format!("p{n}")).collect();
    {
        let store = open(folder.path());
        let mut room = Room::create(&store, "coven", 1);
        people.iter().map(String::as_str).chain(["author"]).for_each(|who| room.join(&store, who));
        let settings = room.apply(vec![Change::Configured(Limits::default().group_settings())]);
        mixd::store::Store::commit(&store, room.now, &settings).unwrap();
        room.say(&store, "author", "hail");
        let row = room.rows.last().map(|row| row.number).unwrap();
        room.know(&store, &[row]);
        let report = GroupCommand::Report { row, progress: Progress::Read, exact: false };
        people.iter().for_each(|who| room.run(&store, who, Command::Group(report.clone())));
        mixd::store::Store::idle(&store, Stamp(room.now.0 + 5000)).unwrap();
    }
    while damage(&database(&folder.path().join("state")), b'p', Damage::Gone) {}
    let found = found(folder.path());
    let found: Vec<&String> = found.iter().filter(|finding| finding.contains("amount to: there is none")).collect();
    assert_eq!((found.len(), found.is_sorted()), (people.len(), true), "{found:#?}");
}
