//! Every setting and every limit, as a type with its unit and its default.
//!
//! A file in TOML and environment variables over it (`MIXD_COMPONENT__PORT` is `component.port`). What is unknown or
//! out of range is refused with its place, what was found and what is expected. The secret is never shown.

mod check;
mod domain;
mod http;
mod level;
mod listen;
mod range;
mod read;
mod show;

use crate::channel::{ChannelDefaults, FeatureSwitches, GroupDefaults, Rate, Rates};
pub use crate::engine::{Multicast, Pam};
pub use domain::Domain;
pub use http::{CheckTls, Http};
pub use read::{ConfigError, strangers};

use jid::{BareJid, Jid};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
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

/// `[component]`: the link to the host server (XEP-0114).
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
    /// A file that holds the secret; white space around it does not count.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// Seconds that connecting and authenticating may take.
    #[serde(default = "default_connect_timeout_s")]
    pub connect_timeout_s: u64,
    /// Seconds of silence after which the host server is pinged (XEP-0199).
    #[serde(default = "default_ping_idle_s")]
    pub ping_idle_s: u64,
    /// Seconds of further silence after which the link counts as dead.
    #[serde(default = "default_ping_timeout_s")]
    pub ping_timeout_s: u64,
    /// Seconds that the host server may leave what is written to it unread.
    #[serde(default = "default_write_timeout_s")]
    pub write_timeout_s: u64,
    /// For how many seconds messages are sent again after a lost link or a crash; whoever missed older ones finds them in
    /// the archive.
    #[serde(default = "default_resend_s")]
    pub resend_s: u64,
    /// The shortest pause before connecting again, in milliseconds.
    #[serde(default = "default_backoff_ms_min")]
    pub backoff_ms_min: u64,
    /// The longest pause before connecting again, in milliseconds.
    #[serde(default = "default_backoff_ms_max")]
    pub backoff_ms_max: u64,
    /// Whom to ping; by default the parent domain of `domain`.
    #[serde(default)]
    pub ping_to: Option<Jid>,
}

impl Component {
    /// Whom to ping: `ping_to`, or the parent domain, or the service itself where it has none.
    pub fn ping_target(&self) -> String {
        match &self.ping_to {
            Some(jid) => jid.to_string(),
            None => self.domain.parent().unwrap_or_else(|| self.domain.clone()).to_string(),
        }
    }
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

/// `[limits]`: how much of anything there may be. Lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // Each is described where it is enforced: `channel::Limits`, `framer::Limits`.
pub struct Limits {
    pub participants_max: usize,
    pub guests_max: usize,
    pub named_max: usize,
    pub former_max: usize,
    pub former_silent_max: usize,
    pub channels_max: usize,
    pub channel_name_bytes_max: usize,
    pub nick_bytes_max: usize,
    pub registered_nicks_max: usize,
    pub payload_bytes_max: usize,
    pub id_bytes_max: usize,
    pub info_bytes_max: usize,
    pub answer_bytes_max: usize,
    pub invitations_max: usize,
    pub invitations_per_inviter_max: usize,
    pub invitation_s: u64,
    pub presence_participants_max: usize,
    pub channels_per_creator_max: usize,
    pub account_sending_bytes_max: usize,
    pub messages_per_s: u64,
    pub messages_burst: u64,
    pub messages_backlog: u64,
    pub message_bytes_per_s: u64,
    pub message_bytes_burst: u64,
    pub channel_messages_per_s: u64,
    pub channel_messages_burst: u64,
    pub requests_per_s: u64,
    pub requests_burst: u64,
    /// People whom one account adds or invites.
    pub invitations_per_s: u64,
    pub invitations_burst: u64,
    pub presence_per_s: u64,
    pub presence_burst: u64,
    /// For how long messages and presence that come too fast wait, in seconds.
    pub held_s: u64,
    /// What waits so, roughly as it lies in memory.
    pub held_bytes_max: usize,
    /// Domains whose accounts are not paced.
    pub unpaced_domains: Vec<String>,
    pub stanza_bytes_max: usize,
    pub stanza_depth_max: usize,
    pub stanza_elements_max: usize,
    pub attribute_bytes_max: usize,
    pub start_tag_bytes_max: usize,
    pub attributes_max: usize,
    /// Stanzas that wait for the engine.
    pub inbox_items_max: usize,
    /// What waits for the engine, roughly as it lies in memory.
    pub inbox_bytes_max: usize,
    /// What waits for the host server to read it; a fan-out counts once.
    pub outbox_bytes_max: usize,
    /// Memory for channels.
    pub channels_memory_bytes_max: usize,
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

impl Limits {
    fn of_channels(&self) -> crate::channel::Limits {
        crate::channel::Limits {
            participants_max: self.participants_max,
            guests_max: self.guests_max,
            named_max: self.named_max,
            former_max: self.former_max,
            former_silent_max: self.former_silent_max,
            channels_max: self.channels_max,
            channel_name_bytes_max: self.channel_name_bytes_max,
            nick_bytes_max: self.nick_bytes_max,
            registered_nicks_max: self.registered_nicks_max,
            payload_bytes_max: self.payload_bytes_max,
            id_bytes_max: self.id_bytes_max,
            info_bytes_max: self.info_bytes_max,
            answer_bytes_max: self.answer_bytes_max,
            invitations_max: self.invitations_max,
            invitations_per_inviter_max: self.invitations_per_inviter_max,
            invitation_s: self.invitation_s,
            presence_participants_max: self.presence_participants_max,
            channels_per_creator_max: self.channels_per_creator_max,
            account_sending_bytes_max: self.account_sending_bytes_max,
            rates: Rates {
                requests: Rate { per_s: self.requests_per_s, burst: self.requests_burst },
                invitations: Rate { per_s: self.invitations_per_s, burst: self.invitations_burst },
                messages: Rate { per_s: self.messages_per_s, burst: self.messages_burst },
                messages_backlog: self.messages_backlog,
                message_bytes: Rate { per_s: self.message_bytes_per_s, burst: self.message_bytes_burst },
                channel_messages: Rate { per_s: self.channel_messages_per_s, burst: self.channel_messages_burst },
                presence: Rate { per_s: self.presence_per_s, burst: self.presence_burst },
                held_s: self.held_s,
                unpaced_domains: self.unpaced_domains.clone(),
            },
            ..crate::channel::Limits::default()
        }
    }

