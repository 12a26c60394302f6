//! Where guests are reached. A guest subscribes to nodes of a channel without being a participant.
//!
//! Its home server does not know the channel, and would block its messages to the bare JID. So a guest has a second
//! number in the address book, with its resources only.

use super::{Account, Accounts};
use crate::engine::outgoing::outbox::{BookEntry, Delta, EntryNo, Out, Reached};
use jid::{BareJid, FullJid};

impl Accounts {
    /// A client that is reached by itself: its entry in the address book.
    pub fn enter_session(&mut self, full: &FullJid, out: &mut Vec<Out>) -> EntryNo {
        let no = self.vacancy();
        let mut address = String::new();
        crate::xmpp::tag::value_into(full.as_str(), &mut address);
        let home = self.hosts.homes.number(full.domain().as_str());
        let entry = BookEntry { reached: Reached::Address(address.into()), marked: false, home };
        out.push(Out::Book(Delta::Entry { no, entry }));
        no
    }

    /// A client is reached by itself no longer; what is on its way still goes there.
    pub fn leave_session(&mut self, no: EntryNo, out: &mut Vec<Out>) {
        out.push(Out::Book(Delta::Entry { no, entry: BookEntry::default() }));
        self.free.push(no.next());
    }

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

    /// The account's number as a guest.
    pub fn find_guest(&self, jid: &BareJid) -> Option<EntryNo> {
        self.get(jid).and_then(|account| account.guest).map(|(no, _)| no)
    }

    /// A channel with this guest left memory.
    pub fn release_guest(&mut self, jid: &BareJid) {
        self.unhold_guest(jid);
        self.release(jid);
    }

    /// The account ceased to be a guest of a channel in memory.
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

    /// A channel with this participant came into memory.
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

    /// The account became a guest. Returns the resources to query.
    pub fn subscribed_as_guest(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> Vec<FullJid> {
        let no = self.number(jid);
        if self.get(jid).is_some_and(Account::is_unsaved) {
            self.changed(no, out);
        }
        self.unknown(jid)
    }
}
