//! What operators are told of the service as a whole.

use super::ChannelName;
use jid::BareJid;

/// A channel as operators see it in the list of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedChannel {
    /// Its localpart.
    pub name: ChannelName,
    /// Who created it.
    pub creator: BareJid,
    /// Whether people who are not in it find it.
    pub listed: bool,
}

/// What the service holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCensus {
    /// Channels.
    pub channels: usize,
    /// Those that everybody finds.
    pub listed: usize,
    /// Channels in memory.
    pub channels_in_memory: usize,
    /// What they take, in bytes.
    pub memory_bytes: usize,
    /// Their participants, each counted once a channel.
    pub participants_in_memory: usize,
    /// Rows of their archives with something to read, those that are gone by their age included.
    pub messages_in_memory: u64,
    /// Questions to servers and clients that wait for an answer.
    pub questions: usize,
    /// Announcements under way.
    pub announcements: usize,
    /// Accounts that are being ended.
    pub endings: usize,
}
