//! Makes a store out of a backup.
//!
//! The store is built in its final place, under a mark that keeps other processes out. Its last step makes it a store.
//! A restore that was cut short begins anew.

use super::super::backup::entries::EntryReader;
use super::super::backup::files;
use super::super::backup::names::{CHANGES, space_of};
use super::super::backup::{FileRecord, Manifest, STEP_ENTRIES, Watch, tell};
use super::super::databases::{Databases, Order, Space};
use super::super::keyspace::{self, Ops, Spans};
use super::super::{StoreError, reader};
use super::fill::Filling;
use super::folder::Folder;
use super::options::SledOptions;
use super::succession::UpgradedStore;
use super::{SledStore, upgrade};
use crate::channel::Stamp;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

/// How many row numbers each channel skips for each millisecond since the backup, and at least: more than any channel
/// can have given out meanwhile, also if the same backup was restored before.
const SKIPPED_PER_MS: u64 = 100;
const SKIPPED_MIN: u64 = 1_000_000;
/// The same for the numbers of groups in the HTTP API: one for so many milliseconds, and at least so many.
const GID_MS: u64 = 1000;
const GIDS_SKIPPED_MIN: u64 = 10_000;
/// How many channels are written at once.
const CHANNELS_PER_BATCH: usize = 256;

/// What a restore did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The backup.
    pub manifest: Manifest,
    /// How many row numbers each channel skips, so that no number that a client knows gets another meaning.
    pub skipped: u64,
}

impl SledStore {
    /// Makes a store out of a backup, in a new or empty folder. A backup of an earlier format is upgraded.
    ///
    /// # Errors
    /// A backup that is incomplete, damaged or of another version, a folder that holds a store or anything else, and
    /// whatever cannot be written.
    pub fn restore(
        backup: &Path,
        options: SledOptions,
        now: Stamp,
        watch: &mut Watch<'_>,
    ) -> Result<(SledStore, Restored), StoreError> {
        let manifest = Manifest::read(backup)?;
        let folder = Folder::begin_restore(&options.path)?;
        let (databases, videos): (Vec<_>, Vec<_>) =
            manifest.files.iter().partition(|file| file.name == CHANGES || space_of(&file.name).is_some());
        let (changes, databases): (Vec<_>, Vec<_>) = databases.into_iter().partition(|file| file.name == CHANGES);
        // The changes come last, over what was copied.
        for file in databases.into_iter().chain(changes) {
            load(backup, file, &folder, &options, watch)?;
        }
        for file in videos {
            tell(watch, &file.name, 0)?;
            files::put_back(backup, folder.path(), file)?;
        }
        if manifest.store < keyspace::VERSION {
            let draft = UpgradedStore::begin(folder.path())?;
            // What is wrong with the store is reported when it is checked.
            upgrade::renew(&folder, &draft, manifest.store, &options, watch, &mut |_| {})?;
            draft.replace()?;
        }
        tell(watch, "row numbers", 0)?;
        let mut store = SledStore::open_in(Arc::new(folder), options)?;
        let missed_ms = now.0.saturating_sub(manifest.taken().0);
        let skipped = SKIPPED_MIN.saturating_add(missed_ms.saturating_mul(SKIPPED_PER_MS));
        store.skip(skipped, GIDS_SKIPPED_MIN + missed_ms / GID_MS)?;
        store.folder.finish_restore()?;
        Ok((store, Restored { manifest, skipped }))
    }

    /// Has each channel skip `rows` row numbers, and the service `gids` numbers of channels.
    fn skip(&mut self, rows: u64, gids: u64) -> Result<(), StoreError> {
        let directory = reader::directory(&self.disks)?;
        let writer = self.writer.get_mut().map_err(|_| StoreError("the store is broken".into()))?;
        for listings in directory.listings.chunks(CHANNELS_PER_BATCH) {
            let mut ops = Ops::new();
            for listing in listings {
                let key = keyspace::spans(listing.tag);
                let mut spans: Spans = self.disks.value(Space::State, &key)?.unwrap_or_default();
                spans.skip = spans.skip.saturating_add(rows);
                ops.insert(key, Some(keyspace::encode(&spans)?));
                // Versions behind the backup are lost, and clients know them.
                let versions = keyspace::versioned(listing.tag);
                self.disks.scan(
                    Space::State,
                    &versions,
                    &keyspace::behind(&versions),
                    Order::Rising,
                    &mut |key, _| {
                        ops.insert(key.to_vec(), None);
                        Ok(ControlFlow::Continue(()))
                    },
                )?;
            }
            writer.write_state(&self.disks, &ops).map_err(StoreError)?;
        }
        let highest = u32::try_from(u64::from(directory.gid_highest).saturating_add(gids));
        let highest = highest.map_err(|_| StoreError("there are no numbers left for channels".into()))?;
        let ops = Ops::from([(keyspace::GID_HIGHEST.to_vec(), Some(keyspace::encode(&highest)?))]);
        writer.write_state(&self.disks, &ops).map_err(StoreError)
    }
}

/// Writes the entries of one file into their databases.
fn load(
    backup: &Path,
    file: &FileRecord,
    folder: &Folder,
    options: &SledOptions,
    watch: &mut Watch<'_>,
) -> Result<(), StoreError> {
    tell(watch, &file.name, 0)?;
    let mut reader = EntryReader::open(backup, file)?;
    let mut filling = Filling::new(folder.path().to_owned(), options);
    if let Some(space) = space_of(&file.name) {
        filling.open(space)?;
    }
    let mut entries = 0;
    while let Some((space, key, entry)) = reader.next()? {
        filling.put(space, key, entry)?;
        entries += 1;
        if entries % STEP_ENTRIES == 0 {
            tell(watch, &file.name, entries)?;
        }
    }
    filling.finish()
}
