//! Who watches rooms: whose turn it is to make room, and who is looked at.

use super::*;

fn full(text: &str) -> FullJid {
    FullJid::new(text).unwrap()
}

fn of_at_most(max: usize) -> Watchers {
    let own = OwnDomains::new(["h".to_owned()]);
    Watchers { shares: Shares::new("clients that watch rooms", max, own.clone()), ..Watchers::new(&own) }
}

/// What is counted, from several sides.
fn count(watchers: &Watchers) -> usize {
    let of_rooms =
        |rooms: &HashMap<u64, Watched>| rooms.values().map(|it| it.armed.len() + it.calm.len()).sum::<usize>();
    let all: usize = watchers.all.values().map(|watcher| 1 + watcher.rooms.len()).sum();
    let ended: usize = watchers.ended.iter().map(|it| it.watched.armed.len() + it.watched.calm.len()).sum();
    assert_eq!(watchers.shares.held(), all);
    assert!(of_rooms(&watchers.rooms) + ended >= all - watchers.all.len());
    assert_eq!(watchers.of.values().map(BTreeSet::len).sum::<usize>(), watchers.all.len());
    all
}

fn begin(watchers: &mut Watchers, who: &str, rooms: std::ops::Range<u64>) -> Option<u64> {
    let mut freed = Vec::new();
    if !watchers.begin(&full(who), EntryNo::first(0), &mut freed) {
        return None;
    }
    let number = watchers.number_of(&full(who)).unwrap();
    rooms.for_each(|tag| watchers.set(number, tag, Some(Watch::Armed), &mut freed));
    Some(number)
}

#[test]
fn an_account_watches_by_so_many_clients_and_the_oldest_gives_way() {
    let mut watchers = of_at_most(1000);
    for n in 0..WATCHERS_MAX + 2 {
        assert!(begin(&mut watchers, &format!("a@h/{n}"), 1..3).is_some());
    }
    assert_eq!(count(&watchers), 3 * WATCHERS_MAX);
    assert!(watchers.number_of(&full("a@h/1")).is_none() && watchers.number_of(&full("a@h/2")).is_some());
}

#[test]
fn one_domain_leaves_room_for_clients_of_others_that_watch() {
    let mut watchers = of_at_most(1000);
    let theirs = (0..300).filter(|n| begin(&mut watchers, &format!("a{n}@evil.example/r"), 1..10).is_some());
    assert!(theirs.count() >= 100);
    let own: Vec<_> = (0..50).map(|n| begin(&mut watchers, &format!("a{n}@h/r"), 1..10)).collect();
    assert_eq!(count(&watchers), 1000);
    for number in own {
        assert_eq!((1..10).filter(|tag| watchers.watch(number.unwrap(), *tag).is_some()).count(), 9);
    }
    assert!(watchers.hits().any(|hit| hit.what == "clients that watch rooms"));
}

#[test]
fn whoever_is_told_is_looked_at_no_more_until_it_was_there() {
    let mut watchers = of_at_most(1000);
    let number = begin(&mut watchers, "a@h/r", 1..3).unwrap();
    assert_eq!(watchers.armed(1, None, 10), [number]);
    watchers.set(number, 1, Some(Watch::Told), &mut Vec::new());
    assert!(!watchers.has_armed(1) && watchers.has_armed(2));
    watchers.pass_door(1, &full("a@h/r"), true);
    assert!(!watchers.has_armed(1));
    watchers.pass_door(1, &full("a@h/r"), false);
    assert!(watchers.has_armed(1));
    // Of a room that it does not watch, and of another client, nothing follows.
    watchers.pass_door(7, &full("a@h/r"), true);
    watchers.pass_door(1, &full("a@h/s"), true);
    assert!(watchers.has_armed(1) && watchers.watch(number, 7).is_none());
    assert_eq!(count(&watchers), 3);
}

#[test]
fn rooms_that_are_no_more_are_forgotten_some_at_a_time() {
    let mut watchers = of_at_most(1000);
    let numbers: Vec<u64> = (0..10).map(|n| begin(&mut watchers, &format!("a{n}@h/r"), 1..3).unwrap()).collect();
    watchers.end_room(1);
    watchers.revive_room(1);
    assert_eq!(watchers.armed(1, None, 99), numbers);
    watchers.end_room(1);
    assert!(!watchers.has_armed(1));
    watchers.settle_fresh();
    watchers.end(numbers[9]);
    watchers.forget_ended(4);
    assert_eq!(count(&watchers), 9 * 3 - 4);
    watchers.forget_ended(99);
    assert_eq!((count(&watchers), watchers.ended.len()), (9 * 2, 0));
}

#[test]
fn a_room_whose_end_was_not_stored_is_watched_as_it_is_by_then() {
    let mut watchers = of_at_most(100);
    let numbers = ["a@h/1", "b@h/1", "c@h/1", "d@h/1"].map(|who| begin(&mut watchers, who, 7..8).unwrap());
    let [a, b, c, d] = numbers;
    watchers.set(a, 7, Some(Watch::Inside), &mut Vec::new());
    watchers.set(d, 7, Some(Watch::Told), &mut Vec::new());
    let stir = || Stir { name: ChannelName::new("c").unwrap(), author: None, behind: None };
    watchers.stir(7, stir());
    watchers.settle_fresh();
    watchers.end_room(7);
    // In the same turn one leaves the room, one watches no longer, and time passes.
    watchers.pass_door(7, &full("a@h/1"), false);
    watchers.end(b);
    watchers.forget_ended(100);
    watchers.revive_room(7);
    assert_eq!(watchers.armed(7, None, 9), [a, c]);
    assert!(watchers.stirred.contains_key(&7), "what was said before is still to be told");
    for number in [a, c, d] {
        watchers.end(number);
    }
    assert!(watchers.rooms.is_empty() && watchers.stirred.is_empty() && watchers.shares.held() == 0);
}

#[test]
fn nothing_is_left_of_a_room_that_somebody_left_after_its_end() {
    let mut watchers = of_at_most(100);
    let a = begin(&mut watchers, "a@h/1", 7..8).unwrap();
    watchers.set(a, 7, Some(Watch::Inside), &mut Vec::new());
    watchers.end_room(7);
    watchers.settle_fresh();
    watchers.pass_door(7, &full("a@h/1"), false);
    watchers.forget_ended(100);
    assert!(watchers.rooms.is_empty() && watchers.ended.is_empty() && watchers.shares.held() == 1);
}
