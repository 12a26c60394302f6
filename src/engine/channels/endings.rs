//! Ends removed accounts in every channel, one channel after the other, over ticks.
//!
//! First the store is searched for everything that may name the account, a part each tick, for all waiting accounts at
//! once. Then its channels are gone through. The end is complete once the index of accounts lists nothing. An end is
//! stored before anybody is notified, and continues after a restart.

use super::super::fairness::lot::Lot;
use crate::channel::{ChannelName, Ending};
use crate::chore::{Budget, Chore};
use crate::store::Trace;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// The most accounts at once, and the most channels of each (`WALK`).
pub(super) const WALKING: Budget = Budget { things: 16, cost: usize::MAX };
pub(super) const WALK: Budget = Budget { things: 8, cost: usize::MAX };
/// Store entries searched each tick.
pub(super) const TRACING: Budget = Budget { things: 512, cost: usize::MAX };
/// The most accounts being ended.
pub(super) const ENDINGS_MAX: usize = 100_000;

/// The most names of which it is known how many accounts have ended. The service's own domains alone have the second half.
pub(super) const ENDED_MAX: usize = 4_000_000;

/// All accounts being ended.
#[derive(Debug)]
pub(in crate::engine) struct Endings {
    pub(super) all: BTreeMap<BareJid, Ending>,
    /// Accounts that wait for the next search.
    pub(super) waiting: BTreeSet<BareJid>,
    pub(super) search: Option<Search>,
    /// What the search found, for this turn.
    pub(super) traced: Option<Trace>,
    /// Accounts whose channels are gone through, in random order (lot), because this is the order of notifications.
    pub(super) walks: BTreeMap<(u64, BareJid), EndingWalk>,
    pub(super) walking: Chore<(u64, BareJid)>,
    pub(super) lot: Lot,
}

/// A search of the store for places of accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceWish {
    /// The accounts.
    pub accounts: BTreeSet<BareJid>,
    /// Where the previous part ended.
    pub from: Vec<u8>,
    /// The most entries to read.
    pub max: usize,
}

#[derive(Debug)]
pub(super) struct Search {
    pub(super) accounts: BTreeSet<BareJid>,
    /// Its way through the store's keys, a part each tick.
    pub(super) chore: Chore<Vec<u8>>,
    pub(super) found: BTreeMap<BareJid, BTreeSet<ChannelName>>,
}

/// The way of one account through its channels.
#[derive(Debug)]
pub(super) struct EndingWalk {
    pub(super) chore: Chore<ChannelName>,
    /// The channels left.
    pub(super) channels: BTreeSet<ChannelName>,
    /// Whether a channel could not be read. The next start tries again.
    pub(super) is_torn: bool,
}

impl Default for Endings {
    fn default() -> Endings {
        Endings {
            all: BTreeMap::new(),
            waiting: BTreeSet::new(),
            search: None,
            traced: None,
            walks: BTreeMap::new(),
            walking: Chore::queue(WALKING),
            lot: Lot::default(),
        }
    }
}

impl Endings {
    /// Continues the stored endings.
    pub(in crate::engine) fn restore(endings: Vec<(BareJid, Ending)>, lot: Lot) -> Endings {
        let all: BTreeMap<BareJid, Ending> = endings.into_iter().collect();
        let waiting = all.iter().filter(|(_, ending)| !ending.is_out).map(|(account, _)| account.clone()).collect();
        Endings { all, waiting, lot, ..Endings::default() }
    }

    /// Whether an account is being ended.
    pub(in crate::engine) fn holds(&self, account: &BareJid) -> bool {
        self.all.contains_key(account)
    }

    /// How many accounts are being ended.
    pub(in crate::engine) fn count(&self) -> usize {
        self.all.len()
    }

    /// Sets an account's ending, and queues it for the search if it is not out yet. Returns the previous one.
    pub(super) fn set(&mut self, account: &BareJid, ending: Option<Ending>) -> Option<Ending> {
        self.stop_walk(account);
        match ending {
            Some(ending) if !ending.is_out => drop(self.waiting.insert(account.clone())),
            _ => drop(self.waiting.remove(account)),
        }
        match ending {
            Some(ending) => self.all.insert(account.clone(), ending),
            None => self.all.remove(account),
        }
    }

    pub(super) fn stop_walk(&mut self, account: &BareJid) {
        let place = self.lot.place(account);
        self.walks.remove(&place);
        self.walking.done(&place);
    }

    /// Accounts whose channels are gone through now.
    pub(super) fn open_walks(&self) -> Vec<(u64, BareJid)> {
        self.walking.open().cloned().collect()
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= ENDINGS_MAX
    }
}
