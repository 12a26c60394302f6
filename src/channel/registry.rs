//! XEP-0407 §3: nicks that accounts registered with the service. Nobody else has them, in any channel. Nicks of
//! accounts of other domains bind other such accounts, and none of the service's own domains.

use super::Nick;
use jid::BareJid;
use std::collections::{BTreeSet, HashMap};

/// The registered nicks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    nicks: HashMap<BareJid, Nick>,
    /// The account of each nick, by the form for comparison.
    holders: HashMap<String, BareJid>,
    /// The service's own domains.
    own: BTreeSet<String>,
}

impl Registry {
    /// The nicks that the store has. `own` are the service's own domains.
    pub fn restore(
        nicks: impl IntoIterator<Item = (BareJid, Nick)>,
        own: impl IntoIterator<Item = String>,
    ) -> Registry {
        let mut registry = Registry { own: own.into_iter().collect(), ..Registry::default() };
        for (account, nick) in nicks {
            registry.set(&account, Some(nick));
        }
        registry
    }

    /// The number of registered nicks.
    pub fn len(&self) -> usize {
        self.nicks.len()
    }

    /// Whether no nick is registered.
    pub fn is_empty(&self) -> bool {
        self.nicks.is_empty()
    }

    /// The nick that an account registered.
    pub fn nick_of(&self, account: &BareJid) -> Option<&Nick> {
        self.nicks.get(account)
    }

    /// The account that registered a nick.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.holders.get(nick.key())
    }

    /// The service's own domains.
    pub fn own_domains(&self) -> impl Iterator<Item = &String> {
        self.own.iter()
    }

    /// RFC 8266: whether an account may have a nick, by the form for comparison: no account that binds it registered
    /// that one.
    pub fn lets(&self, account: &BareJid, nick: &Nick) -> bool {
        let is_own = |account: &BareJid| self.own.contains(account.domain().as_str());
        self.holder_of(nick).is_none_or(|holder| holder == account || (is_own(account) && !is_own(holder)))
    }

    /// Sets the nick of an account, or removes it. Returns the nick before.
    pub fn set(&mut self, account: &BareJid, nick: Option<Nick>) -> Option<Nick> {
        let past = self.nicks.remove(account);
        if let Some(past) = &past
            && self.holders.get(past.key()) == Some(account)
        {
            self.holders.remove(past.key());
        }
        if let Some(nick) = nick {
            // Where a domain became the service's own, two accounts may have the same nick. It counts as that of the
            // account in the own domain.
            if self.lets(account, &nick) {
                self.holders.insert(nick.key().to_owned(), account.clone());
            }
            self.nicks.insert(account.clone(), nick);
        }
        past
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nick_is_one_accounts_alone_in_any_spelling_until_it_has_another() {
        let (ann, bob) = (BareJid::new("ann@example.org").unwrap(), BareJid::new("bob@example.org").unwrap());
        let nick = |text: &str| Nick::new(text).unwrap();
        let mut registry = Registry::restore([(ann.clone(), nick("Third Witch"))], []);
        assert!(registry.lets(&ann, &nick("third  witch")) && !registry.lets(&bob, &nick("THIRD WITCH")));
        assert_eq!(registry.set(&ann, Some(nick("Ann"))), Some(nick("Third Witch")));
        assert!(registry.lets(&bob, &nick("Third Witch")) && !registry.lets(&bob, &nick("ann")));
        assert_eq!(registry.set(&ann, None), Some(nick("Ann")));
        assert_eq!(registry, Registry::default());
    }

    #[test]
    fn what_a_stranger_registered_binds_strangers_alone() {
        let [ann, bob, cyd] =
            ["ann@own.example", "bob@away.example", "cyd@far.example"].map(|it| BareJid::new(it).unwrap());
        let nick = Nick::new("Ann").unwrap();
        let mut registry = Registry::restore([(bob.clone(), nick.clone())], ["own.example".to_owned()]);
        assert_eq!([&ann, &bob, &cyd].map(|it| registry.lets(it, &nick)), [true, true, false]);
        registry.set(&bob, None);
        registry.set(&ann, Some(nick.clone()));
        assert_eq!([&ann, &bob, &cyd].map(|it| registry.lets(it, &nick)), [true, false, false]);
    }
}
