//! Seats and sessions are bounded, counted and in order.

use super::*;
use crate::channel::Nick;
use crate::xep::availability::Availability;

fn full(text: &str) -> FullJid {
    FullJid::new(text).unwrap()
}

fn member(account: &BareJid) -> Member {
    let mut id = [0; 20];
    id.iter_mut().zip(account.as_str().bytes()).for_each(|(at, byte)| *at = byte);
    Seats::stand_in(account, Nick::new(account.as_str()).unwrap(), (ParticipantId::of_bytes(id), 1))
}

fn enter(occupants: &mut Occupants, tag: u64, who: &str) {
    let (full, name) = (full(who), ChannelName::new(&format!("c{tag}")).unwrap());
    let whom = (&member(&full.to_bare()), true, false);
    occupants.enter((tag, &name), &full, whom, (EntryNo::first(tag as u32), says("")));
}

fn says(text: &str) -> Availability {
    let presence = format!("<presence xmlns='jabber:client'><status>{text}</status></presence>");
    Availability::of(&presence.parse().unwrap())
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
        let (_, seat) = occupants.leave(7, &full(&format!("a@h/{n}"))).unwrap();
        assert_eq!(seat.is_some(), n == SESSIONS_MAX - 1);
    }
    let kept = (
        occupants.shares.held(),
        occupants.rooms.len(),
        occupants.clients.of(&account).len(),
        occupants.clients.account_count(),
    );
    assert_eq!((kept, occupants.bytes.held()), ((0, 0, 0, 0), 0));
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

#[test]
fn what_one_domain_says_in_rooms_leaves_room_for_others() {
    let own = OwnDomains::new(["h".to_owned()]);
    let mut occupants =
        Occupants { bytes: Shares::new("presence in rooms", 4000, own.clone()), ..Occupants::new(&own) };
    let said = |occupants: &Occupants, who: &str| {
        occupants.room(1).unwrap().seat_of(&full(who).to_bare()).unwrap().shown().unwrap().says.bytes()
    };
    let long = says(&"x".repeat(80));
    for n in 0..200 {
        let who = format!("x{n}@away/r");
        enter(&mut occupants, 1, &who);
        occupants.say(1, &full(&who), long.clone());
    }
    assert!(occupants.bytes.held() <= 4000 && occupants.shares.held() == 200);
    // Those of another domain are heard, and somebody of the first one says nothing any more. That is told.
    for n in 0..10 {
        let who = format!("a{n}@h/r");
        enter(&mut occupants, 1, &who);
        occupants.say(1, &full(&who), long.clone());
        assert_eq!(said(&occupants, &who), long.bytes());
    }
    assert!(occupants.bytes.held() <= 4000 && occupants.shares.held() == 210);
    assert!(!occupants.room(1).unwrap().waiting.is_empty());
    let hits: Vec<Hit> = occupants.hits().collect();
    assert!(hits.iter().all(|hit| (hit.what, &*hit.domain) == ("presence in rooms", "away")), "{hits:?}");
    // Whoever leaves gives back what it said.
    (0..200).for_each(|n| drop(occupants.leave(1, &full(&format!("x{n}@away/r")))));
    (0..10).for_each(|n| drop(occupants.leave(1, &full(&format!("a{n}@h/r")))));
    assert_eq!((occupants.bytes.held(), occupants.rooms.len(), occupants.due.len()), (0, 0, 0));
}

#[test]
fn whoever_is_gone_counts_until_somebody_takes_its_place() {
    let mut occupants = occupants(4);
    ["a@h/1", "a@h/2", "b@h/1", "c@h/1"].iter().for_each(|who| enter(&mut occupants, 1, who));
    let (name, d) = (ChannelName::new("c1").unwrap(), BareJid::new("d@h").unwrap());
    let counts = |occupants: &Occupants| (occupants.shares.held(), occupants.taken.held(), occupants.gone.len());
    occupants.note_gone(&name, &full("a@h/2"));
    assert_eq!(counts(&occupants), (4, 0, 1));
    // One that is gone comes before one that is there.
    assert_eq!(occupants.find_room(1, &d), Err(Some((name.clone(), full("a@h/2")))));
    assert!(occupants.give_place(&name, &full("a@h/2"), &d));
    assert!(!occupants.give_place(&name, &full("a@h/2"), &d));
    assert_eq!((counts(&occupants), occupants.find_room(1, &d)), ((3, 1, 1), Ok(())));
    enter(&mut occupants, 1, "a@h/2");
    assert_eq!(counts(&occupants), (4, 0, 0));
    assert!(occupants.give_place(&name, &full("a@h/2"), &d) && occupants.leave(1, &full("a@h/2")).is_some());
    assert_eq!(counts(&occupants), (3, 0, 0));
    assert!(occupants.give_place(&name, &full("a@h/1"), &d));
    occupants.end_room(1, super::ends::Why::Lost);
    assert_eq!(counts(&occupants), (3, 0, 0));
}

#[test]
fn whoever_takes_places_that_are_not_free_yet_leaves_others_some() {
    let mut occupants = occupants(300);
    occupants.taken = Shares::new("places", 100, OwnDomains::new(["h".to_owned()]));
    (0..300).for_each(|n| enter(&mut occupants, n, &format!("e{n}@evil/1")));
    let evil = |n: u64| (ChannelName::new(&format!("c{n}")).unwrap(), full(&format!("e{n}@evil/1")));
    let mut give = |n: u64, to: &str| {
        let (name, full) = evil(n);
        occupants.give_place(&name, &full, &BareJid::new(to).unwrap())
    };
    let own = (0..200).filter(|n| give(*n, &format!("f{n}@evil"))).count();
    let others = (200..300).filter(|n| give(*n, &format!("g{n}@h"))).count();
    assert!(own > 0 && others >= 25, "{own} {others}");
}

#[test]
fn rooms_that_cannot_be_read_do_not_keep_others_waiting() {
    let mut occupants = occupants(10_000);
    let step = |occupants: &mut Occupants| {
        let Occupants { due, tending, .. } = occupants;
        tending.step(|behind, count| {
            let from = behind.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
            due.range((from, std::ops::Bound::Unbounded)).take(count).map(|(name, _)| name.clone()).collect()
        })
    };
    for tag in 1000..1000 + 2 * TENDING.things as u64 {
        enter(&mut occupants, tag, &format!("a{tag}@h/r"));
        occupants.note_gone(&ChannelName::new(&format!("c{tag}")).unwrap(), &full(&format!("a{tag}@h/r")));
    }
    let first = step(&mut occupants);
    first.iter().for_each(|name| assert!(occupants.tending.done(name)));
    let second = step(&mut occupants);
    assert!(first.len() == TENDING.things && second.len() == TENDING.things && first[0] != second[0]);
    second.iter().for_each(|name| assert!(occupants.tending.done(name)));
    assert_eq!(step(&mut occupants), first);
}
