//! What every store has to do: claims, run against each backend.

use crate::fixture::{DAY_MS, NOON, Room, jid, loaded, name};
use mixd::channel::dedup::REPEATS_MAX;
use mixd::channel::{Actor, Answer, Claim, Command, Context, Item, JoinWish, Limits, LiveState, Nick, Node, Stamp};
use mixd::store::{Bounds, Deed, Record, RowPage, Store, Tour, Whereabouts};
use rand::{Rng, SeedableRng, rngs::StdRng};

claims!(
    rows_are_contiguous_and_read_both_ways_at_any_depth,
    a_page_tells_whether_it_is_cut_and_how_many_match,
    every_filter_finds_what_a_look_at_every_row_finds,
    pages_cross_months,
    rows_are_found_by_number,
    a_rejoin_keeps_the_id_and_the_record_outlives_leaving,
    a_channel_created_again_is_another_one,
    the_members_of_a_destroyed_channel_are_cleared_away,
    accounts_know_their_channels_at_once,
    whereabouts_are_kept_and_forgotten,
    a_loaded_channel_knows_repeats,
    what_one_wrote_counts_as_read_after_any_silence,
    a_clock_that_goes_back_loses_nothing,
    an_item_is_replaced_and_may_be_long,
    long_rows_come_back_whole,
    invitations_are_kept_until_they_end,
    registered_nicks_are_kept_until_they_are_given_up,
    what_an_account_set_off_is_kept_until_it_is_done,
    the_channels_of_an_account_come_a_page_at_a_time,
    it_is_known_where_an_archive_stood,
    a_store_that_is_empty_says_so,
);

fn registered_nicks_are_kept_until_they_are_given_up(store: &dyn Store) {
    let set = |who: &str, nick: Option<&str>| {
        let nick = nick.map(|nick| Nick::new(nick).unwrap());
        store.commit(NOON, &[Record::Nick { account: jid(who), nick }]).unwrap();
    };
    let kept = || {
        let nicks = store.directory().unwrap().nicks;
        nicks.into_iter().map(|(who, nick)| format!("{who} {}", nick.as_str())).collect::<Vec<_>>()
    };
    set("hag66", Some("third witch"));
    set("cat", Some("Grimalkin"));
    set("hag66", Some("Third Witch"));
    let mut found = kept();
    found.sort();
    assert_eq!(found, ["cat@host.example Grimalkin", "hag66@host.example Third Witch"]);
    set("cat", None);
    assert_eq!(kept(), ["hag66@host.example Third Witch"]);
}

fn what_an_account_set_off_is_kept_until_it_is_done(store: &dyn Store) {
    let keep = |deed, tour: Option<&Tour>| {
        let record = Record::Tour { account: jid("cat"), deed, tour: tour.cloned() };
        store.commit(NOON, &[record]).unwrap();
    };
    let kept = || store.directory().unwrap().tours;
    let settled = [name("heath")].into();
    let renames = Tour { account: jid("cat"), deed: Deed::Rename, since: NOON, behind: None, settled };
    let clears = Tour { deed: Deed::Clear, behind: Some(name("coven")), ..renames.clone() };
    keep(Deed::Rename, Some(&renames));
    keep(Deed::Clear, Some(&clears));
    assert_eq!(kept(), [renames.clone(), clears]);
    let further = Tour { behind: Some(name("heath")), ..renames };
    keep(Deed::Rename, Some(&further));
    keep(Deed::Clear, None);
    assert_eq!(kept(), [further]);
    keep(Deed::Rename, None);
    assert_eq!(kept(), []);
}

