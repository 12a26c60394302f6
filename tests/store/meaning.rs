//! What a store means, as text: everything that people can see of it, and nothing of how it is laid out. Two stores that
//! read the same mean the same, whatever their formats.

use crate::fixture::{found, loaded};
use jid::BareJid;
use mixd::channel::{Channel, Member, ParticipantId, Progress, Row};
use mixd::store::{PagePlan, Part, RowPage, Store};
use mixd::xep::Sealer;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The text of a store.
pub fn of(store: &dyn Store) -> String {
    let mut text = String::new();
    let directory = store.directory().unwrap();
    let sealer = Sealer::new(store.sealing_key());
    line(&mut text, &format!("highest number {}", directory.gid_highest));
    for (account, nick) in &directory.nicks {
        line(&mut text, &format!("nick {account} {nick:?}"));
    }
    let mut known = store.whereabouts().unwrap();
    known.sort_by(|a, b| a.0.cmp(&b.0));
    for (account, known) in known {
        line(&mut text, &format!("whereabouts {account} {} {:?}", known.bare, known.resources));
    }
    let mut seats = directory.seats.clone();
    seats.sort_by_key(|seat| (seat.tag, seat.place));
    for seat in seats {
        line(&mut text, &format!("seat {seat:?}"));
    }
    for gone in &directory.gone {
        line(&mut text, &format!("gone {gone:?}"));
    }
    for (mark, count) in &directory.ended {
        line(&mut text, &format!("ended {mark:?} {count}"));
    }
    for unsent in store.unsent().unwrap() {
        let parts: Vec<String> = unsent.parts.iter().map(part).collect();
        line(&mut text, &format!("unsent {} {} {}", unsent.number, unsent.stamp.0, parts.join(" ")));
    }
    let mut accounts = BTreeSet::new();
    for listing in &directory.listings {
        line(&mut text, "");
        let (name, listed, shows) = (&listing.name, listing.listed, listing.shows_jids);
        let (gid, creator, ends) = (listing.gid, &listing.creator, listing.end_of_life.map(|end| end.0));
        line(&mut text, &format!("channel {name} number {gid} by {creator} {listed} {shows} {ends:?}"));
        let channel = loaded(store, name.as_str()).unwrap();
        settled(&mut text, &channel, &mut accounts);
        people(&mut text, store, &channel, &mut accounts);
        rows(&mut text, store, &channel, &sealer);
    }
    line(&mut text, "");
    for account in accounts {
        let (channels, groups) = (store.channels_of(&account).unwrap(), store.groups_of(&account).unwrap());
        let names: Vec<&str> = channels.iter().map(|name| name.as_str()).collect();
        let groups: Vec<String> = groups.iter().map(|(name, status)| format!("{name}:{status:?}")).collect();
        let (admitted, barred) = found(store, &account);
        line(&mut text, &format!("account {account} in {names:?} has {groups:?} {admitted:?} {barred:?}"));
    }
    text
}

fn settled(text: &mut String, channel: &Channel, accounts: &mut BTreeSet<BareJid>) {
    let (settings, kept) = (channel.settings(), channel.kept());
    let s = settings;
    let words = format!("{:?} {:?} {:?} {:?} {:?}", s.style, s.membership, s.history, s.receipts, s.visibility);
    let numbers = [s.participants_max as u64, s.retract_window_s, s.retention_days, s.subject_chars_max as u64];
    let flags = [s.events, s.members_add, s.private_messages.are_passed_on(), s.presence, s.open_presence, s.notices];
    line(text, &format!("settings {words} {numbers:?} {flags:?} {:?} {:?} {:?}", s.access, s.grants, s.switched_off));
    line(text, &format!("room {:?} {:?}", s.private_messages, s.room));
    line(text, &format!("topic {:?} voices {:?} reasons {:?}", kept.topic, kept.voices, kept.reasons));
    line(text, &format!("rights {:?} {:?}", &kept.rights.owners[..], &kept.rights.admins[..]));
    line(text, &format!("tag {} created {}", kept.profile.tag, kept.profile.created.0));
    for (node, item) in &kept.items {
        line(text, &format!("item {node:?} {} {:?} {} {}", item.id, item.label, item.stamp.0, digest(&item.payload)));
    }
    for (what, list) in [("allowed", &kept.allowed), ("banned", &kept.banned)] {
        let entries = list.as_ref().map(|list| list.iter().collect::<BTreeSet<_>>());
        line(text, &format!("{what} {entries:?}"));
        accounts.extend(list.iter().flat_map(|list| list.iter()).cloned());
    }
    for guest in channel.guests() {
        line(text, &format!("guest {} {} {:?} {}", guest.jid, guest.since.0, guest.subscriptions, guest.first));
        accounts.insert(guest.jid.clone());
    }
    for it in channel.invitations() {
        let (invitee, inviter, token) = (&it.invitee, &it.inviter, it.token.as_str());
        line(text, &format!("invitation {invitee} {inviter} {} {token} {}", it.by_operator, it.until.0));
    }
}

