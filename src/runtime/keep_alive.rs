//! Pings over the link (XEP-0199), which show whether the host server is there.

use std::time::Duration;

/// When and whom to ping.
#[derive(Clone, Debug)]
pub struct KeepAlive {
    /// How long silence may last before a ping.
    pub idle: Duration,
    /// How long silence may last after the ping.
    pub patience: Duration,
    /// The service's address.
    pub from: String,
    /// An address that the host server answers for.
    pub to: String,
    /// The id of pings, which cannot be guessed. The writer's pings have a number behind it.
    pub id: String,
}
