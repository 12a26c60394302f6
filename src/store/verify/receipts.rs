//! Reports of recipients: of members, of rows that exist, each row covered once.

use super::super::StoreError;
use super::super::keyspace::{self, Reported};
use super::super::shelf::{Shelf, Space};
use super::survey::Survey;

pub(super) fn check<S: Shelf>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let Some(archive) = survey.archive(tag) else { return Ok(()) };
        let mut members: Vec<Vec<u8>> = Vec::new();
        survey.each_key(Space::State, &keyspace::members(tag), |key| {
            members.push(key.get(9..).unwrap_or_default().to_vec());
            Ok(())
        })?;
        // Reports lie in the order of who reports what, and then of their last rows.
        let mut past: (Vec<u8>, u64) = Default::default();
        survey.each::<Reported>(Space::State, &keyspace::all_reports(tag), |key, (first, _)| {
            let last = keyspace::number_of(key)?;
            let place = || format!("channel {name}, report of rows {first} to {last}");
            let by = key.get(10..key.len() - 8).unwrap_or_default();
            survey.holds(members.binary_search_by(|id| id.as_slice().cmp(by)).is_ok(), place, || {
                "it is of somebody of whom there is no record".into()
            });
            survey.holds(0 < first && first <= last && last <= archive.head().row, place, || {
                format!("there are no such rows: the archive ends at row {}", archive.head().row)
            });
            let of = key.get(..key.len() - 8).unwrap_or_default();
            survey.holds(past.0 != of || past.1 < first, place, || {
                format!("the report before it covers row {} as well", past.1)
            });
            past = (of.to_vec(), last);
            Ok(())
        })
    })
}
