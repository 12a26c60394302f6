//! What every store has to do for groups: everything but rows.

use crate::fixture::{NOON, Room, found, jid, loaded, name};
use mixd::channel::{
    Change, Command, Event, EventKind, Item, Limits, Member, Node, ParticipantId, PrivateMessages, Rights, Row,
    RowKind, Status, Topic,
};
use mixd::store::Store;

claims!(
    items_of_every_node_come_and_go,
    lists_hold_what_was_put_on_them,
    what_a_room_has_comes_back,
    guests_come_and_go,
    a_list_made_anew_is_empty_however_long_it_was,
    the_lists_tell_who_may_find_a_channel,
    roles_and_settings_come_back,
    what_is_not_there_is_not_configured,
    the_directory_knows_the_numbers_of_groups,
    the_highest_number_outlives_its_channel,
    what_was_destroyed_leaves_nothing_to_its_successor;
    inventions: every_record_of_a_member_comes_back,
    a_record_that_is_struck_is_gone_and_a_later_one_of_the_account_stays,
    the_list_of_groups_follows_every_change,
    facts_tell_who_corrected_and_who_retracted,
);

fn same(store: &dyn Store, room: &Room) {
    assert_eq!(loaded(store, room.channel.name().as_str()).unwrap(), room.channel);
}

fn item(length: usize) -> Item {
    Item { id: format!("i{length}"), payload: "x".repeat(length), ..Item::default() }
}

fn items_of_every_node_come_and_go(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    for (node, length) in [(Node::AvatarMetadata, 200), (Node::AvatarData, 140_000), (Node::Video, 900)] {
        room.make(store, vec![Change::ItemSet { node, item: item(length) }]);
        same(store, &room);
    }
    room.make(store, vec![Change::ItemSet { node: Node::AvatarData, item: item(5) }]);
    same(store, &room);
    room.make(store, vec![Change::ItemGone { node: Node::AvatarData, id: "i5".into() }]);
    same(store, &room);
    assert!(room.channel.item(Node::AvatarData).is_none() && room.channel.item(Node::Video).is_some());
}

fn guests_come_and_go(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let subscribe = |wanted, node| Command::Subscribe { node, wanted };
    room.run(store, "macbeth", subscribe(true, Node::Messages));
    room.run(store, "macbeth", subscribe(true, Node::Info));
    room.run(store, "banquo", subscribe(true, Node::Messages));
    same(store, &room);
    assert_eq!(store.channels_of(&jid("macbeth")).unwrap(), [name("coven")]);
    assert!(store.groups_of(&jid("macbeth")).unwrap().is_empty(), "a guest is in no group");
    room.run(store, "macbeth", subscribe(false, Node::Messages));
    same(store, &room);
    room.run(store, "macbeth", subscribe(false, Node::Info));
    same(store, &room);
    assert!(room.channel.guest(&jid("macbeth")).is_none());
    assert!(store.channels_of(&jid("macbeth")).unwrap().is_empty());
    room.destroy(store);
    let room = Room::create(store, "coven", 2);
    same(store, &room);
    assert!(store.channels_of(&jid("banquo")).unwrap().is_empty(), "the guests of the earlier channel");
}

fn lists_hold_what_was_put_on_them(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let listed = |node, who: &str, present| Change::Listed { node, jid: jid(who), present, reason: None };
    // What is put on a list that is not there goes nowhere.
    room.make(store, vec![listed(Node::Banned, "early", true)]);
    room.make(store, vec![Change::ListMade { node: Node::Banned, exists: true }]);
    same(store, &room);
    let domain = mixd_jid("elsewhere.example");
    let put = Change::Listed { node: Node::Banned, jid: domain.clone(), present: true, reason: None };
    room.make(store, vec![listed(Node::Banned, "hag66", true), put]);
    let both = [Change::ListMade { node: Node::Allowed, exists: true }, listed(Node::Allowed, "hag66", true)];
    room.make(store, both.into());
    same(store, &room);
    assert!(room.channel.kept().banned.as_ref().unwrap().contains(&domain));
    room.make(store, vec![listed(Node::Banned, "hag66", false), listed(Node::Banned, "never", false)]);
    same(store, &room);
    room.make(store, vec![Change::ListPurged { node: Node::Banned }]);
    same(store, &room);
    assert!(room.channel.kept().banned.as_ref().unwrap().is_empty());
    room.make(store, vec![listed(Node::Banned, "hecate", true)]);
    same(store, &room);
    let again = [Change::ListMade { node: Node::Allowed, exists: false }, listed(Node::Allowed, "late", true)];
    room.make(store, again.into());
    same(store, &room);
    assert_eq!(room.channel.kept().allowed, None);
}

