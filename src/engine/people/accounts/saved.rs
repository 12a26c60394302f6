//! Where accounts are reached, as kept in the store.

use super::super::super::share::OwnDomains;
use super::super::hosts::Hosts;
use super::*;
use crate::store::{Record, Whereabouts};
use jid::BareJid;
use pauses::Pauses;

impl Accounts {
    /// Starts with the stored records. An account enters the address book only when something is sent to it: most are
    /// in channels that are not in use.
    pub fn restore(saved: Vec<(BareJid, Whereabouts)>, hosts: Hosts, own_domains: OwnDomains) -> Accounts {
        let mut accounts = Accounts { hosts, pauses: Pauses::new(own_domains), ..Accounts::default() };
        for (jid, whereabouts) in saved {
            let no = accounts.number(&jid);
            if let Some(account) = accounts.accounts[no.place()].as_mut() {
                account.bare = accounts.hosts.takes_bare(jid.domain().as_str(), whereabouts.bare);
                account.member = Some(true);
                account.saved = true;
                account.resources = whereabouts.resources.into_iter().map(|name| (name, Takes::Yes)).collect();
            }
        }
        accounts
    }

    /// Appends the changed records of accounts in channels. Nothing is stored of others.
    pub fn save(&mut self, records: &mut Vec<Record>) {
        for no in std::mem::take(&mut self.dirty) {
            let Some(account) = self.accounts[no.place()].as_mut().filter(|account| account.dirty) else { continue };
            account.dirty = false;
            let was_saved = std::mem::take(&mut account.saved);
            // The account left a channel and may be in another, so its record stays as it is.
            let member = account.member.unwrap_or(was_saved);
            let reached = account.resources.iter().filter(|(_, takes)| **takes == Takes::Yes);
            let resources: Vec<String> = reached.map(|(name, _)| name.clone()).collect();
            account.saved = member && (account.bare || !resources.is_empty());
            if !account.saved && !was_saved {
                continue;
            }
            let known = account.saved.then_some(Whereabouts { bare: account.bare, resources });
            let jid = account.jid.clone();
            records.push(Record::Whereabouts { account: jid.clone(), known });
            if !member {
                self.forget_idle(&jid);
            }
        }
    }

    /// Stores an account again, because its last record was not committed.
    pub fn mark_dirty(&mut self, jid: &BareJid) {
        // The account may be forgotten by now, and its record must be removed.
        let no = self.number(jid);
        if let Some(account) = self.accounts[no.place()].as_mut() {
            account.dirty = true;
            account.saved = true;
            self.dirty.push(no);
        }
    }
}
