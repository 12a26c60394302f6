//! How far the clock is believed to have come: what the last process said, and where none did, what the rows say.

use super::archive::Archive;
use super::keyspace::{self, Month, Spans};
use super::shelf::{Order, Shelf, Space};
use super::{Belief, StoreError};
use crate::channel::Stamp;
use std::ops::ControlFlow;

/// See the module.
///
/// # Errors
/// Those of reading.
pub(super) fn belief(shelf: &impl Shelf) -> Result<Belief, StoreError> {
    if let Some(belief) = shelf.value(Space::State, keyspace::CLOCK)? {
        return Ok(belief);
    }
    let reached = highest_stamp(shelf)?;
    Ok(Belief { reached, kept: reached })
}

/// The highest stamp among the newest rows of the channels of the newest month; 0 where there are none.
fn highest_stamp(shelf: &impl Shelf) -> Result<Stamp, StoreError> {
    let (mut newest, mut tags) = (Month::default(), Vec::new());
    let all = keyspace::all(b'h');
    shelf.scan(Space::State, &all, &keyspace::behind(&all), Order::Rising, &mut |key, entry| {
        let spans: Spans = shelf.whole(Space::State, key, entry)?;
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
        highest = highest.max(Archive::open(shelf, tag)?.head().stamp);
    }
    Ok(highest)
}
