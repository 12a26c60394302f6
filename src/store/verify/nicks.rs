//! Registered nicks: the key of each is its account, and no two accounts have the same one.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::Nick;
use jid::BareJid;
use std::collections::HashMap;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    let mut holders: HashMap<String, BareJid> = HashMap::new();
    survey.each::<(BareJid, Nick)>(Space::State, &keyspace::all(b'y'), |key, (account, nick)| {
        let place = || format!("registered nick of {account}");
        survey.holds(key == keyspace::registered_nick(&account), place, || "it lies under another account".into());
        let other = holders.insert(nick.key().to_owned(), account.clone());
        survey.holds(other.is_none(), place, || "another account registered it too".into());
        Ok(())
    })
}
