//! XEP-0356 §7: presence that a host server sends for all channels of an account, and how it reaches them.

use super::{ENTRY_BYTES, Online, RESOURCES_MAX};
use crate::channel::ChannelName;
use crate::engine::fairness::pool::Put;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;

impl Online {
    /// Sets the broadcast presence of a resource. Returns whether it changed. Accounts in no channel may take half of
    /// the room.
    pub fn broadcast(&mut self, full: &FullJid, says: Availability, is_member: bool) -> bool {
        let (account, resource) = (full.to_bare(), full.resource().as_str());
        let resources = self.broadcast.get(&account);
        let past = resources.and_then(|resources| resources.get(resource));
        let is_full = resources.is_some_and(|resources| resources.len() >= RESOURCES_MAX)
            || (!is_member && self.room.held() >= self.room.max() / 2);
        if past == Some(&says) || (past.is_none() && is_full) {
            return false;
        }
        let cost = |says: &Availability| ENTRY_BYTES + says.bytes();
        let grows = cost(&says).saturating_sub(past.map_or(0, cost));
        if !self.find_room(&account, grows) {
            return false;
        }
        self.room.count(&account, cost(&says));
        let past = self.broadcast.entry(account.clone()).or_default().insert(resource.to_owned(), says);
        self.room.give_back(&account, past.as_ref().map_or(0, cost));
        true
    }

    /// Removes the broadcast presence of a resource.
    pub fn end_broadcast(&mut self, full: &FullJid) {
        let account = full.to_bare();
        let Some(resources) = self.broadcast.get_mut(&account) else { return };
        let past = resources.remove(full.resource().as_str());
        let is_over = resources.is_empty();
        self.room.give_back(&account, past.map_or(0, |says| ENTRY_BYTES + says.bytes()));
        if is_over {
            self.broadcast.remove(&account);
        }
    }

    /// The broadcast presence of an account's resources.
    pub fn broadcasts_of(&self, account: &BareJid) -> Vec<(FullJid, Availability)> {
        let resources = self.broadcast.get(account).into_iter().flatten();
        let known = resources.filter_map(|(name, says)| Some((account.with_resource_str(name).ok()?, says.clone())));
        known.collect()
    }

    /// Queues an account whose broadcast presence has to reach its channels.
    pub fn spread(&mut self, account: &BareJid) {
        if self.broadcast.contains_key(account) {
            self.brought.remove(account);
            if let Put::For((_, other)) = self.due.put(account, self.lot.place(account)) {
                self.brought.remove(&other);
            }
        }
    }

    /// The same for all accounts of a domain.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn spread_all(&mut self, domain: &str) {
        let of_domain = self.broadcast.keys().filter(|account| account.domain().as_str() == domain);
        // Without room for all, the lot decides.
        let accounts: BTreeSet<(u64, BareJid)> = of_domain.map(|account| self.lot.place(account)).collect();
        accounts.iter().for_each(|(_, account)| self.spread(account));
    }

    /// Some of the queued accounts.
    pub fn due(&self) -> impl Iterator<Item = &BareJid> {
        self.due.iter().take(64).map(|(_, account)| account)
    }

    /// The last channel that an account's broadcast presence reached.
    pub fn spread_up_to(&self, account: &BareJid) -> Option<&ChannelName> {
        self.brought.get(account)
    }

    /// Notes the last channel reached. `None`: all.
    pub fn note_spread(&mut self, account: &BareJid, up_to: Option<&ChannelName>) {
        match up_to {
            Some(name) => drop(self.brought.insert(account.clone(), name.clone())),
            None => {
                self.brought.remove(account);
                self.due.take(&self.lot.place(account));
            }
        }
    }

    /// The account's broadcast presence has to reach this channel once it is in memory.
    pub fn bring_later(&mut self, tag: u64, name: &ChannelName, account: &BareJid) {
        self.coming.put(account, tag, (self.lot.place(account), name.clone()));
    }

    /// Takes up to `count` accounts whose presence has to reach this channel.
    pub fn next_coming(&mut self, tag: u64, count: usize) -> Vec<BareJid> {
        let coming: Vec<_> = self.coming.of(tag).take(count).cloned().collect();
        for thing in &coming {
            self.coming.take(tag, thing);
        }
        coming.into_iter().map(|((_, account), _)| account).collect()
    }
}
