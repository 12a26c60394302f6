//! What is kept is bounded and counted.

use super::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

fn says(text: &str) -> Availability {
    let presence = format!("<presence xmlns='jabber:client'><status>{text}</status></presence>");
    Availability::of(&presence.parse().unwrap())
}

fn full(account: u32, resource: u32) -> FullJid {
    FullJid::new(&format!("a{account}@h/r{resource}")).unwrap()
}

fn id(number: u32) -> ParticipantId {
    ParticipantId::of_bytes([number as u8; 20])
}

/// The order of delivery must not depend on hidden JIDs.
#[test]
fn what_was_told_is_ordered_by_what_is_shown() {
    let mut online = Online::new(Lot::default(), &OwnDomains::default());
    let name = ChannelName::new("c").unwrap();
    for (account, resource, alias) in [(1, 2, "b"), (1, 1, "c"), (1, 3, "a"), (0, 0, "d")] {
        let id = id(20 - account);
        let place = online.say(7, &name, &id, &full(account, resource), says("x")).unwrap();
        let (nick, says) = ("nick".to_owned(), says("x").open());
        online.tell(&place, Some(SharedPresence { id, nick, alias: Some(alias.to_owned()), says }));
    }
    let told = |online: &Online| online.told(7).map(|told| told.shown_resource().to_owned()).collect::<String>();
    assert_eq!(told(&online), "abcd");
    online.identify(7, &full(0, 0).to_bare(), &id(1));
    assert_eq!(told(&online), "dabc", "by another id, it comes at another place");
}

#[test]
fn whoever_gets_another_id_is_told_of_all_the_same() {
    let mut online = Online::new(Lot::default(), &OwnDomains::default());
    let place = online.say(7, &ChannelName::new("c").unwrap(), &id(1), &full(0, 0), says("x")).unwrap();
    online.wait(place);
    online.identify(7, &full(0, 0).to_bare(), &id(2));
    let waiting: Vec<ResourcePlace> = online.waiting_in(7).collect();
    assert_eq!(waiting, online.places(7));
    assert_eq!(waiting[0].id, id(2));
}

#[test]
fn what_is_kept_is_bounded_and_counted_to_the_byte() {
    let (mut online, mut dice) = (Online::new(Lot::default(), &OwnDomains::default()), StdRng::seed_from_u64(7));
    let name = ChannelName::new("c").unwrap();
    for _ in 0..5000 {
        let (tag, account) = (dice.random_range(0..3), dice.random_range(0..3));
        let (who, ids) = (full(account, dice.random_range(0..60)), [id(account), id(account + 10)]);
        let place = online.place_of(tag, &who);
        match (dice.random_range(0..6), place) {
            (0 | 1, _) => drop(online.say(tag, &name, &ids[0], &who, says(&"x".repeat(dice.random_range(0..50))))),
            (2, Some(place)) => drop(online.unavailable(&place)),
            (3, Some(place)) => online.tell(&place, None),
            (4, _) => online.identify(tag, &who.to_bare(), &ids[1]),
            _ if dice.random_range(0..200) == 0 => online.drop_channel(tag),
            _ => drop(online.broadcast(&who, says("y"), true)),
        }
        let people = online.nodes.values().flat_map(|node| node.people.values());
        assert!(people.clone().all(|person| (1..=RESOURCES_MAX).contains(&person.resources.len())));
        assert_eq!(people.clone().count(), online.channels.values().map(BTreeMap::len).sum::<usize>());
        let entries: usize = people.flat_map(|person| person.resources.values()).map(PresenceEntry::bytes).sum();
        let broadcast = online.broadcast.values().flat_map(|resources| resources.values());
        assert_eq!(online.room.held(), entries + broadcast.map(|says| ENTRY_BYTES + says.bytes()).sum::<usize>());
    }
    (0..3).for_each(|tag| online.drop_channel(tag));
    (0..3).for_each(|account| (0..60).for_each(|resource| online.end_broadcast(&full(account, resource))));
    assert_eq!((online.room.held(), online.nodes.len(), online.channels.len(), online.broadcast.len()), (0, 0, 0, 0));
}

#[test]
fn who_is_brought_and_doubted_where_not_all_can_be_is_the_same_in_every_run() {
    let crowded = || {
        let due = Pool::new("presence to be brought", 3, OwnDomains::default());
        let mut online = Online { due, ..Online::new(Lot::new(7), &OwnDomains::default()) };
        assert!((0..40).all(|account| online.broadcast(&full(account, 0), says("x"), true)));
        online.spread_all("h");
        online.doubt_some(|_| true, 3);
        (online.due().cloned().collect::<Vec<_>>(), online.next_doubtful(9))
    };
    let (brought, doubted) = crowded();
    assert_eq!((brought.len(), doubted.len()), (3, 3));
    assert_eq!(crowded(), (brought, doubted));
}
