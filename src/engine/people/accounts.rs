//! Where accounts are reached: at their home server (the bare JID), or at resources that take MIX traffic.
//!
//! Kept once for each account, however many channels it is in. Presence is volatile. Resources are stored lazily, and
//! tried again after a restart at the cost of a bounce.

mod guests;
mod known;
mod pauses;
mod pausing;
mod saved;
mod seated;
mod sitting;
mod telling;

use super::super::outgoing::outbox::{EntryNo, Out};
use super::hosts::{Hosts, Pam};
use super::pending::Announced;
use jid::{BareJid, FullJid};
pub use known::KnownClient;
use pauses::{Pauses, RESOURCES_MAX};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most accounts of one turn whose membership is read.
const UNSETTLED: usize = 24;
/// The most accounts, without those in channels, whose presence is followed.
const ACCOUNTS_MAX: usize = 2_000_000;

/// Whether a resource takes MIX traffic.
#[derive(Clone, Debug, PartialEq)]
enum Takes {
    Yes,
    No,
    Unknown(Option<Announced>),
    Asked,
}

#[derive(Debug)]
struct Account {
    jid: BareJid,
    bare: bool,
    resources: BTreeMap<String, Takes>,
    /// How many channels in memory it participates in.
    holds: u32,
    /// Its number in the address book as a guest, and of how many channels in memory it is one.
    guest: Option<(EntryNo, u32)>,
    /// Whether it is in any channel, if known.
    member: Option<bool>,
    dirty: bool,
    /// Whether the store may have a record of it.
    saved: bool,
    /// Whether the address book has it.
    told: bool,
}

impl Account {
    /// Whether it is reached at resources that are not stored, because it was in no channel.
    fn is_unsaved(&self) -> bool {
        !self.saved && self.resources.values().any(|takes| *takes == Takes::Yes)
    }

    /// Forgets a resource that gets no MIX traffic: no bounce would reveal that it is gone, and not every server sends
    /// `unavailable` (hosts.md, D.2). Returns whether there was one.
    fn make_room(&mut self) -> bool {
        let unreached = self.resources.iter().filter(|(_, takes)| **takes != Takes::Yes);
        let name = unreached.min_by_key(|(_, takes)| **takes != Takes::No).map(|(name, _)| name.clone());
        name.is_some_and(|name| self.resources.remove(&name).is_some())
    }
}

/// All accounts that are known.
#[derive(Default)]
pub struct Accounts {
    /// Their home servers.
    pub(super) hosts: Hosts,
    numbers: HashMap<BareJid, EntryNo>,
    /// By the places of their numbers. Clients in rooms have numbers, too, and take no room here.
    accounts: Vec<Option<Box<Account>>>,
    /// Numbers to reuse.
    free: Vec<EntryNo>,
    dirty: Vec<EntryNo>,
    /// Accounts that left a channel and may be in another.
    unsettled: BTreeSet<BareJid>,
    pauses: Pauses,
    /// Those who sit in rooms as well.
    seated: seated::Seated,
}

/// What to do about a resource's presence.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// Nothing.
    Settled,
    /// Query the resource for MIX support.
    Ask(Option<Announced>),
}

impl Accounts {
    /// The number of an account, which is added if unknown.
    pub fn number(&mut self, jid: &BareJid) -> EntryNo {
        if let Some(&no) = self.numbers.get(jid) {
            return no;
        }
        let account = Account {
            jid: jid.clone(),
            bare: false,
            resources: BTreeMap::new(),
            holds: 0,
            guest: None,
            member: None,
            dirty: false,
            saved: false,
            told: false,
        };
        let no = self.vacancy();
        self.accounts[no.place()] = Some(Box::new(account));
        self.numbers.insert(jid.clone(), no);
        no
    }

    /// An unused number.
    fn vacancy(&mut self) -> EntryNo {
        self.free.pop().unwrap_or_else(|| {
            self.accounts.push(None);
            EntryNo::first(self.accounts.len() as u32 - 1)
        })
    }

