//! Outbound bytes of each account: what it sent, times its recipients, until the writer has written it.
//!
//! One message to a thousand recipients takes the link as long as a thousand messages to one, and an account may be in
//! many channels. So each account has a bound over all of its channels. If the sum of all accounts is used up, shares
//! decide. The writer reports what it has written as an input.
//!
//! A message that was let through but not decided has an estimate reserved for it. Otherwise a whole batch would be let
//! through by what there was before it. If the message's channel is not in memory, its size is unknown, so it goes alone: the
//! account's next message waits. That is no sign of much being on the way: it is no hit, and nothing else is refused for it.

use super::super::share::{Full, Hit, OwnDomains, Shares};
use super::outbox::Charge;
use jid::BareJid;
use std::collections::{BTreeSet, HashMap};

/// The bound of all accounts, in bounds of one account.
pub(super) const ACCOUNTS: usize = 64;
/// The least number of waiting accounts kept, before those that no longer wait are dropped.
pub(super) const WAITING_KEPT: usize = 1000;
/// What each copy adds to the inbound message, in bytes: addresses, ids, the sender.
pub(super) const COPY_BYTES: usize = 1024;

/// Outbound bytes of all accounts.
#[derive(Debug)]
pub(in crate::engine) struct Freight {
    pub(super) account_max: usize,
    pub(super) shares: Shares<BareJid>,
    pub(super) promised: HashMap<BareJid, Promised>,
    /// Accounts that had no room, and those of them that have room again.
    pub(super) waiting: BTreeSet<BareJid>,
    pub(super) relieved: BTreeSet<BareJid>,
    /// Without a link nobody waits: the writer drops the oldest stanzas beyond its bound.
    pub(super) is_moving: bool,
}

/// What was let through for an account and is not decided yet.
#[derive(Debug, Default)]
pub(super) struct Promised {
    pub(super) count: usize,
    pub(super) bytes: usize,
    /// Whether there is one whose size is unknown.
    pub(super) is_unknown: bool,
}

impl Freight {
    /// `account_max` bytes for each account.
    pub fn new(account_max: usize, own_domains: OwnDomains) -> Freight {
        let all = account_max.saturating_mul(ACCOUNTS);
        let shares = Shares::new("the way out", all, own_domains);
        let (promised, waiting, relieved) = Default::default();
        Freight { account_max, shares, promised, waiting, relieved, is_moving: true }
    }

    /// Whether an account may send another message: there is room, and the size of what was let through is known.
    pub fn may_send(&mut self, account: &BareJid) -> bool {
        let goes_alone = self.promised.get(account).is_some_and(|promised| promised.is_unknown);
        !(goes_alone && self.is_bounded()) && self.has_room(account)
    }

    fn is_bounded(&self) -> bool {
        self.is_moving && self.account_max != usize::MAX
    }

    /// Whether there is room for something of an account. Its outbound bytes may exceed the bound by one message.
    pub fn has_room(&mut self, account: &BareJid) -> bool {
        if !self.is_bounded() {
            return true;
        }
        let promised = self.promised.get(account).map_or(0, |promised| promised.bytes);
        if self.shares.held_by(account).saturating_add(promised) >= self.account_max {
            return false;
        }
        // If all room is used up, the account that holds most waits.
        self.shares.held() < self.shares.max() || !matches!(self.shares.take(account, 1), Err(Full::Own))
    }

    /// Notes that a message had to wait or was refused.
    pub fn note_hit(&mut self, account: &BareJid) {
        self.shares.hit(account.domain().as_str());
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// The link came up or went down.
    pub fn note_link(&mut self, up: bool) {
        self.is_moving = up;
    }

    /// Reserves bytes for a message that is let through. `None` if its size is unknown.
    pub(super) fn promise(&mut self, account: &BareJid, bytes: Option<usize>) {
        let promised = self.promised.entry(account.clone()).or_default();
        promised.count += 1;
        promised.is_unknown |= bytes.is_none();
        promised.bytes = promised.bytes.saturating_add(bytes.unwrap_or(0));
    }

    /// A message is decided, or never will be. The account's reservation ends with its last one.
    pub(super) fn settle(&mut self, account: &BareJid) {
        let Some(promised) = self.promised.get_mut(account) else { return };
        promised.count = promised.count.saturating_sub(1);
        if promised.count == 0 {
            self.promised.remove(account);
            self.call_up(account);
        }
    }

    /// A waiting account may try again.
    pub(super) fn call_up(&mut self, account: &BareJid) {
        if self.waiting.remove(account) {
            self.relieved.insert(account.clone());
        }
    }

    #[cfg(test)]
    pub fn has_promised(&self) -> bool {
        !self.promised.is_empty()
    }

    pub(super) fn load(&mut self, charge: &Charge) {
        self.shares.count(&charge.account, charge.bytes);
    }

    /// The writer has written something, or it will not be sent.
    pub fn unload(&mut self, charge: &Charge) {
        self.shares.give_back(&charge.account, charge.bytes);
        self.call_up(&charge.account);
    }
}
