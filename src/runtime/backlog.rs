//! Reads what was said last in a channel, for those who enter it as a room. Runs beside the loop.

use crate::channel::backlog::Backlog;
use crate::channel::{ParticipantId, Row};
use crate::engine::LastSaid;
use crate::store::{Narrow, PagePlan, Store, StoreError};
use std::collections::BTreeSet;

/// How many rows are looked at for one reader: many may be nothing to read, such as reactions.
const LOOKED_AT_MAX: usize = 256;
/// How many rows are read at a time, at least.
const PAGE_ROWS: usize = 20;
/// How long the payloads of what one reader is shown may be together, in bytes. Newer rows come first.
const PAYLOADS_BYTES_MAX: usize = 128 << 10;

/// The newest messages of a part of an archive that say something and were not retracted, up to `max`, oldest first.
///
/// # Errors
/// Those of reading.
pub fn last_said(store: &dyn Store, tag: u64, backlog: &Backlog, max: usize) -> Result<LastSaid, StoreError> {
    let narrow = Narrow { windows: backlog.windows.clone(), hidden: backlog.hidden.clone(), ..Narrow::default() };
    let mut plan = PagePlan {
        tag,
        first: 1,
        last: u64::MAX,
        start: None,
        end: None,
        author: None,
        max: max.max(PAGE_ROWS),
        from_end: true,
        narrow,
    };
    let (mut rows, mut looked_at, mut bytes) = (Vec::new(), 0, 0);
    'pages: while rows.len() < max && looked_at < LOOKED_AT_MAX {
        let page = store.page(&plan)?;
        looked_at += page.rows.len();
        let Some(first) = page.rows.first().map(|row| row.number) else { break };
        let corrected: Vec<u64> = page.rows.iter().filter_map(Row::corrected).collect();
        let gone = if corrected.is_empty() { Default::default() } else { store.tombstones(tag, &corrected)? };
        let is_gone = |row: &Row| {
            page.tombstones.contains_key(&row.number) || row.corrected().is_some_and(|row| gone.contains_key(&row))
        };
        for row in page.rows.iter().rev().filter(|row| row.is_said() && !is_gone(row)) {
            bytes += row.payload.len();
            if rows.len() >= max || bytes > PAYLOADS_BYTES_MAX {
                break 'pages;
            }
            rows.push(row.clone());
        }
        if !page.cut {
            break;
        }
        plan.last = first - 1;
    }
    rows.reverse();
    let authors: BTreeSet<&ParticipantId> = rows.iter().map(|row| &row.author).collect();
    let authors: Vec<ParticipantId> = authors.into_iter().cloned().collect();
    let authors = store.people(tag, &authors)?;
    Ok(LastSaid { max, rows, authors })
}
