//! Upgrades of single entries.

use super::super::keyspace;
use super::*;
use crate::channel::{ChannelName, PrivateMessages, Profile, Settings, Stamp};
use serde::Serialize;

fn of_4<T: Serialize>(value: &T) -> Vec<u8> {
    [&[4], write(value).unwrap().as_slice()].concat()
}

fn renewed(place: UpgradePlace, key: &[u8], value: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (key, value) = renew(4, place, (key.to_vec(), Some(value.to_vec()))).unwrap();
    (key, value.unwrap())
}

#[test]
fn steps_lead_from_the_oldest_format_to_the_newest_without_a_gap() {
    let froms: Vec<u8> = STEPS.iter().map(|step| step.from).collect();
    assert_eq!(froms, (OLDEST..VERSION).collect::<Vec<_>>());
    assert!(!is_upgradable(VERSION) && !is_upgradable(OLDEST - 1) && is_upgradable(OLDEST));
}

#[test]
fn a_commit_gets_the_first_epoch_and_a_parcel_the_first_process() {
    let (key, value) = renewed(UpgradePlace::Month, keyspace::NEWEST, &of_4(&300u64));
    assert_eq!((key.as_slice(), keyspace::decode_commit(&value).unwrap()), (keyspace::NEWEST, (300, 0)));
    let parcel = [b"u", 7u64.to_be_bytes().as_slice()].concat();
    let (key, value) = renewed(UpgradePlace::Month, &parcel, &of_4(&"text"));
    assert_eq!((key, keyspace::decode::<String>(&value).unwrap()), (keyspace::unsent(7), "text".to_owned()));
    // In the state the same letter stands for something else.
    assert_eq!(renewed(UpgradePlace::State, &parcel, &of_4(&1u8)).0, parcel);
}

#[test]
fn an_entry_of_the_directory_gets_the_settings_of_a_room() {
    use crate::channel::{Access, Limits, RoomSettings};
    let settings = Limits::default().plain_settings();
    let rights =
        crate::channel::Rights { owners: vec![jid::BareJid::new("a@h").unwrap()].into(), ..Default::default() };
    let profile =
        Profile { tag: 7, created: Stamp(5), creator: jid::BareJid::new("a@h").unwrap(), gid: 9, listed: true };
    let head = (ChannelName::new("den").unwrap(), 7u64, true, 9u32, &profile);
    let (s, grants) = (&settings, &settings.grants);
    let first = (s.style, s.membership, s.history, s.events, s.receipts, s.members_add, s.participants_max);
    let then = (s.subject_chars_max, s.retract_window_s, s.retention_days, s.end_of_life, &s.switched_off, s.access);
    let grants = (grants.describe, grants.picture, grants.moderate, grants.retract_own);
    for (passed_on, expected) in [(false, PrivateMessages::Nobody), (true, PrivateMessages::Anyone)] {
        let end = (s.visibility, passed_on, s.presence, s.open_presence, s.presence_required, s.notices);
        let entry = [&[5], write(&(&head, &first, &then, &grants, &end, &rights)).unwrap().as_slice()].concat();
        let key = keyspace::channel(&head.0);
        let (_, value) = renew(5, UpgradePlace::State, (key, Some(entry))).unwrap();
        let found: keyspace::DirectoryEntry = keyspace::decode(&value.unwrap()).unwrap();
        assert_eq!((found.rights, &found.head.profile), (rights.clone(), &profile));
        let settings = Settings { private_messages: expected, ..settings.clone() };
        assert_eq!((&settings.room, settings.grants.subject), (&RoomSettings::default(), Access::Admins));
        assert_eq!(found.head.settings, settings);
    }
}

#[test]
fn a_redo_record_is_upgraded_as_what_it_holds() {
    let ops = Ops::from([(b"a".to_vec(), Some(of_4(&5u8))), (b"b".to_vec(), None), (b"k".to_vec(), Some(Vec::new()))]);
    let (_, value) = renewed(UpgradePlace::Month, &keyspace::redo(9), &of_4(&ops));
    let ops: Ops = keyspace::decode(&value).unwrap();
    assert_eq!(keyspace::decode::<u8>(ops[b"a".as_slice()].as_deref().unwrap()).unwrap(), 5);
    assert_eq!((&ops[b"b".as_slice()], &ops[b"k".as_slice()]), (&None, &Some(Vec::new())));
}

#[test]
fn what_is_of_another_version_or_damaged_is_told() {
    let told = |key: &[u8], value: &[u8]| renew(4, UpgradePlace::Month, (key.to_vec(), Some(value.to_vec()))).is_err();
    assert!(told(b"r", &[5, 1]) && told(b"n", &[3, 1]) && told(&keyspace::redo(1), &[4, 200]));
    assert!(!told(b"t", &[]));
}