fn what_a_room_has_comes_back(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    let author = room.channel.member(&jid("hag66")).unwrap().id.clone();
    for text in ["fire burn", "", "and cauldron bubble"] {
        let topic = Topic { text: text.into(), nick: "hag".into(), author: author.clone(), stamp: room.now };
        room.make(store, vec![Change::TopicSet(topic)]);
        same(store, &room);
    }
    for (who, voice) in [("hag66", Some(true)), ("hecate", Some(false)), ("hag66", Some(false)), ("hag66", None)] {
        room.make(store, vec![Change::VoiceSet { account: jid(who), voice }]);
        same(store, &room);
    }
    assert_eq!(room.channel.kept().voices, [(jid("hecate"), false)].into());
    let ban = |who: &str, present, reason: Option<&str>| {
        let (node, reason) = (Node::Banned, reason.map(str::to_owned));
        Change::Listed { node, jid: jid(who), present, reason }
    };
    room.make(store, vec![Change::ListMade { node: Node::Banned, exists: true }, ban("duncan", true, Some("sleeps"))]);
    room.make(store, vec![ban("banquo", true, Some("ghost")), ban("macduff", true, None)]);
    same(store, &room);
    room.make(store, vec![ban("duncan", true, Some("dead")), ban("banquo", false, None)]);
    same(store, &room);
    assert_eq!(room.channel.kept().reasons, [(jid("duncan"), "dead".to_owned())].into());
    room.make(store, vec![Change::ListPurged { node: Node::Banned }]);
    same(store, &room);
    assert!(room.channel.kept().reasons.is_empty());
    let mut settings = room.channel.settings().clone();
    settings.room.password = Some(mixd::channel::Password::new("double, double".into()));
    settings.room.shown_roles.visitors = false;
    settings.private_messages = PrivateMessages::Moderators;
    let granted = Member { granted: true, named: false, ..room.record_of("hag66", Status::Joined) };
    room.make(store, vec![Change::Configured(settings), Change::Noted(granted)]);
    same(store, &room);
    room.destroy(store);
    let room = Room::create(store, "coven", 2);
    same(store, &room);
}

fn mixd_jid(text: &str) -> jid::BareJid {
    jid::BareJid::new(text).unwrap()
}

fn a_list_made_anew_is_empty_however_long_it_was(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let node = Node::Allowed;
    for round in 0..3 {
        room.make(store, vec![Change::ListMade { node, exists: true }]);
        same(store, &room);
        let people =
            (0..600).map(|n| Change::Listed { node, jid: jid(&format!("p{round}-{n}")), present: true, reason: None });
        room.make(store, people.collect());
        same(store, &room);
    }
    for _ in 0..10 {
        store.commit(room.now, &[]).unwrap();
        same(store, &room);
    }
    room.make(store, vec![Change::ListMade { node, exists: false }, Change::ListMade { node, exists: true }]);
    same(store, &room);
}

