//! After every turn: what is in memory is what is stored, and both are what the model says.

use super::model::{Model, Room};
use mixd::channel::{Channel, ChannelName, Node, NodeSet, Row};
use mixd::engine::Engine;
use mixd::store::{MemoryStore, PagePlan, Store, VerifyEvent};
use std::collections::BTreeMap;

/// Compares every channel in memory with the store, and the highest number that any ever had.
pub fn memory_is_store(engine: &Engine, store: &MemoryStore) {
    assert_eq!(engine.gid_highest(), store.directory().unwrap().gid_highest, "the highest number");
    let channels: Vec<&Channel> = engine.channels().collect();
    let (census, participants) = (engine.census(), channels.iter().map(|it| it.participant_count()).sum::<usize>());
    assert_eq!((census.channels_in_memory, census.participants_in_memory), (channels.len(), participants));
    let names: Vec<ChannelName> = channels.iter().map(|channel| channel.name().clone()).collect();
    for (channel, stored) in channels.into_iter().zip(store.load(&names).unwrap()) {
        let Some(stored) = stored else { panic!("{} is in memory and not in the store", channel.name()) };
        assert_eq!(channel.profile(), stored.profile(), "profiles differ");
        assert_eq!(
            (channel.head(), channel.info()),
            (stored.head(), stored.info()),
            "{}: heads or infos",
            channel.name()
        );
        for member in channel.members() {
            assert_eq!(Some(member), stored.member(&member.jid), "{}: members differ", channel.name());
        }
        assert_eq!(*channel, stored, "{}: memory and store differ", channel.name());
    }
}

/// A look through the whole store finds nothing wrong.
pub fn store_is_whole(store: &MemoryStore) {
    let mut wrong = Vec::new();
    store.verify(&mut |sighting| {
        if let VerifyEvent::Wrong(finding) = sighting {
            wrong.push(finding.to_string());
        }
    });
    assert!(wrong.is_empty(), "the store is not as it has to be:\n{}", wrong.join("\n"));
}

/// No number was ever another channel's; `gids` remembers the tags of all that there ever were.
pub fn numbers_are_given_once(store: &MemoryStore, gids: &mut BTreeMap<u32, u64>) {
    for listing in store.directory().unwrap().listings {
        let tag = *gids.entry(listing.gid).or_insert(listing.tag);
        assert_eq!(tag, listing.tag, "the number {} of {} was another channel's", listing.gid, listing.name);
    }
}

/// Learns the names, tags and participant ids that were drawn by chance.
pub fn learn(model: &mut Model, store: &MemoryStore, ids: &mut BTreeMap<(String, String), String>) {
    for listing in store.directory().unwrap().listings {
        let name = listing.name.as_str().to_owned();
        if !model.rooms.contains_key(&name) {
            let channel = load(store, &listing.name);
            let creator = channel.profile().creator.to_string();
            let waits = model.nameless.iter().position(|(owner, _)| *owner == creator);
            let Some(n) = waits else {
                panic!("the store has {name}, which nobody created: {:?}, {}", model.held, model.due)
            };
            let (owner, now) = model.nameless.remove(n);
            model.rooms.insert(name.clone(), Room::new(&owner, None, now));
        }
        let Some(room) = model.rooms.get_mut(&name) else { continue };
        match room.tag {
            Some(tag) => assert_eq!(tag, listing.tag, "{name} has another tag"),
            None => room.tag = Some(listing.tag),
        }
        assert_eq!(room.listed, listing.listed, "{name}: listed");
    }
    assert!(model.nameless.is_empty(), "a channel without name is missing: {:?}", model.nameless);
    assert_eq!(
        store.directory().unwrap().listings.len(),
        model.rooms.len(),
        "the store lacks channels of {:?}",
        model.rooms.keys()
    );
    for (name, room) in &mut model.rooms {
        let channel = load(store, &ChannelName::new(name).unwrap());
        for (account, seat) in room.seats.iter_mut().filter(|(_, seat)| seat.id.is_none()) {
            let jid = jid::BareJid::new(account).unwrap();
            seat.id = channel.member(&jid).map(|member| member.id.to_string());
            ids.extend(seat.id.clone().map(|id| ((name.clone(), id), account.clone())));
        }
        agree(name, room, &channel, store);
    }
}

