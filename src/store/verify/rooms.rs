//! What rooms have of their own: the voice of each account lies under its key, there are not too many, and a topic and
//! the reasons of bans are no longer than they may be. Versions of its affiliations have no gap.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::room::{TOPIC_BYTES_MAX, VOICES_MAX};
use crate::channel::{Topic, VersionedChange};
use jid::BareJid;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let place = || format!("channel {name}");
        let mut count = 0;
        survey.each::<(BareJid, bool)>(Space::State, &keyspace::voices(tag), |key, (account, _)| {
            count += 1;
            let place = || format!("channel {name}, voice of {account}");
            survey.holds(key == keyspace::voice(tag, &account), place, || "it lies under another account".into());
            Ok(())
        })?;
        survey.holds(count <= VOICES_MAX, place, || format!("it settles the voice of {count} accounts"));
        let mut versions: Vec<VersionedChange> = Vec::new();
        survey.each::<VersionedChange>(Space::State, &keyspace::versioned(tag), |key, change| {
            let place = || format!("channel {name}, version {}", change.all);
            let is_there = key == keyspace::versioned_one(tag, change.place());
            survey.holds(is_there, place, || "it lies in the place of another one".into());
            versions.push(change);
            Ok(())
        })?;
        versions.sort_by_key(|change| change.all);
        let follows = |a: &VersionedChange, b: &VersionedChange| {
            b.all == a.all + 1 && b.affiliated == a.affiliated + u64::from(b.is_of_affiliated)
        };
        let is_whole = versions.is_sorted_by(follows);
        survey.holds(is_whole, place, || "versions of its affiliations are missing".into());
        let topic: Option<Topic> = survey.dbs.value(Space::State, &keyspace::topic(tag))?;
        let length = topic.map_or(0, |topic| topic.text.len());
        survey.holds(length <= TOPIC_BYTES_MAX, place, || format!("its topic has {length} bytes"));
        Ok(())
    })
}
