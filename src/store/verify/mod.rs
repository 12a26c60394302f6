//! Checks of a store: every invariant that can be looked up, and where it is broken.
//!
//! Each check is one file and one line in [`checks`]. A check only reads and reports. It also reports what it cannot
//! read, and the other checks go on. Checks are written over [`Databases`], so tests run them on every backend.

mod accounts;
mod channels;
mod commits;
mod endings;
mod entries;
mod finding;
mod gone;
mod guests;
mod indexes;
mod invitations;
mod lists;
mod members;
mod nicks;
mod receipts;
mod rooms;
mod rows;
mod seats;
mod survey;
mod tombstones;
mod tours;
mod traces;
mod unsent;

pub use finding::{Finding, StoreCensus, VerifyEvent};

use super::StoreError;
use super::databases::Databases;
use super::keyspace::Month;
use survey::Survey;

/// A check: its name and its function.
type Check<'a, S> = (&'static str, fn(&Survey<'a, S>) -> Result<(), StoreError>);

fn checks<'a, S: Databases>() -> [Check<'a, S>; 20] {
    [
        ("entries", entries::check),
        ("commits", commits::check),
        ("channels", channels::check),
        ("gone", gone::check),
        ("lists", lists::check),
        ("members", members::check),
        ("traces", traces::check),
        ("accounts", accounts::check),
        ("nicks", nicks::check),
        ("endings", endings::check),
        ("tours", tours::check),
        ("guests", guests::check),
        ("invitations", invitations::check),
        ("rooms", rooms::check),
        ("seats", seats::check),
        ("rows", rows::check),
        ("indexes", indexes::check),
        ("tombstones", tombstones::check),
        ("receipts", receipts::check),
        ("unsent", unsent::check),
    ]
}

/// Checks a store with these months. `on_disk` says whether it numbers its commits and keeps redo records.
pub(super) fn verify<S: Databases>(
    dbs: &S,
    months: Vec<Month>,
    on_disk: bool,
    watch: &mut dyn FnMut(VerifyEvent),
) -> StoreCensus {
    let survey = Survey::new(dbs, months, on_disk, watch);
    for (name, check) in checks() {
        survey.begin(name);
        if let Err(error) = check(&survey) {
            survey.wrong("the check", format!("it cannot go on: {error}"));
        }
    }
    survey.census()
}
