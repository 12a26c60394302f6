//! Parcels: each can be read, and its key has its number.

use super::super::databases::{Databases, Space};
use super::super::keyspace;
use super::super::{StoreError, Unsent};
use super::survey::{Survey, place_of};

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    survey.months.iter().map(|&month| Space::Month(month)).try_for_each(|space| {
        survey.each::<Unsent>(space, &keyspace::all(b'u'), |key, unsent| {
            // Months that are over keep the parcels they were left with, in the format of their time.
            let is_over = survey.months.last().is_none_or(|&newest| space != Space::Month(newest));
            let lies_right =
                key == keyspace::unsent(unsent.number) || is_over && keyspace::number_of(key)? == unsent.number;
            survey.holds(
                lies_right,
                || place_of(space, key),
                || format!("it says that it is number {}", unsent.number),
            );
            Ok(())
        })
    })
}
