//! What is left of destroyed channels is kept, and goes.

use crate::fixture::{NOON, Room, jid, loaded, name};
use mixd::channel::{AccountMark, Change, GoneChannel, Lists, Stamp, Versions};
use mixd::runtime::eraser::erase;
use mixd::store::{Record, Store};
use mixd::xep::Sealer;

/// What is left of a channel that hid its people.
pub fn gone(text: &str, tag: u64, creator: &str) -> GoneChannel {
    GoneChannel {
        name: name(text),
        tag,
        creator: jid(creator),
        until: Stamp(NOON.0 + 9),
        is_open: false,
        owners: vec![AccountMark(3)],
        people: vec![AccountMark(3), AccountMark(5)],
        reason: Some("It rained".into()),
        venue: Some(jid("venue").into()),
    }
}

fn set(store: &dyn Store, gone: GoneChannel, is_there: bool) {
    let record = Record::Gone { name: gone.name.clone(), gone: is_there.then(|| gone.into()) };
    store.commit(NOON, &[record]).unwrap();
}

fn what_is_left_of_a_channel_is_kept_until_its_name_is_free(store: &dyn Store) {
    set(store, gone("ruin", 1, "owner"), true);
    set(store, gone("tower", 2, "owner"), true);
    set(store, GoneChannel { until: NOON, ..gone("ruin", 3, "other") }, true);
    let mut found = store.directory().unwrap().gone;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(found, [GoneChannel { until: NOON, ..gone("ruin", 3, "other") }, gone("tower", 2, "owner")]);
    set(store, gone("ruin", 1, "owner"), false);
    assert_eq!(store.directory().unwrap().gone, [gone("tower", 2, "owner")]);
}

fn an_account_that_is_erased_created_no_channel_that_is_gone(store: &dyn Store) {
    set(store, gone("ruin", 1, "owner"), true);
    set(store, gone("tower", 2, "other"), true);
    assert_eq!(store.look_for(&jid("owner")).unwrap().len(), 1);
    erase(store, &jid("owner")).unwrap();
    assert_eq!(store.look_for(&jid("owner")).unwrap(), Vec::<String>::new());
    let mut found: Vec<String> = store.directory().unwrap().gone.iter().map(|it| it.creator.to_string()).collect();
    found.sort();
    assert_eq!(found, ["host.example", "other@host.example"]);
    // What an owner said of where people meet stays.
    assert_eq!(store.look_for(&jid("venue")).unwrap(), Vec::<String>::new());
}

fn an_account_that_is_erased_is_in_no_version_of_affiliations(store: &dyn Store) {
    let mut room = Room::create(store, "coven", 1);
    let mut versions = Versions::default();
    for n in 0..300 {
        versions.note(versions.next(Some(jid(&format!("p{}", n % 3))), n % 2 == 0, 1000));
    }
    let changes: Vec<_> = versions.changes().cloned().collect();
    let records = room.apply(changes.chunks(50).map(|some| Change::Versioned(some.to_vec())).collect());
    store.commit(NOON, &records).unwrap();
    assert_eq!(loaded(store, "coven").unwrap().kept().versions, versions);
    assert!(!store.look_for(&jid("p1")).unwrap().is_empty());
    assert_eq!(erase(store, &jid("p1")).unwrap(), [name("coven")]);
    assert_eq!(store.look_for(&jid("p1")).unwrap(), Vec::<String>::new());
    let kept = loaded(store, "coven").unwrap().kept().versions.clone();
    assert_eq!((kept.current(Lists::All), kept.changed_since(Lists::All, 1100)), (1300, None));
}

fn how_many_accounts_of_a_name_ended_is_kept_when_one_is_erased(store: &dyn Store) {
    let mark = Sealer::new(store.sealing_key()).account(&jid("p1"));
    for count in [1, 2] {
        store.commit(NOON, &[Record::Ended { mark, count }]).unwrap();
    }
    erase(store, &jid("p1")).unwrap();
    assert_eq!(store.directory().unwrap().ended, [(mark, 2)]);
}

claims! {
    how_many_accounts_of_a_name_ended_is_kept_when_one_is_erased,
    an_account_that_is_erased_is_in_no_version_of_affiliations,
    what_is_left_of_a_channel_is_kept_until_its_name_is_free,
    an_account_that_is_erased_created_no_channel_that_is_gone,
}
