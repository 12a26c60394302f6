//! Seats and sessions are bounded, counted and in order.

use super::*;
use crate::channel::{Nick, NodeSet, Own, Status};

fn full(text: &str) -> FullJid {
    FullJid::new(text).unwrap()
}

fn member(account: &BareJid) -> Member {
    let mut id = [0; 20];
    id.iter_mut().zip(account.as_str().bytes()).for_each(|(at, byte)| *at = byte);
    Member {
        id: ParticipantId::of_bytes(id),
        jid: account.clone(),
        nick: Nick::new(account.as_str()).unwrap(),
        status: Status::Left,
        since: Default::default(),
        subscriptions: NodeSet::default(),
        windows: Vec::new(),
        spoke: false,
        preferences: Default::default(),
        veiled: false,
        own: Own::default(),
        ended: false,
        named: true,
        granted: false,
    }
}

fn enter(occupants: &mut Occupants, tag: u64, who: &str) {
    let (full, name) = (full(who), ChannelName::new(&format!("c{tag}")).unwrap());
    let says = Availability::of(&"<presence xmlns='jabber:client'/>".parse().unwrap());
    occupants.enter((tag, &name), &full, &member(&full.to_bare()), true, (EntryNo::first(tag as u32), says));
}

fn occupants(max: usize) -> Occupants {
    let own = OwnDomains::new(["h".to_owned()]);
    Occupants { shares: Shares::new("sessions in rooms", max, own.clone()), ..Occupants::new(&own) }
}

#[test]
fn an_account_sits_in_a_room_by_so_many_clients() {
    let mut occupants = occupants(1000);
    let account = BareJid::new("a@h").unwrap();
    for n in 0..SESSIONS_MAX {
        assert_eq!(occupants.find_room(7, &account), Ok(()));
        enter(&mut occupants, 7, &format!("a@h/{n}"));
    }
    // One that is gone without a word keeps no other out.
    let oldest = occupants.find_room(7, &account).unwrap_err().unwrap();
    assert_eq!((oldest.0.as_str(), oldest.1.to_string().as_str()), ("c7", "a@h/0"));
    assert_eq!(occupants.find_room(8, &account), Ok(()));
    // Entering anew is no other session.
    enter(&mut occupants, 7, "a@h/3");
    assert_eq!(occupants.shares.held(), SESSIONS_MAX);
    for n in 0..SESSIONS_MAX {
        let (_, is_last, _) = occupants.leave(7, &full(&format!("a@h/{n}"))).unwrap();
        assert_eq!(is_last, n == SESSIONS_MAX - 1);
    }
    let kept = (occupants.shares.held(), occupants.rooms.len(), occupants.of.len(), occupants.clients.len());
    assert_eq!(kept, (0, 0, 0, 0));
}

#[test]
fn an_account_sits_in_so_many_rooms() {
    let mut occupants = occupants(10_000);
    let account = BareJid::new("a@h").unwrap();
    for tag in 0..ACCOUNT_SESSIONS_MAX as u64 {
        assert_eq!(occupants.find_room(tag, &account), Ok(()));
        enter(&mut occupants, tag, "a@h/r");
    }
    assert_eq!(occupants.find_room(9_999, &account), Err(None));
    assert_eq!(occupants.find_room(9_999, &BareJid::new("b@h").unwrap()), Ok(()));
}

#[test]
fn one_domain_leaves_seats_in_rooms_to_others() {
    let mut occupants = occupants(40);
    let flood = |occupants: &mut Occupants| {
        for n in 0..100 {
            let who = format!("x{n}@away");
            if occupants.find_room(1, &BareJid::new(&who).unwrap()) == Ok(()) {
                enter(occupants, 1, &format!("{who}/r"));
            }
        }
    };
    flood(&mut occupants);
    for n in 0..20 {
        let who = format!("a{n}@h");
        loop {
            match occupants.find_room(1, &BareJid::new(&who).unwrap()) {
                Ok(()) => break,
                Err(Some((name, gone))) => {
                    assert_eq!((name.as_str(), gone.domain().as_str()), ("c1", "away"));
                    assert!(occupants.leave(1, &gone).is_some());
                }
                Err(None) => panic!("{who} finds no room"),
            }
        }
        enter(&mut occupants, 1, &format!("{who}/r"));
        flood(&mut occupants);
    }
    let own = occupants.room(1).unwrap().occupants().filter_map(|seat| seat.shown());
    assert_eq!(own.filter(|session| session.full.domain().as_str() == "h").count(), 20);
}

#[test]
fn seats_are_in_the_order_in_which_they_were_taken() {
    let mut occupants = occupants(1000);
    let order = |occupants: &Occupants| -> Vec<String> {
        let sessions = occupants.room(1).unwrap().occupants().flat_map(|seat| &seat.sessions);
        sessions.map(|session| session.full.to_string()).collect()
    };
    ["z@h/1", "a@h/1", "z@h/2", "m@h/1"].iter().for_each(|who| enter(&mut occupants, 1, who));
    assert_eq!(order(&occupants), ["z@h/1", "z@h/2", "a@h/1", "m@h/1"]);
    // Whoever gets another id stays where it sits.
    let other = ParticipantId::of_bytes([7; 20]);
    occupants.identify(1, &BareJid::new("a@h").unwrap(), &other, None);
    assert_eq!(order(&occupants), ["z@h/1", "z@h/2", "a@h/1", "m@h/1"]);
    assert_eq!(occupants.room(1).unwrap().seat_of(&BareJid::new("a@h").unwrap()).unwrap().id, other);
}
