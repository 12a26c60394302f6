//! What the host server is not known to have is kept until it is.

use crate::fixture::{DAY_MS, NOON, Room, jid, name};
use jid::BareJid;
use mixd::channel::whom::Whom;
use mixd::channel::{Change, Guest, Member, Node, NodeSet, ParticipantId, Stamp, Status};
use mixd::runtime::eraser::erase;
use mixd::store::{Halves, Part, Record, Store, Unsent};
use rand::{SeedableRng, rngs::StdRng};

fn unsent(number: u64) -> Unsent {
    let stanza = Halves { head: "<message".into(), tail: "x".repeat(10_000), groupchat: true };
    let parts = vec![
        Part::Row { name: name("coven"), tag: 7, row: number },
        Part::List { name: name("coven"), tag: 7, node: Node::Participants, except: None, stanza },
        Part::Stanza("<iq/>".into()),
    ];
    Unsent { number, stamp: NOON, parts }
}

fn numbers(store: &dyn Store) -> Vec<u64> {
    store.unsent().unwrap().iter().map(|unsent| unsent.number).collect()
}

fn what_is_unsent_is_kept_with_its_turn_and_goes_when_it_is_sent(store: &dyn Store) {
    assert_eq!(numbers(store), [] as [u64; 0]);
    for number in [1, 2, 300, 301] {
        store.commit(NOON, &[Record::Unsent(unsent(number))]).unwrap();
    }
    assert_eq!(store.unsent().unwrap()[2], unsent(300));
    store.commit(NOON, &[Record::Sent(2)]).unwrap();
    store.idle(NOON).unwrap();
    assert_eq!(numbers(store), [300, 301]);
    store.commit(NOON, &[Record::Unsent(unsent(302)), Record::Sent(300)]).unwrap();
    assert_eq!(numbers(store), [301, 302]);
}

fn a_new_month_begins_with_what_is_unsent(store: &dyn Store) {
    store.commit(NOON, &[Record::Unsent(unsent(1)), Record::Unsent(unsent(2)), Record::Sent(1)]).unwrap();
    let later = Stamp(NOON.0 + 40 * DAY_MS);
    store.commit(later, &[Record::Unsent(unsent(3))]).unwrap();
    assert_eq!(numbers(store), [2, 3]);
    store.commit(later, &[Record::Sent(2)]).unwrap();
    store.idle(later).unwrap();
    assert_eq!(numbers(store), [3]);
}

fn a_clean_stop_leaves_nothing_of_what_was_sent(store: &dyn Store) {
    for number in 1..=2000 {
        let parts = vec![Part::Stanza("<iq/>".into())];
        store.commit(NOON, &[Record::Unsent(Unsent { number, stamp: NOON, parts })]).unwrap();
    }
    store.commit(NOON, &[Record::Sent(1999)]).unwrap();
    store.finish(NOON).unwrap();
    assert_eq!(numbers(store), [2000]);
}

/// A channel that ended, with those who were in it in the order of their ids; a notice of its end is unsent.
fn ended(store: &dyn Store, text: &str, number: u64) -> (u64, Vec<BareJid>) {
    let mut room = Room::create(store, text, number);
    (0..60).for_each(|n| room.join(store, &format!("p{n}")));
    room.leave(store, "p7");
    let waiting = room.channel.member(&jid("p7")).unwrap().clone();
    let waiting = Change::Invited(Member { jid: jid("late"), status: Status::Waiting, id: ids(1), ..waiting });
    let guest = |who: &str, node| {
        let guest = Guest { jid: jid(who), since: NOON, subscriptions: NodeSet::from_iter([node]), first: 1 };
        Change::GuestSet { guest, ended: NodeSet::default() }
    };
    let changes = vec![waiting, guest("reader", Node::Messages), guest("looker", Node::Info)];
    let mut records = room.apply(changes);
    let mut members: Vec<&Member> = room.channel.participants().collect();
    members.sort_by(|a, b| a.id.cmp(&b.id));
    let people = members.into_iter().map(|member| member.jid.clone()).collect();
    records.push(room.record(Change::Destroyed(Default::default())));
    let stanza = Halves { head: "<message".into(), tail: "/>".into(), groupchat: false };
    let part = Part::Farewell { tag: room.tag(), whom: Whom::Waiting, stanza };
    records.push(Record::Unsent(Unsent { number, stamp: NOON, parts: vec![part] }));
    store.commit(NOON, &records).unwrap();
    (room.tag(), people)
}

fn ids(seed: u64) -> ParticipantId {
    ParticipantId::random(&mut StdRng::seed_from_u64(seed))
}

