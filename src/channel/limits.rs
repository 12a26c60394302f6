//! How much of anything a channel holds.

use serde::{Deserialize, Serialize};

/// Limits that a command is checked against. Lengths are in bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Participants of one channel.
    pub participants_max: usize,
    /// Channels of the whole service.
    pub channels_max: usize,
    /// A channel's name, in bytes.
    pub channel_name_bytes_max: usize,
    /// A nick, in bytes.
    pub nick_bytes_max: usize,
    /// The children of one message, in bytes.
    pub payload_bytes_max: usize,
    /// A stanza id or origin id that a client chose, in bytes.
    pub id_bytes_max: usize,
    /// The item of the information node, in bytes.
    pub info_bytes_max: usize,
    /// A list in an answer, in bytes; the rest is paged. Has to stay below the host server's limit for a stanza of a
    /// component (Prosody: 512 KiB unless configured), which closes the link over a longer one.
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            participants_max: 100_000,
            channels_max: 1_000_000,
            channel_name_bytes_max: 128,
            nick_bytes_max: 128,
            payload_bytes_max: 128 * 1024,
            id_bytes_max: 256,
            info_bytes_max: 16 * 1024,
            answer_bytes_max: 384 * 1024,
        }
    }
}
