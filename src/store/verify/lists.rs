//! Lists of accounts: each entry belongs to the current list or to one that is being cleared away. The index from
//! accounts to lists has each entry, and nothing else.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, ListRecord};
use super::survey::{Survey, place_of};
use crate::channel::{ChannelName, Node};
use jid::BareJid;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        for node in Node::ALL {
            let list: ListRecord = survey.dbs.value(Space::State, &keyspace::list(tag, node))?.unwrap_or_default();
            let prefix = [keyspace::all_listed(tag), vec![node as u8]].concat();
            survey.each::<BareJid>(Space::State, &prefix, |key, jid| {
                let place = || format!("channel {name}, list {node:?}");
                let Some(generation) = key.get(prefix.len()..).and_then(<[u8]>::first_chunk) else {
                    survey.wrong(place(), "the key of an entry is too short");
                    return Ok(());
                };
                let generation = u64::from_be_bytes(*generation);
                survey.holds(key == keyspace::listed_one(tag, node, generation, &jid), place, || {
                    format!("{jid} lies under the key of another account")
                });
                let index = keyspace::place_of_listed(key).unwrap_or_default();
                let found: Option<ChannelName> = survey.dbs.value(Space::State, &index)?;
                survey.holds(found.as_ref() == Some(name), place, || {
                    format!("the list of channels that have {jid} on a list does not say so")
                });
                let is_current = list.exists && list.generation == generation;
                let grave = keyspace::list_grave(tag, node, generation);
                if !is_current && survey.dbs.entry(Space::State, &grave)?.is_none() {
                    survey.wrong(place(), format!("{jid} is on a list that ceased to be and is not cleared away"));
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    survey.each::<ChannelName>(Space::State, &keyspace::all(b'd'), |key, name| {
        let entry = keyspace::listed_of_place(key).map(|entry| survey.dbs.entry(Space::State, &entry)).transpose()?;
        survey.holds(
            entry.flatten().is_some(),
            || place_of(Space::State, key),
            || format!("somebody is said to be on a list of channel {name} that has no such entry"),
        );
        Ok(())
    })
}