fn the_channels_of_an_account_come_a_page_at_a_time(store: &dyn Store) {
    // In the order of keys, where short names come first; and some names are not part of their key.
    let long = |last: &str| format!("{}{last}", "a".repeat(200));
    let names = ["b", "c", "aa", "zz", "aaa", &long("x"), &long("y")];
    let mut rooms: Vec<Room> =
        names.iter().enumerate().map(|(n, text)| Room::create(store, text, n as u64 + 1)).collect();
    for (n, room) in rooms.iter_mut().enumerate() {
        match n % 3 {
            // As a guest, as somebody who left, and as somebody who is in.
            0 => {
                let subscriptions = [Node::Messages].into_iter().collect();
                let guest = mixd::channel::Guest { jid: jid("cat"), since: NOON, subscriptions, first: 1 };
                let change = mixd::channel::Change::GuestSet { guest, ended: Default::default() };
                store.commit(NOON, &[room.record(change)]).unwrap();
            }
            kind => {
                room.run(store, "cat", Command::Join(JoinWish::default()));
                room.say(store, "cat", "x");
                if kind == 1 {
                    room.run(store, "cat", Command::Leave);
                }
            }
        }
    }
    for count in [1, 2, 3, 100] {
        let (mut all, mut behind) = (Vec::new(), None);
        loop {
            let page = store.channels_behind(&jid("cat"), behind.as_ref(), count).unwrap();
            assert!(page.len() <= count);
            let Some(last) = page.last() else { break };
            behind = Some(last.clone());
            all.extend(page);
        }
        assert_eq!(all.len(), names.len(), "{all:?}");
        assert!(names.iter().all(|text| all.contains(&name(text))), "{all:?}");
    }
    assert_eq!(store.channels_behind(&jid("nobody"), None, 9).unwrap(), []);
}

fn it_is_known_where_an_archive_stood(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.run(store, "cat", Command::Join(JoinWish::default()));
    let mut heads = vec![(room.now, room.channel.head())];
    for n in 0..6 {
        room.now = Stamp(NOON.0 + n * 20 * DAY_MS);
        room.say(store, "cat", "x");
        room.say(store, "cat", "y");
        heads.push((room.now, room.channel.head()));
    }
    for (stamp, head) in heads.into_iter().skip(1) {
        for later in [0, 1, DAY_MS] {
            assert_eq!(store.head_at(room.tag(), Stamp(stamp.0 + later)).unwrap(), head);
        }
    }
    assert_eq!(store.head_at(room.tag(), Stamp(NOON.0 - 1)).unwrap().row, 0);
}

fn invitations_are_kept_until_they_end(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.run(store, "owner", Command::MakeList { node: Node::Allowed, exists: true });
    for who in ["hag66", "cat", "hecate"] {
        room.run(store, "owner", Command::Invite { invitee: jid(who) });
    }
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    let given = room.channel.invitations().find(|it| it.invitee == jid("cat")).unwrap().clone();
    let claim = Some(Claim { inviter: None, invitee: None, token: given.token.as_str().to_owned() });
    room.run(store, "cat", Command::Join(JoinWish { claim, ..JoinWish::default() }));
    room.run(store, "owner", Command::RevokeInvitations { invitees: vec![jid("hecate")] });
    let channel = loaded(store, "coven").unwrap();
    assert_eq!(channel, room.channel);
    assert_eq!(channel.invitations().map(|it| &it.invitee).collect::<Vec<_>>(), [&jid("hag66")]);
    room.run(store, "owner", Command::Destroy);
    let again = Room::create(store, "coven", 2);
    assert_eq!(loaded(store, "coven").unwrap(), again.channel, "a later channel of the name has none of them");
}

fn rows_are_contiguous_and_read_both_ways_at_any_depth(store: &dyn Store) {
    let room = Room::chat(store, "coven", 5, 700, 3);
    for from_end in [false, true] {
        let mut seen = Vec::new();
        let mut plan = mixd::store::PagePlan { from_end, max: 33, ..room.plan() };
        loop {
            let page = store.page(&plan).unwrap();
            if from_end {
                plan.last = page.rows[0].number - 1;
                seen.splice(0..0, page.rows);
            } else {
                plan.first = page.rows[page.rows.len() - 1].number + 1;
                seen.extend(page.rows);
            }
            if !page.cut {
                break;
            }
        }
        assert!(seen.iter().zip(1..).all(|(row, number)| row.number == number));
        assert_eq!(seen, room.rows);
    }
    let bounds = Bounds { oldest: 1, newest: room.channel.head().row, gaps: Vec::new() };
    assert_eq!(store.bounds(room.tag()).unwrap(), Some(bounds));
}

