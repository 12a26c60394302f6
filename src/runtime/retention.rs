//! Removes rows that are too old, and months that hold nothing else: at the start, once an hour, and when a channel
//! shortens its retention.
//!
//! The store is looked through in parts, beside the loop. What is found becomes a turn like any other input, so that
//! channels in memory and the store agree. A month is dropped after the turns are committed.

use super::Metrics;
use super::beside::{beside, hand_over, rest};
use super::inbox::Inbox;
use super::vital::Vital;
use crate::channel::Change;
use crate::chore::{Budget, Chore};
use crate::engine::Inbound;
use crate::store::{Outdated, Record, Retention, Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// How many channels are looked at without a pause.
const SWEEPING: Budget = Budget { things: 256, cost: usize::MAX };
/// The pause after each part, and while the inbox is full.
const PAUSE: Duration = Duration::from_millis(50);
/// How long turns may take to be committed before months are dropped, and how often dropping is tried. A month may be
/// in use by a reader or a backup.
const SETTLING: Duration = Duration::from_secs(5);
const TRIES_MAX: u32 = 100;
/// The time between two sweeps.
const INTERVAL: Duration = Duration::from_secs(3600);
/// The approximate size of an expired channel in the inbox, in bytes.
const WEIGHT: usize = 256;

/// Sweeps out what is too old.
pub struct Sweeper {
    /// How many days the service keeps rows; 0 keeps them for ever.
    pub keep_days: u64,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The inbox of the loop.
    pub inbox: Arc<Inbox>,
    /// What time it is.
    pub metrics: Arc<Metrics>,
    /// Wakes it when a channel shortens its retention or the clock is confirmed.
    pub woken: Arc<Notify>,
    /// Whether the process is to end.
    pub stopping: watch::Receiver<bool>,
}

/// Whether one of these records may have made rows too old.
pub fn is_concerned(records: &[Record]) -> bool {
    records.iter().any(|record| match record {
        Record::Channel { change: Change::Configured(settings), .. } => settings.retention_days > 0,
        _ => false,
    })
}

impl Sweeper {
    /// Sweeps out what became too old while nothing ran, before anybody can ask for it.
    pub async fn begin(&mut self) {
        self.expire(Duration::ZERO).await;
    }

    /// Sweeps until the process ends.
    pub async fn run(mut self) {
        let _vital = Vital("the sweep of old rows");
        loop {
            if let Err(error) = self.drop_months().await {
                tracing::error!("old months cannot be dropped: {error}");
            }
            tokio::select! {
                _ = self.stopping.wait_for(|stop| *stop) => return,
                () = self.woken.notified() => {}
                () = sleep(INTERVAL) => {}
            }
            self.expire(PAUSE).await;
        }
    }

    async fn expire(&mut self, pause: Duration) {
        if let Err(error) = self.sweep(pause).await {
            tracing::error!("old rows cannot be found: {error}");
        }
    }

    /// The rule by which rows are too old. `None` while a jump of the clock is not confirmed, because rows that go are
    /// lost.
    fn retention(&self) -> Option<Retention> {
        let dial = self.metrics.health.time.dial();
        (!dial.held).then_some(Retention { now: dial.kept, keep_days: self.keep_days })
    }

    /// Finds rows that are too old, with a pause after each part.
    async fn sweep(&mut self, pause: Duration) -> Result<(), StoreError> {
        let Some(retention) = self.retention() else {
            tracing::warn!("no old messages are removed until 'mixd clock confirm', or until the clock is set right");
            return Ok(());
        };
        let (mut chore, mut channels) = (Chore::once(SWEEPING, Some(Vec::new())), 0);
        while let Some(part) = chore.behind().cloned() {
            let count = chore.things();
            let swept = beside(&self.store, move |store| store.sweep(&retention, &part, count)).await?;
            chore.go_to(swept.next);
            channels += swept.outdated.len();
            if self.hand_over(swept.outdated).await || rest(&mut self.stopping, pause).await {
                return Ok(());
            }
        }
        if channels > 0 {
            tracing::info!(channels, "rows that are too old are gone");
        }
        Ok(())
    }

    async fn drop_months(&mut self) -> Result<(), StoreError> {
        let Some(retention) = self.retention() else { return Ok(()) };
        for _ in 0..TRIES_MAX {
            if rest(&mut self.stopping, SETTLING).await {
                return Ok(());
            }
            let (gone, waiting) = beside(&self.store, move |store| store.drop_months(&retention)).await?;
            if gone > 0 {
                tracing::info!(months = gone, "months that are too old are gone");
            }
            if waiting == 0 {
                return Ok(());
            }
        }
        tracing::warn!("a month that is too old is still in use; it is tried again in an hour");
        Ok(())
    }

    /// Puts what is too old into the inbox. Returns whether the process is to end.
    async fn hand_over(&mut self, outdated: Vec<Outdated>) -> bool {
        let weight = WEIGHT * outdated.len();
        if outdated.is_empty() {
            return false;
        }
        hand_over(&self.inbox, Inbound::Expired(outdated), weight, &mut self.stopping, PAUSE).await
    }
}
