//! The numbers of commits agree: of the state, of each month's newest commit, of the redo records that are left.

use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, Ops};
use super::super::{StoreError, pieces};
use super::survey::Survey;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    if !survey.on_disk {
        return Ok(());
    }
    let sealing: Option<[u8; 16]> = survey.dbs.value(Space::State, keyspace::SEALING)?;
    survey.holds(sealing.is_some(), || "state".into(), || "the key that seals row numbers is missing".into());
    let applied = number(survey, Space::State, keyspace::APPLIED)?.unwrap_or(0);
    let (mut past, newest_month) = (0, survey.months.last().copied());
    for &month in &survey.months {
        let space = Space::Month(month);
        let place = || format!("month {month}");
        let newest = number(survey, space, keyspace::NEWEST)?;
        if !survey.holds(newest.is_some(), place, || "the number of its newest commit is missing".into()) {
            continue;
        }
        let (newest, dropped) = (newest.unwrap_or(0), number(survey, space, keyspace::DROPPED)?.unwrap_or(0));
        survey.holds(newest >= past, place, || format!("it ends at commit {newest}, the month before at {past}"));
        survey.holds(dropped <= applied, place, || {
            format!("the redo record of commit {dropped} is dropped, and the state ends at commit {applied}")
        });
        past = past.max(newest);
        survey.each::<Ops>(space, &keyspace::all(b'z'), |key, _| {
            let commit = keyspace::number_of(key)?;
            survey.holds(dropped < commit && commit <= newest, place, || {
                format!("a redo record of commit {commit}, outside of commits {dropped} to {newest}")
            });
            survey.holds(commit <= applied || newest_month == Some(month), place, || {
                format!("a redo record of commit {commit} that the state has not got, and a later month began")
            });
            Ok(())
        })?;
    }
    survey.holds(
        past >= applied,
        || "state".into(),
        || format!("it knows commit {applied}, and the archive ends at commit {past}"),
    );
    Ok(())
}

fn number<S: Databases>(survey: &Survey<'_, S>, space: Space, key: &[u8]) -> Result<Option<u64>, StoreError> {
    survey.dbs.entry(space, key)?.map(|entry| keyspace::decode_archived(pieces::start_of(&entry)?)).transpose()
}
