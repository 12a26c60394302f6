//! XEP-0045 §7.4: messages as sessions see them.

use crate::channel::change::Relay;
use crate::channel::{Member, Row, RowKind};
use crate::xep::reflection::ChannelFrame;
use crate::xep::{List, Render, occupant};
use crate::xmpp::{Tag, ns};

/// Shows a new row to all sessions.
pub fn show_row(of: &Row, render: &mut Render<'_>) {
    render.fan(List::Sessions, None, true, |render| row(&render.frame(&render.address()), of));
}

/// Shows a message that is not archived to all sessions.
pub fn show_relay(of: &Relay, render: &mut Render<'_>) {
    if !render.has_people(List::Sessions) {
        return;
    }
    let draw = render.draw();
    let author = render.channel.member_of(&of.author).or_else(|| render.live.seats.member_of(&of.author));
    let Some(author) = author else { return };
    render.fan(List::Sessions, None, true, |render| {
        Some(relay(&render.frame(&render.address()), of, author, &render.id(draw)))
    });
}

/// A row, without `to`; `None` where rooms do not show rows of its kind. A message keeps the id of its sender
/// (`muc#stable_id`).
pub fn row(frame: &ChannelFrame<'_>, row: &Row) -> Option<Tag> {
    match row.kind {
        RowKind::Message | RowKind::Retraction if !row.payload.is_empty() => {}
        RowKind::Message | RowKind::Retraction | RowKind::Event(_) | RowKind::Moderation | RowKind::Erased => {
            return None;
        }
    }
    let sealed = frame.id(row.number);
    let message = envelope(frame.channel, &row.nick, row.stanza_id.as_deref().unwrap_or(&sealed), row.lang.as_deref());
    let message = message.raw(&row.payload).child(occupant::id(&row.author));
    let origin = row.origin_id.as_deref().map(|id| Tag::in_ns("origin-id", ns::SID).attr("id", id));
    let stanza_id = Tag::in_ns("stanza-id", ns::SID).attr("by", frame.channel).attr("id", &sealed);
    let has_origin = row.payload.contains("<origin-id");
    Some(message.child_opt(origin.filter(|_| !has_origin)).child(stanza_id))
}

/// A message that is not archived, without `to`.
pub fn relay(frame: &ChannelFrame<'_>, relay: &Relay, member: &Member, id: &str) -> Tag {
    let message = &relay.message;
    let id = message.stanza_id.as_deref().unwrap_or(id);
    let envelope = envelope(frame.channel, member.nick.as_str(), id, message.lang.as_deref());
    envelope.raw(&message.payload).child(occupant::id(&member.id))
}

fn envelope(room: &str, nick: &str, id: &str, lang: Option<&str>) -> Tag {
    let from = [room, "/", nick].concat();
    Tag::new("message").attr("from", from).attr("id", id).attr("type", "groupchat").attr_opt("xml:lang", lang)
}
