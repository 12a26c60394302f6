//! Accounts that are being ended or that others added: the key of each is its account. How many have ended lies under what
//! stands for their name.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::{AccountMark, Ending, Newcomer};
use jid::BareJid;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each::<(BareJid, Ending)>(Space::State, &keyspace::all(b'n'), |key, (account, ending)| {
        let place = || format!("end of {account}");
        survey.holds(key == keyspace::ending(&account), place, || "it lies under another account".into());
        survey.holds(account.node().is_some(), place, || "it is no account".into());
        survey.holds(ending.erases || !ending.is_out, place, || "it is over, and still there".into());
        Ok(())
    })?;
    survey.each::<(BareJid, Newcomer)>(Space::State, &keyspace::all(b't'), |key, (account, _)| {
        let place = || format!("newcomer {account}");
        survey.holds(key == keyspace::newcomer(&account), place, || "it lies under another account".into());
        Ok(())
    })?;
    survey.each::<(AccountMark, u32)>(Space::State, &keyspace::all(b'N'), |key, (mark, _)| {
        let place = || format!("accounts of a name that ended, {mark:?}");
        survey.holds(key == keyspace::ended(mark), place, || "they lie under another name".into());
        Ok(())
    })
}