fn a_page_tells_whether_it_is_cut_and_how_many_match(store: &dyn Store) {
    let room = Room::chat(store, "coven", 2, 10, 1);
    let told = |first, last, max, from_end| {
        let page = store.page(&mixd::store::PagePlan { first, last, max, from_end, ..room.plan() }).unwrap();
        (page.rows.iter().map(|row| row.number).collect::<Vec<_>>(), page.cut, page.counted)
    };
    assert_eq!(told(1, 10, 10, false), ((1..=10).collect(), false, Some((10, 0))));
    assert_eq!(told(1, 10, 9, false), ((1..=9).collect(), true, Some((10, 0))));
    assert_eq!(told(1, 10, 9, true), ((2..=10).collect(), true, Some((10, 1))));
    assert_eq!(told(4, 6, 2, true), (vec![5, 6], true, Some((3, 1))));
    assert_eq!(told(0, u64::MAX, 2, true), (vec![9, 10], true, Some((10, 8))));
    assert_eq!(told(1, 10, 0, false), (vec![], true, Some((10, 0))));
    assert_eq!(told(7, 6, 5, false), (vec![], false, Some((0, 0))));
    assert_eq!(told(11, 20, 5, true), (vec![], false, Some((0, 0))));
    assert_eq!(told(u64::MAX, u64::MAX, 5, true), (vec![], false, Some((0, 0))));
}

fn every_filter_finds_what_a_look_at_every_row_finds(store: &dyn Store) {
    let room = Room::chat(store, "coven", 6, 1200, 50);
    let mut dice = StdRng::seed_from_u64(11);
    let authors: Vec<_> = room.channel.members().map(|member| member.id.clone()).collect();
    for turn in 0..600 {
        let stamp = |dice: &mut StdRng| match dice.random_range(0..4) {
            0 => room.rows[dice.random_range(0..1200)].stamp,
            1 => Stamp(NOON.0 + dice.random_range(0..60) * DAY_MS),
            2 => Stamp(0),
            _ => Stamp(u64::MAX),
        };
        let mut plan = room.plan();
        plan.max = dice.random_range(0..80);
        plan.from_end = dice.random();
        plan.first = dice.random_range(0..900);
        plan.last = if dice.random() { u64::MAX } else { dice.random_range(0..1300) };
        plan.start = dice.random::<bool>().then(|| stamp(&mut dice));
        plan.end = dice.random::<bool>().then(|| stamp(&mut dice));
        plan.author = dice.random::<bool>().then(|| authors[dice.random_range(0..authors.len())].clone());
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan), "turn {turn}: {plan:?}");
    }
}

fn pages_cross_months(store: &dyn Store) {
    let room = Room::chat(store, "coven", 3, 300, 150);
    let months: std::collections::BTreeSet<String> = room.rows.iter().map(|row| row.stamp.month()).collect();
    assert!(months.len() >= 5, "{months:?}");
    for from_end in [false, true] {
        let plan = mixd::store::PagePlan { max: 280, from_end, ..room.plan() };
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
        for member in room.channel.members() {
            let plan = mixd::store::PagePlan { author: Some(member.id.clone()), ..plan.clone() };
            assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
        }
    }
    assert_eq!(loaded(store, "coven").unwrap().head(), room.channel.head());
}

fn rows_are_found_by_number(store: &dyn Store) {
    let room = Room::chat(store, "coven", 3, 40, 40);
    let found = store.rows(room.tag(), &[40, 0, 1, 41, u64::MAX, 17]).unwrap();
    let wanted = [Some(39), None, Some(0), None, None, Some(16)];
    assert_eq!(found, wanted.map(|index| index.map(|index: usize| room.rows[index].clone())).to_vec());
    assert_eq!(store.rows(room.tag() ^ 1, &[1]).unwrap(), vec![None]);
}

fn a_rejoin_keeps_the_id_and_the_record_outlives_leaving(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    let id = room.channel.member(&jid("hag66")).unwrap().id.clone();
    room.say(store, "hag66", "one");
    room.leave(store, "hag66");
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    assert!(!store.people(room.tag(), std::slice::from_ref(&id)).unwrap()[&id].is_joined());
    room.join(store, "crone1");
    room.say(store, "crone1", "two");
    room.join(store, "hag66");
    let again = loaded(store, "coven").unwrap();
    assert_eq!(again.participant(&jid("hag66")).unwrap().id, id);
    assert_eq!(again.participant(&jid("hag66")).unwrap().windows, vec![(1, Some(1)), (3, None)]);
    assert_eq!(again, room.channel);
}