fn load(store: &MemoryStore, name: &ChannelName) -> Channel {
    store.load(std::slice::from_ref(name)).unwrap().remove(0).unwrap_or_else(|| panic!("{name} cannot be loaded"))
}

/// Compares a channel of the store with the model's.
fn agree(name: &str, room: &mut Room, channel: &Channel, store: &MemoryStore) {
    assert_eq!(channel.members().count(), room.seats.len(), "{name}: members");
    assert_eq!((&channel.info().id, &channel.info().label), (&room.info.0, &room.info.1), "{name}: information");
    let nodes = [(Node::Messages, 1), (Node::Participants, 2), (Node::Info, 4)];
    let bits = |set: NodeSet| nodes.iter().filter(|(node, _)| set.contains(*node)).map(|(_, bit)| bit).sum::<u8>();
    let guests = channel.guests().map(|guest| (guest.jid.to_string(), bits(guest.subscriptions)));
    assert_eq!(guests.collect::<BTreeMap<_, _>>(), room.guests, "{name}: guests");
    for member in channel.members() {
        let seat = &room.seats[member.jid.as_str()];
        assert_eq!(
            (Some(member.id.as_str()), member.nick.as_str(), member.is_joined(), bits(member.subscriptions)),
            (seat.id.as_deref(), &*seat.nick, seat.joined, seat.nodes),
            "{name}: {} differs",
            member.jid
        );
    }
    let last = room.rows.last().map_or(0, |row| row.stamp);
    assert_eq!((channel.head().row, channel.head().stamp.0), (room.rows.len() as u64, last), "{name}: the head");
    assert_eq!(channel.settings().retention_days, room.retention_days, "{name}: how long rows are kept");
    assert_eq!(channel.base().row, room.gone, "{name}: which rows are gone");
    let (oldest, newest) = (room.gone + 1, room.rows.len() as u64);
    let bounds = store.bounds(channel.profile().tag).unwrap().map(|bounds| (bounds.oldest, bounds.newest));
    assert_eq!(bounds, (oldest <= newest).then_some((oldest, newest)), "{name}: the ends of the archive");
    let compared = room.compared.max(room.gone as usize);
    let plan = PagePlan {
        tag: channel.profile().tag,
        first: compared as u64 + 1,
        last: u64::MAX,
        start: None,
        end: None,
        author: None,
        max: usize::MAX,
        from_end: false,
        narrow: Default::default(),
    };
    let stored = if compared == room.rows.len() { Vec::new() } else { store.page(&plan).unwrap().rows };
    assert_eq!(stored.len(), room.rows.len() - compared, "{name}: rows are missing or too many");
    for (n, row) in stored.iter().enumerate() {
        row_agrees(name, room, compared + n, row);
    }
    room.compared = room.rows.len();
}

fn row_agrees(name: &str, room: &Room, n: usize, row: &Row) {
    let owed = &room.rows[n];
    let ordinal = room.rows[..=n].iter().filter(|row| row.counted).count() as u64;
    let author = room.seats.get(&owed.author).and_then(|seat| seat.id.as_deref());
    assert_eq!((row.number, row.stamp.0, row.ordinal), (n as u64 + 1, owed.stamp, ordinal), "{name}: row {n}");
    assert_eq!((Some(row.author.as_str()), &*row.nick), (author, &*owed.nick), "{name}: row {n}");
    assert_eq!((&row.origin_id, row.stanza_id.as_deref()), (&owed.origin, Some(&*owed.sent_id)), "{name}: row {n}");
    assert_eq!((row.counted, row.payload.contains(&owed.token)), (owed.counted, true), "{name}: row {n}");
}

/// Has the next comparison read every row again.
pub fn forget_compared(model: &mut Model) {
    model.rooms.values_mut().for_each(|room| room.compared = 0);
}

/// Compares the channels of every account.
pub fn memberships_agree(model: &Model, store: &MemoryStore) {
    for account in super::hosts::ACCOUNTS {
        let stored = store.channels_of(&jid::BareJid::new(account).unwrap()).unwrap();
        let owed: Vec<&String> =
            model.rooms.iter().filter(|(_, room)| room.knows(account)).map(|(name, _)| name).collect();
        assert_eq!(stored.iter().map(|name| name.as_str()).collect::<Vec<_>>(), owed, "the channels of {account}");
    }
}
