//! Upgrades a store of an earlier format to this one.
//!
//! The state and the current month are written anew, value by value. Months that are over stay as they are. Then
//! everything is checked. Only then do the new databases take the place of the old ones, which are kept (see
//! `succession`).

use super::super::backup::{STEP_ENTRIES, Watch, tell};
use super::super::databases::{Databases, Space};
use super::super::keyspace::VERSION;
use super::super::upgrade::{self, UpgradePlace};
use super::super::{StoreCensus, StoreError, VerifyEvent, pieces, verify};
use super::SledStore;
use super::disk::{self, Disk};
use super::fill::{Filling, each_slice};
use super::folder::Folder;
use super::layout;
use super::months::Disks;
use super::options::SledOptions;
use super::succession::{self, UpgradedStore};
use super::writer::StoreWriter;
use std::path::Path;

/// The size of a store up to which the service upgrades it at its start, in bytes.
pub const UPGRADED_AT_START_BYTES_MAX: u64 = 128 << 20;

/// A store of an earlier format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged {
    /// Its format.
    pub format: u8,
    /// The size of its databases, in bytes.
    pub bytes: u64,
}

/// What an upgrade did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The format before.
    pub from: u8,
    /// The format after.
    pub to: u8,
    /// What the check of it found. Where anything is wrong, the store is left as it was.
    pub census: StoreCensus,
}

impl SledStore {
    /// The format and size of a store that can be upgraded; `None` for any other folder.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn outdated(path: &Path) -> Result<Option<Aged>, StoreError> {
        let Some(format) = layout::format_of(path)?.filter(|format| upgrade::is_upgradable(*format)) else {
            return Ok(None);
        };
        Ok(Some(Aged { format, bytes: layout::bytes_of(path)? }))
    }

    /// Checks that a folder holds a store of this format. Another process may have it open.
    ///
    /// # Errors
    /// Another format, and what to do about it.
    pub fn check_format(path: &Path) -> Result<(), StoreError> {
        super::folder::check_format(path)
    }

    /// Upgrades a store that nobody has open. The old databases stay beside it, to go back to.
    ///
    /// # Errors
    /// A folder that is in use or holds no store of an earlier format, too little space, and what cannot be read or
    /// written. The store is as it was then.
    pub fn upgrade(
        options: SledOptions,
        watch: &mut Watch<'_>,
        sight: &mut dyn FnMut(VerifyEvent),
    ) -> Result<Upgraded, StoreError> {
        let (folder, from) = Folder::claim_outdated(&options)?;
        let draft = UpgradedStore::begin(folder.path())?;
        let census = renew(&folder, &draft, from, &options, watch, sight)?;
        if census.wrong == 0 {
            draft.take_over(&folder.months()?)?;
        }
        Ok(Upgraded { from, to: VERSION, census })
    }

    /// Goes back to the databases that an upgrade kept. What was written since is lost.
    ///
    /// # Errors
    /// A store that is in use or has no kept databases.
    pub fn go_back(path: &Path) -> Result<(), StoreError> {
        let folder = Folder::claim(path, false)?;
        succession::go_back(folder.path())
    }

    /// Removes the databases that an upgrade kept, to free their space.
    ///
    /// # Errors
    /// A store that is in use, and what cannot be removed.
    pub fn close_way_back(path: &Path) -> Result<(), StoreError> {
        let folder = Folder::claim(path, false)?;
        succession::close(folder.path())
    }
}

/// Writes the state and the current month anew, and checks everything.
pub(super) fn renew(
    folder: &Folder,
    draft: &UpgradedStore,
    from: u8,
    options: &SledOptions,
    watch: &mut Watch<'_>,
    sight: &mut dyn FnMut(VerifyEvent),
) -> Result<StoreCensus, StoreError> {
    let (root, months) = (folder.path(), folder.months()?);
    let spaces: Vec<Space> = [Space::State].into_iter().chain(months.last().copied().map(Space::Month)).collect();
    folder.check_room_beside(&spaces, options.reserve_bytes)?;
    let written = write_anew(folder, draft, from, &spaces, options, watch);
    // Also after a failure, because files that are still being closed cannot be renamed or removed.
    spaces.iter().try_for_each(|space| disk::wait_until_closed(&layout::place(root, *space)))?;
    written?;
    tell(watch, "what was written is looked through", 0)?;
    let census = look_through(folder, draft, from, options, sight);
    spaces.iter().try_for_each(|space| disk::wait_until_closed(&layout::place(&draft.path(), *space)))?;
    months.iter().try_for_each(|month| disk::wait_until_closed(&layout::place(root, Space::Month(*month))))?;
    census
}

fn write_anew(
    folder: &Folder,
    draft: &UpgradedStore,
    from: u8,
    spaces: &[Space],
    options: &SledOptions,
    watch: &mut Watch<'_>,
) -> Result<(), StoreError> {
    let state = Disk::open(&folder.state(), options.cache_bytes / 4, options.flush_ms, false)?;
    let old = Disks::new(state, folder.archive(), options.clone());
    for &space in spaces {
        let (what, place) = match space {
            Space::State => ("state".to_owned(), UpgradePlace::State),
            Space::Month(month) => (month.to_string(), UpgradePlace::Month),
        };
        tell(watch, &what, 0)?;
        let (mut filling, mut entries, mut told) = (Filling::new(draft.path(), options), 0, 0);
        filling.open(space)?;
        each_slice(&old, space, &mut |slice| {
            folder.check_room(options.reserve_bytes)?;
            // Pieces are read with the entry that they belong to.
            for (key, entry) in slice.into_iter().filter(|(key, _)| !key.starts_with(b"x")) {
                let value = pieces::join(&key, &entry, |piece| old.entry(space, piece))?;
                let (key, value) = upgrade::renew(from, place, (key, Some(value)))?;
                for (key, entry) in pieces::cut(&key, &value.unwrap_or_default())? {
                    filling.put(space, key, Some(entry))?;
                }
                entries += 1;
            }
            if entries - told >= STEP_ENTRIES {
                told = entries;
                tell(watch, &what, told)?;
            }
            Ok(())
        })?;
        filling.finish()?;
    }
    Ok(())
}

/// Opens the new databases as a store, with the months that stay, and replays redo records as any start does. Then
/// writes what follows from them, and checks everything.
fn look_through(
    folder: &Folder,
    draft: &UpgradedStore,
    from: u8,
    options: &SledOptions,
    sight: &mut dyn FnMut(VerifyEvent),
) -> Result<StoreCensus, StoreError> {
    let state =
        Disk::open(&layout::place(&draft.path(), Space::State), options.cache_bytes / 4, options.flush_ms, false)?;
    let disks = Disks::new(state, layout::archive(&draft.path()), options.clone()).over(folder.archive());
    let (months, mut writer) = (folder.months()?, StoreWriter::default());
    if let Some(&newest) = months.last() {
        disks.begin(newest)?;
    }
    writer.resume(&disks, &months)?;
    writer.write_state(&disks, &upgrade::follow(from, &disks)?).map_err(StoreError)?;
    Ok(verify::verify(&disks, months, true, sight))
}
