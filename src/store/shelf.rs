//! The seam between what is read and where it lies: ordered entries, looked up by key or scanned in a range.
//!
//! Everything that reads is written once over [`Shelf`], for every backend.

use super::{StoreError, keyspace, keyspace::Month, pieces};
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    /// The state.
    State,
    /// The archive of a month.
    Month(Month),
}

/// In which order a range is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By rising keys.
    Rising,
    /// By falling keys.
    Falling,
}

/// What a scan does with an entry, and whether it goes on.
pub(super) type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// Ordered entries.
pub(super) trait Shelf {
    /// The entry of a key.
    fn entry(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the entries from key `from` up to, and without, key `to`.
    fn scan(&self, space: Space, from: &[u8], to: &[u8], order: Order, visit: &mut Visit<'_>)
    -> Result<(), StoreError>;

    /// The value of a key.
    fn value<T: DeserializeOwned>(&self, space: Space, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.entry(space, key)?.map(|entry| self.whole(space, key, &entry)).transpose()
    }

    /// The bytes of a value, in which no piece of it is missing.
    fn bytes(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let join = |entry: Vec<u8>| pieces::join(key, &entry, |piece| self.entry(space, piece));
        self.entry(space, key)?.map(join).transpose()
    }

    /// The value that an entry begins.
    fn whole<T: DeserializeOwned>(&self, space: Space, key: &[u8], entry: &[u8]) -> Result<T, StoreError> {
        if pieces::count_of(entry)? == 0 {
            return decode_of(space, pieces::start_of(entry)?);
        }
        decode_of(space, &pieces::join(key, entry, |piece| self.entry(space, piece))?)
    }

    /// The value that an entry begins, where its first piece holds all that is wanted of it; else from the whole of it.
    fn beginning<T: DeserializeOwned>(&self, space: Space, key: &[u8], entry: &[u8]) -> Result<T, StoreError> {
        match pieces::count_of(entry)? {
            0 => decode_of(space, pieces::start_of(entry)?),
            _ => decode_of(space, pieces::start_of(entry)?).or_else(|_| self.whole(space, key, entry)),
        }
    }

    /// Every value whose key begins with `prefix`, up to a number of them.
    fn values<T: DeserializeOwned>(&self, space: Space, prefix: &[u8], max: usize) -> Result<Vec<T>, StoreError> {
        let mut values = Vec::new();
        if max == 0 {
            return Ok(values);
        }
        self.scan(space, prefix, &keyspace::behind(prefix), Order::Rising, &mut |key, entry| {
            values.push(self.whole(space, key, entry)?);
            Ok(if values.len() < max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(values)
    }
}

fn decode_of<T: DeserializeOwned>(space: Space, bytes: &[u8]) -> Result<T, StoreError> {
    match space {
        Space::State => keyspace::decode(bytes),
        Space::Month(_) => keyspace::decode_archived(bytes),
    }
}
