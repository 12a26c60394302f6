//! Accounts that are no more are ended in every channel: one channel after the other, over ticks.
//!
//! First everything of the store is looked for that may name the account, a part a tick and for all accounts that wait
//! at once. Then its channels are gone through. It is over once the index of accounts, which is quick to ask, knows of
//! nothing any more. That an account is being ended is stored before anybody is told, and a start goes on with it.

use super::super::fairness::lot::Lot;
use crate::channel::{ChannelName, Ending};
use crate::chore::{Budget, Chore};
use crate::store::Trace;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// Accounts whose channels are gone through at once, and how many of each.
pub(super) const WALKING: Budget = Budget { things: 16, cost: usize::MAX };
pub(super) const WALK: Budget = Budget { things: 8, cost: usize::MAX };
/// Entries of the store that one tick looks at.
pub(super) const TRACING: Budget = Budget { things: 512, cost: usize::MAX };
/// Accounts that may be under way.
pub(super) const ENDINGS_MAX: usize = 100_000;

/// See the module.
#[derive(Debug)]
pub(in crate::engine) struct Endings {
    pub(super) all: BTreeMap<BareJid, Ending>,
    /// Those whose places are to be looked for.
    pub(super) waiting: BTreeSet<BareJid>,
    pub(super) search: Option<Search>,
    /// What the store answered the search for this turn.
    pub(super) traced: Option<Trace>,
    /// Those whose channels are gone through, in the order of a lot: whoever is ended is told of in that order.
    pub(super) walks: BTreeMap<(u64, BareJid), EndingWalk>,
    pub(super) walking: Chore<(u64, BareJid)>,
    pub(super) lot: Lot,
}

/// What is asked of the store: where these accounts have a place.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceWish {
    /// The accounts.
    pub accounts: BTreeSet<BareJid>,
    /// Where the part before ended.
    pub from: Vec<u8>,
    /// How many entries to look at.
    pub max: usize,
}

#[derive(Debug)]
pub(super) struct Search {
    pub(super) accounts: BTreeSet<BareJid>,
    /// Through the keys of the store, a part a tick.
    pub(super) chore: Chore<Vec<u8>>,
    pub(super) found: BTreeMap<BareJid, BTreeSet<ChannelName>>,
}

/// An account on its way out.
#[derive(Debug)]
pub(super) struct EndingWalk {
    pub(super) chore: Chore<ChannelName>,
    /// Those that are left.
    pub(super) channels: BTreeSet<ChannelName>,
    /// Whether a channel could not be read: the next start tries again.
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
    /// Those that an earlier process did not come to the end of.
    pub(in crate::engine) fn restore(endings: Vec<(BareJid, Ending)>, lot: Lot) -> Endings {
        let all: BTreeMap<BareJid, Ending> = endings.into_iter().collect();
        let waiting = all.iter().filter(|(_, ending)| !ending.is_out).map(|(account, _)| account.clone()).collect();
        Endings { all, waiting, lot, ..Endings::default() }
    }

    /// Whether an account is being ended.
    pub(in crate::engine) fn holds(&self, account: &BareJid) -> bool {
        self.all.contains_key(account)
    }

    /// How many are under way.
    pub(in crate::engine) fn count(&self) -> usize {
        self.all.len()
    }

    /// Notes how an account stands, and has it looked for anew where it is still to go; what it was before.
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

    /// Those whose channels are gone through.
    pub(super) fn open_walks(&self) -> Vec<(u64, BareJid)> {
        self.walking.open().cloned().collect()
    }

    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= ENDINGS_MAX
    }
}
