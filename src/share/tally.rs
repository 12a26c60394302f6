//! Counts of something by domain, where the service's own domains are not known yet.

use crate::site;
use jid::BareJid;
use std::collections::HashMap;

/// Counts by holder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub(super) all: usize,
    pub(super) accounts: HashMap<BareJid, usize>,
    pub(super) domains: HashMap<String, usize>,
    /// By the registered name of the domain.
    pub(super) sites: HashMap<String, usize>,
}

impl Tally {
    /// Adds one to a holder's count.
    pub fn add(&mut self, who: &BareJid) {
        let domain = who.domain().as_str();
        self.all += 1;
        *self.accounts.entry(who.clone()).or_default() += 1;
        *self.domains.entry(domain.to_owned()).or_default() += 1;
        *self.sites.entry(site::of(domain).to_owned()).or_default() += 1;
    }

    /// Takes one off the count of a holder that has some.
    pub fn remove(&mut self, who: &BareJid) {
        let domain = who.domain().as_str();
        self.all -= 1;
        lower(&mut self.accounts, who);
        lower(&mut self.domains, domain);
        lower(&mut self.sites, site::of(domain));
    }
}

/// Takes one off a count, and removes it at 0.
pub fn lower<Key, Name>(counts: &mut HashMap<Key, usize>, key: &Name)
where
    Key: std::borrow::Borrow<Name> + Eq + std::hash::Hash,
    Name: Eq + std::hash::Hash + ?Sized,
{
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
