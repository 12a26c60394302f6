//! How many of something there are, counted where it is not known yet which domains are the service's own.

use crate::site;
use jid::BareJid;
use std::collections::HashMap;

/// See the module; by those who have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub(super) all: usize,
    pub(super) accounts: HashMap<BareJid, usize>,
    pub(super) domains: HashMap<String, usize>,
    /// By what was registered of the domains.
    pub(super) sites: HashMap<String, usize>,
}

impl Tally {
    /// Somebody has one more.
    pub fn add(&mut self, who: &BareJid) {
        let domain = who.domain().as_str();
        self.all += 1;
        *self.accounts.entry(who.clone()).or_default() += 1;
        *self.domains.entry(domain.to_owned()).or_default() += 1;
        *self.sites.entry(site::of(domain).to_owned()).or_default() += 1;
    }

    /// Somebody who has some has one less.
    pub fn remove(&mut self, who: &BareJid) {
        let domain = who.domain().as_str();
        self.all -= 1;
        lower(&mut self.accounts, who);
        lower(&mut self.domains, domain);
        lower(&mut self.sites, site::of(domain));
    }
}

/// Takes one off a count, which goes with its last one.
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
