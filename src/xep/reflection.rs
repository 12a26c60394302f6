//! Messages as participants see them, live and from the archive (XEP-0369 §7.1.6).

use super::Sealer;
use crate::channel::change::Relay;
use crate::channel::{Member, Row};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

/// What the channel says of the sender: the nick, and the JID where it is visible.
fn mix(nick: &str, jid: &BareJid) -> Tag {
    Tag::in_ns("mix", ns::MIX_CORE).child(Tag::new("nick").text(nick)).child(Tag::new("jid").text(jid.as_str()))
}

/// The sender's own ids: its stanza id comes back as `<origin-id/>` where the client sent none (XEP-0359 §2.2).
fn own_ids(stanza_id: Option<&str>, origin_id: Option<&str>) -> Option<Tag> {
    match (stanza_id, origin_id) {
        (Some(id), None) => Some(Tag::in_ns("origin-id", ns::SID).attr("id", id)),
        (Some(id), Some(origin)) if id != origin => Some(Tag::in_ns("sender-id", ns::GROUP).attr("id", id)),
        _ => None,
    }
}

/// The head and children that every reflection has; `to` and a namespace are the caller's.
fn envelope(outer: Tag, channel: &str, author: &str, id: &str, lang: Option<&str>) -> Tag {
    outer
        .attr("from", format!("{channel}/{author}"))
        .attr("id", id)
        .attr("type", "groupchat")
        .attr_opt("xml:lang", lang)
}

/// A row of the archive. `outer` is an empty `<message/>`, in the namespace that its place wants.
pub fn of_row(outer: Tag, row: &Row, jid: &BareJid, channel: &str, tag: u64, sealer: &Sealer) -> Tag {
    let id = sealer.seal(tag, row.number);
    envelope(outer, channel, row.author.as_str(), &id, row.lang.as_deref())
        .raw(&row.payload)
        .child(mix(&row.nick, jid))
        .child_opt(own_ids(row.stanza_id.as_deref(), row.origin_id.as_deref()))
        .child(Tag::in_ns("stanza-id", ns::SID).attr("by", channel).attr("id", &id))
}

/// A message that is kept nowhere: a random id, and no stanza id.
pub fn of_relay(relay: &Relay, member: &Member, channel: &str, id: &str) -> Tag {
    let message = &relay.message;
    envelope(Tag::new("message"), channel, relay.author.as_str(), id, message.lang.as_deref())
        .raw(&message.payload)
        .child(mix(member.nick.as_str(), &member.jid))
        .child_opt(own_ids(message.stanza_id.as_deref(), message.origin_id.as_deref()))
}
