//! What is looked at when a page is asked for: queues, the link, the disk.

use super::super::clock;
use super::super::inbox::Inbox;
use super::super::outbox::{Outbox, Urgent};
use super::Metrics;
use crate::store::{Store, StoreError, folder_bytes};
use prometheus_client::encoding::text::encode;
use std::path::PathBuf;
use std::sync::Arc;

/// What the pages show.
pub struct Watched {
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// What waits for the engine.
    pub inbox: Arc<Inbox>,
    /// What waits for the writer.
    pub outbox: Arc<Outbox>,
    /// What the writer sends first.
    pub urgent: Arc<Urgent>,
    /// What waits for the archive.
    pub questions: Arc<super::super::archive::Questions>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The folder of uploaded files, which need not exist.
    pub files: PathBuf,
}

impl Watched {
    /// All metrics as text. Blocks, because it reads the disk.
    ///
    /// # Errors
    /// The store's folder cannot be read.
    pub fn text(&self) -> Result<String, StoreError> {
        let looked_at = &self.metrics.looked_at;
        let of = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (queue, (items, bytes)) in [
            ("inbox", self.inbox.depth()),
            ("outbox", self.outbox.depth()),
            ("urgent", self.urgent.depth()),
            ("queries", (self.questions.count(), 0)),
        ] {
            looked_at.queue_items.get_or_create(&[("queue", queue)]).set(of(items as u64));
            // Queries are bounded by their number alone.
            if queue != "queries" {
                looked_at.queue_bytes.get_or_create(&[("queue", queue)]).set(of(bytes as u64));
            }
        }
        let sizes = self.store.sizes()?;
        let unreadable = |error| StoreError(format!("{}: {error}", self.files.display()));
        for (part, bytes) in [
            ("state", sizes.state_bytes),
            ("archive", sizes.archive_bytes),
            ("files", folder_bytes(&self.files).map_err(unreadable)?),
        ] {
            looked_at.store_bytes.get_or_create(&[("part", part)]).set(of(bytes));
        }
        looked_at.store_months.set(of(sizes.months));
        looked_at.link_up.set(i64::from(self.metrics.health.is_linked()));
        looked_at.link_shared.set(i64::from(self.metrics.health.is_shared()));
        looked_at.uptime_seconds.set(of(clock::uptime_ms() / 1000));
        let dial = self.metrics.health.time.dial();
        for (what, waits) in [("time", dial.doubt.is_some()), ("retention", dial.held)] {
            looked_at.clock_doubted.get_or_create(&[("what", what)]).set(i64::from(waits));
        }
        let mut text = String::new();
        encode(&mut text, &self.metrics.registry).map_err(|error| StoreError(error.to_string()))?;
        Ok(text)
    }
}
