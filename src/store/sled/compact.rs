//! Writes a store anew, without what can no longer be reached and without the space that sled does not give back.
//!
//! New databases are filled beside the old ones, checked, and put in their place. The old ones lose only what any start
//! would clear away, so a run that is cut short does no harm.

use super::super::backup::{STEP_ENTRIES, Watch, tell};
use super::super::databases::Space;
use super::super::living::Living;
use super::super::{StoreCensus, StoreError, VerifyEvent, past, retention, verify};
use super::disk::{self, Disk};
use super::exchange::NewStore;
use super::fill::{EntrySlice, Filling, each_slice};
use super::folder::Folder;
use super::layout;
use super::months::Disks;
use super::options::SledOptions;
use super::{SledStore, succession};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// What compacting did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The size of the databases before, in bytes.
    pub bytes_before: u64,
    /// The size of the new databases, in bytes.
    pub bytes_after: u64,
    /// What the check of the new databases found. Where anything is wrong, the old ones stay.
    pub census: StoreCensus,
}

/// The entries that went into a database.
#[derive(Default)]
struct Tally {
    entries: u64,
    digest: Sha256,
}

impl Tally {
    fn count(&mut self, key: &[u8], entry: &[u8]) {
        self.entries += 1;
        self.digest.update([key.len(), entry.len()].map(|length| length as u32).map(u32::to_be_bytes).concat());
        self.digest.update(key);
        self.digest.update(entry);
    }

    fn count_all(&mut self, slice: &EntrySlice) {
        slice.iter().for_each(|(key, entry)| self.count(key, entry));
    }
}

impl SledStore {
    /// Writes a store anew that nobody has open. Afterwards it is the same, without what can no longer be reached.
    ///
    /// # Errors
    /// A store that cannot be opened, too little space, and what cannot be read or written. The store is as it was
    /// then.
    pub fn compact(
        options: SledOptions,
        watch: &mut Watch<'_>,
        sight: &mut dyn FnMut(VerifyEvent),
    ) -> Result<Compacted, StoreError> {
        let options = SledOptions { create: false, ..options };
        let folder = Arc::new(Folder::claim(&options.path, false)?);
        let bytes_before = layout::bytes_of(folder.path())?;
        folder.check_room_to_compact(bytes_before, options.reserve_bytes)?;
        let store = SledStore::open_in(folder.clone(), options.clone())?;
        store.writer().and_then(|mut writer| writer.catch_up(&store.disks)).map_err(|e| StoreError(e.to_string()))?;
        let draft = NewStore::begin(folder.path())?;
        let copied = store.copy_living(&draft, &options, watch);
        drop(store);
        let looked = copied.and_then(|tallies| look_through(&draft.path(), &options, &tallies, sight));
        // Also after a failure, because files that are still being closed cannot be removed.
        let closed = wait_until_closed(&draft.path());
        let census = looked?;
        closed.and_then(|()| wait_until_closed(folder.path()))?;
        let bytes_after = layout::bytes_of(&draft.path())?;
        if census.wrong == 0 {
            // The databases that an upgrade kept would miss what was left out.
            succession::close(folder.path())?;
            draft.exchange()?;
        }
        Ok(Compacted { bytes_before, bytes_after, census })
    }

    /// Fills new databases with everything that can still be reached.
    fn copy_living(
        &self,
        draft: &NewStore,
        options: &SledOptions,
        watch: &mut Watch<'_>,
    ) -> Result<Vec<(Space, Tally)>, StoreError> {
        let living = Living::of(&self.disks)?;
        let needless: HashSet<Vec<u8>> = past::needless(&self.disks)?.into_iter().collect();
        let (months, used) = (self.folder.months()?, retention::months_in_use(&self.disks)?);
        // The newest month stays even without rows, because it holds the number of the newest commit.
        let months = months.iter().filter(|month| used.contains(month) || months.last() == Some(month));
        let mut tallies = Vec::new();
        for space in [Space::State].into_iter().chain(months.copied().map(Space::Month)) {
            let what = name_of(space);
            tell(watch, &what, 0)?;
            let (mut filling, mut tally, mut told) = (Filling::new(draft.path(), options), Tally::default(), 0);
            filling.open(space)?;
            each_slice(&self.disks, space, &mut |slice| {
                self.folder.check_room(options.reserve_bytes)?;
                for (key, entry) in slice {
                    if space == Space::State && needless.contains(&key) {
                        continue;
                    }
                    if let Space::Month(month) = space
                        && !living.keeps(month, &key)?
                    {
                        continue;
                    }
                    tally.count(&key, &entry);
                    filling.put(space, key, Some(entry))?;
                }
                if tally.entries - told >= STEP_ENTRIES {
                    told = tally.entries;
                    tell(watch, &what, told)?;
                }
                Ok(())
            })?;
            filling.finish()?;
            tallies.push((space, tally));
        }
        Ok(tallies)
    }
}

/// Checks new databases: that they hold what was written to them, and that this is a whole store.
fn look_through(
    root: &Path,
    options: &SledOptions,
    tallies: &[(Space, Tally)],
    sight: &mut dyn FnMut(VerifyEvent),
) -> Result<StoreCensus, StoreError> {
    let state = Disk::open(&layout::place(root, Space::State), options.cache_bytes / 4, options.flush_ms, false)?;
    let disks = Disks::new(state, layout::archive(root), options.clone());
    for (space, expected) in tallies {
        let mut found = Tally::default();
        each_slice(&disks, *space, &mut |slice| {
            found.count_all(&slice);
            Ok(())
        })?;
        if found.entries != expected.entries || found.digest.finalize() != expected.digest.clone().finalize() {
            return Err(StoreError(format!(
                "the new {} does not hold what was written: check the disk",
                name_of(*space)
            )));
        }
    }
    Ok(verify::verify(&disks, layout::months(root)?, true, sight))
}

fn name_of(space: Space) -> String {
    match space {
        Space::State => "state".into(),
        Space::Month(month) => month.to_string(),
    }
}

fn wait_until_closed(root: &Path) -> Result<(), StoreError> {
    let months = layout::months(root)?.into_iter().map(Space::Month);
    [Space::State].into_iter().chain(months).try_for_each(|space| disk::wait_until_closed(&layout::place(root, space)))
}