    /// The number of a known account, which is added to the address book if it is not there.
    pub fn reach(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> Option<EntryNo> {
        let no = self.find(jid)?;
        if self.get(jid).is_some_and(|account| !account.told) {
            self.tell_book(no, out);
        }
        Some(no)
    }

    /// The number of a known account.
    pub fn find(&self, jid: &BareJid) -> Option<EntryNo> {
        self.numbers.get(jid).copied()
    }

    /// Resources not yet known to take MIX traffic or not.
    fn unknown(&self, jid: &BareJid) -> Vec<FullJid> {
        let Some(account) = self.get(jid) else { return Vec::new() };
        let unknown = account.resources.iter().filter(|(_, takes)| matches!(takes, Takes::Unknown(_)));
        unknown.filter_map(|(name, _)| account.jid.with_resource_str(name).ok()).collect()
    }

    /// The account joined a channel or was added to one. Returns the resources to query.
    pub fn added(&mut self, jid: &BareJid, out: &mut Vec<Out>) -> Vec<FullJid> {
        let no = self.number(jid);
        let ask = self.unknown(jid);
        let Some(account) = self.accounts[no.place()].as_mut() else { return Vec::new() };
        let bare = self.hosts.takes_bare(jid.domain().as_str(), account.bare);
        if bare != account.bare || account.is_unsaved() {
            account.bare = bare;
            self.changed(no, out);
        }
        ask
    }

    /// A channel with this participant left memory.
    pub fn release(&mut self, jid: &BareJid) {
        if let Some(account) = self.get_mut(jid) {
            account.holds = account.holds.saturating_sub(1);
        }
        self.forget_idle(jid);
    }

    /// Whether the account was ever reached.
    pub fn is_reached(&self, jid: &BareJid) -> bool {
        self.get(jid).is_some_and(|account| account.saved || account.resources.values().any(|it| *it == Takes::Yes))
    }

    /// Whether the account is in any channel, if known.
    pub fn membership(&self, jid: &BareJid) -> Option<bool> {
        self.get(jid).and_then(|account| account.member)
    }

    /// The account left a channel in memory. The store has to tell whether it is in another.
    pub fn left(&mut self, jid: &BareJid) {
        let Some(account) = self.get_mut(jid) else { return };
        account.holds = account.holds.saturating_sub(1);
        if account.holds == 0 {
            account.member = None;
            self.unsettled.insert(jid.clone());
        }
    }

    /// A few accounts for which the store has to tell whether they are in any channel.
    pub fn unsettled(&self) -> impl Iterator<Item = &BareJid> {
        self.unsettled.iter().take(UNSETTLED)
    }

    /// Sets whether the account is in any channel. The record of an account that is in none is removed.
    pub fn note_membership(&mut self, jid: &BareJid, member: bool, out: &mut Vec<Out>) {
        self.unsettled.remove(jid);
        let Some(&no) = self.numbers.get(jid) else { return };
        let Some(account) = self.accounts[no.place()].as_mut() else { return };
        let member = member || account.holds > 0;
        let left = !member && account.member != Some(false) && (account.bare || account.saved);
        // Nothing was stored while this was unknown.
        let unsaved = member && account.member.is_none() && !account.saved;
        account.member = Some(member);
        if unsaved {
            account.dirty = true;
            self.dirty.push(no);
        }
        if left {
            account.bare = false;
            self.changed(no, out);
        }
    }

    /// Makes room for an account whose presence is to be followed. Returns whether there is any.
    pub fn admit(&mut self, jid: &BareJid, member: bool, out: &mut Vec<Out>) -> bool {
        if !member && !self.numbers.contains_key(jid) && self.numbers.len() >= ACCOUNTS_MAX {
            return false;
        }
        self.number(jid);
        self.note_membership(jid, member, out);
        true
    }

    /// The account joined, from its bare JID (`at_bare`: by its home server) or from a resource. Returns the resources
    /// to query.
    pub fn joined(&mut self, jid: &BareJid, at_bare: bool, out: &mut Vec<Out>) -> Vec<FullJid> {
        let bare = self.hosts.takes_bare(jid.domain().as_str(), at_bare);
        let no = self.number(jid);
        let ask = self.unknown(jid);
        let Some(account) = self.accounts[no.place()].as_mut() else { return Vec::new() };
        let moved = account.bare != bare || account.member != Some(true);
        account.bare = bare;
        account.member = Some(true);
        if moved {
            self.changed(no, out);
        }
        ask
    }

    /// Handles `available` presence of a resource. `takes` says whether the announced capabilities mean MIX support, if
    /// known.
    pub fn available(
        &mut self,
        full: &FullJid,
        announced: Option<Announced>,
        takes: Option<bool>,
        out: &mut Vec<Out>,
    ) -> Sighting {
        let no = self.number(&full.to_bare());
        let Some(account) = self.accounts[no.place()].as_mut() else { return Sighting::Settled };
        let name = full.resource().as_str();
        if !account.resources.contains_key(name) && account.resources.len() >= RESOURCES_MAX && !account.make_room() {
            return Sighting::Settled;
        }
        let before = account.resources.get(name);
        let after = match (takes, before) {
            // A client that sent MIX requests supports MIX, whatever it announces.
            (Some(true), _) | (_, Some(Takes::Yes)) => Takes::Yes,
            (Some(false), _) => Takes::No,
            (None, Some(Takes::Asked)) => return Sighting::Settled,
            (None, _) if account.member != Some(true) => Takes::Unknown(announced.clone()),
            (None, Some(Takes::No)) if announced.is_none() => return Sighting::Settled,
            (None, _) => Takes::Asked,
        };
        let sighting = if after == Takes::Asked { Sighting::Ask(announced) } else { Sighting::Settled };
        let was_reached = before == Some(&Takes::Yes);
        let is_reached = after == Takes::Yes;
        account.resources.insert(name.to_owned(), after);
        if was_reached != is_reached {
            self.changed(no, out);
        }
        sighting
    }

    /// The first resource of an account that `is_meant` accepts.
    pub fn resource_of(&self, jid: &BareJid, is_meant: impl Fn(&str) -> bool) -> Option<FullJid> {
        let name = self.get(jid)?.resources.keys().find(|name| is_meant(name))?;
        jid.with_resource_str(name).ok()
    }

    /// Whether a resource is known to take MIX traffic (`true`), or to take none (`false`).
    pub fn is_known(&self, full: &FullJid, takes: bool) -> bool {
        let known = if takes { Takes::Yes } else { Takes::No };
        self.get(&full.to_bare()).is_some_and(|it| it.resources.get(full.resource().as_str()) == Some(&known))
    }

    /// Marks a resource as queried. Returns the capabilities it had announced.
    pub fn asking(&mut self, full: &FullJid) -> Option<Announced> {
        let takes = self.get_mut(&full.to_bare())?.resources.get_mut(full.resource().as_str())?;
        match std::mem::replace(takes, Takes::Asked) {
            Takes::Unknown(announced) => announced,
            _ => None,
        }
    }

    /// The resource did not answer in time.
    pub fn forget_question(&mut self, full: &FullJid) {
        let Some(account) = self.get_mut(&full.to_bare()) else { return };
        if let Some(takes @ Takes::Asked) = account.resources.get_mut(full.resource().as_str()) {
            *takes = Takes::Unknown(None);
        }
    }

    /// After a reconnect: a resource without MIX support may be another client now, so it is queried again.
    pub fn ask_again(&mut self) {
        let resources = self.accounts.iter_mut().flatten().flat_map(|account| account.resources.values_mut());
        resources.filter(|takes| **takes == Takes::No).for_each(|takes| *takes = Takes::Unknown(None));
    }

    /// Sets whether an online resource takes MIX traffic. A MIX request that it sent meanwhile outweighs a `false`.
    pub fn settle(&mut self, full: &FullJid, takes: bool, out: &mut Vec<Out>) {
        let Some(&no) = self.numbers.get(&full.to_bare()) else { return };
        let Some(account) = self.accounts[no.place()].as_mut() else { return };
        let Some(state) = account.resources.get_mut(full.resource().as_str()) else { return };
        let after = if takes { Takes::Yes } else { Takes::No };
        if *state != after && *state != Takes::Yes {
            *state = after;
            self.changed(no, out);
        }
    }

    /// The resource is gone: it sent `unavailable`, or a message to it bounced.
    pub fn gone(&mut self, full: &FullJid, out: &mut Vec<Out>) {
        let bare = full.to_bare();
        let Some(&no) = self.numbers.get(&bare) else { return };
        let Some(account) = self.accounts[no.place()].as_mut() else { return };
        if account.resources.remove(full.resource().as_str()) == Some(Takes::Yes) {
            self.changed(no, out);
        }
        self.forget_idle(&bare);
    }

    /// A message to the bare JID bounced: the home server does not take MIX traffic.
    pub fn bounced_at_bare(&mut self, jid: &BareJid, out: &mut Vec<Out>) {
        let Some(&no) = self.numbers.get(jid) else { return };
        let settled = self.hosts.pam(jid.domain().as_str()) != Pam::Auto;
        let Some(account) = self.accounts[no.place()].as_mut().filter(|account| account.bare && !settled) else {
            return;
        };
        account.bare = false;
        self.changed(no, out);
    }

    /// Domains whose home servers take MIX traffic for some account, in order.
    pub fn bare_domains(&self) -> BTreeSet<String> {
        let bare = self.all().filter(|account| account.bare);
        bare.map(|account| account.jid.domain().as_str().to_owned()).collect()
    }

    /// Updates the address book: messages to this domain's bare JIDs need another form.
    pub fn readdress(&mut self, domain: &str, out: &mut Vec<Out>) {
        let of_domain = |account: &&Account| account.told && account.bare && account.jid.domain().as_str() == domain;
        let numbers: Vec<_> = self.all().filter(of_domain).map(|a| self.numbers[&a.jid]).collect();
        for no in numbers {
            self.tell_book(no, out);
        }
    }

    /// Updates the address book: this domain's server began or ceased to deliver to clients itself.
    pub fn reroute(&mut self, domain: &str, out: &mut Vec<Out>) {
        let of_domain = |account: &&Account| account.jid.domain().as_str() == domain;
        let moved = self.all().filter(of_domain);
        let moved = moved.filter(|account| self.hosts.takes_bare(domain, account.bare) != account.bare);
        let numbers: Vec<_> = moved.map(|account| self.numbers[&account.jid]).collect();
        for no in numbers {
            let Some(account) = self.accounts[no.place()].as_mut() else { continue };
            account.bare = !account.bare;
            account.dirty = true;
            self.dirty.push(no);
            if account.told {
                self.tell_book(no, out);
            }
        }
    }

    fn changed(&mut self, no: EntryNo, out: &mut Vec<Out>) {
        if let Some(account) = self.accounts[no.place()].as_mut() {
            account.dirty = true;
            self.dirty.push(no);
        }
        self.tell_book(no, out);
    }

    /// Forgets an account that is in no channel in memory and has no resource online.
    fn forget_idle(&mut self, jid: &BareJid) {
        let Some(&no) = self.numbers.get(jid) else { return };
        let idle = self.accounts[no.place()].as_ref().is_none_or(|account| {
            account.holds == 0 && account.resources.is_empty() && !account.bare && !account.dirty
        });
        if idle {
            self.numbers.remove(jid);
            self.accounts[no.place()] = None;
            self.free.push(no.next());
        }
    }

    fn all(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().flatten().map(|account| &**account)
    }

    fn get(&self, jid: &BareJid) -> Option<&Account> {
        self.accounts[self.numbers.get(jid)?.place()].as_deref()
    }

    fn get_mut(&mut self, jid: &BareJid) -> Option<&mut Account> {
        self.accounts[self.numbers.get(jid)?.place()].as_deref_mut()
    }
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
