//! The archive of a channel: where it begins and ends, and its rows.
//!
//! Rows are numbered without gaps, so counting them is arithmetic. Stamps fall only where a span ends, because the
//! clock was set back there. So a time is found by a binary search in the spans that may hold it, mostly one.

use super::bare::RowHead;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, RowStart, Span, Spans};
use super::visible::Visible;
use super::{StoreError, pieces};
use crate::channel::{Head, ParticipantId, Row, RowKind, Stamp};
use std::ops::ControlFlow;

/// The rows of one channel.
pub(super) struct Archive<'a, S> {
    pub(super) dbs: &'a S,
    pub(super) tag: u64,
    spans: Spans,
    /// The number, ordinal and stamp that the next row follows.
    head: Head,
    /// The newest row; the number before the oldest where there is none.
    newest: u64,
}

/// What a walk calls with each row. It says whether the walk goes on.
pub(super) type VisitRow<'a> = dyn FnMut(Row) -> Result<ControlFlow<()>, StoreError> + 'a;

/// The rows that a walk takes.
#[derive(Clone, Copy, Default)]
pub(super) struct Pick<'a> {
    /// Only those of this author.
    pub(super) author: Option<&'a ParticipantId>,
    /// No events.
    pub(super) no_events: bool,
    /// Only rows that are not hidden here.
    pub(super) visible: Option<&'a Visible<'a>>,
    /// Without their payloads, which may be long.
    pub(super) bare: bool,
}

