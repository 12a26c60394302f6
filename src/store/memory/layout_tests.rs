//! The layout of records, seen in the store in memory.

use super::*;
use crate::channel::{
    Change, Event, EventKind, Guest, Item, Limits, MediaKind, Nick, Node, NodeSet, Own, Profile, Report, Rights,
    RowKind, Topic,
};
use rand::{SeedableRng, rngs::StdRng};

const TAG: u64 = 7;

fn commit(store: &MemoryStore, changes: Vec<Change>) {
    let name = ChannelName::new("coven").unwrap();
    let records: Vec<Record> =
        changes.into_iter().map(|change| Record::Channel { name: name.clone(), tag: TAG, change }).collect();
    store.commit(Stamp(0), &records).unwrap();
}

fn created() -> Change {
    let creator = BareJid::new("a@host.example").unwrap();
    let profile = Profile { tag: TAG, created: Stamp(0), creator, gid: 1, listed: true };
    let settings = Limits::default().group_settings();
    Change::Created { profile, settings, rights: Rights::default(), info: Item::default() }
}

fn row(number: u64, author: &ParticipantId) -> Row {
    Row {
        number,
        stamp: Stamp(0),
        author: author.clone(),
        ordinal: number,
        counted: true,
        target: None,
        corrects: false,
        kind: RowKind::Message,
        media: None,
        nick: String::new(),
        stanza_id: None,
        origin_id: None,
        lang: None,
        payload: String::new(),
    }
}

fn author() -> ParticipantId {
    ParticipantId::random(&mut StdRng::seed_from_u64(1))
}

/// The keys of the one month, or of the state, that begin with a letter.
fn keys(store: &MemoryStore, of_state: bool, letter: u8) -> Vec<Vec<u8>> {
    let inner = store.lock();
    let spaces = inner.spaces.iter().filter(|(space, _)| (**space == Space::State) == of_state);
    let keys = spaces.flat_map(|(_, entries)| entries.keys().cloned());
    keys.filter(|key| key.starts_with(&[letter])).collect()
}

#[test]
fn the_indexes_of_a_month_hold_what_rows_refer_to_carry_and_are() {
    let store = MemoryStore::new([1; 16]);
    let author = author();
    let event = Event { kind: EventKind::MemberLeft, by: None, whom: None, detail: None };
    let rows = [
        row(1, &author),
        Row { target: Some(1), ..row(2, &author) },
        Row { target: Some(1), corrects: true, ..row(3, &author) },
        Row { corrects: true, media: Some(MediaKind::Video), ..row(4, &author) },
        Row { kind: RowKind::Event(event), ..row(keyspace::BLOCK_ROWS, &author) },
    ];
    commit(&store, rows.map(Change::Published).into());
    assert_eq!(keys(&store, false, b't'), [keyspace::target(TAG, 1, 2), keyspace::target(TAG, 1, 3)]);
    assert_eq!(keys(&store, false, b'f'), [keyspace::media(TAG, MediaKind::Video, 4)]);
    assert_eq!(keys(&store, true, b'k'), [keyspace::correction(TAG, 1, 3)]);
    // A block that holds only events is not in the index of messages.
    let blocks = [(None, 0), (Some(&author), 0), (Some(&author), 1)];
    assert_eq!(keys(&store, false, b'b'), blocks.map(|(author, block)| keyspace::block(TAG, author, block)));
}

#[test]
fn nothing_is_left_in_the_state_of_a_channel_that_was_destroyed() {
    let store = MemoryStore::new([1; 16]);
    let jid = |n: usize| BareJid::new(&format!("p{n}@host.example")).unwrap();
    let mut dice = StdRng::seed_from_u64(2);
    let member = Member {
        id: author(),
        jid: jid(0),
        nick: Nick::for_account(&jid(0)),
        status: Status::Joined,
        since: Stamp(0),
        subscriptions: Default::default(),
        windows: vec![(1, None)],
        spoke: false,
        preferences: Default::default(),
        veiled: false,
        own: Own::default(),
        ended: false,
        named: true,
        granted: false,
    };
    let tombstone = |row| Tombstone {
        row,
        retraction: 9,
        stamp: Stamp(0),
        by: Some(author()),
        moderated: false,
        reason: Some("long ".repeat(2000)),
    };
    let item = Item { payload: "x".repeat(100_000), ..Item::default() };
    let node = Node::Banned;
    let mut changes = vec![created(), Change::Joined(member), Change::ItemSet { node: Node::AvatarData, item }];
    changes.push(Change::Published(row(1, &author())));
    changes.push(Change::Published(Row { target: Some(1), corrects: true, ..row(2, &author()) }));
    changes.extend((0..50).map(|n| Change::VoiceSet { account: jid(n), voice: Some(true) }));
    let (text, nick) = ("long ".repeat(1000), "ann".to_owned());
    changes.push(Change::TopicSet(Topic { text, nick, author: author(), stamp: Stamp(0) }));
    changes.push(Change::ListMade { node, exists: true });
    changes.extend((0..600).map(|n| Change::Listed { node, jid: jid(n), present: true, reason: None }));
    changes.push(Change::ListMade { node, exists: true });
    changes.push(Change::Listed { node, jid: jid(1), present: true, reason: None });
    changes.extend((1..300).map(|row| Change::Entombed(tombstone(row))));
    changes.extend((1..300).map(|first| {
        let (member, progress) = (ParticipantId::random(&mut dice), Progress::Read);
        let (rows, arrived) = (vec![(first, first)], vec![(first, first)]);
        Change::Reported(Report { member, number: 1, progress, rows, arrived, mark: None, stamp: Stamp(0) })
    }));
    changes.extend((0..300).map(|n| {
        let subscriptions = NodeSet::from_iter([Node::Messages]);
        let guest = Guest { jid: jid(n), since: Stamp(0), subscriptions, first: 1 };
        Change::GuestSet { guest, ended: NodeSet::default() }
    }));
    commit(&store, changes);
    assert!(!keys(&store, true, b'u').is_empty() && !keys(&store, true, b'v').is_empty());
    let (entries, places) = (keys(&store, true, b'e').len(), keys(&store, true, b'd').len());
    assert!(entries > 0 && entries == places, "{entries} entries of lists, {places} in their index");
    assert_eq!([keys(&store, true, b'q').len(), keys(&store, true, b'p').len()], [299, 299]);
    assert!(!keys(&store, true, b'x').is_empty());
    commit(&store, vec![Change::Destroyed(Default::default())]);
    let mut rounds = 0;
    while !keys(&store, true, b'g').is_empty() {
        commit(&store, vec![]);
        rounds += 1;
        assert!(rounds < 80, "clearing does not end");
    }
    assert!(rounds > 20, "more than a piece was cleared at a time");
    // All is gone except the channel's number, which is never given again.
    assert_eq!(store.lock().spaces[&Space::State].keys().collect::<Vec<_>>(), [keyspace::GID_HIGHEST]);
}
