//! Accounts that others added to groups and that never acted: they may not exist.
//!
//! A bounce proves little, because an account that blocks the channel bounces too. So a bounce leads to a ping from the
//! service's own address. If that fails, the account is marked as unreachable. After a week it is pinged again, and
//! ended if that fails too; a chore goes through those accounts in a circle (`chores.rs`). A host server with our
//! module reports a missing account at once.

use super::super::share::{Hit, OwnDomains, Shares};
use crate::channel::{Newcomer, Stamp};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The most accounts followed.
pub(super) const NEWCOMERS_MAX: usize = 100_000;
/// How long an account may stay unreachable, in milliseconds.
pub(super) const PATIENCE_MS: u64 = 7 * 24 * 3600 * 1000;
/// The least time between two pings of an account, in milliseconds.
pub(super) const ASKED_EVERY_MS: u64 = 3600 * 1000;
/// Error conditions for a missing account. They may have other causes.
pub(super) const NOBODY: [&str; 3] = ["item-not-found", "gone", "service-unavailable"];

/// The followed accounts.
#[derive(Debug)]
pub(in crate::engine) struct Newcomers {
    pub(super) of: BTreeMap<BareJid, Newcomer>,
    /// Unreachable accounts, by since when.
    pub(super) unreachable: BTreeSet<(Stamp, BareJid)>,
    pub(super) shares: Shares<BareJid>,
    /// When accounts were last pinged.
    pub(super) asked: BTreeMap<BareJid, Stamp>,
}

impl Newcomers {
    pub(in crate::engine) fn restore(saved: Vec<(BareJid, Newcomer)>, own_domains: OwnDomains) -> Newcomers {
        let mut newcomers = Newcomers {
            of: BTreeMap::new(),
            unreachable: BTreeSet::new(),
            shares: Shares::new("newcomers", NEWCOMERS_MAX, own_domains),
            asked: BTreeMap::new(),
        };
        for (account, newcomer) in saved {
            newcomers.set(&account, Some(newcomer));
        }
        newcomers
    }

    /// Shares that were hit since the last call.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    pub(in crate::engine) fn all(&self) -> &BTreeMap<BareJid, Newcomer> {
        &self.of
    }

    pub(super) fn set(&mut self, account: &BareJid, newcomer: Option<Newcomer>) -> Option<Newcomer> {
        let past = match newcomer {
            Some(newcomer) => self.of.insert(account.clone(), newcomer),
            None => {
                self.asked.remove(account);
                self.of.remove(account)
            }
        };
        let since = |newcomer: Option<Newcomer>| Some((newcomer?.unreachable_since?, account.clone()));
        if let Some(past) = since(past) {
            self.unreachable.remove(&past);
        }
        self.unreachable.extend(since(newcomer));
        match (past, newcomer) {
            (None, Some(_)) => self.shares.count(account, 1),
            (Some(_), None) => self.shares.give_back(account, 1),
            _ => {}
        }
        past
    }

    /// Some accounts unreachable since `since` or longer, after `behind`, in order.
    pub(super) fn unreachable_since(
        &self,
        since: Stamp,
        behind: Option<&(Stamp, BareJid)>,
        count: usize,
    ) -> Vec<(Stamp, BareJid)> {
        let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
        let late = self.unreachable.range((from, Bound::Unbounded)).take_while(|(at, _)| *at <= since);
        late.take(count).cloned().collect()
    }
}
