//! Traces of given-up records: each is found by its account, too, and no participant has both a trace and a record. Those of
//! people who passed by are in a circle, each at its place.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, PastRecord};
use super::survey::{Survey, place_of};
use crate::channel::ParticipantId;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        survey.each::<PastRecord>(Space::State, &keyspace::traces(tag), |key, trace| {
            let place = || format!("channel {name}, what is left of {}", trace.id);
            survey.holds(key == keyspace::trace(tag, &trace.id), place, || "it lies under the key of another".into());
            let record = survey.dbs.entry(Space::State, &keyspace::member(tag, &trace.id))?;
            survey.holds(record.is_none(), place, || "there is a record as well".into());
            if let Some(number) = trace.passing {
                let found: Option<(u64, ParticipantId)> =
                    survey.dbs.value(Space::State, &keyspace::passing(tag, number))?;
                survey
                    .holds(found == Some((number, trace.id.clone())), place, || "it has no place in the circle".into());
            }
            Ok(())
        })?;
        let count: u64 = survey.dbs.value(Space::State, &keyspace::passing_count(tag))?.unwrap_or_default();
        survey.each::<(u64, ParticipantId)>(Space::State, &keyspace::all_passing(tag), |key, (number, id)| {
            let is_right = (1..=count).contains(&number) && key == keyspace::passing(tag, number);
            let place = || format!("channel {name}, number {number} of those who passed by, {id}");
            survey.holds(is_right, place, || format!("it lies elsewhere, or only {count} did"));
            Ok(())
        })?;
        survey.each::<ParticipantId>(Space::State, &keyspace::traces_of(tag), |key, id| {
            let trace: Option<PastRecord> = survey.dbs.value(Space::State, &keyspace::trace(tag, &id))?;
            let is_right = trace.is_some_and(|trace| !trace.ended && key == keyspace::trace_of(tag, &trace.jid));
            survey.holds(
                is_right,
                || place_of(Space::State, key),
                || format!("an account was {id}, who is somebody else"),
            );
            Ok(())
        })
    })
}
