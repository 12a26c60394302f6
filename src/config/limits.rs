//! `[limits]`: all limits.

use crate::channel::{Rate, Rates};
use serde::{Deserialize, Serialize};

/// All limits. Lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // Each is described where it is enforced: `channel::Limits`, `framer::StanzaLimits`.
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
    /// How many people one account may add or invite.
    pub invitations_per_s: u64,
    pub invitations_burst: u64,
    pub presence_per_s: u64,
    pub presence_burst: u64,
    /// How long messages and presence that come too fast are held, in seconds.
    pub held_s: u64,
    /// How much is held, in bytes of memory, roughly.
    pub held_bytes_max: usize,
    /// The domains whose accounts are not paced.
    pub unpaced_domains: Vec<String>,
    pub stanza_bytes_max: usize,
    pub stanza_depth_max: usize,
    pub stanza_elements_max: usize,
    pub attribute_bytes_max: usize,
    pub start_tag_bytes_max: usize,
    pub attributes_max: usize,
    /// How many stanzas may wait for the engine.
    pub inbox_items_max: usize,
    /// How much may wait for the engine, in bytes of memory, roughly.
    pub inbox_bytes_max: usize,
    /// How much may wait for the host server. A fan-out counts once.
    pub outbox_bytes_max: usize,
    /// Memory for channels.
    pub channels_memory_bytes_max: usize,
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

impl Limits {
    pub(super) fn of_channels(&self) -> crate::channel::Limits {
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

    /// The limits of one stanza.
    pub fn of_stanzas(&self) -> crate::runtime::framer::StanzaLimits {
        crate::runtime::framer::StanzaLimits {
            stanza_bytes_max: self.stanza_bytes_max,
            stanza_depth_max: self.stanza_depth_max,
            stanza_elements_max: self.stanza_elements_max,
            attribute_bytes_max: self.attribute_bytes_max,
            start_tag_bytes_max: self.start_tag_bytes_max,
            attributes_max: self.attributes_max,
        }
    }
}
