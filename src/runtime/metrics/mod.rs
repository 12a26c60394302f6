//! What is counted, and how it is shown: `/metrics` for Prometheus, `/health/live` and `/health/ready`.
//!
//! Nothing is counted inside the engine. The worker counts what a turn leads to, and the writer what it wrote. Queues
//! and the disk are looked at when a page is asked for.

mod counters;
mod health;
mod pages;
mod scarcity;
mod watched;

pub use counters::{LoginOutcome, Metrics, Queried};
pub use health::Health;
pub use watched::Watched;

use super::handover::{self, Role, Taken};
use crate::config::Config;
use anyhow::Context;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Listens, if the settings name an address. Ends with the process. Returns the socket for the program that takes over.
///
/// # Errors
/// The address cannot be listened at.
pub async fn start(
    config: &Config,
    watched: Watched,
    stop: watch::Receiver<bool>,
    earlier: &mut Taken,
) -> anyhow::Result<Option<(Role, OwnedFd)>> {
    let Some(address) = config.metrics.listen else { return Ok(None) };
    let role = Role::Metrics(address);
    let opened = handover::listen(role, address, earlier);
    let (listener, spare) = opened.with_context(|| format!("metrics.listen: {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "metrics and health are served");
    let stuck = Duration::from_secs(config.metrics.stuck_s);
    tokio::spawn(pages::Pages { watched: Arc::new(watched), stuck }.run(listener, stop));
    Ok(Some((role, spare)))
}
