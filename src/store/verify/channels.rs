//! The directory: every channel lies under its name and has a number of its own and an information item. All records of
//! a channel belong to one that exists.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, DirectoryEntry};
use super::survey::Survey;
use crate::channel::{Item, Node};
use std::collections::HashMap;

/// The letters of records that belong to a channel, and what each stands for.
const OF_CHANNELS: [(u8, &str); 12] = [
    (b'm', "members"),
    (b'b', "records of the room"),
    (b'u', "guests"),
    (b'i', "items"),
    (b'l', "lists"),
    (b'e', "entries of lists"),
    (b'o', "tombstones"),
    (b'k', "corrections"),
    (b'q', "reports"),
    (b'p', "sums of reports"),
    (b'j', "invitations"),
    (b'h', "months"),
];

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    let mut by_gid = HashMap::new();
    let gid_highest: u32 = survey.dbs.value(Space::State, keyspace::GID_HIGHEST)?.unwrap_or(0);
    survey.each::<DirectoryEntry>(Space::State, &keyspace::all(b'c'), |key, DirectoryEntry { head: entry, .. }| {
        let (name, profile) = (&entry.name, &entry.profile);
        let place = || format!("channel {name}");
        survey.holds(key == keyspace::channel(name), place, || "it lies under the key of another name".into());
        survey.holds((entry.tag, entry.gid, entry.listed) == (profile.tag, profile.gid, profile.listed), place, || {
            "what the directory says of it is not what its profile says".into()
        });
        survey.holds(entry.gid <= gid_highest, place, || {
            format!("its number is {}, and the highest ever given is {gid_highest}", entry.gid)
        });
        if let Some(other) = by_gid.insert(entry.gid, name.clone()) {
            survey.wrong(place(), format!("channel {other} has the same number {}", entry.gid));
        }
        Ok(())
    })?;
    survey.each_channel(|tag, name| {
        let mut has_info = false;
        survey.each::<(Node, Item)>(Space::State, &keyspace::items(tag), |key, (node, _)| {
            has_info |= node == Node::Info;
            survey.holds(
                key == keyspace::item(tag, node),
                || format!("channel {name}"),
                || format!("its item of {node:?} lies under the key of another node"),
            );
            Ok(())
        })?;
        survey.holds(has_info, || format!("channel {name}"), || "it has no information item".into());
        Ok(())
    })?;
    for (letter, what) in OF_CHANNELS {
        for tag in survey.tags(Space::State, letter)?.into_iter().filter(|&tag| !survey.knows(tag)) {
            survey.wrong(format!("tag {tag:016x}"), format!("{what} of a channel that does not exist"));
        }
    }
    Ok(())
}
