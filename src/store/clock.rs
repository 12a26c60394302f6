//! How far the clock is believed to have come: as the last process recorded it, or else by the stamps of the newest
//! rows.

use super::archive::Archive;
use super::databases::{Databases, Order, Space};
use super::keyspace::{self, Month, Spans};
use super::{Belief, StoreError};
use crate::channel::Stamp;
use std::ops::ControlFlow;

/// How far the clock is believed to have come.
///
/// # Errors
/// Those of reading.
pub(super) fn belief(dbs: &impl Databases) -> Result<Belief, StoreError> {
    if let Some(belief) = dbs.value(Space::State, keyspace::CLOCK)? {
        return Ok(belief);
    }
    let reached = highest_stamp(dbs)?;
    Ok(Belief { reached, kept: reached })
}

/// The highest stamp among the newest rows of channels in the newest month; 0 where there are none.
fn highest_stamp(dbs: &impl Databases) -> Result<Stamp, StoreError> {
    let (mut newest, mut tags) = (Month::default(), Vec::new());
    let all = keyspace::all(b'h');
    dbs.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        let spans: Spans = dbs.whole(Space::State, key, entry)?;
        let month = spans.months.last().map_or(Month::default(), |span| span.month);
        if month > newest {
            (newest, tags) = (month, Vec::new());
        }
        if month == newest && month > Month::default() {
            tags.push(keyspace::tag_of(key)?);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let mut highest = Stamp(0);
    for tag in tags {
        highest = highest.max(Archive::open(dbs, tag)?.head().stamp);
    }
    Ok(highest)
}
