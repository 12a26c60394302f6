//! `[component]`: the link to the host server (XEP-0114).

use super::{Domain, Secret};
use jid::Jid;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The settings of the link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The domain of the service, as the host server knows it.
    pub domain: Domain,
    /// The name or address of the host server's component port.
    #[serde(default = "default_host")]
    pub host: String,
    /// The host server's component port.
    #[serde(default = "default_port")]
    pub port: u16,
    /// The secret shared with the host server.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// A file with the secret. White space around it is ignored.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// How many seconds connecting and authenticating may take.
    #[serde(default = "default_connect_timeout_s")]
    pub connect_timeout_s: u64,
    /// After how many seconds of silence the host server is pinged (XEP-0199).
    #[serde(default = "default_ping_idle_s")]
    pub ping_idle_s: u64,
    /// After how many more seconds of silence the link counts as dead.
    #[serde(default = "default_ping_timeout_s")]
    pub ping_timeout_s: u64,
    /// How many seconds the host server may leave unread what is written to it.
    #[serde(default = "default_write_timeout_s")]
    pub write_timeout_s: u64,
    /// For how many seconds messages are sent again after a lost link. Clients find older ones in the archive.
    #[serde(default = "default_resend_s")]
    pub resend_s: u64,
    /// The shortest pause before connecting again, in milliseconds.
    #[serde(default = "default_backoff_ms_min")]
    pub backoff_ms_min: u64,
    /// The longest pause before connecting again, in milliseconds.
    #[serde(default = "default_backoff_ms_max")]
    pub backoff_ms_max: u64,
    /// The address to ping; the parent domain of `domain` by default.
    #[serde(default)]
    pub ping_to: Option<Jid>,
}

impl Component {
    /// The address to ping: `ping_to`, or the parent domain, or the service itself if its domain has no parent.
    pub fn ping_target(&self) -> String {
        match &self.ping_to {
            Some(jid) => jid.to_string(),
            None => self.domain.parent().unwrap_or_else(|| self.domain.clone()).to_string(),
        }
    }
}

fn default_host() -> String {
    "127.0.0.1".to_owned()
}
fn default_port() -> u16 {
    5347
}
fn default_connect_timeout_s() -> u64 {
    10
}
fn default_ping_idle_s() -> u64 {
    60
}
fn default_ping_timeout_s() -> u64 {
    30
}
fn default_write_timeout_s() -> u64 {
    60
}
fn default_resend_s() -> u64 {
    600
}
fn default_backoff_ms_min() -> u64 {
    500
}
fn default_backoff_ms_max() -> u64 {
    30_000
}
