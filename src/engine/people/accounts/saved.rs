//! What of accounts is kept in the store: where they are reached.

use super::super::super::share::OwnDomains;
use super::super::hosts::Hosts;
use super::*;
use crate::store::{Record, Whereabouts};
use jid::BareJid;
use pauses::Pauses;

impl Accounts {
    /// What was saved. The address book learns of an account when there is something to send to it: most of those that
    /// a service knows are in channels that nobody uses at the moment.
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

    /// Appends what changed of the whereabouts of accounts that are in channels; of others, nothing is kept.
    pub fn save(&mut self, records: &mut Vec<Record>) {
        for no in std::mem::take(&mut self.dirty) {
            let Some(account) = self.accounts[no.place()].as_mut().filter(|account| account.dirty) else { continue };
            account.dirty = false;
            let was_saved = std::mem::take(&mut account.saved);
            // Of one that left a channel and may be in another one, what was saved stays saved.
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

    /// Has an account saved again, since its last saving failed.
    pub fn mark_dirty(&mut self, jid: &BareJid) {
        // It may be forgotten here by this time, and must be forgotten in the store too.
        let no = self.number(jid);
        if let Some(account) = self.accounts[no.place()].as_mut() {
            account.dirty = true;
            account.saved = true;
            self.dirty.push(no);
        }
    }
}
