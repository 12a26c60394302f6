//! The databases of a store on disk: the state and the months of the archive. The current month is open all the time.
//! Older months are opened when they are read, and a few of them stay open.

use super::super::databases::{Databases, Order, Space, Visitor};
use super::super::{StoreError, keyspace::Month, near};
use super::disk::Disk;
use super::options::SledOptions;
use super::tap::Tap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Every database of a store.
pub(in crate::store) struct Disks {
    pub(super) state: Disk,
    /// Notes what is written, for a backup.
    pub(super) tap: Arc<Tap>,
    archive: PathBuf,
    /// Where months lie that are not in `archive`.
    beneath: Option<PathBuf>,
    options: SledOptions,
    current: RwLock<Option<(Month, Arc<Disk>)>>,
    /// The month that was read last is the last one.
    old: Mutex<Vec<(Month, Arc<Disk>)>>,
}

impl Disks {
    pub(super) fn new(state: Disk, archive: PathBuf, options: SledOptions) -> Disks {
        let tap = Arc::<Tap>::default();
        let state = state.tapped(Space::State, &tap);
        let (current, old) = (RwLock::default(), Mutex::default());
        Disks { state, tap, archive, beneath: None, options, current, old }
    }

    /// These databases, with months that are not here taken from another folder.
    pub(super) fn over(self, beneath: PathBuf) -> Disks {
        Disks { beneath: Some(beneath), ..self }
    }

    fn place(&self, month: Month) -> PathBuf {
        let (here, name) = (self.archive.join(month.to_string()), month.to_string());
        match &self.beneath {
            Some(beneath) if !here.exists() => beneath.join(name),
            _ => here,
        }
    }

    /// The current month.
    pub(super) fn current(&self) -> Option<(Month, Arc<Disk>)> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a month the current one. Its database is created where there is none.
    ///
    /// # Errors
    /// Those of opening.
    pub(super) fn begin(&self, month: Month) -> Result<Arc<Disk>, StoreError> {
        let path = self.place(month);
        let disk = Disk::open(&path, self.options.cache_bytes / 2, self.options.flush_ms, true)?;
        let disk = Arc::new(disk.tapped(Space::Month(month), &self.tap));
        // In this order, so that whoever looks in both places always finds the month open.
        let before = self.current();
        if let Some(before) = before {
            self.old.lock().unwrap_or_else(PoisonError::into_inner).push(before);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some((month, disk.clone()));
        Ok(disk)
    }

    /// Closes a month that is not the current one. Returns whether it is closed: it stays open while somebody reads it.
    pub(super) fn close(&self, month: Month) -> bool {
        let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
        match old.iter().position(|(open, _)| *open == month) {
            Some(place) if Arc::strong_count(&old[place].1) > 1 => false,
            Some(place) => {
                old.remove(place);
                true
            }
            None => true,
        }
    }

    /// The database of a month, for reading.
    pub(super) fn month(&self, month: Month) -> Result<Arc<Disk>, StoreError> {
        if let Some((_, disk)) = self.current().filter(|(current, _)| *current == month) {
            return Ok(disk);
        }
        let mut old = self.old.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = old.iter().position(|(open, _)| *open == month) {
            let found = old.remove(place);
            old.push(found.clone());
            return Ok(found.1);
        }
        near::reach_far();
        // A month that is being read cannot be closed, and no database can be open twice.
        while old.len() >= self.options.old_months_max {
            match old.iter().position(|(_, disk)| Arc::strong_count(disk) == 1) {
                Some(idle) => drop(old.remove(idle)),
                None => break,
            }
        }
        let path = self.place(month);
        let disk = Disk::open(&path, self.options.cache_bytes / 8, self.options.flush_ms, false)?;
        let disk = Arc::new(disk.tapped(Space::Month(month), &self.tap));
        old.push((month, disk.clone()));
        Ok(disk)
    }
}

impl Databases for Disks {
    fn entry(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match space {
            Space::State => self.state.entry(key),
            Space::Month(month) => self.month(month)?.entry(key),
        }
    }

    fn scan(
        &self,
        space: Space,
        from: &[u8],
        to: &[u8],
        order: Order,
        visit: &mut Visitor<'_>,
    ) -> Result<(), StoreError> {
        match space {
            Space::State => self.state.scan(from, to, order, visit),
            Space::Month(month) => self.month(month)?.scan(from, to, order, visit),
        }
    }
}