impl<'a, S: Databases> Archive<'a, S> {
    /// Opens the archive of a channel.
    pub(super) fn open(dbs: &'a S, tag: u64) -> Result<Archive<'a, S>, StoreError> {
        let spans: Spans = dbs.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
        let mut archive = Archive { dbs, tag, head: spans.base, newest: spans.base.row, spans };
        if let Some(span) = archive.spans.months.last() {
            let prefix = keyspace::rows(tag);
            let month = Space::Month(span.month);
            let mut newest: Option<RowStart> = None;
            dbs.scan(month, &prefix, &keyspace::behind(&prefix), Order::Falling, &mut |_, entry| {
                newest = Some(keyspace::decode_archived(pieces::start_of(entry)?)?);
                Ok(ControlFlow::Break(()))
            })?;
            let (row, stamp, _, ordinal) = newest.ok_or_else(|| lost(span.first))?;
            archive.head = Head { row, ordinal, stamp };
            archive.newest = row;
        }
        archive.head.row += archive.spans.skip;
        Ok(archive)
    }

    /// Where the numbers stand. The next row has the number behind it.
    pub(super) fn head(&self) -> Head {
        self.head
    }

    /// Where the archive stood before its oldest row.
    pub(super) fn base(&self) -> Head {
        self.spans.base
    }

    /// The oldest row; the next number where there is no row.
    pub(super) fn first(&self) -> u64 {
        self.spans.months.first().map_or(self.head.row + 1, |span| span.first)
    }

    /// The newest row; the number before the oldest where there is no row.
    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// The numbers that no row has, first and last included, in order.
    pub(super) fn gaps(&self) -> Vec<(u64, u64)> {
        let inner = self.spans.months.iter().filter(|span| span.gap > 0);
        let mut gaps: Vec<_> = inner.map(|span| (span.end_before() + 1, span.first - 1)).collect();
        if self.spans.skip > 0 {
            gaps.push((self.newest + 1, self.head.row));
        }
        gaps
    }

    /// Where the archive stood at a row that exists.
    pub(super) fn head_at(&self, number: u64) -> Result<Head, StoreError> {
        let month = Space::Month(self.span_of(number)?.month);
        let start: Option<RowStart> = self.dbs.value(month, &keyspace::row(self.tag, number))?;
        let (row, stamp, _, ordinal) = start.ok_or_else(|| lost(number))?;
        Ok(Head { row, ordinal, stamp })
    }

    /// The stamp of the row after one that exists; `None` where that one is the newest.
    pub(super) fn stamp_behind(&self, number: u64) -> Result<Option<Stamp>, StoreError> {
        let span = self.filled_spans().find(|(_, last, _)| *last > number);
        span.map(|(span, ..)| self.stamp_in(span, span.first.max(number + 1))).transpose()
    }

    /// The row of this number, if it exists.
    pub(super) fn row(&self, number: u64) -> Result<Option<Row>, StoreError> {
        if number < self.first() || number > self.newest {
            return Ok(None);
        }
        self.dbs.value(Space::Month(self.span_of(number)?.month), &keyspace::row(self.tag, number))
    }

    /// The row of this number without its payload, if it exists.
    pub(super) fn bare_row(&self, number: u64) -> Result<Option<Row>, StoreError> {
        if number < self.first() || number > self.newest {
            return Ok(None);
        }
        let (month, key) = (Space::Month(self.span_of(number)?.month), keyspace::row(self.tag, number));
        let entry = self.dbs.entry(month, &key)?;
        entry.map(|entry| self.dbs.beginning::<RowHead>(month, &key, &entry).map(Row::from)).transpose()
    }

    /// Walks through rows, each of which has to exist. Rows of others and hidden rows are skipped without being read
    /// whole.
    pub(super) fn visit_some(
        &self,
        pick: Pick<'_>,
        first: u64,
        last: u64,
        order: Order,
        visit: &mut VisitRow<'_>,
    ) -> Result<(), StoreError> {
        let mut stopped = false;
        let mut walk = |month: Space, low: u64, high: u64| {
            let (from, to) = (keyspace::row(self.tag, low), keyspace::row(self.tag, high + 1));
            let mut seen = 0;
            self.dbs.scan(month, &from, &to, order, &mut |key, entry| {
                seen += 1;
                if !pick.takes(key, entry)? {
                    return Ok(ControlFlow::Continue(()));
                }
                let row: Row = match pick.bare {
                    true => self.dbs.beginning::<RowHead>(month, key, entry)?.into(),
                    false => self.dbs.whole(month, key, entry)?,
                };
                if pick.no_events && matches!(row.kind, RowKind::Event(_)) {
                    return Ok(ControlFlow::Continue(()));
                }
                let flow = visit(row)?;
                stopped = flow.is_break();
                Ok(flow)
            })?;
            if !stopped && seen != high + 1 - low {
                return Err(lost(low));
            }
            Ok(if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        self.each_month(first, last, order, &mut walk)
    }

    /// Splits a range of rows by month.
    pub(super) fn each_month(
        &self,
        first: u64,
        last: u64,
        order: Order,
        visit: &mut dyn FnMut(Space, u64, u64) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let months = &self.spans.months;
        let mut parts = Vec::new();
        let mut index = months.partition_point(|span| span.first <= first).saturating_sub(1);
        while let Some(span) = months.get(index).filter(|span| span.first <= last) {
            let end = months.get(index + 1).map_or(self.newest, Span::end_before);
            let (low, high) = (first.max(span.first), last.min(end));
            if low <= high {
                parts.push((Space::Month(span.month), low, high));
            }
            index += 1;
        }
        if order == Order::Falling {
            parts.reverse();
        }
        for (month, low, high) in parts {
            if visit(month, low, high)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn span_of(&self, number: u64) -> Result<&Span, StoreError> {
        let index = self.spans.months.partition_point(|span| span.first <= number);
        index.checked_sub(1).and_then(|index| self.spans.months.get(index)).ok_or_else(|| lost(number))
    }

    /// The rows stamped within `start..=end`: ranges of numbers, in order and apart.
    pub(super) fn stamped(&self, start: Stamp, end: Stamp) -> Result<Vec<(u64, u64)>, StoreError> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (span, last, latest) in self.filled_spans() {
            if span.since > end || latest < start {
                continue;
            }
            let low = if span.since >= start { span.first } else { self.first_from(span, last, start)? };
            let high = if latest <= end { last } else { self.first_from(span, last, Stamp(end.0 + 1))? - 1 };
            match ranges.last_mut().filter(|range| range.1 + 1 == low) {
                Some(range) => range.1 = range.1.max(high),
                None if low <= high => ranges.push((low, high)),
                None => {}
            }
        }
        Ok(ranges)
    }

    /// The last row that is too old: stamped before `oldest`, with no younger row before it, so that nothing goes by
    /// mistake. One less than the oldest row where none is too old. A row stamped later than `now` does not count as
    /// younger, because the clock was ahead then.
    pub(super) fn aged(&self, oldest: Stamp, now: Stamp) -> Result<u64, StoreError> {
        let mut aged = self.first() - 1;
        for (span, last, latest) in self.filled_spans() {
            let young = match () {
                () if latest < oldest => last + 1,
                () if span.since >= oldest => span.first,
                () => self.first_from(span, last, oldest)?,
            };
            if young > span.first {
                aged = young - 1;
            }
            if young <= last && (self.stamp_in(span, young)? <= now) {
                break;
            }
        }
        Ok(aged)
    }

    /// The spans that hold rows. Each comes with its last row and an upper bound of its stamps.
    fn filled_spans(&self) -> impl Iterator<Item = (&Span, u64, Stamp)> {
        let spans = self.spans.months.iter().enumerate().map(|(at, span)| {
            let next = self.spans.months.get(at + 1);
            let last = next.map_or(self.newest, Span::end_before);
            (span, last, next.map_or(Stamp(u64::MAX), |next| next.since))
        });
        spans.filter(|(span, last, _)| span.first <= *last)
    }

    /// The first row of a span with this stamp or a later one; `last + 1` where there is none. `last` is the span's
    /// last row.
    fn first_from(&self, span: &Span, last: u64, stamp: Stamp) -> Result<u64, StoreError> {
        let (mut low, mut high) = (span.first, last + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.stamp_in(span, middle)? < stamp {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn stamp_in(&self, span: &Span, number: u64) -> Result<Stamp, StoreError> {
        if number == span.first {
            return Ok(span.since);
        }
        let key = keyspace::row(self.tag, number);
        let entry = self.dbs.entry(Space::Month(span.month), &key)?.ok_or_else(|| lost(number))?;
        let (_, stamp, _, _): RowStart = keyspace::decode_archived(pieces::start_of(&entry)?)?;
        Ok(stamp)
    }
}

impl Pick<'_> {
    fn takes(&self, key: &[u8], entry: &[u8]) -> Result<bool, StoreError> {
        if let Some(visible) = self.visible
            && visible.hides(keyspace::number_of(key)?)
        {
            return Ok(false);
        }
        let Some(author) = self.author else { return Ok(true) };
        let (_, _, found, _): RowStart = keyspace::decode_archived(pieces::start_of(entry)?)?;
        Ok(found == *author)
    }
}

pub(super) fn lost(number: u64) -> StoreError {
    StoreError(format!("the archive lacks rows at or behind {number}: restore from a backup"))
}