    /// What one stanza may amount to.
    pub fn of_stanzas(&self) -> crate::runtime::framer::Limits {
        crate::runtime::framer::Limits {
            stanza_bytes_max: self.stanza_bytes_max,
            stanza_depth_max: self.stanza_depth_max,
            stanza_elements_max: self.stanza_elements_max,
            attribute_bytes_max: self.attribute_bytes_max,
            start_tag_bytes_max: self.start_tag_bytes_max,
            attributes_max: self.attributes_max,
        }
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

/// A secret, which nothing shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the handshake alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(hidden)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        String::deserialize(deserializer).map(Secret)
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

impl Default for Limits {
    fn default() -> Limits {
        let channel = crate::channel::Limits::default();
        Limits {
            guests_max: channel.guests_max,
            named_max: channel.named_max,
            former_max: channel.former_max,
            former_silent_max: channel.former_silent_max,
            participants_max: channel.participants_max,
            channels_max: channel.channels_max,
            channel_name_bytes_max: channel.channel_name_bytes_max,
            nick_bytes_max: channel.nick_bytes_max,
            registered_nicks_max: channel.registered_nicks_max,
            payload_bytes_max: channel.payload_bytes_max,
            id_bytes_max: channel.id_bytes_max,
            info_bytes_max: channel.info_bytes_max,
            answer_bytes_max: channel.answer_bytes_max,
            invitations_max: channel.invitations_max,
            invitations_per_inviter_max: channel.invitations_per_inviter_max,
            invitation_s: channel.invitation_s,
            presence_participants_max: channel.presence_participants_max,
            channels_per_creator_max: channel.channels_per_creator_max,
            messages_per_s: channel.rates.messages.per_s,
            messages_burst: channel.rates.messages.burst,
            messages_backlog: channel.rates.messages_backlog,
            message_bytes_per_s: channel.rates.message_bytes.per_s,
            message_bytes_burst: channel.rates.message_bytes.burst,
            channel_messages_per_s: channel.rates.channel_messages.per_s,
            channel_messages_burst: channel.rates.channel_messages.burst,
            requests_per_s: channel.rates.requests.per_s,
            requests_burst: channel.rates.requests.burst,
            invitations_per_s: channel.rates.invitations.per_s,
            invitations_burst: channel.rates.invitations.burst,
            account_sending_bytes_max: 8 << 20,
            presence_per_s: channel.rates.presence.per_s,
            presence_burst: channel.rates.presence.burst,
            held_s: channel.rates.held_s,
            held_bytes_max: 32 << 20,
            unpaced_domains: Vec::new(),
            stanza_bytes_max: 512 << 10,
            stanza_depth_max: 64,
            stanza_elements_max: 10_000,
            attribute_bytes_max: 8192,
            start_tag_bytes_max: 16_384,
            attributes_max: 64,
            inbox_items_max: 8192,
            inbox_bytes_max: 16 << 20,
            outbox_bytes_max: 32 << 20,
            channels_memory_bytes_max: 256 << 20,
        }
    }
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".to_owned(), format: LogFormat::Text, colour: false }
    }
}
