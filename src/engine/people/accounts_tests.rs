//! Where accounts are reached: what is stored and what is forgotten.

use super::*;
use crate::engine::outgoing::outbox::{Delta, Reached};
use crate::engine::share::OwnDomains;
use crate::store::Record;
use crate::store::Whereabouts;

fn full(resource: usize) -> FullJid {
    FullJid::new(&format!("a@h/r{resource}")).unwrap()
}

#[test]
fn resources_that_never_said_goodbye_keep_no_other_out() {
    let (mut accounts, mut out) = (Accounts::default(), Vec::new());
    accounts.joined(&full(0).to_bare(), false, &mut out);
    accounts.available(&full(0), None, Some(true), &mut out);
    for resource in 1..=2 * RESOURCES_MAX {
        accounts.available(&full(resource), None, Some(false), &mut out);
    }
    accounts.available(&full(999), None, Some(true), &mut out);
    let Some(Out::Book(Delta::Entry { entry, .. })) = out.last() else { panic!("{out:?}") };
    assert_eq!(entry.reached.addresses_in(None), ["a@h/r0".into(), "a@h/r999".into()]);
    assert!(accounts.accounts[0].as_ref().unwrap().resources.len() <= RESOURCES_MAX);
}

/// The account joins and leaves a channel within one turn, and is in another channel that is not in memory.
#[test]
fn a_route_is_saved_once_it_is_known_that_its_account_is_in_a_channel() {
    let (mut accounts, mut out) = (Accounts::default(), Vec::new());
    let jid = full(0).to_bare();
    accounts.hold(&jid, &mut out);
    accounts.joined(&jid, true, &mut out);
    accounts.left(&jid);
    let mut records = Vec::new();
    accounts.save(&mut records);
    assert!(records.is_empty(), "whether it is in any is not known: {records:?}");
    accounts.note_membership(&jid, true, &mut out);
    accounts.save(&mut records);
    let [Record::Whereabouts { known: Some(known), .. }] = &records[..] else { panic!("{records:?}") };
    assert!(known.bare);
}

#[test]
fn what_the_operator_settles_counts_for_routes_that_were_saved() {
    let saved = |bare| vec![(full(0).to_bare(), Whereabouts { bare, resources: vec!["r0".into()] })];
    let addresses = |pam, bare| {
        let (hosts, mut out) = (
            Hosts::new([("h".to_owned(), pam)].into(), Default::default(), "mix.h", OwnDomains::default()),
            Vec::new(),
        );
        Accounts::restore(saved(bare), hosts, OwnDomains::default()).reach(&full(0).to_bare(), &mut out);
        let Some(Out::Book(Delta::Entry { entry, .. })) = out.pop() else { panic!("{out:?}") };
        entry.reached.addresses_in(None).to_vec()
    };
    assert_eq!(addresses(Pam::None, true), ["a@h/r0".into()]);
    assert_eq!(addresses(Pam::Standard, false), ["a@h".into()]);
    assert_eq!(addresses(Pam::Auto, true), ["a@h".into()]);
}

#[test]
fn the_address_book_learns_of_a_saved_account_when_it_is_needed_and_once() {
    let saved = vec![(full(0).to_bare(), Whereabouts { bare: true, resources: Vec::new() })];
    let (jid, mut out) = (full(0).to_bare(), Vec::new());
    let mut accounts = Accounts::restore(saved, Hosts::default(), OwnDomains::default());
    accounts.readdress("h", &mut out);
    assert!(out.is_empty(), "{out:?}");
    let no = accounts.hold(&jid, &mut out);
    assert!(
        matches!(&out[..], [Out::Book(Delta::Entry { entry, .. })] if entry.reached == Reached::Address("a@h".into())),
        "{out:?}"
    );
    accounts.hold(&jid, &mut out);
    assert_eq!((accounts.reach(&jid, &mut out), out.len()), (Some(no), 1));
}

#[test]
fn many_channels_that_pause_at_once_are_one_word_to_the_address_book() {
    let (mut accounts, mut out) = (Accounts::default(), Vec::new());
    accounts.hold(&full(0).to_bare(), &mut out);
    for resource in 0..RESOURCES_MAX {
        accounts.available(&full(resource), None, Some(true), &mut out);
    }
    out.clear();
    accounts.pause(&full(0).into(), (1..=50).map(|tag| (tag, false)), crate::channel::Stamp(0), &mut out);
    let [Out::Book(Delta::Entry { entry, .. })] = &out[..] else { panic!("{out:?}") };
    let distinct: std::collections::HashSet<*const u8> = entry.reached.all().map(|address| address.as_ptr()).collect();
    assert_eq!(
        (entry.reached.all().count(), distinct.len()),
        (RESOURCES_MAX + 50 * (RESOURCES_MAX - 1), RESOURCES_MAX)
    );
}

#[test]
fn what_comes_back_from_a_resource_of_a_guest_pauses_that_one_alone() {
    let (mut accounts, mut out) = (Accounts::default(), Vec::new());
    let jid = full(0).to_bare();
    // Its home server joined it to another channel.
    accounts.hold(&jid, &mut out);
    accounts.joined(&jid, true, &mut out);
    let guest = accounts.hold_guest(&jid, &mut out);
    for resource in 0..2 {
        accounts.available(&full(resource), None, Some(true), &mut out);
    }
    out.clear();
    accounts.pause(&full(0).into(), [(7, true)], crate::channel::Stamp(0), &mut out);
    let apart = |no| {
        let of_it = |out: &Out| match out {
            Out::Book(Delta::Entry { no: it, entry }) if *it == no => match &entry.reached {
                Reached::Account { apart, .. } => apart.clone(),
                Reached::Address(_) => None,
            },
            _ => None,
        };
        out.iter().find_map(of_it).and_then(|apart| apart.get(&7).cloned())
    };
    assert_eq!(apart(guest), Some(vec!["a@h/r1".into()]));
    // It becomes a participant of this channel, and is still reached at its bare JID.
    assert_eq!(apart(accounts.find(&jid).unwrap()), Some(vec!["a@h".into()]));
}
