//! XEP-0403 §3.1, §3.2: the presence stanzas that a channel sends to subscribers of its presence node.

use super::Extension;
use super::availability::SharedPresence;
use crate::xmpp::{Tag, ns};
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
        let from = format!("{}#{channel}/{}", self.shared.id, self.shown_resource());
        Tag::new("presence").attr("from", from).attr("id", id)
    }

    fn mix(&self) -> Tag {
        let jid = self.shared.alias.is_none().then(|| format!("{}/{}", self.account, self.resource));
        Tag::in_ns("mix", ns::MIX_PRESENCE)
            .child_opt(jid.map(|jid| Tag::new("jid").text(jid)))
            .child(Tag::new("nick").text(&self.shared.nick))
    }
}

/// RFC 6121 §3, §4.3: a presence without content from a channel to an account, such as a probe or the answer to a
/// subscription request.
pub fn bare(kind: &str, from: &str, to: &str) -> Tag {
    Tag::new("presence").attr("type", kind).attr("from", from).attr("to", to)
}
