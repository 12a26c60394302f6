//! Rows: they are numbered without gaps, lie in the months that the spans name, have stamps that fall only between
//! spans, and count their ordinals. In groups their authors are known; elsewhere anybody may have passed by.

use super::super::StoreError;
use super::super::databases::{Databases, Order, Space};
use super::super::keyspace::{self, EntryHead, Span, Spans};
use super::survey::Survey;
use crate::channel::{ChannelName, Head, ParticipantId, Row, RowKind, Stamp, Style};
use std::collections::HashSet;
use std::ops::ControlFlow;

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.each_channel(|tag, name| {
        let spans: Spans = survey.dbs.value(Space::State, &keyspace::spans(tag))?.unwrap_or_default();
        let entry: Option<EntryHead> = survey.dbs.value(Space::State, &keyspace::channel(name))?;
        let is_group = entry.is_some_and(|head| head.settings.style == Style::Group);
        let (before, authors) = (spans.base, HashSet::new());
        let mut walk = Walk { survey, tag, name, before, may_fall: false, counts: true, is_group, authors };
        for (at, span) in spans.months.iter().enumerate() {
            let past = at.checked_sub(1).and_then(|past| spans.months.get(past));
            if past.is_some_and(|past| past.month > span.month) {
                walk.wrong(format!("month {}", span.month), "it comes before the month before it".into());
            }
            walk.may_fall = past.is_none_or(|past| past.first == span.first && past.since == Stamp(u64::MAX));
            walk.span(span, spans.months.get(at + 1))?;
        }
        check_strays(survey, tag, name, &spans)
    })
}

/// A walk through the rows of a channel.
struct Walk<'a, 'b, S> {
    survey: &'a Survey<'b, S>,
    tag: u64,
    name: &'a ChannelName,
    before: Head,
    /// Whether the stamp of the next row may be lower.
    may_fall: bool,
    /// Whether the row before exists, so that the ordinal can be checked.
    counts: bool,
    /// Whether nobody but members wrote here.
    is_group: bool,
    /// Authors that have a record or a trace.
    authors: HashSet<ParticipantId>,
}

impl<S: Databases> Walk<'_, '_, S> {
    fn wrong(&self, what: String, reason: String) {
        self.survey.wrong(format!("channel {}, {what}", self.name), reason);
    }

    /// Checks the rows of one span. They end before those of the next one.
    fn span(&mut self, span: &Span, next: Option<&Span>) -> Result<(), StoreError> {
        let due = self.before.row + 1 + span.gap;
        if span.first != due {
            self.wrong(format!("month {}", span.month), format!("it begins with row {}, and {due} is due", span.first));
            self.counts = false;
        }
        self.before.row = span.first.saturating_sub(1);
        if !self.survey.months.contains(&span.month) {
            self.wrong(format!("month {}", span.month), "the month is not there, and holds rows".into());
            self.before.row = next.map_or(self.before.row, Span::end_before);
            self.counts = false;
            return Ok(());
        }
        let space = Space::Month(span.month);
        let from = keyspace::row(self.tag, span.first);
        let to = next
            .map_or_else(|| keyspace::behind(&keyspace::rows(self.tag)), |next| keyspace::row(self.tag, next.first));
        self.survey.dbs.scan(space, &from, &to, Order::Rising, &mut |key, entry| {
            let number = keyspace::number_of(key)?;
            match self.survey.dbs.whole::<Row>(space, key, entry) {
                Ok(row) => self.row(span, number, &row)?,
                Err(error) => {
                    self.wrong(format!("row {number}"), error.to_string());
                    (self.before.row, self.counts) = (number, false);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let end = next.map_or(span.first.max(self.before.row), Span::end_before);
        if self.before.row != end {
            self.wrong(format!("month {}", span.month), format!("rows {} to {end} are missing", self.before.row + 1));
            self.before.row = end;
            self.counts = false;
        }
        Ok(())
    }

    fn row(&mut self, span: &Span, number: u64, row: &Row) -> Result<(), StoreError> {
        self.survey.count(|census| census.rows += 1);
        let (due, place) = (self.before.row + 1, format!("row {number}"));
        if number != due {
            self.wrong(place.clone(), format!("rows {due} to {} are missing before it", number - 1));
        } else if self.counts && row.ordinal != self.before.ordinal + u64::from(row.counted) {
            self.wrong(place.clone(), format!("its ordinal {} does not follow {}", row.ordinal, self.before.ordinal));
        }
        if row.number != number {
            self.wrong(place.clone(), format!("it says that it is row {}", row.number));
        }
        if row.stamp < self.before.stamp && !std::mem::take(&mut self.may_fall) {
            self.wrong(place.clone(), "its stamp is earlier than that of the row before".into());
        }
        if number == span.first && row.stamp != span.since {
            self.wrong(place.clone(), "its stamp is not the one that its month begins with".into());
        }
        if row.stamp >= span.month.end() && !span.is_astray() {
            self.wrong(place.clone(), format!("its stamp is later than its month {}", span.month));
        }
        if row.target.is_some_and(|target| target >= number) {
            self.wrong(place.clone(), "it refers to itself or to a later row".into());
        }
        self.check_author(&place, row)?;
        self.counts = true;
        self.before = Head { row: number, ordinal: row.ordinal, stamp: row.stamp };
        Ok(())
    }

    /// The author of a message in a group has a record or a trace. Events name people by themselves.
    fn check_author(&mut self, place: &str, row: &Row) -> Result<(), StoreError> {
        if !self.is_group || matches!(row.kind, RowKind::Event(_)) || self.authors.contains(&row.author) {
            return Ok(());
        }
        let keys = [keyspace::member(self.tag, &row.author), keyspace::trace(self.tag, &row.author)];
        let mut known = false;
        for key in keys {
            known |= self.survey.dbs.entry(Space::State, &key)?.is_some();
        }
        if !known {
            self.wrong(place.to_owned(), format!("it is of {}, of whom there is no record", row.author));
        }
        self.authors.insert(row.author.clone());
        Ok(())
    }
}

/// Reports rows of a channel in months that its spans do not name.
fn check_strays<S: Databases>(
    survey: &Survey<'_, S>,
    tag: u64,
    name: &ChannelName,
    spans: &Spans,
) -> Result<(), StoreError> {
    for &month in &survey.months {
        let first = spans.months.iter().find(|span| span.month == month).map(|span| span.first);
        let end = first.map_or_else(|| keyspace::behind(&keyspace::rows(tag)), |first| keyspace::row(tag, first));
        survey.dbs.scan(Space::Month(month), &keyspace::rows(tag), &end, Order::Rising, &mut |key, _| {
            let number = keyspace::number_of(key)?;
            if number <= spans.base.row {
                return Ok(ControlFlow::Continue(()));
            }
            survey
                .wrong(format!("channel {name}, row {number}"), format!("it lies in month {month}, where none is due"));
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}
