//! Format 5: commits have an epoch, and parcels say which process of the service they are of.

mod commits;
mod parcels;

use super::super::StoreError;
use super::super::databases::Databases;
use super::super::keyspace::Ops;
use super::change::Rewrite;

/// What becomes of values of format 4.
pub(super) const CHANGES: &[Rewrite] = &[commits::NEWEST, parcels::PARCELS];

/// What format 4 did not keep and follows from what it kept, as changes of the state.
///
/// # Errors
/// Those of reading.
pub(super) fn follow(_dbs: &impl Databases, _ops: &mut Ops) -> Result<(), StoreError> {
    Ok(())
}
