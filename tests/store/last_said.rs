//! What whoever enters a room is sent of what was said before.

use crate::fixture::{DAY_MS, NOON, Room, jid};
use mixd::channel::backlog::Backlog;
use mixd::channel::{Command, Message, Row, Stamp};
use mixd::runtime::backlog::last_said;
use mixd::store::Store;

claims!(the_newest_messages_are_found_behind_what_is_none; inventions: bytes_and_rows_looked_at_have_a_bound);

fn numbers(store: &dyn Store, room: &Room, backlog: &Backlog, max: usize) -> Vec<u64> {
    last_said(store, room.tag(), backlog, max).unwrap().rows.iter().map(|row| row.number).collect()
}

fn publish(room: &mut Room, store: &dyn Store, counted: bool, payload: String) -> u64 {
    let message = Message { archived: true, echoed: true, counted, payload, ..Message::default() };
    room.run(store, "p1", Command::Publish(message));
    room.rows.last().unwrap().number
}

fn corrects(room: &mut Room, store: &dyn Store, target: u64) -> u64 {
    room.know(store, &[target]);
    let payload = "<body>mended</body>".to_owned();
    let message =
        Message { archived: true, echoed: true, counted: true, corrects: true, payload, ..Message::default() };
    room.run(store, "p1", Command::Publish(Message { target: Some(target), ..message }));
    room.rows.last().unwrap().number
}

fn the_newest_messages_are_found_behind_what_is_none(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "p1");
    let said: Vec<u64> = (0..30).map(|n| publish(&mut room, store, true, format!("<body>{n}</body>"))).collect();
    room.now = Stamp(NOON.0 + 40 * DAY_MS);
    // More than a page of what is nothing to read.
    for _ in 0..70 {
        publish(&mut room, store, false, "<reactions/>".into());
    }
    let mended = corrects(&mut room, store, said[29]);
    let newest = publish(&mut room, store, true, "<body>newest</body>".into());
    let all: Vec<u64> = said.iter().copied().chain([mended, newest]).collect();
    let everything = Backlog::default();
    for max in [1, 2, 3, 20, 50] {
        assert_eq!(numbers(store, &room, &everything, max), all[all.len() - max.min(all.len())..], "{max}");
    }
    let windows = Some(vec![(said[2], said[4]), (newest, u64::MAX)]);
    let cut = Backlog { windows, hidden: vec![said[3]] };
    assert_eq!(numbers(store, &room, &cut, 50), [said[2], said[4], newest]);
    assert_eq!(numbers(store, &room, &Backlog { windows: Some(Vec::new()), hidden: Vec::new() }, 50), [0; 0]);
    let authors = last_said(store, room.tag(), &everything, 20).unwrap().authors;
    assert_eq!(authors.values().map(|member| &member.jid).collect::<Vec<_>>(), [&jid("p1")]);
    // With a message goes what corrects it.
    room.know(store, &[said[29]]);
    let payload = "<retract/>".to_owned();
    let retraction = Message { archived: true, retracts: true, target: Some(said[29]), payload, ..Message::default() };
    room.run(store, "p1", Command::Publish(retraction));
    assert!(room.tombstones.contains_key(&said[29]));
    assert_eq!(numbers(store, &room, &everything, 2), [said[28], newest]);
}

fn bytes_and_rows_looked_at_have_a_bound(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "p1");
    let long = |n: usize| format!("<body>{n}{}</body>", "x".repeat(50 << 10));
    let said: Vec<u64> = (0..4).map(|n| publish(&mut room, store, true, long(n))).collect();
    assert_eq!(numbers(store, &room, &Backlog::default(), 50), said[2..], "the newest that have room");
    for _ in 0..300 {
        publish(&mut room, store, false, "<reactions/>".into());
    }
    assert_eq!(numbers(store, &room, &Backlog::default(), 50), [0; 0]);
    let rows: Vec<Row> = last_said(store, 7, &Backlog::default(), 50).unwrap().rows;
    assert_eq!(rows, [], "an archive that there is not");
}
