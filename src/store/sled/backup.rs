//! Copies a store while it is in use.
//!
//! Every write is noted from before the first entry is read until after the last one. The copy ends between two
//! commits. The copied entries, with the noted writes applied after them, are the store as it was then (see `tap`).
//! Nobody waits: reading takes no lock that a commit needs, and the file of a month that is over does not change.

use super::super::backup::entries::EntryWriter;
use super::super::backup::files;
use super::super::backup::names::{CHANGES, file_of};
use super::super::backup::{BackupFolder, Manifest, STEP_ENTRIES, Watch, tell};
use super::super::databases::Space;
use super::super::{StoreError, reader};
use super::SledStore;
use super::fill::each_slice;
use super::tap::Tap;
use crate::channel::Stamp;
use std::path::Path;
use std::time::Duration;

/// The pause after each slice, so that the service is not slowed down.
const PAUSE: Duration = Duration::from_millis(2);

/// Ends the noting of writes when dropped.
struct Noting<'a>(&'a Tap);

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl SledStore {
    /// Copies everything into a new or empty folder.
    pub(super) fn copy_to(
        &self,
        folder: &Path,
        clock: &dyn Fn() -> Stamp,
        watch: &mut Watch<'_>,
    ) -> Result<Manifest, StoreError> {
        let target = BackupFolder::make(folder)?;
        let begun = clock();
        let (noting, mut spaces) = {
            // Between two commits, so that the list of months is complete.
            let _writer = self.writer().map_err(|error| StoreError(error.to_string()))?;
            self.disks.tap.open()?;
            (Noting(&self.disks.tap), self.folder.months()?)
        };
        // All of a month that begins meanwhile is noted.
        let mut changes = EntryWriter::create(target.path(), CHANGES.to_owned())?;
        let (mut files, mut videos) = (Vec::new(), Vec::new());
        files::copy_all(self.folder.path(), target.path(), &mut videos)?;
        let spaces = [Space::State].into_iter().chain(spaces.drain(..).map(Space::Month));
        for space in spaces {
            let mut file = EntryWriter::create(target.path(), file_of(space))?;
            self.copy(space, &mut file, &mut changes, watch)?;
            files.push(file.finish()?);
        }
        let channels = reader::directory(&self.disks)?.listings.len() as u64;
        let (rest, commit, taken) = {
            let writer = self.writer().map_err(|error| StoreError(error.to_string()))?;
            (self.disks.tap.take()?, writer.commit_newest(), clock())
        };
        drop(noting);
        changes.put_all(&rest)?;
        files.push(changes.finish()?);
        // A file that the store refers to at the end was there at the beginning, or is there now.
        files::copy_all(self.folder.path(), target.path(), &mut videos)?;
        files.append(&mut videos);
        let manifest = Manifest { files, ..Manifest::new(begun, taken, commit, channels) };
        target.finish(&manifest)?;
        Ok(manifest)
    }

    /// Copies one database in slices. After each slice it takes what was written to any database meanwhile.
    fn copy(
        &self,
        space: Space,
        file: &mut EntryWriter,
        changes: &mut EntryWriter,
        watch: &mut Watch<'_>,
    ) -> Result<(), StoreError> {
        let what = file_of(space);
        tell(watch, &what, 0)?;
        let mut told = 0;
        each_slice(&self.disks, space, &mut |slice| {
            for (key, entry) in &slice {
                file.put(space, key, Some(entry))?;
            }
            changes.put_all(&self.disks.tap.take()?)?;
            if file.entries() - told >= STEP_ENTRIES {
                told = file.entries();
                tell(watch, &what, told)?;
            }
            std::thread::sleep(PAUSE);
            Ok(())
        })
    }
}