fn a_channel_created_again_is_another_one(store: &dyn Store) {
    let mut old = Room::create(store, "coven", 1);
    let other = Room::create(store, "other", 3);
    old.join(store, "hag66");
    let id = old.channel.member(&jid("hag66")).unwrap().id.clone();
    old.say(store, "hag66", "one");
    old.destroy(store);
    assert_eq!(loaded(store, "coven"), None);
    assert_eq!(store.bounds(old.tag()).unwrap(), None);
    assert_eq!(store.page(&old.plan()).unwrap(), RowPage { counted: Some((0, 0)), ..RowPage::default() });
    assert_eq!(store.rows(old.tag(), &[1]).unwrap(), vec![None]);
    assert!(store.people(old.tag(), &[id]).unwrap().is_empty());
    let mut new = Room::create(store, "coven", 2);
    assert_eq!(loaded(store, "coven").unwrap(), new.channel);
    new.join(store, "crone");
    new.say(store, "crone", "two");
    assert_eq!(store.page(&new.plan()).unwrap(), new.naive(&new.plan()));
    assert_eq!(store.channels_of(&jid("hag66")).unwrap(), vec![]);
    let tags: Vec<u64> = store.directory().unwrap().listings.iter().map(|listing| listing.tag).collect();
    assert_eq!(tags, [new.tag(), other.tag()]);
}

fn the_members_of_a_destroyed_channel_are_cleared_away(store: &dyn Store) {
    let (mut old, created) = Room::draft("coven", 1);
    let mut records = vec![created];
    for n in 0..600 {
        let join = Command::Join(Default::default());
        records.extend(old.decide(&jid(&format!("p{n}")), join));
    }
    store.commit(NOON, &records).unwrap();
    let ids: Vec<_> = old.channel.members().map(|member| member.id.clone()).collect();
    assert_eq!(store.people(old.tag(), &ids).unwrap().len(), 600);
    old.destroy(store);
    let mut new = Room::create(store, "coven", 2);
    (0..3).for_each(|n| new.join(store, &format!("p{n}")));
    assert!(store.people(old.tag(), &ids).unwrap().is_empty());
    for n in 0..5 {
        let names = store.channels_of(&jid(&format!("p{n}"))).unwrap();
        assert_eq!(names, if n < 3 { vec![name("coven")] } else { vec![] });
    }
    assert_eq!(loaded(store, "coven").unwrap(), new.channel);
}

fn accounts_know_their_channels_at_once(store: &dyn Store) {
    let mut rooms: Vec<Room> = ["b", "a", "c"].iter().zip(1..).map(|(text, n)| Room::create(store, text, n)).collect();
    rooms.iter_mut().for_each(|room| room.join(store, "hag66"));
    rooms[0].join(store, "hag66x");
    assert_eq!(store.channels_of(&jid("hag66")).unwrap(), [name("a"), name("b"), name("c")]);
    rooms[1].leave(store, "hag66");
    assert_eq!(store.channels_of(&jid("hag66")).unwrap(), [name("b"), name("c")]);
    rooms[2].destroy(store);
    assert_eq!(store.channels_of(&jid("hag66")).unwrap(), [name("b")]);
    assert_eq!(store.channels_of(&jid("hag66x")).unwrap(), [name("b")]);
    assert_eq!(store.channels_of(&jid("hag6")).unwrap(), []);
}

fn whereabouts_are_kept_and_forgotten(store: &dyn Store) {
    let known = Whereabouts { bare: true, resources: vec!["phone".into(), "desk".into()] };
    let keep = |who: &str, known: Option<&Whereabouts>| {
        let record = Record::Whereabouts { account: jid(who), known: known.cloned() };
        store.commit(NOON, &[record]).unwrap();
    };
    keep("a", Some(&known));
    keep("b", Some(&Whereabouts::default()));
    keep("b", None);
    keep("c", None);
    assert_eq!(store.whereabouts().unwrap(), vec![(jid("a"), known.clone())]);
    let mut room = Room::create(store, "coven", 1);
    let mut records = room.decide(&jid("a"), Command::Join(Default::default()));
    records.push(Record::Whereabouts { account: jid("a"), known: None });
    store.commit(NOON, &records).unwrap();
    assert_eq!(store.whereabouts().unwrap(), vec![]);
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
}

fn what_one_wrote_counts_as_read_after_any_silence(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 8);
    ["hag66", "hecate"].iter().for_each(|who| room.join(store, who));
    for (who, days) in [("hag66", 0), ("hecate", 0), ("hecate", 3), ("hag66", 40), ("hecate", 0)] {
        room.now.0 += days * DAY_MS;
        (0..2).for_each(|_| room.say(store, who, "hail"));
        let loaded = loaded(store, "coven").unwrap();
        for member in room.channel.members() {
            assert_eq!(loaded.member(&member.jid), Some(member), "{}", member.jid);
        }
    }
    // The second of them hushed for more messages than a load looks at.
    (0..REPEATS_MAX + 5).for_each(|_| room.say(store, "hag66", "hail"));
    assert_eq!(loaded(store, "coven").as_ref(), Some(&room.channel));
    let quiet = room.channel.member(&jid("hecate")).unwrap();
    let counted = room.rows.iter().filter(|row| row.number > quiet.own.mark.0 && row.counted).count() as u64;
    assert!(quiet.own.mark.0 > 0 && counted > 300);
    assert_eq!(room.channel.unread_of(quiet), counted);
}