fn people(text: &mut String, store: &dyn Store, channel: &Channel, accounts: &mut BTreeSet<BareJid>) {
    let mut members: Vec<&Member> = channel.members().collect();
    members.sort_by(|a, b| (&a.jid, &a.id).cmp(&(&b.jid, &b.id)));
    for member in &members {
        let m = member;
        let nodes: Vec<_> = m.subscriptions.iter().collect();
        line(text, &format!("member {} {} {:?} {:?} since {} {nodes:?}", m.id, m.jid, m.nick, m.status, m.since.0));
        let flags = [m.spoke, m.veiled, m.ended, m.own.forgotten, m.named, m.granted];
        line(text, &format!("  windows {:?} {flags:?} {:?}", m.windows, m.preferences));
        line(text, &format!("  own {} {:?} {:?} {:?}", m.own.cleared, m.own.hidden, m.own.mark, m.own.reported()));
        accounts.insert(m.jid.clone());
    }
    let ids: Vec<ParticipantId> = members.iter().map(|member| member.id.clone()).collect();
    let kept = store.people(channel.profile().tag, &ids).unwrap();
    assert!(members.iter().all(|member| kept[&member.id].jid == member.jid), "authors are named on reading");
}

fn rows(text: &mut String, store: &dyn Store, channel: &Channel, sealer: &Sealer) {
    let tag = channel.profile().tag;
    let (head, base) = (channel.head(), channel.base());
    let ends = [head.row, head.ordinal, head.stamp.0, base.row, base.ordinal, base.stamp.0];
    line(text, &format!("archive {ends:?} {:?}", store.bounds(tag).unwrap()));
    let page = page(store, tag);
    for row in &page.rows {
        line(text, &format!("row {} {} {}", row.number, sealer.seal(tag, row.number), of_row(row)));
    }
    for (row, it) in &page.tombstones {
        let (by, moderated, reason) = (&it.by, it.moderated, &it.reason);
        line(text, &format!("tombstone {row} {} {} {by:?} {moderated} {reason:?}", it.retraction, it.stamp.0));
    }
    for row in &page.rows {
        let reached = |member: &Member| Some((member.id.clone(), member.own.reported().of(row.number)?));
        let reached: Vec<(ParticipantId, Progress)> = channel.members().filter_map(reached).collect();
        let mut receipts: Vec<_> = store.receipts(tag, row.number, &reached).unwrap().into_iter().collect();
        receipts.sort_by(|a, b| a.0.cmp(&b.0));
        if !receipts.is_empty() {
            line(text, &format!("receipts {} {receipts:?}", row.number));
        }
        let facts = store.facts(tag, &[row.number]).unwrap().remove(0).unwrap();
        let corrections = page.rows.iter().filter(|it| it.corrected() == Some(row.number)).map(|it| it.number);
        let corrections: Vec<u64> = corrections.collect();
        if facts.entombed || !corrections.is_empty() {
            line(text, &format!("facts {} {} {corrections:?}", row.number, facts.entombed));
        }
    }
}

fn of_row(row: &Row) -> String {
    let r = row;
    let ids = [&r.stanza_id, &r.origin_id, &r.lang];
    let what = format!("{} {} {} {} {ids:?}", r.stamp.0, r.author, r.ordinal, r.counted);
    format!("{what} {:?} {} {:?} {:?} {:?} {}", r.target, r.corrects, r.kind, r.media, r.nick, digest(&r.payload))
}

/// Every row of a channel, read in pages from both ends.
fn page(store: &dyn Store, tag: u64) -> RowPage {
    let narrow = Default::default();
    let (first, last, max) = (1, u64::MAX, usize::MAX);
    let plan = PagePlan { tag, first, last, start: None, end: None, author: None, max, from_end: false, narrow };
    let (forward, backward) = (store.page(&plan).unwrap(), store.page(&PagePlan { from_end: true, ..plan }).unwrap());
    assert_eq!(forward, backward);
    forward
}

fn part(part: &Part) -> String {
    match part {
        Part::Row { name, tag, row } => format!("row {name} {tag} {row}"),
        Part::List { name, tag, node, except, stanza } => {
            format!("list {name} {tag} {node:?} {except:?} {}{}", digest(&stanza.head), digest(&stanza.tail))
        }
        Part::Accounts { accounts, stanza } => format!("accounts {accounts:?} {}", digest(&stanza.tail)),
        Part::Mail { accounts, stanza } => format!("mail to {accounts:?} {}", digest(&stanza.tail)),
        Part::Stanza(stanza) => format!("stanza {}", digest(stanza)),
        Part::Farewell { tag, whom, stanza } => format!("end of {tag} for {whom:?} {}", digest(&stanza.tail)),
    }
}

fn digest(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..6])
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").unwrap();
}
