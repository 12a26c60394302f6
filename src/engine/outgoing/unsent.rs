//! What a turn stores of its stanzas, beside its records, so that the next process can send what a crash kept back.
//!
//! A row is stored by its number, everything else as rendered. Answers to requests are not stored, because the asker
//! asks again.

#![deny(clippy::wildcard_enum_match_arm)]

use super::super::{Engine, Turn};
use crate::channel::change::Relay;
use crate::channel::whom::Whom;
use crate::channel::{Change, Channel, Row};
use crate::store::{Halves, Part, Record, Unsent};
use crate::xep::{List, Shown};
use crate::xmpp::{Tag, escape_into};
use jid::BareJid;

impl Engine {
    /// Stores what the turn sends about its records.
    pub(in crate::engine) fn number_parcel(&mut self, turn: &mut Turn) {
        let parts = std::mem::take(&mut turn.unsent);
        if parts.is_empty() {
            return;
        }
        self.outgoing.parcel += 1;
        turn.parcel = Some(self.outgoing.parcel);
        turn.records.push(Record::Unsent(Unsent { number: self.outgoing.parcel, stamp: self.now, parts }));
    }
}

/// What the stanzas about a change are, for keeping and storing them.
pub(in crate::engine) enum Traffic<'a> {
    /// A row of the archive.
    Row(&'a Row),
    /// A message that is not archived.
    Relay(&'a Relay),
    /// What nothing stores: people who pass by.
    Passing,
    /// The end of the channel.
    End,
    /// Everything else.
    Other,
}

impl Traffic<'_> {
    /// That of a change.
    pub fn of(change: &Change) -> Traffic<'_> {
        match change {
            Change::Relayed(relay) => Traffic::Relay(relay),
            Change::Published(row) => Traffic::Row(row),
            Change::Entered(_) | Change::Moved(_) | Change::Exited(_) | Change::RoleSet { .. } => Traffic::Passing,
            Change::Destroyed(_) => Traffic::End,
            Change::Created { .. }
            | Change::Joined(_)
            | Change::Left(_)
            | Change::Renamed(_)
            | Change::Subscribed(_)
            | Change::ItemSet { .. }
            | Change::ItemGone { .. }
            | Change::ListMade { .. }
            | Change::ListPurged { .. }
            | Change::Listed { .. }
            | Change::Invited(_)
            | Change::Removed(_)
            | Change::Noted(_)
            | Change::Struck(_)
            | Change::Faded(_)
            | Change::Traced(_)
            | Change::Reported(_)
            | Change::Entombed(_)
            | Change::Expired { .. }
            | Change::GuestSet { .. }
            | Change::TopicSet(_)
            | Change::VoiceSet { .. }
            | Change::Versioned(_)
            | Change::InvitationSet(_)
            | Change::InvitationEnded { .. }
            | Change::Announced(_)
            | Change::VoiceRequested { .. }
            | Change::InvitedByRoom(_)
            | Change::DeclinedToRoom(_)
            | Change::RightsSet(_)
            | Change::Configured(_) => Traffic::Other,
        }
    }
}

/// What is stored of a change's stanzas.
pub(in crate::engine) fn unsent(channel: &Channel, change: &Change, shown: &[Shown]) -> Vec<Part> {
    let (name, tag) = (channel.name(), channel.profile().tag);
    match Traffic::of(change) {
        Traffic::Relay(_) | Traffic::Passing => Vec::new(),
        Traffic::Row(row) => {
            let row = Part::Row { name: name.clone(), tag, row: row.number };
            std::iter::once(row).chain(shown.iter().flat_map(told)).collect()
        }
        Traffic::End => shown.iter().flat_map(|shown| parts(channel, shown, true)).collect(),
        Traffic::Other => shown.iter().flat_map(|shown| parts(channel, shown, false)).collect(),
    }
}

/// What is stored of a stanza to single accounts.
pub(in crate::engine) fn told(shown: &Shown) -> Vec<Part> {
    match shown {
        Shown::Mail { account, message } | Shown::Seat { account, message } => {
            vec![Part::Stanza(message.clone().attr("to", account.as_str()).into_xml())]
        }
        Shown::MailAll { accounts, message } => {
            vec![Part::Mail { accounts: accounts.clone(), stanza: halves(message, false) }]
        }
        Shown::Tell { account, message } => {
            vec![Part::Accounts { accounts: vec![account.clone()], stanza: halves(message, false) }]
        }
        Shown::TellGuest { account, message } => {
            vec![Part::Accounts { accounts: vec![account.clone()], stanza: halves(message, false) }]
        }
        // Sessions ask again.
        Shown::Seats { .. } | Shown::Farewell { .. } | Shown::Fan { .. } => Vec::new(),
    }
}

/// What is stored of one stanza. If the change `ends` the channel, its lists will be gone.
fn parts(channel: &Channel, shown: &Shown, ends: bool) -> Vec<Part> {
    let tag = channel.profile().tag;
    vec![match shown {
        Shown::Mail { .. }
        | Shown::MailAll { .. }
        | Shown::Seat { .. }
        | Shown::Seats { .. }
        | Shown::Tell { .. }
        | Shown::TellGuest { .. } => {
            return told(shown);
        }
        // Sessions end with the process.
        Shown::Fan { list: List::Sessions, .. } => return Vec::new(),
        Shown::Farewell { whom, message } => Part::Farewell { tag, whom: whom.clone(), stanza: halves(message, false) },
        Shown::Fan { list: List::Node(node), except, message, groupchat } => {
            let (node, except, stanza) = (*node, except.clone(), halves(message, *groupchat));
            match ends {
                true => Part::Farewell { tag, whom: Whom::Subscribers(node, except), stanza },
                false => Part::List { name: channel.name().clone(), tag, node, except, stanza },
            }
        }
    }]
}

/// A stanza for the bare JID of an account.
pub(in crate::engine) fn mailed(head: &str, account: &BareJid, tail: &str) -> String {
    let mut stanza = String::with_capacity(head.len() + tail.len() + account.as_str().len() + 6);
    stanza.push_str(head);
    stanza.push_str(" to='");
    escape_into(account.as_str(), &mut stanza);
    stanza.push('\'');
    stanza.push_str(tail);
    stanza
}

pub(in crate::engine) fn halves(message: &Tag, groupchat: bool) -> Halves {
    let (head, tail) = message.clone().into_halves();
    Halves { head, tail, groupchat }
}

/// Sends a stanza to the bare JIDs of accounts.
pub(in crate::engine) fn mail_all(accounts: &[BareJid], stanza: &Halves, turn: &mut Turn) {
    accounts.iter().for_each(|account| turn.send(mailed(&stanza.head, account, &stanza.tail)));
}
