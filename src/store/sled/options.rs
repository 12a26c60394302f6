//! Options of a store on disk.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// Options of a store on disk.
#[derive(Clone, Debug)]
pub struct SledOptions {
    /// The store's folder.
    pub path: PathBuf,
    /// Whether a store is made where there is none.
    pub create: bool,
    /// How much of it is cached in memory, in bytes: half for the current month, a quarter for the state, an eighth for
    /// each older month that is open.
    pub cache_bytes: u64,
    /// How often sled hands what it buffers to the kernel, in milliseconds.
    pub flush_ms: u64,
    /// How many older months stay open.
    pub old_months_max: usize,
    /// How much of the file system has to stay free, in bytes. With less, commits are refused: what sled has half
    /// written may not be readable.
    pub reserve_bytes: u64,
    /// The epoch of this writer. A store whose newest commit is of a later epoch refuses its commits
    /// ([`CommitError::Fenced`](crate::store::CommitError::Fenced)). A store on disk is served by one process, always
    /// in epoch 0.
    pub epoch: u64,
    /// The file that keeps other processes out, locked by an earlier program of this process; `None` to lock it.
    pub lock: Option<Arc<File>>,
}

impl SledOptions {
    /// The usual options for a folder.
    pub fn at(path: impl Into<PathBuf>) -> SledOptions {
        let (cache_bytes, reserve_bytes) = (256 << 20, 64 << 20);
        let (path, epoch, lock) = (path.into(), 0, None);
        SledOptions { path, create: true, cache_bytes, flush_ms: 250, old_months_max: 3, reserve_bytes, epoch, lock }
    }
}
