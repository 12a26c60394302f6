//! Nicks that accounts registered with the service: nobody else goes by them, in any channel (XEP-0407 §3).

use super::Nick;
use jid::BareJid;
use std::collections::HashMap;

/// Every registered nick.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    nicks: HashMap<BareJid, Nick>,
    /// Who registered each, by the form in which nicks are compared.
    holders: HashMap<String, BareJid>,
}

impl Registry {
    /// What a store kept.
    pub fn restore(nicks: impl IntoIterator<Item = (BareJid, Nick)>) -> Registry {
        let mut registry = Registry::default();
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

    /// Whether nobody but this account registered a nick, compared as RFC 8266 says.
    pub fn lets(&self, account: &BareJid, nick: &Nick) -> bool {
        self.holder_of(nick).is_none_or(|holder| holder == account)
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
            self.holders.insert(nick.key().to_owned(), account.clone());
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
        let mut registry = Registry::restore([(ann.clone(), nick("Third Witch"))]);
        assert!(registry.lets(&ann, &nick("third  witch")) && !registry.lets(&bob, &nick("THIRD WITCH")));
        assert_eq!(registry.set(&ann, Some(nick("Ann"))), Some(nick("Third Witch")));
        assert!(registry.lets(&bob, &nick("Third Witch")) && !registry.lets(&bob, &nick("ann")));
        assert_eq!(registry.set(&ann, None), Some(nick("Ann")));
        assert_eq!(registry, Registry::default());
    }
}
