//! A backup: a folder of its own that holds every entry of a store as it was at one point.
//!
//! One file a database, with its entries as they lie, and one with what was written meanwhile; last a manifest that says
//! how long each file is and what its digest is. A backup without a manifest did not come to its end. The files of months
//! that are over are the same in every backup, byte for byte, so that copying them elsewhere costs little.

pub(super) mod entries;
pub(super) mod files;
mod manifest;
pub(super) mod names;

pub use manifest::{FileRecord, Manifest};

use super::StoreError;
use std::fs::{self, DirBuilder};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// After how many entries it is told again how far it is.
pub(super) const STEP_ENTRIES: u64 = 50_000;

/// How far long work is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkProgress {
    /// What is worked on.
    pub what: String,
    /// Entries of it so far.
    pub entries: u64,
}

/// Learns how far it is, and says whether to go on.
pub type Watch<'a> = dyn FnMut(&WorkProgress) -> ControlFlow<()> + 'a;

/// Tells how far it is.
///
/// # Errors
/// Whoever watches wants it to end.
pub(super) fn tell(watch: &mut Watch<'_>, what: &str, entries: u64) -> Result<(), StoreError> {
    match watch(&WorkProgress { what: what.to_owned(), entries }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(StoreError("it was stopped before its end".into())),
    }
}

/// The folder that a backup is written into. What is dropped unfinished leaves nothing.
pub(super) struct Target {
    path: PathBuf,
    finished: bool,
}

impl Target {
    /// Makes the folder, for the owner alone, or takes an empty one.
    ///
    /// # Errors
    /// One that cannot be made, or holds anything.
    pub(super) fn make(path: &Path) -> Result<Target, StoreError> {
        let unusable = |error: io::Error| StoreError(format!("{} cannot be made: {error}", path.display()));
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(StoreError(format!("{} is not empty: name a folder of its own", path.display())));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                fs::File::open(parent.unwrap_or(Path::new("."))).and_then(|it| it.sync_all()).map_err(unusable)?;
            }
            Err(error) => return Err(unusable(error)),
        }
        Ok(Target { path: path.to_owned(), finished: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the manifest, by which the backup counts as one.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<(), StoreError> {
        manifest.write(&self.path)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.finished {
            // What is left of it is refused as incomplete.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
