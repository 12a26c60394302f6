//! What operators are told of the service as a whole.

use super::ChannelName;
use jid::BareJid;

/// A channel in the operators' list of all channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedChannel {
    /// Its localpart.
    pub name: ChannelName,
    /// Who created it.
    pub creator: BareJid,
    /// Whether people who are not in it find it in the list of channels.
    pub listed: bool,
}

/// A channel in the list that an account is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundChannel {
    /// Its localpart.
    pub name: ChannelName,
    /// The name shown to people, where everybody finds the channel.
    pub title: Option<String>,
}

/// The numbers of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCensus {
    /// All channels.
    pub channels: usize,
    /// Those that everybody finds.
    pub listed: usize,
    /// Channels in memory.
    pub channels_in_memory: usize,
    /// The memory that these take, in bytes.
    pub memory_bytes: usize,
    /// The participants of these. An account counts once for each of its channels.
    pub participants_in_memory: usize,
    /// The rows of their archives that have something to read. Rows that expired by age are included.
    pub messages_in_memory: u64,
    /// Questions to servers and clients that wait for an answer.
    pub questions: usize,
    /// Announcements under way.
    pub announcements: usize,
    /// Accounts that are being ended.
    pub endings: usize,
}
