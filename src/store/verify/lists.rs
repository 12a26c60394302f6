//! Lists of accounts: their entries are of the list there is, or of one that is being cleared away.

use super::super::StoreError;
use super::super::keyspace::{self, List};
use super::super::shelf::{Shelf, Space};
use super::survey::Survey;
use crate::channel::Node;
use jid::BareJid;

pub(super) fn check<S: Shelf>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        for node in Node::ALL {
            let list: List = survey.shelf.value(Space::State, &keyspace::list(tag, node))?.unwrap_or_default();
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
                let is_current = list.exists && list.generation == generation;
                let grave = keyspace::list_grave(tag, node, generation);
                if !is_current && survey.shelf.entry(Space::State, &grave)?.is_none() {
                    survey.wrong(place(), format!("{jid} is on a list that ceased to be and is not cleared away"));
                }
                Ok(())
            })?;
        }
        Ok(())
    })
}
