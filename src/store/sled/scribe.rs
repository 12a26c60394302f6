//! Writes between two commits to what no commit writes to any more: older months, and the state where nothing else
//! reads it.

use super::super::databases::Space;
use super::super::erase::Scribe;
use super::super::keyspace::Ops;
use super::super::{StoreError, pieces};
use super::SledStore;
use super::disk::Batch;
use super::months::Disks;

impl Scribe for SledStore {
    type Databases = Disks;

    fn rewrite<T>(
        &self,
        plan: impl FnOnce(&Disks) -> Result<(Vec<(Space, Ops)>, T), StoreError>,
    ) -> Result<T, StoreError> {
        let mut writer = self.writer().map_err(|error| StoreError(error.to_string()))?;
        let (writes, told) = plan(&self.disks)?;
        for (space, ops) in writes.into_iter().filter(|(_, ops)| !ops.is_empty()) {
            match space {
                Space::State => writer.write_state(&self.disks, &ops).map_err(StoreError)?,
                Space::Month(month) => {
                    let disk = self.disks.month(month)?;
                    let mut batch = Batch::default();
                    for (key, entry) in pieces::cut_ops(&ops, |key| disk.entry(key))? {
                        match entry {
                            Some(entry) => batch.insert(key, entry),
                            None => batch.remove(key),
                        }
                    }
                    disk.apply(batch).and_then(|()| disk.sync()).map_err(StoreError)?;
                }
            }
        }
        Ok(told)
    }
}
