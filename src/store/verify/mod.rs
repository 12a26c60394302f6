//! Whether a store is as it has to be: every invariant that can be looked up, and where it is broken.
//!
//! One file a check, one line in [`checks`]. A check reads and tells; what it cannot read is told too, and the others go
//! on. Written over [`Shelf`], so that tests hold every backend to it.

mod accounts;
mod channels;
mod commits;
mod endings;
mod entries;
mod guests;
mod indexes;
mod invitations;
mod lists;
mod members;
mod nicks;
mod receipts;
mod rows;
mod survey;
mod tombstones;
mod tours;
mod traces;
mod unsent;

use super::StoreError;
use super::keyspace::Month;
use super::shelf::Shelf;
use std::fmt;
use survey::Survey;

/// Something that is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
    /// Where: a channel and what of it, or an entry.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.check, self.place, self.reason)
    }
}

/// What is told while a store is looked through.
#[derive(Debug)]
pub enum Sighting {
    /// A check begins.
    Begins(&'static str),
    /// Something is wrong.
    Wrong(Finding),
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Months of the archive.
    pub months: u64,
    /// Channels.
    pub channels: u64,
    /// Records of members, of those who left too.
    pub members: u64,
    /// Rows of channels that exist.
    pub rows: u64,
    /// How many things are wrong.
    pub wrong: u64,
}

/// One check: what it is called, and what it looks at.
type Check<'a, S> = (&'static str, fn(&Survey<'a, S>) -> Result<(), StoreError>);

fn checks<'a, S: Shelf>() -> [Check<'a, S>; 17] {
    [
        ("entries", entries::check),
        ("commits", commits::check),
        ("channels", channels::check),
        ("lists", lists::check),
        ("members", members::check),
        ("traces", traces::check),
        ("accounts", accounts::check),
        ("nicks", nicks::check),
        ("endings", endings::check),
        ("tours", tours::check),
        ("guests", guests::check),
        ("invitations", invitations::check),
        ("rows", rows::check),
        ("indexes", indexes::check),
        ("tombstones", tombstones::check),
        ("receipts", receipts::check),
        ("unsent", unsent::check),
    ]
}

/// Looks through a store with these months. `on_disk` says whether it numbers its commits and keeps redo records.
pub(super) fn verify<S: Shelf>(
    shelf: &S,
    months: Vec<Month>,
    on_disk: bool,
    watch: &mut dyn FnMut(Sighting),
) -> Census {
    let survey = Survey::new(shelf, months, on_disk, watch);
    for (name, check) in checks() {
        survey.begin(name);
        if let Err(error) = check(&survey) {
            survey.wrong("the check", format!("it cannot go on: {error}"));
        }
    }
    survey.census()
}
