//! The store suite: one list of claims for every backend, and what only a disk can get wrong.

#![allow(clippy::unwrap_used)]

/// Runs claims against each backend, and looks through what each leaves. What claims leave that deal with inventions
/// (reports of rows that nobody wrote, say) is not looked through.
macro_rules! claims {
    ($($claim:ident),* $(; inventions: $($invention:ident),*)? $(,)?) => {
        mod in_memory {
            $(#[test] fn $claim() {
                let store = mixd::store::MemoryStore::new([7; 16]);
                super::$claim(&store);
                assert_eq!(crate::fixture::wrong(|watch| store.verify(watch)), Vec::<String>::new());
            })*
            $($(#[test] fn $invention() { super::$invention(&mixd::store::MemoryStore::new([7; 16])); })*)?
        }
        mod on_disk {
            $(#[test] fn $claim() {
                let folder = tempfile::tempdir().unwrap();
                let store = crate::disk::open(folder.path());
                super::$claim(&store);
                assert_eq!(crate::fixture::wrong(|watch| store.verify(watch).unwrap()), Vec::<String>::new());
            })*
            $($(#[test] fn $invention() {
                let folder = tempfile::tempdir().unwrap();
                super::$invention(&crate::disk::open(folder.path()));
            })*)?
        }
    };
}

mod backup;
mod clock;
mod compact;
mod disk;
mod disk_groups;
mod failures;
// Other programs use it too, each a part of it.
#[allow(dead_code)]
mod fixture;
mod gone;
mod groups;
mod groups_room;
mod last_said;
mod meaning;
mod near;
mod passing;
mod picked;
mod receipts;
mod retention;
// Other programs use it too.
#[allow(dead_code)]
mod samples;
mod seats;
mod suite;
mod unsent;
mod upgrade;
mod verify;
