//! What is known of single rows: their own fields, and whether they were retracted.

use super::StoreError;
use super::archive::Archive;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, Month, Span, Spans};
use crate::channel::{Facts, Row, Tombstone};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// These rows of an archive.
pub(super) fn rows(dbs: &impl Databases, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError> {
    let archive = Archive::open(dbs, tag)?;
    numbers.iter().map(|&number| archive.row(number)).collect()
}

/// What is known of these rows, without payloads, which may be long. A row counts as retracted, too, where the row that
/// it corrects was.
pub(super) fn facts(dbs: &impl Databases, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError> {
    let archive = Archive::open(dbs, tag)?;
    let rows: Vec<Option<Row>> = numbers.iter().map(|&number| archive.bare_row(number)).collect::<Result<_, _>>()?;
    let corrected = rows.iter().flatten().filter_map(Row::corrected);
    let named: Vec<u64> = numbers.iter().copied().chain(corrected).collect();
    let tombstones = tombstones(dbs, tag, &named)?;
    let is_gone = |row: &Row| {
        tombstones.contains_key(&row.number) || row.corrected().is_some_and(|target| tombstones.contains_key(&target))
    };
    Ok(rows.into_iter().map(|row| row.map(|row| Facts { entombed: is_gone(&row), row })).collect())
}

/// Whether each of these rows is in the current month or surely does not exist. `false` for all where the archive ends
/// in an older month, which would have to be opened.
pub(super) fn at_hand(
    dbs: &impl Databases,
    current: Month,
    tag: u64,
    numbers: &[u64],
) -> Result<Vec<bool>, StoreError> {
    let spans: Spans = dbs.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
    let is_current = |span: &Span| span.month == current;
    let ends_here = spans.months.last().is_none_or(is_current);
    let span_of = |number: u64| {
        let index = spans.months.partition_point(|span| span.first <= number);
        index.checked_sub(1).and_then(|index| spans.months.get(index))
    };
    Ok(numbers.iter().map(|&number| ends_here && span_of(number).is_none_or(is_current)).collect())
}

/// The tombstones of those of these rows that were retracted. It costs one seek, and at most one more for each
/// tombstone.
pub(super) fn tombstones(
    dbs: &impl Databases,
    tag: u64,
    numbers: &[u64],
) -> Result<BTreeMap<u64, Tombstone>, StoreError> {
    let mut found = BTreeMap::new();
    let wanted: BTreeSet<u64> = numbers.iter().copied().collect();
    let (Some(&first), Some(&last)) = (wanted.first(), wanted.last()) else { return Ok(found) };
    if is_gone(dbs, tag)? {
        return Ok(found);
    }
    let to = keyspace::behind(&keyspace::tombstone(tag, last));
    let mut next = Some(first);
    while let Some(from) = next.take() {
        dbs.scan(Space::State, &keyspace::tombstone(tag, from), &to, Order::Rising, &mut |key, entry| {
            let row = keyspace::number_of(key)?;
            if !wanted.contains(&row) {
                // Any number of other tombstones may lie between two rows of a page.
                next = wanted.range(row..).next().copied();
                return Ok(ControlFlow::Break(()));
            }
            found.insert(row, dbs.whole(Space::State, key, entry)?);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(found)
}

/// Whether a row, or the row that it corrects, was retracted.
pub(super) fn is_entombed(archive: &Archive<'_, impl Databases>, number: u64) -> Result<bool, StoreError> {
    let is_marked = |row: u64| {
        let key = keyspace::tombstone(archive.tag, row);
        Ok(archive.dbs.entry(Space::State, &key)?.is_some())
    };
    if is_marked(number)? {
        return Ok(true);
    }
    archive.bare_row(number)?.and_then(|row| row.corrected()).map_or(Ok(false), is_marked)
}

/// Whether a channel was destroyed and its records are still being cleared away.
pub(super) fn is_gone(dbs: &impl Databases, tag: u64) -> Result<bool, StoreError> {
    Ok(dbs.entry(Space::State, &keyspace::grave(tag))?.is_some())
}
