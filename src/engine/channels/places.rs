//! Which channels accounts have to do with, in the order of names, of which any part is found at once; kept where that is
//! long, since whoever is in thousands of channels may ask for a page of them, or come online, again and again.

use super::domains::{DomainLists, HIDDEN, SHOWN};
use super::lately::Lately;
use super::shelf::ChannelShelf;
pub(in crate::engine) use crate::channel::roll::Marks;
use crate::channel::roll::Roll;
use crate::channel::{ChannelName, Status};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The account is in the channel.
pub(in crate::engine) const IN: Marks = 1;
/// It is in the channel, which nobody finds of whom its domain is all that is known.
pub(in crate::engine) const BESIDES: Marks = 1 << 1;
/// It was added, and did not join yet.
pub(in crate::engine) const WAITS: Marks = 1 << 2;
/// It left, and did not forget it.
pub(in crate::engine) const LEFT: Marks = 1 << 3;
/// What bears one of these is one of its groups.
pub(in crate::engine) const ANY: Marks = IN | WAITS | LEFT;

/// What is shorter is looked up each time.
pub(super) const LONG: usize = 64;
/// Channels that are kept of all accounts together, at most, beside those of the last one.
pub(super) const NAMES_MAX: usize = 200_000;

#[derive(Debug, Default)]
pub(super) struct KeptPlaces {
    pub(super) names: Roll<ChannelName>,
    /// Whether it is marked what its domain does not find.
    pub(super) is_compared: bool,
    /// Accounts are kept longest first.
    pub(super) since: u64,
}

/// See the module.
#[derive(Default)]
pub(in crate::engine) struct Places {
    pub(super) kept: HashMap<BareJid, KeptPlaces>,
    /// The same, kept longest first.
    pub(super) order: BTreeMap<u64, BareJid>,
    /// Those that may be too short to be kept.
    pub(super) short: BTreeSet<BareJid>,
    pub(super) names: usize,
    pub(super) adopted: u64,
}

/// The mark of what an account is to one of its groups.
pub(in crate::engine) fn mark_of(status: Status) -> Marks {
    match status {
        Status::Joined => IN,
        Status::Waiting => WAITS,
        Status::Left => LEFT,
    }
}

/// Whether an account finds a channel of which nothing but its domain is known.
pub(super) fn is_found_by_domain(name: &ChannelName, domain: Option<&DomainLists>, shelf: &ChannelShelf) -> bool {
    let marks = domain.map_or(0, |domain| domain.names.marks(name));
    if shelf.is_unlisted(name) { marks & SHOWN != 0 } else { shelf.exists(name) && marks & HIDDEN == 0 }
}

impl Places {
    /// Whether the channels of an account are known.
    pub fn knows(&self, account: &BareJid) -> bool {
        self.kept.contains_key(account)
    }

    /// Whether they are known for longer than a turn.
    pub fn stays(&self, account: &BareJid) -> bool {
        self.of(account).is_some_and(|names| names.len() >= LONG)
    }

    /// The channels of an account, where they are known.
    pub fn of(&self, account: &BareJid) -> Option<&Roll<ChannelName>> {
        self.kept.get(account).map(|kept| &kept.names)
    }

    /// Takes up what was loaded.
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

    /// What an account is to a channel from here on.
    pub fn note(&mut self, account: &BareJid, name: &ChannelName, marks: Marks) {
        let Some(kept) = self.kept.get_mut(account) else { return };
        let before = kept.names.len();
        kept.names.set(name.clone(), marks);
        self.names = self.names + kept.names.len() - before;
        if kept.names.len() < LONG {
            self.short.insert(account.clone());
        }
    }

    /// A channel ceased to be.
    #[expect(clippy::disallowed_methods, reason = "in any order: each for itself")]
    pub fn strike(&mut self, name: &ChannelName) {
        let of_it = self.kept.iter().filter(|(_, kept)| kept.names.marks(name) != 0);
        let accounts: Vec<BareJid> = of_it.map(|(account, _)| account.clone()).collect();
        accounts.iter().for_each(|account| self.note(account, name, 0));
    }

    /// Marks, once, which of the channels that an account is in are not found by its domain.
    pub fn compare(&mut self, account: &BareJid, domain: Option<&DomainLists>, shelf: &ChannelShelf) {
        let Some(kept) = self.kept.get_mut(account).filter(|kept| !kept.is_compared) else { return };
        // Where nothing is known of the domain, that is to be done again.
        kept.is_compared = domain.is_some();
        let names: Vec<ChannelName> = kept.names.rising(IN, 0).cloned().collect();
        for name in names {
            let besides = if is_found_by_domain(&name, domain, shelf) { 0 } else { BESIDES };
            kept.names.set(name, IN | besides);
        }
    }

    /// Marks anew whether a channel is found by the domains of those who are in it.
    #[expect(clippy::disallowed_methods, reason = "in any order: each for itself")]
    pub(super) fn compare_again(&mut self, name: &ChannelName, is_found: impl Fn(&BareJid) -> bool) {
        for (account, kept) in self.kept.iter_mut().filter(|(_, kept)| kept.is_compared) {
            if kept.names.marks(name) & IN != 0 {
                let besides = if is_found(&BareJid::from_parts(None, account.domain())) { 0 } else { BESIDES };
                kept.names.set(name.clone(), IN | besides);
            }
        }
    }

    /// The turn ends: what is short is looked up again, unless something waits that needs it.
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

    /// Forgets all: what was told of channels may not be so.
    pub fn clear(&mut self) {
        *self = Places { adopted: self.adopted, ..Places::default() };
    }
}
