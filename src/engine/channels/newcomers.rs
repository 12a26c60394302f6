//! Accounts that others put into groups and that never did anything: whether there is anybody behind them.
//!
//! A bounce alone says little: whoever blocks a channel bounces likewise. So it raises a question from the service's own
//! address. An account that is refused there is marked; after a week, asked once more, it is ended: those whose week is over
//! are gone through in a circle, some each tick (`chores.rs`). A host server that has our module says at once that there is
//! no such account.

use super::super::share::{Hit, OwnDomains, Shares};
use crate::channel::{Newcomer, Stamp};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Accounts that are followed.
pub(super) const NEWCOMERS_MAX: usize = 100_000;
/// How long one stays that is not reached, in milliseconds.
pub(super) const PATIENCE_MS: u64 = 7 * 24 * 3600 * 1000;
/// How often one is asked at most, in milliseconds.
pub(super) const ASKED_EVERY_MS: u64 = 3600 * 1000;
/// The errors by which a server tells that there is no such account, among other things.
pub(super) const NOBODY: [&str; 3] = ["item-not-found", "gone", "service-unavailable"];

/// See the module.
#[derive(Debug)]
pub(in crate::engine) struct Newcomers {
    pub(super) of: BTreeMap<BareJid, Newcomer>,
    /// Those who are not reached, by since when.
    pub(super) unreachable: BTreeSet<(Stamp, BareJid)>,
    pub(super) shares: Shares<BareJid>,
    /// When those who were asked were asked last.
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

    /// Who hit a share since this was asked last.
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

    /// Some of those who are not reached since a time or longer, behind one of them, in order.
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