fn the_lists_tell_who_may_find_a_channel(store: &dyn Store) {
    let mut coven = Room::create(store, "coven", 1);
    let mut heath = Room::create(store, "heath", 2);
    let made = |node, exists| Change::ListMade { node, exists };
    let put = |node, who: &str, present| Change::Listed { node, jid: mixd_jid(who), present, reason: None };
    let (ann, bob) = ("ann@host.example", "bob@host.example");
    // The admitted and the barred, by name.
    let standing = |who: &str| {
        let (admitted, barred) = found(store, &mixd_jid(who));
        let names =
            |names: Vec<mixd::channel::ChannelName>| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        format!("+{} -{}", names(admitted).join("+"), names(barred).join("-"))
    };
    heath.make(store, vec![made(Node::Allowed, true), put(Node::Allowed, ann, true)]);
    coven.make(store, vec![made(Node::Banned, true), put(Node::Banned, "host.example", true)]);
    assert_eq!([standing(ann), standing(bob)], ["+heath -coven", "+ -coven"]);
    assert_eq!([standing("ann@host.example.org"), standing("an@host.example")], ["+ -", "+ -coven"]);
    assert_eq!(standing("owner@host.example"), "+ -", "nobody keeps an owner out");
    coven.make(store, vec![made(Node::Allowed, true), put(Node::Allowed, "host.example", true)]);
    assert_eq!(standing(bob), "+ -coven", "who is banned is not admitted");
    coven.make(store, vec![put(Node::Banned, "host.example", false)]);
    assert_eq!([standing(ann), standing(bob)], ["+coven+heath -", "+coven -"]);
    heath.make(store, vec![Change::ListPurged { node: Node::Allowed }]);
    assert_eq!(standing(ann), "+coven -");
    heath.make(store, vec![put(Node::Allowed, ann, true)]);
    (0..10).for_each(|_| store.commit(heath.now, &[]).unwrap());
    assert_eq!(standing(ann), "+coven+heath -", "what is cleared away is the list before");
    heath.make(store, vec![made(Node::Allowed, false)]);
    assert_eq!(standing(ann), "+coven -");
    let group =
        mixd::channel::Settings { membership: mixd::channel::Membership::Invite, ..Limits::default().group_settings() };
    coven.make(store, vec![Change::Configured(group)]);
    assert_eq!(standing(bob), "+ -", "a channel that is not listed is found by nobody");
    heath.make(store, vec![made(Node::Banned, true), put(Node::Banned, bob, true)]);
    assert_eq!(standing(bob), "+ -heath");
    heath.destroy(store);
    assert_eq!(standing(bob), "+ -");
    Room::create(store, "heath", 3);
    assert_eq!(standing(bob), "+ -", "the list of the earlier channel");
}

fn roles_and_settings_come_back(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let rights = Rights { owners: vec![jid("a")].into(), admins: vec![jid("b"), jid("c")].into() };
    let settings = Limits::default().group_settings();
    room.make(store, vec![Change::RightsSet(rights.clone()), Change::Configured(settings.clone())]);
    same(store, &room);
    assert_eq!((room.channel.rights(), room.channel.settings()), (&rights, &settings));
    room.make(store, vec![Change::RightsSet(Rights::default())]);
    same(store, &room);
    assert_eq!(store.directory().unwrap().listings.len(), 1);
}

fn what_is_not_there_is_not_configured(store: &dyn Store) {
    let (room, created) = Room::draft("coven", 1);
    let configured = room.record(Change::Configured(Limits::default().group_settings()));
    assert!(store.commit(room.now, std::slice::from_ref(&configured)).is_err());
    store.commit(room.now, &[created]).unwrap();
    same(store, &room);
    let (other, _) = Room::draft("coven", 2);
    assert!(store.commit(room.now, &[other.record(Change::RightsSet(Rights::default()))]).is_err());
    same(store, &room);
    store.commit(room.now, &[configured]).unwrap();
    assert_ne!(loaded(store, "coven").unwrap(), room.channel);
}

fn every_record_of_a_member_comes_back(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let waiting = room.record_of("hag66", Status::Waiting);
    room.make(store, vec![Change::Invited(waiting)]);
    same(store, &room);
    assert_eq!(room.channel.waiting_count(), 1);
    let joined = room.record_of("hag66", Status::Joined);
    room.make(store, vec![Change::Joined(joined)]);
    let mut noted = room.record_of("hag66", Status::Joined);
    noted.own.cleared = 17;
    noted.own.hidden = (0..1000).map(|n| (20 + 3 * n, n % 2 == 0)).collect();
    noted.own.mark = (4000, 3000);
    room.make(store, vec![Change::Noted(noted.clone())]);
    same(store, &room);
    assert_eq!(store.people(room.tag(), std::slice::from_ref(&noted.id)).unwrap()[&noted.id], noted);
    let mut removed = room.record_of("hag66", Status::Left);
    removed.windows = vec![(1, Some(3))];
    room.make(store, vec![Change::Removed(removed)]);
    same(store, &room);
}

