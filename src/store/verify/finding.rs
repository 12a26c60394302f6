//! What a check of a store reports, while it runs and at the end.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check that found it.
    pub check: &'static str,
    /// Where: a channel and which part of it, or an entry.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.check, self.place, self.reason)
    }
}

/// What is reported while a store is checked.
#[derive(Debug)]
pub enum VerifyEvent {
    /// A check begins.
    Begins(&'static str),
    /// Something is wrong.
    Wrong(Finding),
}

/// How much was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCensus {
    /// Months of the archive.
    pub months: u64,
    /// Channels.
    pub channels: u64,
    /// Records of members, including those who left.
    pub members: u64,
    /// Rows of channels that exist.
    pub rows: u64,
    /// How many things are wrong.
    pub wrong: u64,
}
