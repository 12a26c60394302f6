//! Puts upgraded databases in the place of those of the earlier format, and keeps the old ones for going back.
//!
//! As with compacting, renaming one folder is the step that decides, and whoever opens the store next finishes what is
//! left to do. The state and the current month are exchanged; months that are over stay as they are. Going back
//! restores the old databases, and what was written since is lost.

use super::super::StoreError;
use super::super::databases::Space;
use super::super::keyspace::Month;
use super::exchange;
use super::layout::{self, unusable};
use crate::channel::Stamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Where upgraded databases are made.
pub(super) const DRAFT: &str = "upgrading";
/// Where they are once they are decided on.
const DECIDED: &str = "upgraded";
/// Where the databases of the earlier format are kept.
const KEPT: &str = "before-upgrade";
/// Where the kept ones are once going back is decided on.
const RETURNING: &str = "returning";
/// The `FORMAT` file beside the kept databases.
const FORMAT: &str = "FORMAT";
/// How long they are kept, in milliseconds. Bounded, because what people erase has to go from there, too.
const KEPT_MS: u64 = 7 * 24 * 3600 * 1000;
/// The file with the months that existed, one a line.
const MONTHS: &str = "MONTHS";

/// The folder of databases that are being upgraded. It is removed when this is dropped undecided.
pub(super) struct UpgradedStore {
    store: PathBuf,
    decided: bool,
}

impl UpgradedStore {
    /// Creates the folder.
    ///
    /// # Errors
    /// A store whose parts cannot be renamed, and a folder that cannot be made.
    pub(super) fn begin(store: &Path) -> Result<UpgradedStore, StoreError> {
        exchange::check_movable(store)?;
        let draft = UpgradedStore { store: store.to_owned(), decided: false };
        clear(&draft.path())?;
        layout::create(&layout::archive(&draft.path()))?;
        Ok(draft)
    }

    /// Where the upgraded `state/` and `archive/` lie.
    pub(super) fn path(&self) -> PathBuf {
        self.store.join(DRAFT)
    }

    /// Puts the upgraded databases in the place of the old ones, which are removed. Only for a restore: there is a
    /// backup of the old ones, and a restore that is cut short begins anew.
    ///
    /// # Errors
    /// What cannot be removed or renamed.
    pub(super) fn replace(self) -> Result<(), StoreError> {
        for space in spaces(&self.path())? {
            let place = layout::place(&self.store, space);
            clear(&place)?;
            rename(&layout::place(&self.path(), space), &place)?;
        }
        layout::sync_all(&self.store)
    }

    /// Puts the upgraded databases in the place of the old ones, which are kept. None of them may be open.
    ///
    /// # Errors
    /// What cannot be synced or renamed. The store is then the old one or the new one, and whoever opens it next
    /// settles which.
    pub(super) fn take_over(mut self, months: &[Month]) -> Result<(), StoreError> {
        let lines: String = months.iter().map(|month| format!("{month}\n")).collect();
        let (format, list) = (self.path().join(FORMAT), self.path().join(MONTHS));
        let copied = fs::copy(self.store.join(FORMAT), &format).and_then(|_| fs::write(&list, lines));
        copied.map_err(|error| unusable(&list, "cannot be written", &error))?;
        layout::sync_all(&self.path())?;
        // Only the last upgrade can be undone.
        close(&self.store)?;
        rename(&self.path(), &self.store.join(DECIDED))?;
        self.decided = true;
        layout::sync(&self.store)?;
        take_up(&self.store)
    }
}

impl Drop for UpgradedStore {
    fn drop(&mut self) {
        if !self.decided {
            // Whatever is left is cleared away by whoever opens the store next.
            let _ = clear(&self.path());
        }
    }
}

/// Whether the last upgrade can be undone.
pub(super) fn is_open(store: &Path) -> bool {
    store.join(KEPT).join(FORMAT).exists()
}

/// Removes the kept databases once they are too old.
///
/// # Errors
/// What cannot be removed.
pub(super) fn close_old(store: &Path, now: Stamp) -> Result<(), StoreError> {
    let laid = fs::metadata(store.join(KEPT).join(MONTHS)).and_then(|it| it.modified()).ok();
    let laid_ms = laid.and_then(|it| it.duration_since(UNIX_EPOCH).ok()).map(|it| it.as_millis() as u64);
    if laid_ms.is_some_and(|laid_ms| now.0.saturating_sub(laid_ms) > KEPT_MS) { close(store) } else { Ok(()) }
}

