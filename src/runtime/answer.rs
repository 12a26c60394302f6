//! Answers queries of the archive from the store.

use super::dossier;
use crate::channel::command::HistoryQuery;
use crate::channel::group::{Aggregate, Recipient};
use crate::channel::receipts::is_within;
use crate::channel::{ParticipantId, Receipt, Refusal, Row, RowKind, Tombstone};
use crate::store::{Bounds, Narrow, PagePlan, Store, StoreError};
use crate::xep::mam_page::{PagePeople, Query, QueryKind, Tombstones};
use crate::xep::{commands, group_tags};
use jid::BareJid;
use std::collections::BTreeSet;

/// The stanzas that answer a query, in order.
pub fn answer(query: &Query, store: &dyn Store) -> Vec<String> {
    let answered = match &query.kind {
        QueryKind::Page { query: page, author } => answer_page(query, page, author.as_ref(), store),
        QueryKind::Bounds(seen) => answer_bounds(query, seen, store),
        QueryKind::MessageInfo { row, recipients, aggregate } => {
            answer_message_info(query, *row, recipients, aggregate, store)
        }
        QueryKind::Reflection { row } => answer_reflection(query, *row, store),
        QueryKind::Dossier { account, whole, node, session, bytes_max } => {
            let text = if *whole { exported(account, *bytes_max, store) } else { summed_up(account, store) };
            text.map(|text| {
                vec![match text {
                    Some(text) => query.reply.result(Some(commands::text(node, session, account.as_str(), &text))),
                    None => query.refuse(&Refusal::TooLong { what: "what there is", max: *bytes_max }),
                }]
            })
        }
    };
    answered.unwrap_or_else(|error| {
        tracing::error!(%error, "the archive cannot be read");
        vec![query.refuse(&Refusal::Internal)]
    })
}

fn summed_up(account: &BareJid, store: &dyn Store) -> Result<Option<String>, StoreError> {
    dossier::summary(store, account).map(|summary| Some(format!("{summary:#}")))
}

/// Everything that the service holds of the account; `None` where it is longer than `bytes_max`.
fn exported(account: &BareJid, bytes_max: usize, store: &dyn Store) -> Result<Option<String>, StoreError> {
    let mut text = String::new();
    dossier::export(store, account, &mut |part| {
        text.push_str(&part);
        text.len() <= bytes_max
    })?;
    Ok((text.len() <= bytes_max).then_some(text))
}

fn answer_page(
    query: &Query,
    page: &HistoryQuery,
    author: Option<&ParticipantId>,
    store: &dyn Store,
) -> Result<Vec<String>, StoreError> {
    if page.of_empty_node {
        return Ok(query.page(page, Vec::new(), true, Some((0, 0)), &PagePeople::new(), &Tombstones::new()));
    }
    let bounds = store.bounds(query.tag)?;
    // An id that was given out and whose row is gone, by age or since a restore, is item-not-found (XEP-0313 §4.3.2).
    let named = page.ids.iter().flatten().chain(&page.after);
    let mut named = named.chain(page.before.iter().filter(|&&before| before <= query.newest));
    if named.any(|&row| bounds.as_ref().is_none_or(|bounds| !bounds.holds(row))) {
        return Ok(vec![query.refuse(&Refusal::NoSuchItem)]);
    }
    let Some(Bounds { oldest, .. }) = bounds else {
        return Ok(query.page(page, Vec::new(), true, Some((0, 0)), &PagePeople::new(), &Tombstones::new()));
    };
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
        narrow: narrow(page),
    };
    let found = store.page(&plan)?;
    let (people, tombstones) = beside(query, &found.rows, found.tombstones, store)?;
    Ok(query.page(page, found.rows, !found.cut, found.counted, &people, &tombstones))
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
        if !sees(page, row.number) {
            return Ok(vec![query.refuse(&Refusal::NoSuchItem)]);
        }
        let is_wanted = page.media.as_ref().is_none_or(|kinds| row.media.is_some_and(|media| kinds.contains(&media)))
            && !(page.no_events && matches!(row.kind, RowKind::Event(_)));
        if is_wanted && in_time && in_range && author.is_none_or(|author| row.author == *author) {
            rows.push(row);
        }
    }
    let complete = rows.len() <= page.max;
    if page.from_end {
        rows.drain(..rows.len().saturating_sub(page.max));
    }
    rows.truncate(page.max);
    let tombstones = store.tombstones(query.tag, &numbers)?;
    let (people, tombstones) = beside(query, &rows, tombstones, store)?;
    Ok(query.page(page, rows, complete, None, &people, &tombstones))
}

