//! XEP-0404 §2.2, §3.1: who sees the JIDs of participants, and the preferences of participants.

use serde::{Deserialize, Serialize};

/// Who sees the JIDs of participants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody who sees the participants.
    #[default]
    Visible,
    /// Everybody who sees the participants, for JIDs whose owners want that. Others are for those who administer the
    /// channel.
    Maybe,
    /// Those who administer the channel.
    Hidden,
}

/// The preference of a participant about its JID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JidPreference {
    /// As the channel does: visible where JIDs are visible, hidden elsewhere.
    #[default]
    Default,
    /// Never visible. Such an account cannot be in a channel where JIDs are visible.
    Never,
    /// Always visible. Such an account cannot be in a channel where JIDs are hidden.
    Always,
    /// Visible only where all JIDs are.
    PreferNot,
}

impl JidPreference {
    /// Whether an account with this preference can be in a channel.
    pub fn allows(self, visibility: Visibility) -> bool {
        !matches!(
            (self, visibility),
            (JidPreference::Never, Visibility::Visible) | (JidPreference::Always, Visibility::Hidden)
        )
    }
}

/// The preferences of one participant in one channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// The preference about the JID.
    pub jid: JidPreference,
    /// Whether private messages through the channel are refused.
    pub blocks_messages: bool,
    /// Whether others may read its vCard through the channel.
    pub shows_vcard: bool,
    /// Whether it does not share its presence with the channel.
    pub hides_presence: bool,
}

/// Changes of preferences. What is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PreferencesPatch {
    /// The preference about the JID.
    pub jid: Option<JidPreference>,
    /// Whether private messages through the channel are refused.
    pub blocks_messages: Option<bool>,
    /// Whether others may read its vCard through the channel.
    pub shows_vcard: Option<bool>,
    /// Whether it does not share its presence with the channel.
    pub hides_presence: Option<bool>,
}

impl Preferences {
    /// The preferences after the changes.
    pub fn patched(self, patch: PreferencesPatch) -> Preferences {
        Preferences {
            jid: patch.jid.unwrap_or(self.jid),
            blocks_messages: patch.blocks_messages.unwrap_or(self.blocks_messages),
            shows_vcard: patch.shows_vcard.unwrap_or(self.shows_vcard),
            hides_presence: patch.hides_presence.unwrap_or(self.hides_presence),
        }
    }
}
