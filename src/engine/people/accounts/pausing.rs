//! Begins and ends pauses, and updates the address book.

use super::pauses::Paused;
use super::{Accounts, Takes};
use crate::channel::Stamp;
use crate::engine::outgoing::outbox::Out;
use crate::engine::share::Hit;
use jid::{BareJid, FullJid, Jid};
use std::collections::BTreeSet;

impl Accounts {
    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.pauses.room.hits()
    }

    /// Whether an account is reached at its bare JID.
    pub fn is_at_bare(&self, jid: &BareJid) -> bool {
        self.get(jid).is_some_and(|account| account.bare)
    }

    /// Whether it is known where an account is reached.
    pub fn is_anywhere(&self, jid: &BareJid) -> bool {
        self.get(jid).is_some_and(|account| account.bare || account.resources.values().any(|it| *it == Takes::Yes))
    }

    /// Pauses channels (tag, whether the account is a guest there) for an address that bounced their stanzas and
    /// exists. A guest is reached at its resources only.
    pub fn pause(
        &mut self,
        whom: &Jid,
        channels: impl IntoIterator<Item = (u64, bool)>,
        now: Stamp,
        out: &mut Vec<Out>,
    ) {
        let (account, mut changed) = (whom.to_bare(), BTreeSet::new());
        for channel in channels {
            changed.extend(self.pause_one(whom, channel, now, out).into_iter().flatten());
        }
        if changed.remove(&account) {
            self.tell_of_pause(&account, out);
        }
        changed.iter().for_each(|loser| self.tell_of_pause(loser, out));
    }

    /// Pauses one channel. Returns the accounts whose pauses changed.
    fn pause_one(
        &mut self,
        whom: &Jid,
        (tag, is_guest): (u64, bool),
        now: Stamp,
        out: &mut Vec<Out>,
    ) -> [Option<BareJid>; 2] {
        let (account, resource) = (whom.to_bare(), whom.resource().map(|resource| resource.as_str()));
        // A home server may deliver a message for the bare JID to one client. Its bounce then has that client's JID,
        // and counts for the account: blocking is per account (XEP-0191).
        let is_moved = self.is_moved(&account, tag);
        let own = resource.filter(|_| is_guest || is_moved || !self.is_at_bare(&account));
        let paused = self.pauses.begin(&account, own, tag, now);
        if let (Paused::For(_), None, Some(client)) = (&paused, own, resource) {
            self.pauses.note_mover(&account, client, tag);
        }
        match paused {
            Paused::Not => [None, None],
            Paused::Everywhere => {
                self.bounced_at_bare(&account, out);
                [None, None]
            }
            Paused::For(loser) => [Some(account), loser],
        }
    }

    /// A resource speaks in the channel, or the home server joins its account (`None`).
    pub fn resume(&mut self, account: &BareJid, resource: Option<&str>, tag: u64, out: &mut Vec<Out>) {
        if self.pauses.end(account, resource, tag) {
            self.tell_of_pause(account, out);
        }
    }

    /// A resource sent presence, or is gone.
    pub fn resume_all(&mut self, full: &FullJid, is_gone: bool, out: &mut Vec<Out>) {
        let (account, resource) = (full.to_bare(), full.resource().as_str());
        if self.pauses.end_all(&account, resource, is_gone) {
            self.tell_of_pause(&account, out);
        }
    }

    /// Ends pauses that have lasted a day.
    pub fn end_pauses(&mut self, now: Stamp, out: &mut Vec<Out>) {
        let ended: BTreeSet<BareJid> = self.pauses.expire(now).into_iter().collect();
        ended.iter().for_each(|account| self.tell_of_pause(account, out));
    }

    pub(super) fn tell_of_pause(&mut self, account: &BareJid, out: &mut Vec<Out>) {
        if let Some(no) = self.find(account).filter(|_| self.get(account).is_some_and(|it| it.told)) {
            self.tell_book(no, out);
        }
    }
}