/// Whether the asker may name a row: it is within the asker's windows, hidden or not.
fn sees(page: &HistoryQuery, row: u64) -> bool {
    let windows = page.windows.as_ref();
    windows.is_none_or(|windows| is_within(windows, row))
}

fn narrow(page: &HistoryQuery) -> Narrow {
    Narrow {
        windows: page.windows.clone(),
        hidden: page.hidden.clone(),
        no_events: page.no_events,
        media: page.media.clone(),
    }
}

fn answer_bounds(query: &Query, seen: &HistoryQuery, store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let Some(Bounds { oldest, .. }) = store.bounds(query.tag)? else { return Ok(vec![query.bounds(None)]) };
    let end = |from_end| {
        let plan = PagePlan {
            tag: query.tag,
            first: oldest,
            last: query.newest,
            start: None,
            end: None,
            author: None,
            max: 1,
            from_end,
            narrow: narrow(seen),
        };
        Ok(store.page(&plan)?.rows.pop())
    };
    Ok(vec![match (end(false)?, end(true)?) {
        (Some(first), Some(last)) => query.bounds(Some((&first, &last))),
        _ => query.bounds(None),
    }])
}

fn answer_reflection(query: &Query, row: u64, store: &dyn Store) -> Result<Vec<String>, StoreError> {
    let rows: Vec<Row> = store.rows(query.tag, &[row])?.into_iter().flatten().collect();
    let tombstones = store.tombstones(query.tag, &[row])?;
    let (people, tombstones) = beside(query, &rows, tombstones, store)?;
    Ok(rows.iter().filter_map(|row| query.reflection(row, &people, &tombstones)).collect())
}

fn answer_message_info(
    query: &Query,
    row: u64,
    recipients: &[Recipient],
    aggregate: &Aggregate,
    store: &dyn Store,
) -> Result<Vec<String>, StoreError> {
    let told = receipts_of(query.tag, row, recipients, store)?;
    let told = told.iter().map(|(jid, receipt)| group_tags::recipient(jid, receipt)).collect();
    Ok(vec![query.message_info(row, aggregate, told)])
}

/// When a row arrived at each of its recipients, in their order.
///
/// # Errors
/// Those of reading.
pub fn receipts_of(
    tag: u64,
    row: u64,
    recipients: &[Recipient],
    store: &dyn Store,
) -> Result<Vec<(BareJid, Receipt)>, StoreError> {
    let reached = recipients.iter().filter_map(|recipient| Some((recipient.id.clone(), recipient.progress?)));
    let receipts = store.receipts(tag, row, &reached.collect::<Vec<_>>())?;
    let told = |recipient: &Recipient| {
        let receipt = receipts.get(&recipient.id).copied().unwrap_or_default();
        (recipient.jid.clone(), receipt)
    };
    Ok(recipients.iter().map(told).collect())
}

/// What rows are rendered with: the people that they and their tombstones name, and the tombstones that moderators
/// left.
fn beside(
    query: &Query,
    rows: &[Row],
    mut tombstones: Tombstones,
    store: &dyn Store,
) -> Result<(PagePeople, Tombstones), StoreError> {
    let mut ids: BTreeSet<&ParticipantId> = BTreeSet::new();
    let mut moderated = Vec::new();
    for row in rows {
        match &row.kind {
            RowKind::Event(_) => {}
            RowKind::Moderation => moderated.extend(row.target),
            _ => drop(ids.insert(&row.author)),
        }
    }
    if !moderated.is_empty() {
        tombstones.extend(store.tombstones(query.tag, &moderated)?);
    }
    // A retraction also takes the corrections of its row.
    let corrected: Vec<u64> = rows.iter().filter_map(Row::corrected).collect();
    let gone = if corrected.is_empty() { Tombstones::new() } else { store.tombstones(query.tag, &corrected)? };
    for row in rows {
        if let Some(left) = row.corrected().and_then(|target| gone.get(&target)) {
            tombstones.entry(row.number).or_insert_with(|| Tombstone { row: row.number, ..left.clone() });
        }
    }
    ids.extend(tombstones.values().filter_map(|left| left.by.as_ref()));
    let people = store.people(query.tag, &ids.into_iter().cloned().collect::<Vec<_>>())?;
    Ok((people, tombstones))
}
