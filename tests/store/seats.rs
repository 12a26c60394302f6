//! Seats in rooms are kept, one record each, until nobody sits on them or their accounts are erased.

use crate::fixture::{NOON, jid, name};
use mixd::channel::{Nick, ParticipantId};
use mixd::runtime::eraser::erase;
use mixd::store::{Record, SavedClient, SavedSeat, Store};

claims!(a_seat_is_kept_until_nobody_sits_on_it, the_seats_of_an_account_that_is_erased_are_none);

fn seat(who: &str, tag: u64, resources: &[&str]) -> SavedSeat {
    let client = |resource: &&str| SavedClient { resource: (*resource).to_owned(), sees_all: true };
    SavedSeat {
        account: jid(who),
        tag,
        room: name("coven"),
        place: 7,
        id: ParticipantId::of_bytes([1; 20]),
        nick: Nick::new("third witch").unwrap(),
        windows: Some(vec![(3, None)]),
        moderates: true,
        is_open: true,
        is_silent: false,
        clients: resources.iter().map(client).collect(),
    }
}

fn keep(store: &dyn Store, seat: SavedSeat) {
    let (account, tag) = (seat.account.clone(), seat.tag);
    store.commit(NOON, &[Record::Seat { account, tag, seat: Some(seat) }]).unwrap();
}

fn kept(store: &dyn Store) -> Vec<SavedSeat> {
    let mut seats = store.directory().unwrap().seats;
    seats.sort_by(|a, b| (&a.account, a.tag).cmp(&(&b.account, b.tag)));
    seats
}

fn a_seat_is_kept_until_nobody_sits_on_it(store: &dyn Store) {
    let (one, other) = (seat("cat", 1, &["phone"]), seat("cat", 2, &["phone"]));
    [&one, &other].into_iter().for_each(|seat| keep(store, seat.clone()));
    assert_eq!(kept(store), [one, other.clone()]);
    let both = seat("cat", 1, &["phone", "desktop"]);
    keep(store, both.clone());
    assert_eq!(kept(store), [both, other.clone()]);
    store.commit(NOON, &[Record::Seat { account: jid("cat"), tag: 1, seat: None }]).unwrap();
    assert_eq!(kept(store), [other]);
}

fn the_seats_of_an_account_that_is_erased_are_none(store: &dyn Store) {
    let other = seat("ca", 1, &["phone"]);
    [seat("cat", 1, &["phone"]), seat("cat", 2, &["phone"]), other.clone()]
        .into_iter()
        .for_each(|seat| keep(store, seat));
    erase(store, &jid("cat")).unwrap();
    assert_eq!(kept(store), [other]);
}
