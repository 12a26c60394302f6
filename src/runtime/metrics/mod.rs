//! What is counted, and how it is told: `/metrics` for Prometheus, `/health/live` and `/health/ready`.
//!
//! Nothing is counted inside the engine. The worker counts what a turn says it leads to, the writer what it wrote, and
//! what lies in queues and on the disk is looked at when somebody asks.

mod counters;
mod health;
mod pages;
mod scarcity;
mod watched;

pub use counters::{LoginOutcome, Metrics, Queried};
pub use health::Health;
pub use watched::Watched;

use crate::config::Config;
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Starts to listen, where the settings name an address; ends when the process does.
///
/// # Errors
/// When it cannot listen there.
pub async fn start(config: &Config, watched: Watched, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let Some(address) = config.metrics.listen else { return Ok(()) };
    let listener = TcpListener::bind(address).await.with_context(|| format!("metrics.listen: {address}"))?;
    tracing::info!(address = %listener.local_addr()?, "metrics and health are served");
    let stuck = Duration::from_secs(config.metrics.stuck_s);
    tokio::spawn(pages::Pages { watched: Arc::new(watched), stuck }.run(listener, stop));
    Ok(())
}
