//! What the host server is not known to have can be read, and lies under its number.

use super::super::keyspace;
use super::super::shelf::{Shelf, Space};
use super::super::{StoreError, Unsent};
use super::survey::{Survey, place_of};

pub(super) fn check<S: Shelf>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.months.iter().map(|&month| Space::Month(month)).try_for_each(|space| {
        survey.each::<Unsent>(space, &keyspace::all(b'u'), |key, unsent| {
            let number = keyspace::number_of(key)?;
            survey.holds(
                number == unsent.number,
                || place_of(space, key),
                || format!("it says that it is number {}", unsent.number),
            );
            Ok(())
        })
    })
}
