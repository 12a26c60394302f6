//! Which rows are too old: for the service, a month at a time, and for a channel by its own setting.

use super::StoreError;
use super::archive::Archive;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, EntryHead, Month, Span, Spans};
use crate::channel::{ChannelName, Head, Rest, Stamp};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const DAY_MS: u64 = 24 * 3600 * 1000;

/// How long rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The current time, of the clock for retention.
    pub now: Stamp,
    /// How many days the service keeps rows at least. A month goes once all of it is older. 0 keeps rows for ever.
    pub keep_days: u64,
}

impl Retention {
    /// The oldest month that is kept.
    pub(super) fn oldest_month(&self) -> Option<Month> {
        let oldest = || Stamp(self.now.0.saturating_sub(self.keep_days.saturating_mul(DAY_MS)));
        (self.keep_days > 0).then(|| Month::of(oldest()))
    }
}

/// A channel with rows that are too old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// The channel's localpart.
    pub name: ChannelName,
    /// Its tag.
    pub tag: u64,
    /// Where its archive stood at the last of these rows.
    pub base: Head,
    /// What is known of the rows behind it.
    pub rest: Rest,
}

/// One part of a look through all channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// The channels with rows that are too old, among those looked at.
    pub outdated: Vec<Outdated>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<Vec<u8>>,
}

/// Looks at some channels, beginning where the part before ended.
pub(super) fn sweep(
    dbs: &impl Databases,
    current: Month,
    retention: &Retention,
    from: &[u8],
    count: usize,
) -> Result<Sweep, StoreError> {
    let all = keyspace::all(b'c');
    let (mut entries, mut next): (Vec<EntryHead>, _) = (Vec::new(), None);
    dbs.scan(Space::State, all.as_slice().max(from), &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        if entries.len() == count {
            next = Some(key.to_vec());
            return Ok(ControlFlow::Break(()));
        }
        entries.push(dbs.whole(Space::State, key, entry)?);
        Ok(ControlFlow::Continue(()))
    })?;
    let mut outdated = Vec::new();
    for EntryHead { name, tag, settings, .. } in entries {
        if let Some((base, rest)) = horizon(dbs, (tag, current), retention, settings.horizon(retention.now))? {
            outdated.push(Outdated { name, tag, base, rest });
        }
    }
    Ok(Sweep { outdated, next })
}

/// Where an archive stood at its last row that is too old, and what is known of the rows behind it; `None` where no row
/// is.
fn horizon(
    dbs: &impl Databases,
    (tag, current): (u64, Month),
    retention: &Retention,
    oldest_stamp: Stamp,
) -> Result<Option<(Head, Rest)>, StoreError> {
    let spans: Spans = dbs.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
    let oldest_month = retention.oldest_month().unwrap_or_default();
    let is_old = |span: &Span| {
        span.month < oldest_month
            || span.since < oldest_stamp
            || (oldest_stamp > Stamp(0) && span.since > retention.now)
    };
    // Most channels have no old rows. Their spans say so, without opening a month.
    if !spans.months.first().is_some_and(is_old) {
        return Ok(None);
    }
    let archive = Archive::open(dbs, tag)?;
    let kept = spans.months.partition_point(|span| span.month < oldest_month);
    let by_month = match kept {
        0 => spans.base.row,
        kept => spans.months.get(kept).map_or(archive.newest(), Span::end_before),
    };
    let by_age = archive.aged(oldest_stamp, retention.now)?;
    let last = by_month.max(by_age);
    if last < archive.first() {
        return Ok(None);
    }
    let rest = match archive.stamp_behind(last)? {
        Some(stamp) => Rest::From(stamp),
        // New rows come into the current month alone.
        None if spans.months.last().is_some_and(|span| span.month < current) => Rest::Nothing,
        None => Rest::Unknown,
    };
    Ok(Some((archive.head_at(last)?, rest)))
}

/// The months that hold rows of some channel.
pub(super) fn months_in_use(dbs: &impl Databases) -> Result<BTreeSet<Month>, StoreError> {
    let mut months = BTreeSet::new();
    let all = keyspace::all(b'h');
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        let spans: Spans = dbs.whole(Space::State, key, entry)?;
        months.extend(spans.months.iter().map(|span| span.month));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(months)
}
