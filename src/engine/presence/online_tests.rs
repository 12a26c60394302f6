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

#[test]
fn what_is_kept_is_bounded_and_counted_to_the_byte() {
    let (mut online, mut dice) = (Online::new(Lot::default(), &OwnDomains::default()), StdRng::seed_from_u64(7));
    let name = ChannelName::new("c").unwrap();
    for _ in 0..5000 {
        let (tag, who) = (dice.random_range(0..3), full(dice.random_range(0..3), dice.random_range(0..60)));
        let (account, resource) = (who.to_bare(), who.resource().as_str());
        match dice.random_range(0..5) {
            0 | 1 => drop(online.say(tag, &name, &who, says(&"x".repeat(dice.random_range(0..50))))),
            2 => drop(online.unavailable(tag, &account, resource)),
            3 => online.tell(&(tag, account.clone(), resource.to_owned()), None),
            _ if dice.random_range(0..200) == 0 => online.drop_channel(tag),
            _ => drop(online.broadcast(&who, says("y"), true)),
        }
        let nodes = online.nodes.values().flat_map(|node| node.accounts.values());
        assert!(nodes.clone().all(|resources| (1..=RESOURCES_MAX).contains(&resources.len())));
        let entries: usize = nodes.flat_map(|resources| resources.values()).map(PresenceEntry::bytes).sum();
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
