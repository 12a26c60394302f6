//! Why a store cannot be read or written.

use thiserror::Error;

/// Why a commit failed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Nothing was applied; the store is as it was.
    #[error("the store refused the batch: {0}")]
    Refused(String),
    /// Nothing was applied, and this process no longer counts: another one took its place, in a later epoch. The
    /// process has to end.
    #[error("the store refused the batch: this process is of epoch {ours}, and the store is at epoch {theirs}")]
    Fenced {
        /// The epoch of this process.
        ours: u64,
        /// The epoch of the newest commit.
        theirs: u64,
    },
    /// It is unknown what the disk holds. The process has to end; its next start replays what is there.
    #[error("the store failed while it made a batch durable: {0}")]
    Unknown(String),
}

/// The store cannot be opened or read. The text says why and what to do.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StoreError(pub String);
