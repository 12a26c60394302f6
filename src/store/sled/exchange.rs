//! Puts new databases in the place of a store's: all of them or none, whenever the process or the machine dies.
//!
//! They are made in a folder within the store's. Renaming that folder is the one step that decides. Before it they
//! count for nothing. After it they are the store, and whoever opens the store next finishes what is left to do.

use super::super::StoreError;
use super::layout::{self, unusable};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where new databases are made.
const DRAFT: &str = "compacting";
/// Where they are once they are decided on.
const DECIDED: &str = "compacted";
/// What is exchanged.
const PARTS: [&str; 2] = ["state", "archive"];

/// The folder of databases that are being made. It is removed when this is dropped undecided.
pub(super) struct NewStore {
    store: PathBuf,
    decided: bool,
}

impl NewStore {
    /// Creates the folder.
    ///
    /// # Errors
    /// A store whose parts cannot be renamed, and a folder that cannot be made.
    pub(super) fn begin(store: &Path) -> Result<NewStore, StoreError> {
        check_movable(store)?;
        let draft = NewStore { store: store.to_owned(), decided: false };
        draft.clear()?;
        layout::create(&draft.path())?;
        layout::create(&draft.path().join("archive"))?;
        Ok(draft)
    }

    /// Where the new `state/` and `archive/` lie.
    pub(super) fn path(&self) -> PathBuf {
        self.store.join(DRAFT)
    }

    /// Puts the new databases in the place of the old ones. None of them may be open.
    ///
    /// # Errors
    /// What cannot be synced or renamed. The store is then the old one or the new one, and the next start settles
    /// which.
    pub(super) fn exchange(mut self) -> Result<(), StoreError> {
        layout::sync_all(&self.path())?;
        let decided = self.store.join(DECIDED);
        rename(&self.path(), &decided)?;
        self.decided = true;
        layout::sync(&self.store)?;
        take_up(&self.store)
    }

    fn clear(&self) -> Result<(), StoreError> {
        if self.path().exists() { layout::remove(&self.path()) } else { Ok(()) }
    }
}

impl Drop for NewStore {
    fn drop(&mut self) {
        if !self.decided {
            // Whatever is left is cleared away by the next start.
            let _ = self.clear();
        }
    }
}

/// Finishes an exchange that was decided, and clears away one that was not.
///
/// # Errors
/// What cannot be renamed or removed.
pub(super) fn take_up(store: &Path) -> Result<(), StoreError> {
    let (draft, decided) = (store.join(DRAFT), store.join(DECIDED));
    if draft.exists() {
        layout::remove(&draft)?;
    }
    if !decided.exists() {
        return Ok(());
    }
    for part in PARTS {
        let (new, old, place) = (decided.join(part), decided.join(format!("{part}.old")), store.join(part));
        if !new.exists() {
            continue;
        }
        if place.exists() {
            rename(&place, &old)?;
            layout::sync(&decided)?;
        }
        rename(&new, &place)?;
    }
    // Synced first, because from here on the old ones are removed.
    layout::sync(store)?;
    layout::sync(&decided)?;
    layout::remove(&decided)?;
    layout::sync(store)
}

/// Refuses a store with a part that is a link or on another file system: it cannot be renamed.
///
/// # Errors
/// The part that cannot be renamed.
pub(super) fn check_movable(store: &Path) -> Result<(), StoreError> {
    let device = |path: &Path| {
        let met = fs::symlink_metadata(path).map_err(|error| unusable(path, "cannot be read", &error))?;
        Ok::<_, StoreError>(met.is_dir().then(|| met.dev()))
    };
    let of_store = fs::metadata(store).map_err(|error| unusable(store, "cannot be read", &error))?.dev();
    let archive = store.join("archive");
    let months = fs::read_dir(&archive).map_err(|error| unusable(&archive, "cannot be read", &error))?;
    let months = months.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
    for path in PARTS.iter().map(|part| store.join(part)).chain(months) {
        if device(&path)? != Some(of_store) {
            return Err(StoreError(format!(
                "{} is a link, or a file system of its own, so nothing can be put in its place: back up and restore instead",
                path.display()
            )));
        }
    }
    Ok(())
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|error| unusable(from, "cannot be renamed", &error))
}
