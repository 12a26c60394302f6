//! Questions to the archive, answered from the store.

use crate::channel::command::HistoryQuery;
use crate::channel::{ParticipantId, Refusal, Row};
use crate::store::{Narrow, PagePlan, Store, StoreError};
use crate::xep::mam_page::{People, Query, QueryKind};
use std::collections::BTreeSet;

/// The stanzas that answer a query, in order.
pub fn answer(query: &Query, store: &dyn Store) -> Vec<String> {
    let answered = match &query.kind {
        QueryKind::Page { query: page, author } => answer_page(query, page, author.as_ref(), store),
        QueryKind::Bounds => answer_bounds(query, store),
        QueryKind::Reflection { row } => answer_reflection(query, *row, store),
    };
    answered.unwrap_or_else(|error| {
        tracing::error!(%error, "the archive cannot be read");
        vec![query.refuse(&Refusal::Internal)]
    })
}

fn answer_page(
    query: &Query,
    page: &HistoryQuery,
    author: Option<&ParticipantId>,
    store: &dyn Store,
) -> Result<Vec<String>, StoreError> {
    if page.of_empty_node {
        return Ok(query.page(page, Vec::new(), true, Some((0, 0)), &People::new()));
    }
    let oldest = match store.bounds(query.tag)? {
        Some((oldest, _)) => oldest,
        None => return Ok(query.page(page, Vec::new(), true, Some((0, 0)), &People::new())),
    };
    // Rows below the oldest one were given out once and are gone (XEP-0313 §4.3.2).
    let named = page.ids.iter().flatten().chain(&page.after);
    if named.chain(page.before.iter().filter(|&&before| before <= query.newest)).any(|&row| row < oldest) {
        return Ok(vec![query.refuse(&Refusal::NoSuchItem)]);
    }
    if let Some(ids) = &page.ids {
        return answer_ids(query, page, ids, author, store);
    }
    let plan = PagePlan {
        tag: query.tag,
        first: page.after.map_or(oldest, |after| after + 1),
        last: page.before.map_or(query.newest, |before| before - 1).min(query.newest),
        start: page.start,
        end: page.end,
        author: author.cloned(),
        max: page.max,
        from_end: page.from_end,
        narrow: Narrow::default(),
    };
    let found = store.page(&plan)?;
    let people = people(query, &found.rows, store)?;
    Ok(query.page(page, found.rows, !found.cut, found.counted, &people))
}

fn answer_ids(
    query: &Query,
    page: &HistoryQuery,
    ids: &[u64],
    author: Option<&ParticipantId>,
    store: &dyn Store,
) -> Result<Vec<String>, StoreError> {
    let numbers: Vec<u64> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    let mut rows = Vec::new();
    for row in store.rows(query.tag, &numbers)? {
        let Some(row) = row else { return Ok(vec![query.refuse(&Refusal::NoSuchItem)]) };
        let in_time = page.start.is_none_or(|start| row.stamp >= start) && page.end.is_none_or(|end| row.stamp <= end);
        let in_range = page.after.is_none_or(|after| row.number > after) && page.before.is_none_or(|b| row.number < b);
        if in_time && in_range && author.is_none_or(|author| row.author == *author) {
            rows.push(row);
        }
    }
    let complete = rows.len() <= page.max;
    if page.from_end {
        rows.drain(..rows.len().saturating_sub(page.max));
    }
    rows.truncate(page.max);
    let people = people(query, &rows, store)?;
    Ok(query.page(page, rows, complete, None, &people))
}

fn answer_bounds(query: &Query, store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let Some((oldest, _)) = store.bounds(query.tag)? else { return Ok(vec![query.bounds(None)]) };
    let ends = store.rows(query.tag, &[oldest, query.newest])?;
    Ok(vec![match &ends[..] {
        [Some(first), Some(last)] => query.bounds(Some((first, last))),
        _ => query.bounds(None),
    }])
}

fn answer_reflection(query: &Query, row: u64, store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Row> = store.rows(query.tag, &[row])?.into_iter().flatten().collect();
    let people = people(query, &rows, store)?;
    Ok(rows.iter().filter_map(|row| query.reflection(row, &people)).collect())
}

fn people(query: &Query, rows: &[Row], store: &dyn Store) -> Result<People, StoreError> {
    let ids: BTreeSet<&ParticipantId> = rows.iter().map(|row| &row.author).collect();
    store.people(query.tag, &ids.into_iter().cloned().collect::<Vec<_>>())
}
