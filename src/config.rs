//! All settings and limits, as types with their units and defaults.
//!
//! They are read from a file in TOML, then from environment variables (`MIXD_COMPONENT__PORT` is `component.port`). An
//! unknown key or a value out of range is refused with its place, what was found and what is expected. The secret is
//! never shown.

mod check;
mod component;
mod domain;
mod http;
mod level;
mod limits;
mod listen;
mod range;
mod read;
mod secret;
mod show;

use crate::channel::{ChannelDefaults, FeatureSwitches, GroupDefaults, RoomLimits};
pub use crate::engine::{Multicast, Pam};
pub use component::Component;
pub use domain::Domain;
pub use http::{CheckTls, Http};
pub use limits::Limits;
pub use read::{ConfigError, strangers};
pub use secret::Secret;

use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// All settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The link to the host server.
    pub component: Component,
    /// What the service is called and who may do what.
    #[serde(default)]
    pub service: Service,
    /// Where the store is, and what it may take.
    #[serde(default)]
    pub storage: Storage,
    /// How history is handed out.
    #[serde(default)]
    pub archive: Archive,
    /// All limits.
    #[serde(default)]
    pub limits: Limits,
    /// The defaults of plain channels.
    #[serde(default)]
    pub channels: ChannelDefaults,
    /// Channels as rooms.
    #[serde(default)]
    pub muc: RoomLimits,
    /// The defaults of groups, and who may do what in them.
    #[serde(default)]
    pub groups: GroupDefaults,
    /// What the service offers.
    #[serde(default)]
    pub features: FeatureSwitches,
    /// The HTTP API.
    #[serde(default)]
    pub http: Http,
    /// Metrics and health for monitoring.
    #[serde(default)]
    pub metrics: Metrics,
    /// Exceptions for single host servers, by domain.
    #[serde(default)]
    pub hosts: BTreeMap<Domain, Host>,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
}

/// `[service]`: what the service is called and who may do what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// The name that people see.
    pub name: String,
    /// The accounts that may administer every channel.
    pub admins: Vec<BareJid>,
    /// The domains whose users may create channels. `*` stands for everybody; if empty, it is the parent domain of the
    /// service.
    pub creators: Vec<String>,
    /// The domains whose users may register nicks. `*` stands for everybody; if empty, they are those of `creators`.
    pub nick_domains: Vec<String>,
    /// The domains whose users may ask for all channels by a search (XEP-0433); `*` stands for everybody.
    pub search_all_domains: Vec<String>,
}

/// `[storage]`: where the store is, and what it may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The directory of the store. It is created if it does not exist.
    pub path: PathBuf,
    /// Memory for cached pages of the store, in bytes.
    pub cache_bytes: u64,
    /// How much of its file system stays free, in bytes.
    pub reserve_bytes: u64,
}

/// `[archive]`: how history is handed out (XEP-0313).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// How many messages a page has if the client names no number.
    pub page_default: usize,
    /// The maximum of messages on a page.
    pub page_max: usize,
    /// How many threads read pages.
    pub query_threads: usize,
    /// How many days rows are kept. A month goes once all of it is older. 0 keeps rows for ever.
    pub keep_days: u64,
}

impl Config {
    /// What a channel may hold, and what the service offers.
    pub fn of_channels(&self) -> crate::channel::Limits {
        let (groups, muc) = (self.groups.clone(), self.muc.clone());
        let (features, channels) = (self.features.clone(), self.channels.clone());
        let Service { nick_domains, search_all_domains, .. } = self.service.clone();
        let own = self.limits.of_channels();
        crate::channel::Limits { groups, muc, features, channels, nick_domains, search_all_domains, ..own }
    }
}

/// `[hosts."example.org"]`: exceptions for one host server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// How its users' MIX traffic is delivered (XEP-0405).
    pub pam: Pam,
    /// Where its multicast service is (XEP-0033).
    pub multicast: Multicast,
    /// How many addresses one stanza for that service may hold, if it is not the number that the service announces.
    pub multicast_addresses_max: Option<NonZeroUsize>,
}

/// `[metrics]`: metrics and health over HTTP. They are off unless an address to listen at is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// The address to listen at.
    #[serde(deserialize_with = "listen::read")]
    pub listen: Option<SocketAddr>,
    /// How many seconds one step may take before the process counts as stuck.
    pub stuck_s: u64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { listen: None, stuck_s: 120 }
    }
}

/// `[log]`: what is logged to standard error, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,mixd::runtime=debug`.
    pub level: String,
    /// One line of text or one JSON object for each event.
    pub format: LogFormat,
    /// Whether text is coloured.
    pub colour: bool,
}

/// How an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl Default for Service {
    fn default() -> Service {
        Service {
            name: "Channels".to_owned(),
            admins: Vec::new(),
            creators: Vec::new(),
            nick_domains: Vec::new(),
            search_all_domains: vec!["*".to_owned()],
        }
    }
}

impl Default for Storage {
    fn default() -> Storage {
        Storage { path: PathBuf::from("/var/lib/mixd"), cache_bytes: 256 << 20, reserve_bytes: 64 << 20 }
    }
}

impl Default for Archive {
    fn default() -> Archive {
        Archive { page_default: 20, page_max: 100, query_threads: 2, keep_days: 0 }
    }
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".to_owned(), format: LogFormat::Text, colour: false }
    }
}
