//! What participants want a channel to do about them, and who sees their JIDs (XEP-0404 §2.2, §3.1).

use serde::{Deserialize, Serialize};

/// Who sees the JIDs of participants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Whoever sees the participants.
    #[default]
    Visible,
    /// The same, of those who want it; of others those who administer the channel.
    Maybe,
    /// Those who administer the channel.
    Hidden,
}

/// What a participant wants about its JID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum JidPreference {
    /// What the channel does by itself: shown where JIDs are visible, hidden elsewhere.
    #[default]
    Default,
    /// It is never shown: whoever wants that cannot be in a channel where JIDs are visible.
    Never,
    /// It is always shown: whoever wants that cannot be in a channel where JIDs are hidden.
    Always,
    /// It is shown only where JIDs are visible.
    PreferNot,
}

impl JidPreference {
    /// Whether somebody who wants this can be in a channel.
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
    /// About its JID.
    pub jid: JidPreference,
    /// Whether private messages through the channel are refused.
    pub blocks_messages: bool,
    /// Whether others get its vCard through the channel.
    pub shows_vcard: bool,
    /// Whether its presence is kept from the channel.
    pub hides_presence: bool,
}

/// Preferences to be changed; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PreferencesPatch {
    /// About its JID.
    pub jid: Option<JidPreference>,
    /// Whether private messages through the channel are refused.
    pub blocks_messages: Option<bool>,
    /// Whether others get its vCard through the channel.
    pub shows_vcard: Option<bool>,
    /// Whether its presence is kept from the channel.
    pub hides_presence: Option<bool>,
}

impl Preferences {
    /// The same with what is to be changed.
    pub fn patched(self, patch: PreferencesPatch) -> Preferences {
        Preferences {
            jid: patch.jid.unwrap_or(self.jid),
            blocks_messages: patch.blocks_messages.unwrap_or(self.blocks_messages),
            shows_vcard: patch.shows_vcard.unwrap_or(self.shows_vcard),
            hides_presence: patch.hides_presence.unwrap_or(self.hides_presence),
        }
    }
}
