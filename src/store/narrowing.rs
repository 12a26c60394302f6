//! Pages of rows that are narrowed: to one author, to rows that are no events, to rows with files.
//!
//! No such page looks at every row. An index of blocks leads to the rows of an author and to those that are no events,
//! so that each row found costs at most one block. Files have an index of their own. How many rows match in all is not
//! known.

use super::archive::{Archive, Pick, lost};
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, BLOCK_ROWS, RowStart};
use super::visible::Visible;
use super::{PagePlan, RowPage, StoreError, facts, pieces};
use crate::channel::{MediaKind, Row};
use std::ops::ControlFlow;

/// What was found: up to one more than the page takes, which shows whether the page is cut.
struct Found<T> {
    entries: Vec<T>,
    max: usize,
}

impl<T> Found<T> {
    fn new(max: usize) -> Found<T> {
        Found { entries: Vec::new(), max }
    }

    /// Whether there is nothing more to look for.
    fn flow(&self) -> ControlFlow<()> {
        if self.entries.len() > self.max { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// The contents of the page, oldest first, and whether it is cut.
    fn finish(mut self, order: Order) -> (Vec<T>, bool) {
        let cut = self.entries.len() > self.max;
        self.entries.truncate(self.max);
        if order == Order::Falling {
            self.entries.reverse();
        }
        (self.entries, cut)
    }
}

impl<S: Databases> Archive<'_, S> {
    /// A page of rows of one author, of rows that are no events, or both.
    pub(super) fn page_of_blocks(&self, visible: Visible<'_>, plan: &PagePlan) -> Result<RowPage, StoreError> {
        let author = plan.author.as_ref();
        let pick = Pick { author, no_events: plan.narrow.no_events, visible: Some(&visible), bare: false };
        let mut found: Found<Row> = Found::new(plan.max);
        let order = order_of(plan);
        self.each_range(&visible, order, &mut |month, low, high| {
            let from = keyspace::block(self.tag, author, low / BLOCK_ROWS);
            let to = keyspace::block(self.tag, author, high / BLOCK_ROWS + 1);
            self.dbs.scan(month, &from, &to, order, &mut |key, _| {
                let block = keyspace::number_of(key)?;
                let (low, high) = (low.max(block * BLOCK_ROWS), high.min(block * BLOCK_ROWS + BLOCK_ROWS - 1));
                self.visit_some(pick, low, high, order, &mut |row| {
                    found.entries.push(row);
                    Ok(found.flow())
                })?;
                Ok(found.flow())
            })?;
            Ok(found.flow())
        })?;
        let (rows, cut) = found.finish(order);
        Ok(RowPage { rows, cut, counted: None, ..RowPage::default() })
    }

    /// A page of rows with files of certain kinds, without rows that were retracted.
    pub(super) fn page_of_media(&self, visible: Visible<'_>, plan: &PagePlan) -> Result<RowPage, StoreError> {
        let mut kinds = plan.narrow.media.clone().unwrap_or_default();
        kinds.sort();
        kinds.dedup();
        let mut found: Found<u64> = Found::new(plan.max);
        let order = order_of(plan);
        self.each_range(&visible, order, &mut |month, low, high| {
            let wanted = found.max.saturating_add(1).saturating_sub(found.entries.len());
            let mut part = Vec::new();
            for &kind in &kinds {
                part.extend(self.media_of(kind, month, (low, high), wanted, &visible, plan)?);
            }
            part.sort_unstable();
            if order == Order::Falling {
                part.reverse();
            }
            part.truncate(wanted);
            found.entries.extend(part);
            Ok(found.flow())
        })?;
        let (numbers, cut) = found.finish(order);
        let rows = numbers.into_iter().map(|number| self.row(number)?.ok_or_else(|| lost(number)));
        Ok(RowPage { rows: rows.collect::<Result<_, _>>()?, cut, counted: None, ..RowPage::default() })
    }

    /// Up to `max` rows of one month with files of one kind.
    fn media_of(
        &self,
        kind: MediaKind,
        month: Space,
        (low, high): (u64, u64),
        max: usize,
        visible: &Visible<'_>,
        plan: &PagePlan,
    ) -> Result<Vec<u64>, StoreError> {
        let (from, to) = (keyspace::media(self.tag, kind, low), keyspace::media(self.tag, kind, high + 1));
        let mut numbers = Vec::new();
        self.dbs.scan(month, &from, &to, order_of(plan), &mut |key, _| {
            let number = keyspace::number_of(key)?;
            if !visible.hides(number) && self.is_of(number, month, plan)? && !facts::is_entombed(self, number)? {
                numbers.push(number);
            }
            Ok(if numbers.len() < max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(numbers)
    }

    /// Whether a row is of the author that the plan asks for.
    fn is_of(&self, number: u64, month: Space, plan: &PagePlan) -> Result<bool, StoreError> {
        let Some(author) = &plan.author else { return Ok(true) };
        let entry = self.dbs.entry(month, &keyspace::row(self.tag, number))?.ok_or_else(|| lost(number))?;
        let (_, _, found, _): RowStart = keyspace::decode_archived(pieces::start_of(&entry)?)?;
        Ok(found == *author)
    }

    /// Calls `each` with the visible ranges, cut by month, in the order of the plan.
    fn each_range(
        &self,
        visible: &Visible<'_>,
        order: Order,
        visit: &mut dyn FnMut(Space, u64, u64) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut ranges = visible.ranges().to_vec();
        if order == Order::Falling {
            ranges.reverse();
        }
        let mut flow = ControlFlow::Continue(());
        for (low, high) in ranges {
            self.each_month(low, high, order, &mut |month, low, high| {
                flow = visit(month, low, high)?;
                Ok(flow)
            })?;
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The end that a page is read from.
fn order_of(plan: &PagePlan) -> Order {
    if plan.from_end { Order::Falling } else { Order::Rising }
}
