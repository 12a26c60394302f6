//! A store that is rewritten in slices, between two commits.

use super::super::StoreError;
use super::super::databases::{Databases, Order, Space};
use super::super::keyspace::{self, Ops};
use std::ops::ControlFlow;

/// How many records one slice looks at.
const SLICE_MAX: usize = 512;
/// Reads a store and writes to it with no commit in between.
pub(in crate::store) trait Scribe {
    /// What it reads from.
    type Databases: Databases;

    /// Reads, and makes the changes that `plan` returns durable.
    ///
    /// # Errors
    /// Those of reading and writing.
    fn rewrite<T>(
        &self,
        plan: impl FnOnce(&Self::Databases) -> Result<(Vec<(Space, Ops)>, T), StoreError>,
    ) -> Result<T, StoreError>;
}

/// Looks at a key and its entry.
pub(super) type Look<'a, S> = dyn FnMut(&S, &[u8], &[u8]) -> Result<(), StoreError> + 'a;
/// Looks at a key and its entry, with the databases at hand.
pub(super) type LookAt<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError> + 'a;

/// Visits entries of the state in slices.
pub(super) fn walk<S: Scribe>(scribe: &S, letter: u8, visit: &mut Look<'_, S::Databases>) -> Result<(), StoreError> {
    let prefix = keyspace::all(letter);
    let mut from = Some(prefix.clone());
    while let Some(begin) = from.take() {
        from = scribe.rewrite(|dbs| {
            let next = each(dbs, &prefix, &begin, SLICE_MAX, &mut |key, entry| visit(dbs, key, entry))?;
            Ok((Vec::new(), next))
        })?;
    }
    Ok(())
}

/// Visits up to `max` entries with a prefix, from a key on. Returns where the next ones begin.
pub(super) fn each(
    dbs: &impl Databases,
    prefix: &[u8],
    from: &[u8],
    max: usize,
    visit: &mut LookAt<'_>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let (mut seen, mut next) = (0, None);
    dbs.scan(Space::State, from, &keyspace::behind(prefix), Order::Rising, &mut |key, entry| {
        if seen == max {
            next = Some(key.to_vec());
            return Ok(ControlFlow::Break(()));
        }
        seen += 1;
        visit(key, entry)?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(next)
}

/// Decides on an entry: `None` keeps it, `Some(None)` removes it, `Some(value)` replaces its value.
pub(super) type Verdict<'a, S> = dyn Fn(&S, &[u8], &[u8]) -> Result<Option<Option<Vec<u8>>>, StoreError> + 'a;

/// Rewrites the entries with a prefix, in slices.
pub(super) fn clear<S: Scribe>(
    scribe: &S,
    prefix: &[u8],
    verdict: &Verdict<'_, S::Databases>,
) -> Result<(), StoreError> {
    let mut from = Some(prefix.to_vec());
    while let Some(begin) = from.take() {
        from = scribe.rewrite(|dbs| {
            let mut ops = Ops::new();
            let next = each(dbs, prefix, &begin, SLICE_MAX, &mut |key, entry| {
                if let Some(value) = verdict(dbs, key, entry)? {
                    ops.insert(key.to_vec(), value);
                }
                Ok(())
            })?;
            Ok((vec![(Space::State, ops)], next))
        })?;
    }
    Ok(())
}
