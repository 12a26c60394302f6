//! Updates by channels: who is in a channel in memory, who joins, speaks and leaves.
//!
//! A guest has a second number in the address book, so each update says whether it is about a guest.

use super::super::outgoing::outbox::{EntryNo, Out};
use super::People;
use crate::channel::Stamp;
use crate::store::Record;
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;

impl People {
    /// A channel with this participant or guest came into memory. Returns its number in the address book.
    pub(in crate::engine) fn hold(&mut self, jid: &BareJid, is_guest: bool, out: &mut Vec<Out>) -> EntryNo {
        match is_guest {
            false => self.accounts.hold(jid, out),
            true => self.accounts.hold_guest(jid, out),
        }
    }

    /// A channel with this participant or guest left memory.
    pub(in crate::engine) fn release(&mut self, jid: &BareJid, is_guest: bool) {
        match is_guest {
            false => self.accounts.release(jid),
            true => self.accounts.release_guest(jid),
        }
    }

    /// A participant or guest left a channel in memory.
    pub(in crate::engine) fn left(&mut self, jid: &BareJid, is_guest: bool) {
        match is_guest {
            false => self.accounts.left(jid),
            true => self.accounts.left_guest(jid),
        }
    }

    /// An account joined a channel in memory, was added to it, or became its guest. Returns its number, and the
    /// resources to query.
    pub(in crate::engine) fn seat(
        &mut self,
        jid: &BareJid,
        is_guest: bool,
        out: &mut Vec<Out>,
    ) -> (EntryNo, Vec<FullJid>) {
        let no = self.hold(jid, is_guest, out);
        let unknown = match is_guest {
            false => self.accounts.added(jid, out),
            true => self.accounts.subscribed_as_guest(jid, out),
        };
        (no, unknown)
    }

    /// The account joined, from its bare JID (`at_bare`: by its home server) or from a resource. A join from the bare
    /// JID ends the pause of channel `tag` there. Returns the resources to query.
    pub(in crate::engine) fn joined(
        &mut self,
        jid: &BareJid,
        at_bare: bool,
        tag: Option<u64>,
        out: &mut Vec<Out>,
    ) -> Vec<FullJid> {
        if let (true, Some(tag)) = (at_bare, tag) {
            self.accounts.resume(jid, None, tag, out);
        }
        self.accounts.joined(jid, at_bare, out)
    }

    /// A resource sent a MIX request, so it supports MIX, whatever it announces.
    pub(in crate::engine) fn spoke(&mut self, full: &FullJid, out: &mut Vec<Out>) {
        self.accounts.available(full, None, Some(true), out);
    }

    /// The resource is gone: it sent `unavailable`, or a message to it bounced.
    pub(in crate::engine) fn gone(&mut self, full: &FullJid, out: &mut Vec<Out>) {
        self.accounts.gone(full, out);
    }

    /// A client enters a room (XEP-0045): the entry of the address book that is its own.
    pub(in crate::engine) fn enter_session(&mut self, full: &FullJid, out: &mut Vec<Out>) -> EntryNo {
        self.accounts.enter_session(full, out)
    }

    /// An account sits in a room by these clients, and is in its channel by MIX as well; none: one of both is not so.
    pub(in crate::engine) fn sit(&mut self, jid: &BareJid, tag: u64, resources: BTreeSet<String>, out: &mut Vec<Out>) {
        self.accounts.sit(jid, tag, resources, out);
    }

    /// The session of this entry is over.
    pub(in crate::engine) fn leave_session(&mut self, no: EntryNo, out: &mut Vec<Out>) {
        self.accounts.leave_session(no, out);
    }

    /// The number of an account, which is entered where it is not yet known.
    pub(in crate::engine) fn number(&mut self, jid: &BareJid) -> EntryNo {
        self.accounts.number(jid)
    }

    /// The number of a known account, which is added to the address book if it is not there.
    pub(in crate::engine) fn reach(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> Option<EntryNo> {
        self.accounts.reach(jid, out)
    }

    /// Sets whether the account is in any channel. Nothing is stored of one that is in none.
    pub(in crate::engine) fn note_membership(&mut self, jid: &BareJid, member: bool, out: &mut Vec<Out>) {
        self.accounts.note_membership(jid, member, out);
    }

    /// A request came that only ejabberd sends.
    pub(in crate::engine) fn learn_ejabberd(&mut self, domain: &str, out: &mut Vec<Out>) {
        if self.accounts.hosts.learn_ejabberd(domain) {
            self.accounts.readdress(domain, out);
        }
    }

    /// Ends pauses that have lasted a day.
    pub(in crate::engine) fn end_pauses(&mut self, now: Stamp, out: &mut Vec<Out>) {
        self.accounts.end_pauses(now, out);
    }

    /// Appends the changed records of where accounts are reached.
    pub(in crate::engine) fn save(&mut self, records: &mut Vec<Record>) {
        self.accounts.save(records);
    }

    /// The account's last record was not committed.
    pub(in crate::engine) fn save_again(&mut self, jid: &BareJid) {
        self.accounts.mark_dirty(jid);
    }
}
