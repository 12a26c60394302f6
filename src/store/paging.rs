//! Pages of an archive. A page begins with one seek, so its cost depends on its length and not on how deep it lies.
//! Pages of one author, without events or of files are in `narrowing`.

use super::archive::{Archive, Pick};
use super::databases::{Databases, Order};
use super::visible::Visible;
use super::{PagePlan, RowPage, StoreError, facts, near};
use crate::channel::Stamp;
use std::ops::ControlFlow;

/// One page of an archive.
pub(super) fn page(dbs: &impl Databases, plan: &PagePlan) -> Result<RowPage, StoreError> {
    near::beside();
    let archive = Archive::open(dbs, plan.tag)?;
    let (first, last) = (plan.first.max(archive.first()), plan.last.min(archive.newest()));
    let mut visible = Visible::between(first, last, &plan.narrow).without(&archive.gaps());
    if !visible.ranges().is_empty() && (plan.start.is_some() || plan.end.is_some()) {
        let (start, end) = (plan.start.unwrap_or(Stamp(0)), plan.end.unwrap_or(Stamp(u64::MAX)));
        visible = visible.only(&archive.stamped(start, end)?);
    }
    let mut page = if plan.narrow.media.is_some() {
        archive.page_of_media(visible, plan)?
    } else if plan.author.is_some() || plan.narrow.no_events {
        archive.page_of_blocks(visible, plan)?
    } else {
        archive.page_between(visible, plan)?
    };
    let numbers: Vec<u64> = page.rows.iter().map(|row| row.number).collect();
    page.tombstones = facts::tombstones(dbs, plan.tag, &numbers)?;
    Ok(page)
}

impl<S: Databases> Archive<'_, S> {
    fn page_between(&self, visible: Visible<'_>, plan: &PagePlan) -> Result<RowPage, StoreError> {
        let max = plan.max as u64;
        let count = visible.count();
        let taken = if plan.from_end { visible.newest(max) } else { visible.oldest(max) };
        let pick = Pick { visible: Some(&taken), ..Pick::default() };
        let mut rows = Vec::new();
        for &(low, high) in taken.ranges() {
            self.visit_some(pick, low, high, Order::Rising, &mut |row| {
                rows.push(row);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        let left = count - count.min(max);
        let before = if plan.from_end { left } else { 0 };
        Ok(RowPage { rows, cut: left > 0, counted: Some((count, before)), ..RowPage::default() })
    }
}
