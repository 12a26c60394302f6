//! The parcels in the current month. A later batch drops a parcel once the host server is known to have it. A new month
//! begins with the parcels that are left of the month before.

use super::super::databases::{Databases, Space};
use super::super::keyspace::{self, Month};
use super::super::{StoreError, Unsent, pieces, unsent};
use super::disk::{self, Batch};
use super::months::Disks;
use std::collections::VecDeque;

/// How many parcels one batch drops.
const DROPPED_MAX: usize = 256;

/// The parcels in the current month.
#[derive(Default)]
pub(super) struct UnsentParcels {
    /// The month that they are in.
    month: Option<Month>,
    /// Their numbers, oldest first, and how many pieces follow each.
    entries: VecDeque<(u64, u16)>,
    /// The host server has all parcels up to this number.
    sent: u64,
}

impl UnsentParcels {
    /// Reads which parcels a month holds.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn take_up(disks: &Disks, month: Month) -> Result<UnsentParcels, StoreError> {
        let entries = unsent::numbers(disks, Space::Month(month))?.into();
        Ok(UnsentParcels { month: Some(month), entries, sent: 0 })
    }

    /// Whether the parcel of this number is kept.
    pub(super) fn holds(&self, number: u64) -> bool {
        self.entries.binary_search_by_key(&number, |(number, _)| *number).is_ok()
    }

    /// Notes that the host server has all parcels up to this number.
    pub(super) fn sent(&mut self, up_to: u64) {
        self.sent = self.sent.max(up_to);
    }

    /// Notes that a parcel was written.
    ///
    /// # Errors
    /// A key that is too short.
    pub(super) fn note(&mut self, key: &[u8], pieces: u16, month: Month) -> Result<(), StoreError> {
        if key.starts_with(b"u") {
            self.entries.push_back((keyspace::number_of(key)?, pieces));
            self.month = Some(month);
        }
        Ok(())
    }

    /// Adds to a batch the removal of some parcels that were sent. Returns whether there were any.
    pub(super) fn drop_sent(&mut self, batch: &mut Batch) -> bool {
        let gone = self.entries.iter().take(DROPPED_MAX).take_while(|(number, _)| *number <= self.sent).count();
        for (number, pieces) in self.entries.drain(..gone) {
            let key = keyspace::unsent(number);
            (0..pieces).for_each(|piece| batch.remove(pieces::piece_key(&key, piece)));
            batch.remove(key);
        }
        gone > 0
    }

    /// Adds the parcels that are left to the first batch of another month.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn carry(&mut self, disks: &Disks, batch: &mut Batch) -> Result<(), String> {
        self.entries.retain(|(number, _)| *number > self.sent);
        let Some(month) = self.month else { return Ok(()) };
        let space = Space::Month(month);
        for (number, _) in &self.entries {
            let key = keyspace::unsent(*number);
            let left: Option<Unsent> = disks.value(space, &key).map_err(|error| error.0)?;
            if let Some(left) = left {
                let value = keyspace::encode(&left).map_err(|error| error.0)?;
                disk::put(batch, &key, &value)?;
            }
        }
        Ok(())
    }
}
