//! What a channel keeps for rooms (XEP-0045): settings, who may send private messages, the topic, and voice.

use super::{OccupantRole, ParticipantId, Stamp};
use jid::Jid;
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

/// XEP-0045 §7.2.6: what whoever enters a room has to know. It is not written where values are shown for people who look
/// for errors.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// The text as it is.
    pub fn new(text: String) -> Password {
        Password(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are the same. How long that takes says nothing of where they differ.
    pub fn is(&self, other: &Password) -> bool {
        let (own, other) = (self.0.as_bytes(), other.0.as_bytes());
        // Whoever offers one knows how long that is, so the time goes by it alone.
        let own_or_none = |at: usize| own.get(at).copied().unwrap_or(0);
        let differs = other.iter().enumerate().fold(0, |differs, (at, byte)| differs | (byte ^ own_or_none(at)));
        (std::hint::black_box(differs) == 0) & (own.len() == other.len())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password")
    }
}

/// XEP-0045 §10.9: what is said of the end of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Farewell {
    /// Why it ends.
    pub reason: Option<String>,
    /// Where people meet from then on.
    pub venue: Option<Jid>,
    /// What is to be known there.
    pub password: Option<Password>,
    /// Whether everybody may create a channel of its name at once, because nobody would look for this one.
    pub frees_name: bool,
}

/// The settings of a channel that only rooms have a form for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSettings {
    /// Whether only those with voice may send messages.
    pub moderated: bool,
    /// The language of what is said (RFC 5646).
    pub lang: Option<String>,
    /// What whoever enters by XEP-0045 has to know. Never blank.
    pub password: Option<Password>,
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
    /// Whether people who are not in it find it. As it was created where absent. Groups have rules of their own for that.
    pub listed: Option<bool>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_itself_alone_and_is_not_shown() {
        let password = |text: &str| Password::new(text.into());
        for other in ["", "cauldro", "cauldron ", "Cauldron", "cauldroN", "xauldron"] {
            assert!(
                !password("cauldron").is(&password(other)) && !password(other).is(&password("cauldron")),
                "{other}"
            );
        }
        assert!(password("cauldron").is(&password("cauldron")));
        assert!(!format!("{:?}", password("cauldron")).contains("cauldron"));
    }
}
