//! Guests: the key of each is its account, each subscribes to something, and the index from accounts to channels has
//! it.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, IndexedGuest};
use super::survey::{Survey, place_of};
use crate::channel::Guest;
use std::collections::BTreeSet;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    let mut accounted = BTreeSet::new();
    survey.each_channel(|tag, name| {
        survey.each::<Guest>(Space::State, &keyspace::guests(tag), |key, guest| {
            let place = || format!("channel {name}, guest {}", guest.jid);
            survey.holds(key == keyspace::guest(tag, &guest.jid), place, || "it lies under another account".into());
            survey.holds(!guest.subscriptions.is_empty(), place, || "it subscribes to nothing".into());
            let index = keyspace::visit(&guest.jid, name);
            let found: Option<IndexedGuest> = survey.dbs.value(Space::State, &index)?;
            survey.holds(found.is_some_and(|visit| visit.tag == tag && visit.name == *name), place, || {
                "the list of channels of the account does not say so".into()
            });
            accounted.insert(index);
            Ok(())
        })
    })?;
    survey.each::<IndexedGuest>(Space::State, &keyspace::all(b'v'), |key, IndexedGuest { name, tag }| {
        let place = || place_of(Space::State, key);
        if survey.channels.contains_key(&tag) {
            survey.holds(accounted.contains(key), place, || {
                format!("an account is listed as a guest of channel {name}, which has no record of it")
            });
        } else {
            survey.holds(survey.knows(tag), place, || format!("a channel {name} that does not exist is listed"));
        }
        Ok(())
    })
}
