//! The channels of accounts, by name. Any page is found in few steps. Kept in memory if long, because an account in
//! thousands of channels may ask for page after page, or come online again and again.

use super::domains::{DomainLists, HIDDEN, SHOWN};
use super::lately::Lately;
use super::shelf::ChannelShelf;
pub(in crate::engine) use crate::channel::roll::Marks;
use crate::channel::roll::Roll;
use crate::channel::{ChannelName, Status};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The account is a participant or a guest.
pub(in crate::engine) const IN: Marks = 1;
/// It is in the channel, and its domain alone would not find the channel.
pub(in crate::engine) const BESIDES: Marks = 1 << 1;
/// It was invited, and has not joined.
pub(in crate::engine) const WAITS: Marks = 1 << 2;
/// It left, and still lists the group.
pub(in crate::engine) const LEFT: Marks = 1 << 3;
/// Any of these marks: it is one of the account's groups.
pub(in crate::engine) const ANY: Marks = IN | WAITS | LEFT;

/// Shorter lists are read again each time.
pub(super) const LONG: usize = 64;
/// The most channels kept for all accounts together. The newest account is kept in any case.
pub(super) const NAMES_MAX: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct KeptPlaces {
    pub(super) names: Roll<ChannelName>,
    /// Whether `BESIDES` is marked.
    pub(super) is_compared: bool,
    /// The order in which accounts were adopted.
    pub(super) since: u64,
}

/// The kept channels of accounts.
#[derive(Default)]
pub(in crate::engine) struct Places {
    pub(super) kept: HashMap<BareJid, KeptPlaces>,
    /// Kept accounts, oldest first.
    pub(super) order: BTreeMap<u64, BareJid>,
    /// Accounts whose list may be too short to keep.
    pub(super) short: BTreeSet<BareJid>,
    pub(super) names: usize,
    pub(super) adopted: u64,
}

/// The mark for a status.
pub(in crate::engine) fn mark_of(status: Status) -> Marks {
    match status {
        Status::Joined => IN,
        Status::Waiting => WAITS,
        Status::Left => LEFT,
    }
}

/// Whether an account finds a channel by its domain alone.
pub(super) fn is_found_by_domain(name: &ChannelName, domain: Option<&DomainLists>, shelf: &ChannelShelf) -> bool {
    let marks = domain.map_or(0, |domain| domain.names.marks(name));
    if shelf.is_unlisted(name) { marks & SHOWN != 0 } else { shelf.exists(name) && marks & HIDDEN == 0 }
}

impl Places {
    /// Whether the channels of an account are known.
    pub fn knows(&self, account: &BareJid) -> bool {
        self.kept.contains_key(account)
    }

    /// Whether they are kept beyond a turn.
    pub fn stays(&self, account: &BareJid) -> bool {
        self.of(account).is_some_and(|names| names.len() >= LONG)
    }

    /// The channels of an account, if known.
    pub fn of(&self, account: &BareJid) -> Option<&Roll<ChannelName>> {
        self.kept.get(account).map(|kept| &kept.names)
    }

    /// Adopts what was loaded.
    pub fn adopt(&mut self, account: BareJid, names: impl IntoIterator<Item = (ChannelName, Marks)>) {
        self.forget(&account);
        let mut kept = KeptPlaces { since: self.adopted, ..KeptPlaces::default() };
        names.into_iter().for_each(|(name, marks)| kept.names.set(name, marks));
        self.adopted += 1;
        self.names += kept.names.len();
        self.order.insert(kept.since, account.clone());
        self.short.insert(account.clone());
        self.kept.insert(account, kept);
    }

    pub(super) fn forget(&mut self, account: &BareJid) {
        if let Some(past) = self.kept.remove(account) {
            self.names -= past.names.len();
            self.order.remove(&past.since);
        }
    }

    /// Sets how an account stands to a channel.
    pub fn note(&mut self, account: &BareJid, name: &ChannelName, marks: Marks) {
        let Some(kept) = self.kept.get_mut(account) else { return };
        let before = kept.names.len();
        kept.names.set(name.clone(), marks);
        self.names = self.names + kept.names.len() - before;
        if kept.names.len() < LONG {
            self.short.insert(account.clone());
        }
    }

    /// Removes a destroyed channel.
    #[expect(clippy::disallowed_methods, reason = "in any order: each for itself")]
    pub fn strike(&mut self, name: &ChannelName) {
        let of_it = self.kept.iter().filter(|(_, kept)| kept.names.marks(name) != 0);
        let accounts: Vec<BareJid> = of_it.map(|(account, _)| account.clone()).collect();
        accounts.iter().for_each(|account| self.note(account, name, 0));
    }

    /// Marks, once, the account's channels that its domain does not find.
    pub fn compare(&mut self, account: &BareJid, domain: Option<&DomainLists>, shelf: &ChannelShelf) {
        let Some(kept) = self.kept.get_mut(account).filter(|kept| !kept.is_compared) else { return };
        // If nothing is known of the domain, this is done again.
        kept.is_compared = domain.is_some();
        let names: Vec<ChannelName> = kept.names.rising(IN, 0).cloned().collect();
        for name in names {
            let besides = if is_found_by_domain(&name, domain, shelf) { 0 } else { BESIDES };
            kept.names.set(name, IN | besides);
        }
    }

    /// Marks again whether a channel is found by the domains of its people.
    #[expect(clippy::disallowed_methods, reason = "in any order: each for itself")]
    pub(super) fn compare_again(&mut self, name: &ChannelName, is_found: impl Fn(&BareJid) -> bool) {
        for (account, kept) in self.kept.iter_mut().filter(|(_, kept)| kept.is_compared) {
            if kept.names.marks(name) & IN != 0 {
                let besides = if is_found(&BareJid::from_parts(None, account.domain())) { 0 } else { BESIDES };
                kept.names.set(name.clone(), IN | besides);
            }
        }
    }

    /// At the end of a turn: drops short lists, unless a parked item needs one, and the oldest beyond the bound.
    pub fn settle(&mut self, lately: &Lately) {
        for account in std::mem::take(&mut self.short) {
            if self.of(&account).is_none_or(|names| names.len() >= LONG) {
                continue;
            }
            match lately.is_held(&account) {
                true => drop(self.short.insert(account)),
                false => self.forget(&account),
            }
        }
        while self.names > NAMES_MAX && self.order.len() > 1 {
            let Some((_, account)) = self.order.pop_first() else { return };
            self.forget(&account);
        }
    }

    /// Forgets everything, because it may be outdated.
    pub fn clear(&mut self) {
        *self = Places { adopted: self.adopted, ..Places::default() };
    }
}
