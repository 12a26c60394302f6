//! Where guests are reached: those who subscribe to nodes of a channel without being in it.
//!
//! Their home server knows of no such channel and lets nothing of it in at the bare JID. So a guest has a number of its
//! own in the address book, with its resources alone, whatever becomes of the channels that it is in.

use super::{Account, Accounts};
use crate::engine::outgoing::outbox::{EntryNo, Out};
use jid::{BareJid, FullJid};

impl Accounts {
    /// A channel in memory has this guest.
    pub fn hold_guest(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> EntryNo {
        let own = self.hold(jid, out);
        if let Some((no, holds)) = self.get_mut(jid).and_then(|account| account.guest.as_mut()) {
            *holds += 1;
            return *no;
        }
        let no = self.vacancy();
        if let Some(account) = self.get_mut(jid) {
            account.guest = Some((no, 1));
        }
        self.tell_book(own, out);
        no
    }

    /// The number of an account as a guest.
    pub fn find_guest(&self, jid: &BareJid) -> Option<EntryNo> {
        self.get(jid).and_then(|account| account.guest).map(|(no, _)| no)
    }

    /// A channel in memory has this guest no longer.
    pub fn release_guest(&mut self, jid: &BareJid) {
        self.unhold_guest(jid);
        self.release(jid);
    }

    /// A guest of a channel in memory is one no longer.
    pub fn left_guest(&mut self, jid: &BareJid) {
        self.unhold_guest(jid);
        self.left(jid);
    }

    fn unhold_guest(&mut self, jid: &BareJid) {
        let Some(account) = self.get_mut(jid) else { return };
        let Some((no, holds)) = account.guest.as_mut() else { return };
        *holds -= 1;
        if *holds == 0 {
            let no = *no;
            account.guest = None;
            self.free.push(no.next());
        }
    }

    /// A channel in memory has this participant.
    pub fn hold(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> EntryNo {
        let no = self.number(jid);
        if let Some(account) = self.accounts[no.place()].as_mut() {
            if !account.told && !account.bare && self.hosts.delivers(jid.domain().as_str()) {
                account.bare = true;
                account.dirty = true;
                self.dirty.push(no);
            }
            account.holds += 1;
            account.member = Some(true);
            if !account.told {
                self.tell_book(no, out);
            }
        }
        no
    }

    /// The account became a guest. Returns the resources to be asked.
    pub fn subscribed_as_guest(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> Vec<FullJid> {
        let no = self.number(jid);
        if self.get(jid).is_some_and(Account::is_unsaved) {
            self.changed(no, out);
        }
        self.unknown(jid)
    }
}
