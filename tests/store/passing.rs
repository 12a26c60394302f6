//! Of people who passed by in a room and wrote something, the store keeps who they were, and what they wrote can be erased.

use crate::fixture::{NOON, Room, jid, loaded};
use mixd::channel::{Change, Member, Nick, ParticipantId, Row, RowKind, Seats, Status};
use mixd::runtime::eraser::erase;
use mixd::store::{Record, Store, TRACED_MAX};
use mixd::xep::Sealer;

/// What stands for the account of a name that passes by in a channel, after so many of that name ended.
pub fn passer_by(store: &dyn Store, room: &Room, name: &str, ended: u32) -> Member {
    let id = Sealer::new(store.sealing_key()).visitor(room.tag(), &jid(name), ended);
    let stand_in = Seats::stand_in(&jid(name), Nick::new(name).unwrap(), (id, 1));
    Member { spoke: true, ..stand_in }
}

fn trace(store: &dyn Store, room: &Room, who: impl Iterator<Item = String>) {
    let records: Vec<Record> = who.map(|name| room.record(Change::Traced(passer_by(store, room, &name, 0)))).collect();
    records.chunks(1000).for_each(|some| store.commit(NOON, some).unwrap());
}

/// Those of these names of whom the store knows that they were here.
fn known(store: &dyn Store, room: &Room, names: &[&str]) -> Vec<String> {
    let past = store.past(room.tag(), &names.iter().map(|name| jid(name)).collect::<Vec<_>>()).unwrap();
    let ids: Vec<ParticipantId> = names.iter().map(|name| passer_by(store, room, name, 0).id).collect();
    let people = store.people(room.tag(), &ids).unwrap();
    let known = |(name, id): (&&str, &ParticipantId)| {
        assert_eq!(past.get(&jid(name)).map(|it| &it.id), people.get(id).map(|it| &it.id), "{name}");
        people.get(id).map(|member| {
            assert_eq!((&member.jid, member.status, member.spoke), (&jid(name), Status::Left, true));
            (*name).to_owned()
        })
    };
    names.iter().zip(&ids).filter_map(known).collect()
}

fn of_those_who_pass_by_the_oldest_go_first(store: &dyn Store) {
    let room = Room::create(store, "coven", 1);
    trace(store, &room, (0..TRACED_MAX).map(|n| format!("p{n}")));
    assert_eq!(known(store, &room, &["p0", "p1", "p9999"]), ["p0", "p1", "p9999"]);
    // Whoever writes again is nobody new.
    trace(store, &room, ["p0", "p9999", "p0"].map(str::to_owned).into_iter());
    assert_eq!(known(store, &room, &["p0", "p1"]), ["p0", "p1"]);
    trace(store, &room, ["late"].map(str::to_owned).into_iter());
    assert_eq!(known(store, &room, &["p0", "p1", "late"]), ["p1", "late"]);
    trace(store, &room, ["p0"].map(str::to_owned).into_iter());
    assert_eq!(known(store, &room, &["p0", "p1", "p2", "late"]), ["p0", "p2", "late"]);
    // None of it is in the channel, and they have no place there.
    let channel = loaded(store, "coven").unwrap();
    assert_eq!((channel.members().count(), channel), (0, room.channel));
    assert_eq!(store.groups_of(&jid("p2")).unwrap(), []);
}

fn who_passed_by_and_joined_is_kept_as_a_member(store: &dyn Store) {
    let room = Room::create(store, "coven", 1);
    let names = ["cat", "toad"];
    trace(store, &room, names.map(str::to_owned).into_iter());
    for name in names {
        let past = passer_by(store, &room, name, 0);
        let joined = Member { status: Status::Joined, ..past.clone() };
        store.commit(NOON, &[room.record(Change::Joined(joined))]).unwrap();
        let left = Member { windows: vec![(1, Some(0))], ..past };
        store.commit(NOON, &[room.record(Change::Left(left))]).unwrap();
    }
    // A record that is given up is no trace of somebody who passed by.
    store.commit(NOON, &[room.record(Change::Faded(passer_by(store, &room, "toad", 0)))]).unwrap();
    trace(store, &room, (0..TRACED_MAX).map(|n| format!("p{n}")));
    assert_eq!(known(store, &room, &["toad", "p0"]), ["toad", "p0"]);
    let cat = passer_by(store, &room, "cat", 0).id;
    assert_eq!(store.people(room.tag(), &[cat]).unwrap().len(), 1);
}

/// A message of somebody who passes by. Before format 8 nothing was kept of its author.
fn say(store: &dyn Store, room: &mut Room, author: &Member, leaves_trace: bool) {
    let head = room.channel.head();
    let row = Row {
        number: head.row + 1,
        stamp: room.now,
        author: author.id.clone(),
        ordinal: head.ordinal + 1,
        counted: true,
        target: None,
        corrects: false,
        kind: RowKind::Message,
        media: None,
        nick: author.nick.as_str().to_owned(),
        stanza_id: None,
        origin_id: None,
        lang: None,
        payload: format!("<body>said by {}</body>", author.nick.as_str()),
    };
    let mut records = room.apply(vec![Change::Published(row)]);
    records.extend(leaves_trace.then(|| room.record(Change::Traced(author.clone()))));
    store.commit(room.now, &records).unwrap();
}

fn what_an_erased_account_wrote_in_passing_is_erased(store: &dyn Store) {
    let mut rooms = [Room::create(store, "coven", 1), Room::create(store, "den", 2), Room::create(store, "far", 3)];
    // Two accounts of that name ended. The third one is somebody else.
    let mark = Sealer::new(store.sealing_key()).account(&jid("cat"));
    store.commit(NOON, &[Record::Ended { mark, count: 2 }]).unwrap();
    for (at, room) in rooms.iter_mut().take(2).enumerate() {
        for (name, ended) in [("cat", 0), ("toad", 0), ("cat", 1), ("cat", 2), ("cat", 0)] {
            let author = passer_by(store, room, name, ended);
            let author = Member { ended: ended < 2 && name == "cat", ..author };
            say(store, room, &author, at == 0 && ended < 2);
            room.now.0 += 20 * crate::fixture::DAY_MS;
        }
    }
    // Of the first room the store knows who wrote what, of the second one it does not.
    let mut changed = erase(store, &jid("cat")).unwrap();
    changed.sort();
    assert_eq!(changed, ["coven", "den"].map(crate::fixture::name));
    for room in &rooms[..2] {
        let rows = store.rows(room.tag(), &[1, 2, 3, 4, 5]).unwrap().into_iter().flatten();
        let told: Vec<String> = rows.map(|row| format!("{:?} {}", row.kind, row.payload)).collect();
        let erased = "Erased ";
        let kept = ["Message <body>said by toad</body>", "Message <body>said by cat</body>"];
        assert_eq!(told, [erased, kept[0], erased, kept[1], erased]);
    }
    // To do it again finds nothing to change.
    assert_eq!(store.rows(rooms[2].tag(), &[1]).unwrap(), [None]);
    erase(store, &jid("cat")).unwrap();
}

claims! {
    of_those_who_pass_by_the_oldest_go_first,
    who_passed_by_and_joined_is_kept_as_a_member,
    what_an_erased_account_wrote_in_passing_is_erased,
}
