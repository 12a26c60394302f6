//! The indexes of rows have what the rows say, and nothing else: files, and blocks of authors and messages, and in the
//! state corrections.

use super::super::StoreError;
use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, BLOCK_ROWS, Month, Spans};
use super::survey::{Survey, place_of};
use crate::channel::{ChannelName, Row, RowKind};
use std::collections::BTreeSet;

/// The letters of the indexes of a month.
const INDEXES: [u8; 3] = [b'b', b'f', b't'];

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let spans: Spans = survey.dbs.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
        let mut corrections = BTreeSet::new();
        let months: BTreeSet<Month> = spans.months.iter().map(|span| span.month).collect();
        for month in months.into_iter().filter(|month| survey.months.contains(month)) {
            let space = Space::Month(month);
            let mut due = BTreeSet::new();
            survey.each::<Row>(space, &keyspace::rows(tag), |_, row| {
                due.extend(entries_of(tag, &row));
                let base = spans.base.row;
                if let Some(target) = row.target.filter(|_| row.corrects && row.number > base) {
                    corrections.insert(keyspace::correction(tag, target, row.number));
                }
                Ok(())
            })?;
            for letter in INDEXES {
                let prefix = [&[letter][..], &tag.to_be_bytes()].concat();
                compare(survey, name, space, &prefix, &|_| false, &mut due)?;
            }
        }
        // What is known of rows that are too old is cleared away by and by, so it does not count.
        let old = |key: &[u8]| keyspace::number_of(key).is_ok_and(|row| row <= spans.base.row);
        compare(survey, name, Space::State, &keyspace::all_corrections(tag), &old, &mut corrections)
    })
}

/// The entries that a row has in the indexes of its month.
fn entries_of(tag: u64, row: &Row) -> Vec<Vec<u8>> {
    let block = row.number / BLOCK_ROWS;
    let mut entries = vec![keyspace::block(tag, Some(&row.author), block)];
    if !matches!(row.kind, RowKind::Event(_)) {
        entries.push(keyspace::block(tag, None, block));
    }
    entries.extend(row.target.map(|target| keyspace::target(tag, target, row.number)));
    entries.extend(row.media.map(|kind| keyspace::media(tag, kind, row.number)));
    entries
}

/// Reports index entries that should not be there, and ones that are missing.
fn compare<S: Databases>(
    survey: &Survey<'_, S>,
    name: &ChannelName,
    space: Space,
    prefix: &[u8],
    is_passed_over: &dyn Fn(&[u8]) -> bool,
    due: &mut BTreeSet<Vec<u8>>,
) -> Result<(), StoreError> {
    survey.each_key(space, prefix, |key| {
        let place = || format!("channel {name}, {}", place_of(space, key));
        survey.holds(due.remove(key) || is_passed_over(key), place, || {
            "the index names a row that says nothing of the kind".into()
        });
        Ok(())
    })?;
    let missing: Vec<Vec<u8>> = due.range(prefix.to_vec()..keyspace::behind(prefix)).cloned().collect();
    for key in missing {
        survey.wrong(format!("channel {name}, {}", place_of(space, &key)), "a row is missing in the index");
    }
    Ok(())
}
