//! Every entry is of a known kind and of the right version, and none of its pieces is missing.

use super::super::databases::{Databases, Order, Space};
use super::super::{StoreError, keyspace, pieces};
use super::survey::{Survey, place_of};
use std::ops::ControlFlow;

/// The letters of keys in the state and in a month.
const OF_STATE: &[u8] = b"HNPQSabcdefghijklmnopqrstuvwxyz";
const OF_MONTH: &[u8] = b"bdfnrtuxz";
/// The letters of entries without a value: their keys say everything.
const EMPTY: &[u8] = b"bfkt";

pub(super) fn check<S: Databases>(survey: &Survey<'_, S>) -> Result<(), StoreError> {
    let months = survey.months.iter().map(|&month| (Space::Month(month), OF_MONTH));
    for (space, letters) in [(Space::State, OF_STATE)].into_iter().chain(months) {
        survey.dbs.scan(space, &[], &[u8::MAX], Order::Rising, &mut |key, entry| {
            if let Err(reason) = check_entry(survey, space, letters, key, entry) {
                survey.wrong(place_of(space, key), reason);
            }
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(())
}

fn check_entry<S: Databases>(
    survey: &Survey<'_, S>,
    space: Space,
    letters: &[u8],
    key: &[u8],
    entry: &[u8],
) -> Result<(), String> {
    let letter = key.first().copied().unwrap_or_default();
    if !letters.contains(&letter) {
        return Err("this version keeps nothing under this letter".into());
    }
    if letter == b'x' {
        return check_piece(survey, space, key);
    }
    let value = pieces::start_of(entry).map_err(|error| error.0)?;
    match value.first() {
        None if EMPTY.contains(&letter) => {}
        None => return Err("the value is empty".into()),
        Some(&version) if (oldest(space)..=keyspace::VERSION).contains(&version) => {}
        Some(version) => return Err(format!("the value is of version {version}")),
    }
    let count = pieces::count_of(entry).map_err(|error| error.0)?;
    for number in 0..count {
        let piece = survey.dbs.entry(space, &pieces::piece_key(key, number)).map_err(|error| error.0)?;
        if piece.is_none() {
            return Err(format!("piece {number} of {count} is missing"));
        }
    }
    Ok(())
}

/// The oldest version of values that a space may hold.
fn oldest(space: Space) -> u8 {
    if space == Space::State { keyspace::VERSION } else { keyspace::MONTHS_OLDEST }
}

/// A piece has an entry that it belongs to.
fn check_piece<S: Databases>(survey: &Survey<'_, S>, space: Space, key: &[u8]) -> Result<(), String> {
    let Some((owner, number)) = key.get(1..).and_then(|rest| rest.split_last_chunk::<2>()) else {
        return Err("the key of a piece is too short".into());
    };
    let entry = survey.dbs.entry(space, owner).map_err(|error| error.0)?;
    let count = entry.map_or(Ok(0), |entry| pieces::count_of(&entry)).map_err(|error| error.0)?;
    if u16::from_be_bytes(*number) < count { Ok(()) } else { Err("a piece of a value that is not there".into()) }
}
