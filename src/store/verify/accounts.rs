//! The index from accounts to channels has what the record of each member says, and nothing else.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, IndexedMember};
use super::survey::{Survey, place_of};
use crate::channel::Member;
use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    // Digests of the keys that records call for. The keys themselves would take much room.
    let mut accounted = HashSet::new();
    survey.each_channel(|tag, name| {
        let (mut live, mut ended) = (HashSet::new(), Vec::new());
        survey.each::<Member>(Space::State, &keyspace::members(tag), |_, member| {
            if member.ended {
                ended.push(member);
                return Ok(());
            }
            live.insert(member.jid.clone());
            check_one(survey, tag, name, &member, &mut accounted)
        })?;
        // A later account of the same name has the entry, or had it until its record went.
        let is_listed = |member: &&Member| -> Result<bool, StoreError> {
            Ok(survey.dbs.entry(Space::State, &keyspace::membership(&member.jid, name))?.is_some())
        };
        let mut last = Vec::new();
        for member in ended.iter().filter(|member| !live.contains(&member.jid)) {
            last.extend(is_listed(&member)?.then_some(member));
        }
        let mut last = last.into_iter();
        last.try_for_each(|member| check_one(survey, tag, name, member, &mut accounted))
    })?;
    survey.each::<IndexedMember>(Space::State, &keyspace::all(b'a'), |key, membership| {
        let (name, tag) = (&membership.name, membership.tag);
        if survey.channels.contains_key(&tag) {
            survey.holds(
                accounted.contains(&digest(key)),
                || place_of(Space::State, key),
                || format!("an account is listed in channel {name}, which has no record of it"),
            );
        } else if !survey.knows(tag) {
            survey.wrong(place_of(Space::State, key), format!("a channel {name} that does not exist is listed"));
        }
        Ok(())
    })
}

fn check_one<S: Databases>(
    survey: &Survey<'_, S>,
    tag: u64,
    name: &crate::channel::ChannelName,
    member: &Member,
    accounted: &mut HashSet<u64>,
) -> Result<(), StoreError> {
    let key = keyspace::membership(&member.jid, name);
    let expected = IndexedMember { name: name.clone(), tag, status: member.status, forgotten: member.own.forgotten };
    let found: Option<IndexedMember> = survey.dbs.value(Space::State, &key)?;
    survey.holds(
        found.as_ref() == Some(&expected),
        || format!("channel {name}, member {}", member.id),
        || {
            let found = found.as_ref().map_or("nothing".to_owned(), |found| format!("{:?}", found.status));
            format!("the list of channels of {} says {found} of it, its record {:?}", member.jid, member.status)
        },
    );
    accounted.insert(digest(&key));
    Ok(())
}

fn digest(key: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
