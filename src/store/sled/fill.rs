//! Fills databases from streams of entries.

use super::super::StoreError;
use super::super::databases::{Databases, Order, Space};
use super::disk::{Batch, Disk};
use super::layout;
use super::options::SledOptions;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How many bytes are read or written at once.
const SLICE_BYTES: usize = 256 << 10;

/// Stored entries by key.
pub(super) type EntrySlice = Vec<(Vec<u8>, Vec<u8>)>;

/// Reads a database from front to end, in slices.
///
/// # Errors
/// Those of reading and of `take`.
pub(super) fn each_slice(
    dbs: &impl Databases,
    space: Space,
    take: &mut dyn FnMut(EntrySlice) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = Vec::new();
    loop {
        let (mut slice, mut bytes) = (EntrySlice::new(), 0);
        dbs.scan(space, &from, &[u8::MAX], Order::Rising, &mut |key, entry| {
            slice.push((key.to_vec(), entry.to_vec()));
            bytes += key.len() + entry.len();
            Ok(if bytes < SLICE_BYTES { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        let Some((last, _)) = slice.last() else { return Ok(()) };
        from = [last.as_slice(), &[0]].concat();
        take(slice)?;
    }
}

/// Databases that are being filled.
pub(super) struct Filling<'a> {
    /// Where `state/` and `archive/` lie.
    root: PathBuf,
    options: &'a SledOptions,
    open: BTreeMap<Space, (Disk, Batch)>,
    bytes: usize,
}

impl<'a> Filling<'a> {
    /// Fills databases below a folder.
    pub(super) fn new(root: PathBuf, options: &'a SledOptions) -> Filling<'a> {
        Filling { root, options, open: BTreeMap::new(), bytes: 0 }
    }

    /// Opens a database, or makes one.
    ///
    /// # Errors
    /// Those of opening.
    pub(super) fn open(&mut self, space: Space) -> Result<&mut Batch, StoreError> {
        let slot = match self.open.entry(space) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let (path, options) = (layout::place(&self.root, space), self.options);
                let disk = Disk::open(&path, options.cache_bytes / 4, options.flush_ms, true)?;
                slot.insert((disk, Batch::default()))
            }
        };
        Ok(&mut slot.1)
    }

    /// Puts an entry into a database, or removes the key where it is `None`.
    ///
    /// # Errors
    /// Those of opening and writing.
    pub(super) fn put(&mut self, space: Space, key: Vec<u8>, entry: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.bytes += key.len() + entry.as_ref().map_or(0, Vec::len);
        let batch = self.open(space)?;
        match entry {
            Some(entry) => batch.insert(key, entry),
            None => batch.remove(key),
        }
        if self.bytes >= SLICE_BYTES { self.write() } else { Ok(()) }
    }

    /// Closes the databases.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.write()
    }

    /// Writes the batches and makes them durable. sled cannot open a file that lost much.
    fn write(&mut self) -> Result<(), StoreError> {
        self.bytes = 0;
        let mut batches = self.open.values_mut();
        batches
            .try_for_each(|(disk, batch)| disk.apply(std::mem::take(batch)).and_then(|()| disk.sync()))
            .map_err(StoreError)
    }
}