/// Removes the kept databases.
///
/// # Errors
/// What cannot be removed.
pub(super) fn close(store: &Path) -> Result<(), StoreError> {
    clear(&store.join(KEPT))
}

/// Goes back to the databases from before the upgrade.
///
/// # Errors
/// No kept databases, or a month of theirs that is missing; what cannot be renamed.
pub(super) fn go_back(store: &Path) -> Result<(), StoreError> {
    if !is_open(store) {
        return Err(StoreError(format!(
            "{} keeps nothing of an earlier format: restore a backup that was made before the upgrade",
            store.display()
        )));
    }
    let here = layout::months(store)?;
    if let Some(gone) = months_before(&store.join(KEPT))?.iter().find(|month| !here.contains(month)) {
        return Err(StoreError(format!("the month {gone} is gone: restore a backup that was made before the upgrade")));
    }
    rename(&store.join(KEPT), &store.join(RETURNING))?;
    layout::sync(store)?;
    take_up(store)
}

/// Finishes what was decided, and clears away what was not.
///
/// # Errors
/// What cannot be renamed or removed.
pub(super) fn take_up(store: &Path) -> Result<(), StoreError> {
    clear(&store.join(DRAFT))?;
    if store.join(DECIDED).exists() {
        succeed(store)?;
    }
    if store.join(RETURNING).exists() {
        give_back(store)?;
    }
    Ok(())
}

/// `FORMAT` comes first, so that no program reads the rest in a wrong format.
fn succeed(store: &Path) -> Result<(), StoreError> {
    let (decided, kept) = (store.join(DECIDED), store.join(KEPT));
    layout::create(&layout::archive(&kept))?;
    for file in [FORMAT, MONTHS] {
        if decided.join(file).exists() {
            rename(&decided.join(file), &kept.join(file))?;
        }
    }
    layout::sync(&kept)?;
    layout::write_format(store)?;
    for space in spaces(&decided)? {
        let (new, old, place) =
            (layout::place(&decided, space), layout::place(&kept, space), layout::place(store, space));
        if place.exists() {
            rename(&place, &old)?;
        }
        rename(&new, &place)?;
    }
    // Synced first, because from here on the old ones are looked for in their new place.
    [layout::archive(&kept), kept, layout::archive(store), store.to_owned()]
        .iter()
        .try_for_each(|it| layout::sync(it))?;
    clear(&decided)?;
    layout::sync(store)
}

/// `FORMAT` comes last, for the same reason.
fn give_back(store: &Path) -> Result<(), StoreError> {
    let returning = store.join(RETURNING);
    for space in spaces(&returning)? {
        let (old, place) = (layout::place(&returning, space), layout::place(store, space));
        clear(&place)?;
        rename(&old, &place)?;
    }
    let before = months_before(&returning)?;
    for month in layout::months(store)?.into_iter().filter(|month| !before.contains(month)) {
        clear(&layout::place(store, Space::Month(month)))?;
    }
    [layout::archive(store), store.to_owned()].iter().try_for_each(|it| layout::sync(it))?;
    if returning.join(FORMAT).exists() {
        rename(&returning.join(FORMAT), &store.join(FORMAT))?;
        layout::sync(store)?;
    }
    clear(&returning)?;
    layout::sync(store)
}

/// The databases below a folder.
fn spaces(root: &Path) -> Result<Vec<Space>, StoreError> {
    let state = layout::place(root, Space::State).exists().then_some(Space::State);
    Ok(state.into_iter().chain(layout::months(root)?.into_iter().map(Space::Month)).collect())
}

fn months_before(kept: &Path) -> Result<Vec<Month>, StoreError> {
    let path = kept.join(MONTHS);
    let text = fs::read_to_string(&path).map_err(|error| unusable(&path, "cannot be read", &error))?;
    Ok(text.lines().filter_map(Month::from_text).collect())
}

fn clear(path: &Path) -> Result<(), StoreError> {
    if path.exists() { layout::remove(path) } else { Ok(()) }
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|error| unusable(from, "cannot be renamed", &error))
}
