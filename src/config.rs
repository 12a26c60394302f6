//! Every setting and every limit, as a type with its unit and its default.
//!
//! A file in TOML and environment variables over it (`MIXD_COMPONENT__PORT` is `component.port`). What is unknown or
//! out of range is refused with its place, what was found and what is expected. The secret is never shown.

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

use crate::channel::{ChannelDefaults, FeatureSwitches, GroupDefaults};
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
    /// What the service is and who may do what.
    #[serde(default)]
    pub service: Service,
    /// Where everything is kept.
    #[serde(default)]
    pub storage: Storage,
    /// How history is handed out.
    #[serde(default)]
    pub archive: Archive,
    /// How much of anything there may be.
    #[serde(default)]
    pub limits: Limits,
    /// What plain channels are made with.
    #[serde(default)]
    pub channels: ChannelDefaults,
    /// What groups are made with, and who may do what in them.
    #[serde(default)]
    pub groups: GroupDefaults,
    /// What the service offers.
    #[serde(default)]
    pub features: FeatureSwitches,
    /// The HTTP API.
    #[serde(default)]
    pub http: Http,
    /// What is told to monitoring.
    #[serde(default)]
    pub metrics: Metrics,
    /// What is known of single host servers, by domain.
    #[serde(default)]
    pub hosts: BTreeMap<Domain, Host>,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
}

/// `[service]`: what the service is and who may do what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// The name that people see.
    pub name: String,
    /// The accounts that may administer every channel.
    pub admins: Vec<BareJid>,
    /// The domains whose users may create channels; `*` is everybody, none is the parent domain of the service.
    pub creators: Vec<String>,
    /// The domains whose users may register nicks; `*` is everybody, none is those whose users may create channels.
    pub nick_domains: Vec<String>,
}

/// `[storage]`: where everything is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The directory of the store; made when it does not exist.
    pub path: PathBuf,
    /// Memory for pages of the store, in bytes.
    pub cache_bytes: u64,
    /// What stays free of its file system, in bytes.
    pub reserve_bytes: u64,
}

/// `[archive]`: how history is handed out (XEP-0313).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// Messages of a page where the client names no number.
    pub page_default: usize,
    /// Messages of a page at most.
    pub page_max: usize,
    /// Threads that read pages.
    pub query_threads: usize,
    /// Days that rows are kept; a month goes when all of it is older. 0: for ever.
    pub keep_days: u64,
}

impl Config {
    /// What a channel may hold, and what the service offers.
    pub fn of_channels(&self) -> crate::channel::Limits {
        let groups = self.groups.clone();
        let (features, channels) = (self.features.clone(), self.channels.clone());
        let nick_domains = self.service.nick_domains.clone();
        crate::channel::Limits { groups, features, channels, nick_domains, ..self.limits.of_channels() }
    }
}

/// `[hosts."example.org"]`: what is known of one host server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// How its users' MIX traffic is delivered (XEP-0405).
    pub pam: Pam,
    /// Where its multicast service is (XEP-0033).
    pub multicast: Multicast,
    /// How many addresses one stanza for that service may hold, where it is not as announced.
    pub multicast_addresses_max: Option<NonZeroUsize>,
}

/// `[metrics]`: metrics and health over HTTP. They are off unless an address to listen at is set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Where to listen.
    #[serde(deserialize_with = "listen::read")]
    pub listen: Option<SocketAddr>,
    /// Seconds that one step may take before the process counts as stuck.
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
        Service { name: "Channels".to_owned(), admins: Vec::new(), creators: Vec::new(), nick_domains: Vec::new() }
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
