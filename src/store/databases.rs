//! How the databases of a store are read: ordered entries, looked up by key or scanned in a range.
//!
//! All code that reads is written once, over [`Databases`], for every backend.

use super::{StoreError, keyspace, keyspace::Month, pieces};
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;

/// The database that an entry lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    /// The state.
    State,
    /// The archive of a month.
    Month(Month),
}

/// The order in which a range is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By rising keys.
    Rising,
    /// By falling keys.
    Falling,
}

/// What a scan calls with each key and entry. It says whether the scan goes on.
pub(super) type Visitor<'a> = dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, StoreError> + 'a;

/// The databases of a store, as far as they are read.
pub(super) trait Databases {
    /// The entry under a key.
    fn entry(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits the entries with keys in `from..to`.
    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        order: Order,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError>;

    /// The value under a key.
    fn value<T: DeserializeOwned>(&self, space: Space, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.entry(space, key)?.map(|entry| self.whole(space, key, &entry)).transpose()
    }

    /// The bytes of the value under a key, put together from all of its pieces.
    fn bytes(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let join = |entry: Vec<u8>| pieces::join(key, &entry, |piece| self.entry(space, piece));
        self.entry(space, key)?.map(join).transpose()
    }

    /// The whole value whose first piece is `entry`.
    fn whole<T: DeserializeOwned>(&self, space: Space, key: &[u8], entry: &[u8]) -> Result<T, StoreError> {
        if pieces::count_of(entry)? == 0 {
            return decode_of(space, pieces::start_of(entry)?);
        }
        decode_of(space, &pieces::join(key, entry, |piece| self.entry(space, piece))?)
    }

    /// The beginning of the value whose first piece is `entry`: decoded from that piece if it suffices, else from all.
    fn beginning<T: DeserializeOwned>(&self, space: Space, key: &[u8], entry: &[u8]) -> Result<T, StoreError> {
        match pieces::count_of(entry)? {
            0 => decode_of(space, pieces::start_of(entry)?),
            _ => decode_of(space, pieces::start_of(entry)?).or_else(|_| self.whole(space, key, entry)),
        }
    }

    /// The values whose keys begin with `prefix`, at most `max`.
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
