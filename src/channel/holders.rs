//! The accounts that have a role, in the order in which they got it. Each is there once, and found without a walk.

use jid::BareJid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The accounts with a role. It derefs to a slice, and a clone is cheap.
#[derive(Clone, Debug, Default)]
pub struct Holders(Arc<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    order: Vec<BareJid>,
    /// The same accounts as a set. It is made when it is first needed, since most channels that are loaded never need
    /// it.
    index: OnceLock<HashSet<BareJid>>,
}

impl Holders {
    /// Whether an account is among them.
    pub fn contains(&self, account: &BareJid) -> bool {
        let Inner { order, index } = &*self.0;
        index.get_or_init(|| order.iter().cloned().collect()).contains(account)
    }

    /// Adds an account at the end, unless it is there already.
    pub fn push(&mut self, account: BareJid) {
        if !self.contains(&account) {
            let inner = Arc::make_mut(&mut self.0);
            if let Some(index) = inner.index.get_mut() {
                index.insert(account.clone());
            }
            inner.order.push(account);
        }
    }

    /// Removes an account. Returns whether it was there.
    pub fn remove(&mut self, account: &BareJid) -> bool {
        let is_there = self.contains(account);
        if is_there {
            self.retain(|other| other != account);
        }
        is_there
    }

    /// Keeps the accounts for which `keep` is true.
    pub fn retain(&mut self, keep: impl Fn(&BareJid) -> bool) {
        if !self.iter().all(&keep) {
            *self = self.iter().filter(|account| keep(account)).cloned().collect();
        }
    }

    /// Whether both have the same accounts, in any order.
    pub fn is_same_set(&self, others: &Holders) -> bool {
        Arc::ptr_eq(&self.0, &others.0)
            || self.len() == others.len() && self.iter().all(|account| others.contains(account))
    }
}

impl Deref for Holders {
    type Target = [BareJid];

    fn deref(&self) -> &[BareJid] {
        &self.0.order
    }
}

impl FromIterator<BareJid> for Holders {
    fn from_iter<I: IntoIterator<Item = BareJid>>(accounts: I) -> Holders {
        let mut holders = Holders::default();
        accounts.into_iter().for_each(|account| holders.push(account));
        holders
    }
}

impl From<Vec<BareJid>> for Holders {
    fn from(accounts: Vec<BareJid>) -> Holders {
        accounts.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Holders {
    type Item = &'a BareJid;
    type IntoIter = std::slice::Iter<'a, BareJid>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Holders {
    fn eq(&self, other: &Holders) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.order == other.0.order
    }
}

impl Eq for Holders {}

impl Serialize for Holders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.order.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Holders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Holders, D::Error> {
        // The written form has each account once.
        let order = Vec::deserialize(deserializer)?;
        Ok(Holders(Arc::new(Inner { order, index: OnceLock::new() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_once_and_the_order_stays() {
        let jid = |text: &str| BareJid::new(&format!("{text}@h")).unwrap();
        let mut holders = Holders::from(vec![jid("b"), jid("a"), jid("b"), jid("c")]);
        assert_eq!(&holders[..], [jid("b"), jid("a"), jid("c")]);
        let before = holders.clone();
        assert!(holders.remove(&jid("a")) && !holders.remove(&jid("a")) && !holders.contains(&jid("a")));
        holders.push(jid("a"));
        assert_eq!(&holders[..], [jid("b"), jid("c"), jid("a")]);
        assert!(holders != before && holders.is_same_set(&before) && before.contains(&jid("a")));
    }

    #[test]
    fn it_is_written_as_a_list_of_accounts() {
        let accounts: Vec<BareJid> = ["b@h", "a@h"].iter().map(|text| BareJid::new(text).unwrap()).collect();
        let written = postcard::to_allocvec(&accounts).unwrap();
        let holders: Holders = postcard::from_bytes(&written).unwrap();
        assert_eq!((&holders[..], postcard::to_allocvec(&holders).unwrap()), (&accounts[..], written));
    }
}
