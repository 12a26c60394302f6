//! What channels tell of people: who is in one that is in memory, who joins, speaks and leaves.
//!
//! A guest has a number of its own in the address book, so whoever comes or goes does so as one or the other.

use super::super::outgoing::outbox::{EntryNo, Out};
use super::People;
use crate::channel::Stamp;
use crate::store::Record;
use jid::{BareJid, FullJid};

impl People {
    /// A channel that came into memory has this participant or guest; its number in the address book.
    pub(in crate::engine) fn hold(&mut self, jid: &BareJid, is_guest: bool, out: &mut Vec<Out>) -> EntryNo {
        match is_guest {
            false => self.accounts.hold(jid, out),
            true => self.accounts.hold_guest(jid, out),
        }
    }

    /// A channel that left memory had this participant or guest.
    pub(in crate::engine) fn release(&mut self, jid: &BareJid, is_guest: bool) {
        match is_guest {
            false => self.accounts.release(jid),
            true => self.accounts.release_guest(jid),
        }
    }

    /// A participant or guest of a channel in memory is one no longer.
    pub(in crate::engine) fn left(&mut self, jid: &BareJid, is_guest: bool) {
        match is_guest {
            false => self.accounts.left(jid),
            true => self.accounts.left_guest(jid),
        }
    }

    /// Somebody is put into a channel in memory, by itself or by somebody else, or becomes its guest; its number, and the
    /// resources to be asked.
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

    /// The account joined: from its bare JID, by its home server, or otherwise. To one that did so at its bare JID what
    /// channel `tag` sends goes there again. Returns the resources to be asked.
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

    /// A resource spoke MIX, so it takes MIX traffic, whatever its software announces.
    pub(in crate::engine) fn spoke(&mut self, full: &FullJid, out: &mut Vec<Out>) {
        self.accounts.available(full, None, Some(true), out);
    }

    /// A resource is gone: it said so, or a message to it came back.
    pub(in crate::engine) fn gone(&mut self, full: &FullJid, out: &mut Vec<Out>) {
        self.accounts.gone(full, out);
    }

    /// The number of an account, which is entered where it is not yet known.
    pub(in crate::engine) fn number(&mut self, jid: &BareJid) -> EntryNo {
        self.accounts.number(jid)
    }

    /// The number of an account that is known and to which something is to be sent.
    pub(in crate::engine) fn reach(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> Option<EntryNo> {
        self.accounts.reach(jid, out)
    }

    /// Learns whether an account is in any channel; of one that is in none, nothing is kept.
    pub(in crate::engine) fn note_membership(&mut self, jid: &BareJid, member: bool, out: &mut Vec<Out>) {
        self.accounts.note_membership(jid, member, out);
    }

    /// What channels do not send to some resources for a while they send again.
    pub(in crate::engine) fn end_pauses(&mut self, now: Stamp, out: &mut Vec<Out>) {
        self.accounts.end_pauses(now, out);
    }

    /// Puts down where accounts are reached that changed since.
    pub(in crate::engine) fn save(&mut self, records: &mut Vec<Record>) {
        self.accounts.save(records);
    }

    /// What was put down of an account was not committed.
    pub(in crate::engine) fn save_again(&mut self, jid: &BareJid) {
        self.accounts.mark_dirty(jid);
    }
}
