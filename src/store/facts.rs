//! What is known of single rows: themselves, who corrected and who retracted them.

use super::StoreError;
use super::keyspace;
use super::paging::Archive;
use super::shelf::{Order, Shelf, Space};
use crate::channel::{Facts, Row, Tombstone};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// These rows of an archive.
pub(super) fn rows(shelf: &impl Shelf, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError> {
    let archive = Archive::open(shelf, tag)?;
    numbers.iter().map(|&number| archive.row(number)).collect()
}

/// What is known of these rows.
pub(super) fn facts(shelf: &impl Shelf, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError> {
    let tombstones = tombstones(shelf, tag, numbers)?;
    let facts = rows(shelf, tag, numbers)?.into_iter().map(|row| {
        let Some(row) = row else { return Ok(None) };
        let corrections = corrections(shelf, tag, row.number)?;
        Ok(Some(Facts { entombed: tombstones.contains_key(&row.number), corrections, row }))
    });
    facts.collect()
}

fn corrections(shelf: &impl Shelf, tag: u64, number: u64) -> Result<Vec<u64>, StoreError> {
    let prefix = keyspace::corrections(tag, number);
    let mut rows = Vec::new();
    shelf.scan(Space::State, &prefix, &keyspace::behind(&prefix), Order::Rising, &mut |key, _| {
        rows.push(keyspace::number_of(key)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// What is left of those of these rows that were retracted: one seek where none was, and at most one for each that was.
pub(super) fn tombstones(
    shelf: &impl Shelf,
    tag: u64,
    numbers: &[u64],
) -> Result<BTreeMap<u64, Tombstone>, StoreError> {
    let mut found = BTreeMap::new();
    let wanted: BTreeSet<u64> = numbers.iter().copied().collect();
    let (Some(&first), Some(&last)) = (wanted.first(), wanted.last()) else { return Ok(found) };
    if is_gone(shelf, tag)? {
        return Ok(found);
    }
    let to = keyspace::behind(&keyspace::tombstone(tag, last));
    let mut next = Some(first);
    while let Some(from) = next.take() {
        shelf.scan(Space::State, &keyspace::tombstone(tag, from), &to, Order::Rising, &mut |key, entry| {
            let row = keyspace::number_of(key)?;
            if !wanted.contains(&row) {
                // Between the rows of a page may lie any number that are none of it.
                next = wanted.range(row..).next().copied();
                return Ok(ControlFlow::Break(()));
            }
            found.insert(row, shelf.whole(Space::State, key, entry)?);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(found)
}

/// Whether a row was retracted.
pub(super) fn is_entombed(shelf: &impl Shelf, tag: u64, row: u64) -> Result<bool, StoreError> {
    Ok(shelf.entry(Space::State, &keyspace::tombstone(tag, row))?.is_some())
}

/// Whether a channel was destroyed and its records are still being cleared away.
pub(super) fn is_gone(shelf: &impl Shelf, tag: u64) -> Result<bool, StoreError> {
    Ok(shelf.entry(Space::State, &keyspace::grave(tag))?.is_some())
}
