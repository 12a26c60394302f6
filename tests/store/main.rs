//! The store suite: one list of claims for every backend, and what only a disk can get wrong.

#![allow(clippy::unwrap_used)]

/// Runs claims against each backend.
macro_rules! claims {
    ($($claim:ident),* $(,)?) => {
        mod in_memory { $(#[test] fn $claim() { super::$claim(&mixd::store::MemoryStore::new([7; 16])); })* }
        mod on_disk { $(#[test] fn $claim() {
            let folder = tempfile::tempdir().unwrap();
            super::$claim(&crate::disk::open(folder.path()));
        })* }
    };
}

mod disk;
mod disk_groups;
mod failures;
// Other programs use it too, each a part of it.
#[allow(dead_code)]
mod fixture;
mod groups;
mod groups_room;
mod picked;
mod receipts;
mod suite;
mod unsent;
