//! What is left of destroyed channels lies under its name, which no channel has, and is in order.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::gone::{PEOPLE_MAX, REASON_BYTES_MAX};
use crate::channel::{AccountMark, GoneChannel};

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each::<GoneChannel>(Space::State, &keyspace::all(b'H'), |key, gone| {
        let place = || format!("what is left of channel {}", gone.name);
        survey.holds(key == keyspace::gone(&gone.name), place, || "it lies under the key of another name".into());
        let channel = survey.dbs.entry(Space::State, &keyspace::channel(&gone.name))?;
        survey.holds(channel.is_none(), place, || "there is a channel of this name".into());
        let is_sorted = |marks: &[AccountMark]| marks.is_sorted_by(|a, b| a < b);
        survey
            .holds(is_sorted(&gone.owners) && is_sorted(&gone.people), place, || "its people are not in order".into());
        let (count, length) = (gone.people.len(), gone.reason.as_ref().map_or(0, String::len));
        survey.holds(count <= PEOPLE_MAX, place, || format!("it knows {count} people"));
        survey.holds(length <= REASON_BYTES_MAX, place, || format!("its reason has {length} bytes"));
        Ok(())
    })
}
