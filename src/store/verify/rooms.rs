//! What rooms have of their own: the voice of each account lies under its key, there are not too many, and a topic and
//! the reasons of bans are no longer than they may be.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::Topic;
use crate::channel::room::{TOPIC_BYTES_MAX, VOICES_MAX};
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
        let topic: Option<Topic> = survey.dbs.value(Space::State, &keyspace::topic(tag))?;
        let length = topic.map_or(0, |topic| topic.text.len());
        survey.holds(length <= TOPIC_BYTES_MAX, place, || format!("its topic has {length} bytes"));
        Ok(())
    })
}
