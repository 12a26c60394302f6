//! How a store on disk is opened.

use std::path::PathBuf;

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct SledOptions {
    /// The store's folder.
    pub path: PathBuf,
    /// Whether a store is made where there is none.
    pub create: bool,
    /// How much to keep of it in memory: half for the current month, a quarter for the state, an eighth for each older
    /// month that is open; in bytes.
    pub cache_bytes: u64,
    /// How often sled hands what is not committed yet to the kernel, in milliseconds.
    pub flush_ms: u64,
    /// How many months besides the current one stay open.
    pub old_months_max: usize,
    /// How much of the file system stays free, in bytes: with less left commits are refused, since what sled has written
    /// half is not known to be readable.
    pub reserve_bytes: u64,
    /// The epoch of whoever writes: a store whose newest commit is of a later one refuses theirs
    /// ([`CommitError::Fenced`](crate::store::CommitError::Fenced)). One process serves a store on disk, always in epoch 0.
    pub epoch: u64,
}

impl SledOptions {
    /// The usual options for a folder.
    pub fn at(path: impl Into<PathBuf>) -> SledOptions {
        let (cache_bytes, reserve_bytes) = (256 << 20, 64 << 20);
        let (path, epoch) = (path.into(), 0);
        SledOptions { path, create: true, cache_bytes, flush_ms: 250, old_months_max: 3, reserve_bytes, epoch }
    }
}
