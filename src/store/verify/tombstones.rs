//! Tombstones: each names the row that retracted its row, and that row says so, too.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::survey::Survey;
use crate::channel::{RowKind, Tombstone};

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let Some(archive) = survey.archive(tag) else { return Ok(()) };
        survey.each::<Tombstone>(Space::State, &keyspace::tombstones(tag), |key, tombstone| {
            let place = || format!("channel {name}, tombstone of row {}", tombstone.row);
            let row = keyspace::number_of(key)?;
            survey.holds(row == tombstone.row, place, || format!("it lies where that of row {row} belongs"));
            survey.holds(tombstone.row < tombstone.retraction, place, || "a later row is retracted".into());
            let retraction = archive.row(tombstone.retraction)?;
            let kind = if tombstone.moderated { RowKind::Moderation } else { RowKind::Retraction };
            let is_taken = tombstone.retraction < archive.first();
            let says_so = retraction
                .is_some_and(|row| row.kind == kind && tombstone.by.as_ref().is_none_or(|by| *by == row.author));
            survey.holds(says_so || is_taken, place, || {
                format!("row {} is not the retraction that it names", tombstone.retraction)
            });
            Ok(())
        })
    })
}