fn the_list_of_groups_follows_every_change(store: &dyn Store) {
    let mut rooms: Vec<Room> = ["b", "a"].iter().zip(1..).map(|(text, n)| Room::create(store, text, n)).collect();
    let mut step = |at: usize, status: Status, forgotten: bool, change: fn(_) -> Change| {
        let mut member = rooms[at].record_of("hag66", status);
        member.own.forgotten = forgotten;
        rooms[at].make(store, vec![change(member)]);
        let groups = store.groups_of(&jid("hag66")).unwrap();
        let joined = groups.iter().filter(|(_, status)| *status == Status::Joined).map(|(name, _)| name.clone());
        assert_eq!(store.channels_of(&jid("hag66")).unwrap(), joined.collect::<Vec<_>>());
        groups.iter().map(|(name, status)| format!("{} {status:?}", name.as_str())).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(step(0, Status::Waiting, false, Change::Invited), "b Waiting");
    assert_eq!(step(1, Status::Joined, false, Change::Joined), "a Joined, b Waiting");
    assert_eq!(step(1, Status::Joined, false, Change::Noted), "a Joined, b Waiting");
    assert_eq!(step(0, Status::Joined, false, Change::Joined), "a Joined, b Joined");
    assert_eq!(step(0, Status::Left, false, Change::Removed), "a Joined, b Left");
    assert_eq!(step(1, Status::Left, false, Change::Left), "a Left, b Left");
    assert_eq!(step(0, Status::Left, true, Change::Noted), "a Left");
    assert_eq!(step(0, Status::Waiting, false, Change::Invited), "a Left, b Waiting");
    assert_eq!(step(0, Status::Left, false, Change::Left), "a Left, b Left");
    rooms[1].destroy(store);
    assert_eq!(store.groups_of(&jid("hag66")).unwrap(), [(name("b"), Status::Left)]);
    assert_eq!(store.groups_of(&jid("hag6")).unwrap(), []);
}

fn a_record_that_is_struck_is_gone_and_a_later_one_of_the_account_stays(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let groups = || store.groups_of(&jid("hag66")).unwrap().into_iter().map(|(_, status)| status).collect::<Vec<_>>();
    let invited = room.record_of("hag66", Status::Waiting);
    room.make(store, vec![Change::Invited(invited.clone())]);
    assert_eq!(groups(), [Status::Waiting]);
    let gone = room.record_of("hag66", Status::Left);
    room.make(store, vec![Change::Invited(gone.clone()), Change::Struck(gone)]);
    same(store, &room);
    assert_eq!((groups(), room.channel.members().count()), (vec![], 0));
    assert!(store.people(room.tag(), std::slice::from_ref(&invited.id)).unwrap().is_empty());
    // An account that ended, and a later one of its name, which is somebody else.
    let mut ended = room.record_of("hag66", Status::Left);
    ended.ended = true;
    let later =
        Member { id: ParticipantId::random(&mut room.dice), ended: false, status: Status::Joined, ..ended.clone() };
    room.make(store, vec![Change::Left(ended.clone()), Change::Joined(later.clone()), Change::Struck(ended)]);
    same(store, &room);
    assert_eq!((groups(), room.channel.member(&jid("hag66"))), (vec![Status::Joined], Some(&later)));
}

fn the_directory_knows_the_numbers_of_groups(store: &dyn Store) {
    (1..4).for_each(|n| drop(Room::create(store, &format!("g{n}"), n)));
    let gids: Vec<u32> = store.directory().unwrap().listings.iter().map(|listing| listing.gid).collect();
    assert_eq!(gids, [1, 2, 3]);
}

fn the_highest_number_outlives_its_channel(store: &dyn Store) {
    let highest = || store.directory().unwrap().gid_highest;
    assert_eq!(highest(), 0);
    let rooms: Vec<Room> = [4, 9, 7].map(|n| Room::create(store, &format!("g{n}"), n)).into();
    assert_eq!(highest(), 9);
    rooms.into_iter().for_each(|mut room| room.destroy(store));
    for _ in 0..10 {
        store.commit(NOON, &[]).unwrap();
        store.idle(NOON).unwrap();
    }
    assert_eq!((store.directory().unwrap().listings, highest()), (vec![], 9));
    // One that comes and goes within one commit had its number too.
    let (room, created) = Room::draft("g10", 10);
    store.commit(NOON, &[created, room.record(Change::Destroyed(Default::default()))]).unwrap();
    assert_eq!(highest(), 10);
}

fn what_was_destroyed_leaves_nothing_to_its_successor(store: &dyn Store) {
    let mut old = Room::group(store, "coven", 60, 3);
    let node = Node::Banned;
    let mut changes = vec![Change::ListMade { node, exists: true }];
    changes.extend((0..300).map(|n| Change::Listed { node, jid: jid(&format!("p{n}")), present: true, reason: None }));
    changes.push(Change::ItemSet { node: Node::AvatarData, item: item(100_000) });
    old.make(store, changes);
    assert!(!old.tombstones.is_empty());
    let rows: Vec<u64> = (1..=60).collect();
    old.destroy(store);
    let new = Room::create(store, "coven", 5);
    for _ in 0..10 {
        same(store, &new);
        assert!(store.tombstones(old.tag(), &rows).unwrap().is_empty());
        assert_eq!(store.facts(old.tag(), &rows).unwrap(), vec![None; 60]);
        assert_eq!(store.groups_of(&jid("p1")).unwrap(), []);
        store.commit(new.now, &[]).unwrap();
        store.idle(new.now).unwrap();
    }
}

fn facts_tell_who_corrected_and_who_retracted(store: &dyn Store) {
    let mut room = Room::group(store, "coven", 400, 100);
    let months: std::collections::BTreeSet<String> = room.rows.iter().map(|row| row.stamp.month()).collect();
    assert!(months.len() >= 4, "{months:?}");
    let numbers: Vec<u64> = (0..=401).rev().collect();
    let check = |room: &Room| {
        for (fact, &number) in store.facts(room.tag(), &numbers).unwrap().into_iter().zip(&numbers) {
            let row = room.rows.iter().find(|row| row.number == number);
            let Some(fact) = fact else {
                assert!(row.is_none(), "{number}");
                continue;
            };
            let bare = row.map(|row| Row { payload: String::new(), ..row.clone() });
            assert_eq!(Some(&fact.row), bare.as_ref());
            let went_along = fact.row.corrected().is_some_and(|target| room.tombstones.contains_key(&target));
            assert_eq!(fact.entombed, went_along || room.tombstones.contains_key(&number));
        }
        assert_eq!(store.tombstones(room.tag(), &numbers).unwrap(), room.tombstones);
        let some: Vec<u64> = numbers.iter().copied().filter(|number| number % 7 == 3).collect();
        let mut wanted = room.tombstones.clone();
        wanted.retain(|number, _| number % 7 == 3);
        assert_eq!(store.tombstones(room.tag(), &some).unwrap(), wanted);
    };
    check(&room);
    assert!(room.tombstones.len() > 20);
    // A row and its correction in one commit, the correction from months later.
    let author = room.ids()[0].clone();
    let mut correction = room.next_row(&author, RowKind::Message);
    (correction.target, correction.corrects) = (Some(1), true);
    room.make(store, vec![Change::Published(correction)]);
    let event = Event {
        kind: EventKind::MemberLeft,
        by: None,
        whom: room.channel.member_of(&author).map(Into::into),
        detail: None,
    };
    let row = room.next_row(&author, RowKind::Event(event));
    let tombstone = room.tombstone(1, &author);
    room.make(store, vec![Change::Published(row), Change::Entombed(tombstone)]);
    assert!(store.facts(room.tag(), &[401]).unwrap()[0].as_ref().unwrap().entombed, "it corrects what was retracted");
    assert_eq!(store.tombstones(room.tag(), &[1]).unwrap().len(), 1);
}
