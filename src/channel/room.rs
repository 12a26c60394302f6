//! What a channel keeps for rooms (XEP-0045): settings, who may send private messages, the topic, and voice.

use super::{OccupantRole, ParticipantId, Stamp};
use serde::{Deserialize, Serialize};

/// The most rows of history that whoever enters a room is sent.
pub const HISTORY_ROWS_MAX: usize = 50;
/// The most accounts whose voice differs from what follows from the settings.
pub const VOICES_MAX: usize = 1000;
/// The longest text of a topic, in bytes.
pub const TOPIC_BYTES_MAX: usize = 8192;

/// XEP-0404 §2.1, XEP-0045 "allowpm": who may send private messages to participants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateMessages {
    /// Nobody.
    Nobody,
    /// Everybody in the channel.
    #[default]
    Anyone,
    /// Everybody in the channel who has voice.
    Participants,
    /// Moderators alone.
    Moderators,
}

impl PrivateMessages {
    /// The value where all or nobody may.
    pub fn of(may_all: bool) -> PrivateMessages {
        if may_all { PrivateMessages::Anyone } else { PrivateMessages::Nobody }
    }

    /// Whether somebody with this role may send them.
    pub fn admits(self, role: OccupantRole) -> bool {
        match self {
            PrivateMessages::Nobody => false,
            PrivateMessages::Anyone => true,
            PrivateMessages::Participants => role >= OccupantRole::Participant,
            PrivateMessages::Moderators => role >= OccupantRole::Moderator,
        }
    }

    /// Whether anybody may send them.
    pub fn are_passed_on(self) -> bool {
        self != PrivateMessages::Nobody
    }
}

/// XEP-0045 "presencebroadcast": the occupants of which roles are shown to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRoles {
    /// Moderators.
    pub moderators: bool,
    /// Participants.
    pub participants: bool,
    /// Visitors.
    pub visitors: bool,
}

impl Default for ShownRoles {
    fn default() -> ShownRoles {
        ShownRoles { moderators: true, participants: true, visitors: true }
    }
}

/// The settings of a channel that only rooms have a form for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// Whether only those with voice may send messages.
    pub moderated: bool,
    /// The language of what is said (RFC 5646).
    pub lang: Option<String>,
    /// What whoever enters by XEP-0045 has to know. Never blank.
    pub password: Option<String>,
    /// Whether the channel is destroyed once nobody is left in it.
    pub temporary: bool,
    /// The occupants of which roles are shown to others.
    pub shown_roles: ShownRoles,
    /// The most occupants that came by XEP-0045. The service's limit where absent.
    pub seats_max: Option<usize>,
    /// The most rows of history that whoever enters is sent. [`HISTORY_ROWS_MAX`] where absent.
    pub history_max: Option<usize>,
    /// XEP-0500: the time between two messages of one account, in seconds.
    pub slow_mode_s: Option<u64>,
    /// XEP-0452: whether members are told of mentions while they are away.
    pub forward_mentions: bool,
}

/// XEP-0045 §8.1: what a room is about at the moment. It is not the name of the channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// The text. Empty where the topic was taken away.
    pub text: String,
    /// The nick of whoever set it, at that time.
    pub nick: String,
    /// Who set it.
    pub author: ParticipantId,
    /// When it was set.
    pub stamp: Stamp,
}

impl Topic {
    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.nick.len() + 64
    }
}
