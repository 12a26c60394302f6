//! Upgrades from one format of the store to the next.
//!
//! Each format has a folder here, named by its number, with one file for each change: how one kind of value changes, or
//! what is new and follows from the other values. [`STEPS`] and [`follow`] are the only places that list them. Nothing
//! here reads or writes a disk (see `sled::upgrade`). A change looks at one value at a time, so that a store of any
//! size is upgraded in slices, and the contents of redo records are upgraded, too.
//!
//! A step reads what the earlier format wrote. Where a type of the crate changed since, the step has its own copy of
//! the old one, which stays as it is for ever. `tests/store/samples` holds a store of each format.

mod change;
mod format_5;
mod format_6;
mod format_7;
mod format_8;

pub(super) use change::UpgradePlace;

use super::StoreError;
use super::databases::Databases;
use super::keyspace::{Ops, VERSION};
use change::{Rewrite, read, write};

/// The oldest format that can be upgraded.
pub(super) const OLDEST: u8 = 4;

/// The way from one format to the next.
struct Step {
    from: u8,
    changes: &'static [Rewrite],
}

/// Every step, oldest first.
const STEPS: &[Step] = &[
    Step { from: 4, changes: format_5::CHANGES },
    Step { from: 5, changes: format_6::CHANGES },
    Step { from: 6, changes: format_7::CHANGES },
    Step { from: 7, changes: format_8::CHANGES },
];

/// What is new since a format and follows from the upgraded state, as changes of it.
///
/// # Errors
/// Those of reading.
pub(super) fn follow(from: u8, dbs: &impl Databases) -> Result<Ops, StoreError> {
    let mut ops = Ops::new();
    if from < 5 {
        format_5::follow(dbs, &mut ops)?;
    }
    Ok(ops)
}

/// An entry: its key and its value. In a redo record `None` stands for an entry that is deleted.
type Entry = (Vec<u8>, Option<Vec<u8>>);

/// An entry of a store of format `from`, in the current format.
///
/// # Errors
/// A value that is damaged, or of another version.
pub(super) fn renew(from: u8, place: UpgradePlace, entry: Entry) -> Result<Entry, StoreError> {
    STEPS.iter().filter(|step| step.from >= from).try_fold(entry, |entry, step| step.take(place, entry))
}

impl Step {
    fn take(&self, place: UpgradePlace, (mut key, mut value): Entry) -> Result<Entry, StoreError> {
        let letter = key.first().copied().unwrap_or_default();
        for change in self.changes.iter().filter(|change| change.place == place && change.letter == letter) {
            key = (change.key)(&key);
            value = value.map(|value| self.with_body(&value, change.value)).transpose()?;
        }
        if place == UpgradePlace::Month && letter == b'z' {
            value = value.map(|value| self.with_body(&value, |body| self.take_redo(body))).transpose()?;
        }
        Ok((key, value.map(|value| self.marked(value)).transpose()?))
    }

    /// Upgrades the changes of the state in a redo record.
    fn take_redo(&self, body: &[u8]) -> Result<Vec<u8>, StoreError> {
        let ops: Ops = read(body)?;
        write(&ops.into_iter().map(|entry| self.take(UpgradePlace::State, entry)).collect::<Result<Ops, _>>()?)
    }

    /// A value with its body changed: all behind the version byte.
    fn with_body(
        &self,
        value: &[u8],
        change: impl FnOnce(&[u8]) -> Result<Vec<u8>, StoreError>,
    ) -> Result<Vec<u8>, StoreError> {
        match value.split_first() {
            Some((version, body)) if *version == self.from => Ok([&[self.from], change(body)?.as_slice()].concat()),
            _ => Err(of_another_version(self.from, value)),
        }
    }

    /// A value with the next version in front. An empty value has no version: its key says everything.
    fn marked(&self, mut value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        match value.first_mut() {
            None => Ok(value),
            Some(version) if *version == self.from => {
                *version += 1;
                Ok(value)
            }
            Some(_) => Err(of_another_version(self.from, &value)),
        }
    }
}

fn of_another_version(from: u8, value: &[u8]) -> StoreError {
    StoreError(format!(
        "a value of version {:?} lies in a store of format {from}: restore the store from a backup",
        value.first()
    ))
}

/// Whether a store of a format can be upgraded.
pub(super) fn is_upgradable(format: u8) -> bool {
    (OLDEST..VERSION).contains(&format)
}

#[cfg(test)]
mod step_tests;