fn a_loaded_channel_knows_repeats(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    let mut messages = Vec::new();
    for n in 0..REPEATS_MAX + 20 {
        let message = room.message(&n.to_string());
        messages.push(message.clone());
        let records = room.decide(&jid("hag66"), Command::Publish(message));
        store.commit(room.now, &records).unwrap();
    }
    let channel = loaded(store, "coven").unwrap();
    assert_eq!(channel, room.channel);
    let mut dice = StdRng::seed_from_u64(1);
    let mut answer = |message: &mixd::channel::Message, now: Stamp| {
        let mut context = Context {
            live: LiveState::at(now),
            dice: &mut dice,
            limits: &Limits::default(),
            registry: &Default::default(),
            own_domains: &Default::default(),
            operators: &[],
            past: &Default::default(),
            facts: &Default::default(),
            gist_of: &|_| None,
            id_of: &|_| None,
            rename: mixd::xep::information::renamed,
        };
        let actor = Actor { account: jid("hag66"), operator: false };
        channel.decide(&actor, Command::Publish(message.clone()), &mut context).unwrap().answer
    };
    let newest = REPEATS_MAX + 19;
    assert_eq!(answer(&messages[newest], room.now), Answer::Repeat { row: newest as u64 + 1 });
    assert_eq!(answer(&messages[20], room.now), Answer::Repeat { row: 21 });
    assert_eq!(answer(&messages[19], room.now), Answer::Taken);
    let repeat = Answer::Repeat { row: newest as u64 + 1 };
    assert_eq!(answer(&messages[newest], Stamp(room.now.0 + DAY_MS + 1)), repeat);
    room.now = Stamp(room.now.0 + 2 * DAY_MS);
    room.say(store, "hag66", "days later");
    assert_eq!(loaded(store, "coven").unwrap(), room.channel);
}

fn a_clock_that_goes_back_loses_nothing(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    for days in [0, 40, 10, 41, 0, 80, 20] {
        room.now = Stamp(NOON.0 + days * DAY_MS);
        room.say(store, "hag66", &format!("day {days}"));
        assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    }
    assert_eq!(store.page(&room.plan()).unwrap(), room.naive(&room.plan()));
    for days in 0..90 {
        let plan = mixd::store::PagePlan { start: Some(Stamp(NOON.0 + days * DAY_MS)), ..room.plan() };
        assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
    }
}

fn an_item_is_replaced_and_may_be_long(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    for length in [16_000, 9, 5_000] {
        let item = Item { payload: "x".repeat(length), label: Some("Coven".into()), ..Item::default() };
        room.run(store, "owner", Command::SetItem { node: Node::Info, item });
        assert_eq!(loaded(store, "coven").unwrap(), room.channel);
    }
}

fn long_rows_come_back_whole(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    room.join(store, "hag66");
    for length in [131_000, 1, 4_096, 20_000, 131_000] {
        room.say(store, "hag66", &"y".repeat(length));
    }
    assert_eq!(store.page(&room.plan()).unwrap(), room.naive(&room.plan()));
    let plan = mixd::store::PagePlan { start: Some(NOON), from_end: true, max: 2, ..room.plan() };
    assert_eq!(store.page(&plan).unwrap(), room.naive(&plan));
}

fn a_store_that_is_empty_says_so(store: &dyn Store) {
    assert_eq!(loaded(store, "coven"), None);
    assert_eq!(store.directory().unwrap().listings, vec![]);
    assert_eq!(store.bounds(1).unwrap(), None);
    assert_eq!(store.channels_of(&jid("a")).unwrap(), vec![]);
    store.commit(NOON, &[]).unwrap();
    store.idle(NOON).unwrap();
    let room = Room::create(store, "coven", 1);
    assert_eq!(store.bounds(room.tag()).unwrap(), None);
    assert_eq!(store.page(&room.plan()).unwrap().counted, Some((0, 0)));
}
