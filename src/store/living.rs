//! Which entries of the months can still be reached: all except rows of destroyed channels and rows that are too old,
//! and their indexes. Those stay until their month goes or the store is compacted.

use super::StoreError;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, BLOCK_ROWS, Month, RowStart, Spans};
use super::pieces;
use crate::channel::{ChannelName, Row, RowKind};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The letters of rows and of those indexes of rows whose keys end in the row's number.
const BY_ROW: &[u8] = b"rft";

/// Knows which entries of the months can still be reached.
pub(super) struct Living<'a, S> {
    dbs: &'a S,
    /// The last row that is too old, by the tag of each channel that exists.
    horizons: HashMap<u64, u64>,
}

impl<'a, S: Databases> Living<'a, S> {
    /// Reads which channels exist and where their archives begin.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn of(dbs: &'a S) -> Result<Living<'a, S>, StoreError> {
        let mut horizons = HashMap::new();
        let all = keyspace::all(b'c');
        dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
            let (_, tag): (ChannelName, u64) = dbs.whole(Space::State, key, entry)?;
            let spans: Spans = dbs.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
            horizons.insert(tag, spans.base.row);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Living { dbs, horizons })
    }

    /// Whether an entry of a month can still be reached.
    ///
    /// # Errors
    /// Those of reading, and a key that is too short.
    pub(super) fn keeps(&self, month: Month, key: &[u8]) -> Result<bool, StoreError> {
        // A piece goes with the entry that it belongs to.
        let key = match key.split_first() {
            Some((b'x', owner)) => owner.split_last_chunk::<2>().map_or(owner, |(owner, _)| owner),
            _ => key,
        };
        let Some(&letter) = key.first() else { return Ok(true) };
        if letter != b'b' && !BY_ROW.contains(&letter) {
            return Ok(true);
        }
        let Some(&horizon) = self.horizons.get(&keyspace::tag_of(key)?) else { return Ok(false) };
        let number = keyspace::number_of(key)?;
        if letter != b'b' {
            return Ok(number > horizon);
        }
        let (first, last) = (number * BLOCK_ROWS, number * BLOCK_ROWS + (BLOCK_ROWS - 1));
        if horizon < first || last <= horizon {
            return Ok(horizon < first);
        }
        self.has_row_in_block(month, key, horizon + 1, last)
    }

    /// Whether any row of `first..=last` needs this entry of the index of blocks.
    fn has_row_in_block(&self, month: Month, block: &[u8], first: u64, last: u64) -> Result<bool, StoreError> {
        let (space, tag, number) = (Space::Month(month), keyspace::tag_of(block)?, last / BLOCK_ROWS);
        let is_spoken = keyspace::block(tag, None, number) == block;
        let mut found = false;
        let (from, to) = (keyspace::row(tag, first), keyspace::row(tag, last + 1));
        self.dbs.scan(space, &from, &to, Order::Rising, &mut |key, entry| {
            found = if is_spoken {
                let row: Row = self.dbs.whole(space, key, entry)?;
                !matches!(row.kind, RowKind::Event(_))
            } else {
                let (_, _, author, _): RowStart = keyspace::decode_archived(pieces::start_of(entry)?)?;
                keyspace::block(tag, Some(&author), number) == block
            };
            Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        Ok(found)
    }
}
