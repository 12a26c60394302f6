//! Nicks that accounts registered with the service: nobody else goes by them, in any channel (XEP-0407 §3). What an
//! account of another service registered binds others like it, and none of the service's own.

use super::Nick;
use jid::BareJid;
use std::collections::{BTreeSet, HashMap};

/// Every registered nick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    nicks: HashMap<BareJid, Nick>,
    /// Who registered each, by the form in which nicks are compared.
    holders: HashMap<String, BareJid>,
    /// The domains that are the service's own.
    own: BTreeSet<String>,
}

impl Registry {
    /// What a store kept, of a service with these domains of its own.
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

    /// How many there are.
    pub fn len(&self) -> usize {
        self.nicks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.nicks.is_empty()
    }

    /// What an account registered.
    pub fn nick_of(&self, account: &BareJid) -> Option<&Nick> {
        self.nicks.get(account)
    }

    /// Who registered a nick.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.holders.get(nick.key())
    }

    /// The domains that are the service's own.
    pub fn own_domains(&self) -> impl Iterator<Item = &String> {
        self.own.iter()
    }

    /// Whether this account may go by a nick, compared as RFC 8266 says: nobody else registered it whom it is bound by.
    pub fn lets(&self, account: &BareJid, nick: &Nick) -> bool {
        let is_own = |account: &BareJid| self.own.contains(account.domain().as_str());
        self.holder_of(nick).is_none_or(|holder| holder == account || (is_own(account) && !is_own(holder)))
    }

    /// An account has this nick from here on, or none; returns the one it had.
    pub fn set(&mut self, account: &BareJid, nick: Option<Nick>) -> Option<Nick> {
        let past = self.nicks.remove(account);
        if let Some(past) = &past
            && self.holders.get(past.key()) == Some(account)
        {
            self.holders.remove(past.key());
        }
        if let Some(nick) = nick {
            // Where two have one, as after a domain became the service's own, it is that one's.
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
