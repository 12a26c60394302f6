//! What accounts have on the way out: what they sent, with all its copies, until the writer is through with it.
//!
//! Who sends one message to a thousand people has the line busy for as long as somebody who sends a thousand messages to one,
//! and whoever is in many channels could fill it through each of them. So an account has a bound over all of them, in
//! recipients times bytes, and where all have much the shares decide. What the writer is through with comes back as an input.
//!
//! What was let through and is not decided yet is promised room, by what it will roughly come to: else all of a batch would
//! be let through by what there was before it. How many people a channel has that is not in memory nobody knows, so its
//! message is promised all of the bound, and goes alone.

use super::super::share::{Full, Hit, OwnDomains, Shares};
use super::outbox::Charge;
use jid::BareJid;
use std::collections::{BTreeSet, HashMap};

/// How many accounts' bounds are the bound of all.
pub(super) const ACCOUNTS: usize = 64;
/// How many who wait no longer are kept at least.
pub(super) const WAITING_KEPT: usize = 1000;
/// What a copy has beside what came: addresses, ids, who said it. In bytes.
pub(super) const COPY_BYTES: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(in crate::engine) struct Freight {
    pub(super) account_max: usize,
    pub(super) shares: Shares<BareJid>,
    pub(super) promised: HashMap<BareJid, Promised>,
    /// Those who had no room, and those of them who have more than they had then.
    pub(super) waiting: BTreeSet<BareJid>,
    pub(super) relieved: BTreeSet<BareJid>,
    /// Without a link nothing moves, and nobody is before anybody else: the writer lets the oldest go where it gets too much.
    pub(super) is_moving: bool,
}

/// How much of an account was let through and is not decided yet.
#[derive(Debug, Default)]
pub(super) struct Promised {
    pub(super) count: usize,
    pub(super) bytes: usize,
}

impl Freight {
    /// So many bytes for each account.
    pub fn new(account_max: usize, own_domains: OwnDomains) -> Freight {
        let all = account_max.saturating_mul(ACCOUNTS);
        let shares = Shares::new("the way out", all, own_domains);
        let (promised, waiting, relieved) = Default::default();
        Freight { account_max, shares, promised, waiting, relieved, is_moving: true }
    }

    /// Whether somebody may send something more. What is under way already may be one message beyond the bound.
    pub fn may_send(&mut self, account: &BareJid) -> bool {
        if !self.is_moving || self.account_max == usize::MAX {
            return true;
        }
        let promised = self.promised.get(account).map_or(0, |promised| promised.bytes);
        if self.shares.held_by(account).saturating_add(promised) >= self.account_max {
            return false;
        }
        // Where all of it is used up, who has most of it waits.
        self.shares.held() < self.shares.max() || !matches!(self.shares.take(account, 1), Err(Full::Own))
    }

    /// Something had to wait, or was refused, for the sake of others.
    pub fn note_hit(&mut self, account: &BareJid) {
        self.shares.hit(account.domain().as_str());
    }

    /// Whose share had no room since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// The link came up, or went down.
    pub fn note_link(&mut self, up: bool) {
        self.is_moving = up;
    }

    /// Something is let through; `None` where it is not known what it will come to.
    pub(super) fn promise(&mut self, account: &BareJid, bytes: Option<usize>) {
        let promised = self.promised.entry(account.clone()).or_default();
        promised.count += 1;
        promised.bytes = promised.bytes.saturating_add(bytes.unwrap_or(self.account_max));
    }

    /// It is decided, or will not be. What all of an account's were promised is free when there are none any more.
    pub(super) fn settle(&mut self, account: &BareJid) {
        let Some(promised) = self.promised.get_mut(account) else { return };
        promised.count = promised.count.saturating_sub(1);
        if promised.count == 0 {
            self.promised.remove(account);
            self.call_up(account);
        }
    }

    /// Whoever waits may look again.
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

    /// The writer is through with something, or it is not sent after all.
    pub fn unload(&mut self, charge: &Charge) {
        self.shares.give_back(&charge.account, charge.bytes);
        self.call_up(&charge.account);
    }
}
