//! A backup: a folder of its own that holds every entry of a store as of one moment.
//!
//! It has one file for each database, with the entries as they are stored, and one file with what was written while
//! those were copied. The manifest comes last and says how long each file is and what its digest is. A backup without a
//! manifest is incomplete. The files of months that are over are the same in every backup, byte for byte, so copying
//! them elsewhere costs little.

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

/// Progress is told after this many entries.
pub(super) const STEP_ENTRIES: u64 = 50_000;

/// How far a long task is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkProgress {
    /// What it is about: a database or a step.
    pub what: String,
    /// How many entries of it are done.
    pub entries: u64,
}

/// Is told of the progress, and says whether to go on.
pub type Watch<'a> = dyn FnMut(&WorkProgress) -> ControlFlow<()> + 'a;

/// Tells `watch` of the progress.
///
/// # Errors
/// `watch` said to stop.
pub(super) fn tell(watch: &mut Watch<'_>, what: &str, entries: u64) -> Result<(), StoreError> {
    match watch(&WorkProgress { what: what.to_owned(), entries }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(StoreError("it was stopped before its end".into())),
    }
}

/// The folder that a backup is written into. An unfinished one is removed when this is dropped.
pub(super) struct BackupFolder {
    path: PathBuf,
    finished: bool,
}

impl BackupFolder {
    /// Creates the folder, for its owner alone, or takes one that is empty.
    ///
    /// # Errors
    /// A folder that cannot be created or is not empty.
    pub(super) fn make(path: &Path) -> Result<BackupFolder, StoreError> {
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
        Ok(BackupFolder { path: path.to_owned(), finished: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the manifest, which makes the backup complete.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<(), StoreError> {
        manifest.write(&self.path)?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for BackupFolder {
    fn drop(&mut self) {
        if !self.finished {
            // Whatever cannot be removed is refused later as an incomplete backup.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
