//! Format 5: commits have an epoch, and parcels name the process of the service that they belong to.

mod commits;
mod parcels;

use super::super::StoreError;
use super::super::databases::Databases;
use super::super::keyspace::Ops;
use super::change::Rewrite;

/// The changes of values of format 4.
pub(super) const CHANGES: &[Rewrite] = &[commits::NEWEST, parcels::PARCELS];

/// What format 5 has besides and derives from the rest, as changes of the state.
///
/// # Errors
/// Those of reading.
pub(super) fn follow(_dbs: &impl Databases, _ops: &mut Ops) -> Result<(), StoreError> {
    Ok(())
}
