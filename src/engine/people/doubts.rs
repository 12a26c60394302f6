//! Doubts: addresses from which something bounced, until a query tells whether they exist.
//!
//! A bounce proves little: an account that blocks the channel bounces too, and any server can send one. So a bounce
//! counts only if it names a stanza that was sent. It then causes a query from the service's own address, at most one a
//! minute for each address. If nobody is there, the address is dropped. If somebody is, only the channel is paused
//! there (`accounts/pauses.rs`).

use super::super::fairness::pace::Pace;
use super::super::fairness::pool::{Pool, Put};
use super::super::share::{Hit, OwnDomains};
use crate::channel::Stamp;
use jid::{BareJid, Jid};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most doubted addresses.
pub(super) const DOUBTS_MAX: usize = 10_000;
/// The most channels that wait for one answer.
pub(super) const CHANNELS_MAX: usize = 100;
/// The least time between two queries of an address, in milliseconds.
pub(super) const ASKED_EVERY_MS: u64 = 60_000;
/// Errors that prove that somebody is there: from a client, or from a server that protects one.
pub(super) const OF_SOMEBODY: [&str; 6] =
    ["feature-not-implemented", "not-allowed", "forbidden", "bad-request", "not-acceptable", STRANGER];
/// How many accounts of a host refuse before this is logged, once a day.
pub(super) const REFUSERS_MIN: usize = 10;
/// The most refusing accounts, over all hosts. Of each host at most `REFUSERS_MIN` are counted.
pub(super) const REFUSERS_MAX: usize = 10_000;
pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;
/// The error of modules against strangers: ejabberd's `mod_block_strangers`, Prosody's `mod_anti_spam`.
pub(super) const STRANGER: &str = "policy-violation";

/// Doubted addresses, and accounts that refuse.
#[derive(Debug)]
pub(in crate::engine) struct Doubts {
    /// Doubted addresses, with the tags of the channels that bounced, and whether the account is a guest there. `None`
    /// once the query is answered.
    pub(super) of: HashMap<Jid, Option<BTreeMap<u64, bool>>>,
    /// The same, by time of the query.
    pub(super) room: Pool<BareJid, (Stamp, Jid)>,
    /// Accounts that exist and refuse, and since when. Kept for a day.
    pub(super) refusers: Pool<BareJid, (Stamp, BareJid)>,
    /// The same, by host.
    pub(super) refusers_of: BTreeMap<String, BTreeSet<BareJid>>,
    /// Hosts that were logged.
    pub(super) told: Pace<String>,
}

impl Doubts {
    /// No doubts.
    pub(in crate::engine) fn new(own_domains: OwnDomains) -> Doubts {
        Doubts {
            of: HashMap::new(),
            room: Pool::new("doubted addresses", DOUBTS_MAX, own_domains.clone()),
            refusers: Pool::new("accounts that refuse", REFUSERS_MAX, own_domains),
            refusers_of: BTreeMap::new(),
            told: Pace::within(1, DAY_MS),
        }
    }

    /// Shares that were hit since the last call.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits().chain(self.refusers.hits())
    }

    /// Notes a bounce of a channel from an address. Returns whether to query the address.
    pub(super) fn raise(&mut self, whom: &Jid, (tag, is_guest): (u64, bool), now: Stamp) -> bool {
        self.forget_old(now);
        if let Some(channels) = self.of.get_mut(whom) {
            if let Some(channels) = channels.as_mut().filter(|channels| channels.len() < CHANNELS_MAX) {
                channels.insert(tag, is_guest);
            }
            return false;
        }
        match self.room.put(&whom.to_bare(), (now, whom.clone())) {
            Put::In => {}
            Put::For((_, ousted)) => drop(self.of.remove(&ousted)),
            Put::Refused => return false,
        }
        self.of.insert(whom.clone(), Some(BTreeMap::from([(tag, is_guest)])));
        true
    }

    /// The address answered. Returns the channels that bounced.
    pub(super) fn settle(&mut self, whom: &Jid) -> BTreeMap<u64, bool> {
        self.of.get_mut(whom).and_then(Option::take).unwrap_or_default()
    }

    /// A client spoke in a channel, or changed its presence (`None`: all channels). Earlier bounces no longer count.
    pub(super) fn calm(&mut self, whom: &Jid, tag: Option<u64>) {
        if let Some(Some(channels)) = self.of.get_mut(whom) {
            channels.retain(|channel, _| tag.is_some_and(|tag| tag != *channel));
        }
    }

    pub(super) fn forget_old(&mut self, now: Stamp) {
        let is_old = |asked: Stamp| now.0.saturating_sub(asked.0) >= ASKED_EVERY_MS;
        let oldest =
            |room: &Pool<BareJid, (Stamp, Jid)>| room.iter().next().filter(|(asked, _)| is_old(*asked)).cloned();
        while let Some(old) = oldest(&self.room) {
            self.room.take(&old);
            self.of.remove(&old.1);
        }
    }

    /// Notes an account that refuses. Returns whether to log its host.
    pub(super) fn note_refuser(&mut self, account: &BareJid, now: Stamp) -> bool {
        self.forget_refusers(now);
        let host = account.domain().to_string();
        let known = self.refusers_of.get(&host);
        let is_new = known.is_none_or(|known| known.len() < REFUSERS_MIN && !known.contains(account));
        if is_new {
            match self.refusers.put(account, (now, account.clone())) {
                Put::In => {}
                Put::For((_, ousted)) => self.forget_refuser(&ousted),
                Put::Refused => return false,
            }
            self.refusers_of.entry(host.clone()).or_default().insert(account.clone());
        }
        let count = self.refusers_of.get(&host).map_or(0, BTreeSet::len);
        count >= REFUSERS_MIN && self.told.take(&host, now.0).is_ok()
    }

    pub(super) fn forget_refusers(&mut self, now: Stamp) {
        let is_old = |(since, _): &&(Stamp, BareJid)| now.0.saturating_sub(since.0) >= DAY_MS;
        let oldest = |all: &Pool<BareJid, (Stamp, BareJid)>| all.iter().next().filter(is_old).cloned();
        while let Some(old) = oldest(&self.refusers) {
            self.refusers.take(&old);
            self.forget_refuser(&old.1);
        }
    }

    pub(super) fn forget_refuser(&mut self, account: &BareJid) {
        let host = account.domain().as_str();
        let Some(known) = self.refusers_of.get_mut(host) else { return };
        known.remove(account);
        if known.is_empty() {
            self.refusers_of.remove(host);
        }
    }
}