/// Lets it clear away what it may.
fn clear(store: &dyn Store) {
    for _ in 0..20 {
        store.commit(NOON, &[]).unwrap();
        store.idle(NOON).unwrap();
    }
}

fn who_was_in_a_channel_is_kept_until_its_people_are_told_of_its_end(store: &dyn Store) {
    let (tag, people) = ended(store, "coven", 1);
    let (later, all) = ended(store, "heath", 2);
    // Another one, of which nobody is to be told, is cleared away meanwhile.
    let mut other = Room::create(store, "cave", 3);
    other.join(store, "p1");
    other.destroy(store);
    clear(store);
    assert!(store.remains(other.tag(), &Whom::Members).unwrap().is_empty());
    let but_for = |who: &BareJid| people.iter().filter(|jid| *jid != who).cloned().chain([jid("reader")]).collect();
    let subscribers: Vec<BareJid> = but_for(&people[3]);
    let whom = Whom::Subscribers(Node::Messages, Some(people[3].clone()));
    assert_eq!(store.remains(tag, &whom).unwrap(), subscribers);
    assert_eq!(store.remains(tag, &Whom::OtherGuests(Node::Messages)).unwrap(), [jid("looker")]);
    assert_eq!(store.remains(tag, &Whom::Waiting).unwrap(), [jid("late")]);
    let members = store.remains(tag, &Whom::Members).unwrap();
    assert_eq!(members.iter().filter(|who| **who != jid("late")).cloned().collect::<Vec<_>>(), people);
    assert_eq!(members.len(), people.len() + 1);
    store.commit(NOON, &[Record::Sent(1)]).unwrap();
    clear(store);
    assert!(store.remains(tag, &Whom::Members).unwrap().is_empty());
    assert_eq!(store.remains(later, &Whom::Members).unwrap().len(), all.len() + 1);
    store.commit(NOON, &[Record::Sent(2)]).unwrap();
    clear(store);
    assert!(store.remains(later, &Whom::Members).unwrap().is_empty());
}

fn an_account_that_is_erased_is_told_of_no_end_any_more(store: &dyn Store) {
    let (tag, people) = ended(store, "coven", 1);
    clear(store);
    for gone in [people[5].clone(), jid("reader"), jid("late")] {
        assert!(!store.look_for(&gone).unwrap().is_empty());
        erase(store, &gone).unwrap();
        assert_eq!(store.look_for(&gone).unwrap(), [] as [String; 0]);
    }
    let told: Vec<BareJid> = people.iter().filter(|jid| **jid != people[5]).cloned().collect();
    assert_eq!(store.remains(tag, &Whom::Subscribers(Node::Messages, None)).unwrap(), told);
    assert_eq!(store.remains(tag, &Whom::Members).unwrap(), told);
}

claims! {
    an_account_that_is_erased_is_told_of_no_end_any_more,
    who_was_in_a_channel_is_kept_until_its_people_are_told_of_its_end,
    a_clean_stop_leaves_nothing_of_what_was_sent,
    what_is_unsent_is_kept_with_its_turn_and_goes_when_it_is_sent,
    a_new_month_begins_with_what_is_unsent,
}

#[test]
fn what_is_unsent_is_there_after_a_restart_and_after_another_month() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::disk::open(folder.path());
    Room::create(&store, "coven", 1);
    store.commit(NOON, &[Record::Unsent(unsent(1)), Record::Unsent(unsent(2))]).unwrap();
    drop(store);
    let store = crate::disk::open(folder.path());
    assert_eq!(numbers(&store), [1, 2]);
    store.commit(NOON, &[Record::Sent(1)]).unwrap();
    let later = Stamp(NOON.0 + 40 * DAY_MS);
    store.commit(later, &[Record::Unsent(unsent(3))]).unwrap();
    drop(store);
    let store = crate::disk::open(folder.path());
    assert_eq!(store.unsent().unwrap(), [unsent(2), unsent(3)]);
}

#[test]
fn whoever_is_still_to_be_told_of_an_end_is_known_after_a_restart_and_in_another_month() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::disk::open(folder.path());
    let (tag, people) = ended(&store, "coven", 1);
    clear(&store);
    drop(store);
    let store = crate::disk::open(folder.path());
    clear(&store);
    let later = Stamp(NOON.0 + 40 * DAY_MS);
    store.commit(later, &[Record::Unsent(unsent(2))]).unwrap();
    clear(&store);
    assert_eq!(store.remains(tag, &Whom::Members).unwrap().len(), people.len() + 1);
    crate::backup::is_whole(&store);
    store.commit(later, &[Record::Sent(1)]).unwrap();
    clear(&store);
    assert!(store.remains(tag, &Whom::Members).unwrap().is_empty());
    assert_eq!(numbers(&store), [2]);
}
