//! XEP-0403 §3.1, §3.2: the presence stanzas that a channel sends to subscribers of its presence node.

use super::Extension;
use super::availability::SharedPresence;
use crate::xmpp::{Tag, escape_into, ns};
use jid::BareJid;

/// XEP-0403.
pub struct MixPresence;

impl Extension for MixPresence {
    fn name(&self) -> &'static str {
        "XEP-0403"
    }
}

/// A participant's resource, and what its channel shows of it.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// The account.
    pub account: &'a BareJid,
    /// The real resource.
    pub resource: &'a str,
    /// What is shown.
    pub shared: &'a SharedPresence,
}

impl<'a> Resource<'a> {
    /// XEP-0403 §3.2: the resource part that others see.
    pub fn shown_resource(&self) -> &'a str {
        self.shared.alias.as_deref().unwrap_or(self.resource)
    }

    /// The `available` presence, without `to`. `channel` is the channel's JID.
    pub fn available(&self, channel: &str, id: &str) -> Tag {
        self.presence(channel, id).child(self.mix()).raw(&self.shared.says)
    }

    /// The `unavailable` presence, without `to`.
    pub fn unavailable(&self, channel: &str, id: &str) -> Tag {
        self.presence(channel, id).attr("type", "unavailable").child(self.mix())
    }

    fn presence(&self, channel: &str, id: &str) -> Tag {
        let from = [self.shared.id.as_str(), "#", channel, "/", self.shown_resource()].concat();
        Tag::new("presence").attr("from", from).attr("id", id)
    }

    fn mix(&self) -> Tag {
        // Each newcomer is sent that of everybody, so no element is built of its own.
        let mut mix = String::with_capacity(128);
        if self.shared.alias.is_none() {
            mix.push_str("<jid>");
            [self.account.as_str(), "/", self.resource].iter().for_each(|part| escape_into(part, &mut mix));
            mix.push_str("</jid>");
        }
        mix.push_str("<nick>");
        escape_into(&self.shared.nick, &mut mix);
        mix.push_str("</nick>");
        Tag::in_ns("mix", ns::MIX_PRESENCE).raw(&mix)
    }
}

/// RFC 6121 §3, §4.3: a presence without content from a channel to an account, such as a probe or the answer to a
/// subscription request.
pub fn bare(kind: &str, from: &str, to: &str) -> Tag {
    Tag::new("presence").attr("type", kind).attr("from", from).attr("to", to)
}
