//! XEP-0045 §7.4: messages as sessions see them.

use super::retraction::{self, Nicks};
use crate::channel::change::Relay;
use crate::channel::{Member, ParticipantId, Row, RowKind, Tombstone};
use crate::xep::reflection::ChannelFrame;
use crate::xep::{List, Render, occupant};
use crate::xmpp::{Tag, ns};

/// Shows a new row to all sessions.
pub fn show_row(of: &Row, render: &mut Render<'_>) {
    render.fan(List::Sessions, None, true, |render| {
        let left = if of.kind == RowKind::Moderation { render.left_by(of) } else { None };
        let (channel, seats) = (render.channel, render.live.seats);
        let nicks = |id: &ParticipantId| channel.member_or_passer_by(id, seats).map(|member| member.nick.as_str());
        row(&render.frame(&render.address()), Tag::new("message"), (of, left), &nicks)
    });
}

/// Shows a message that is not archived to all sessions.
pub fn show_relay(of: &Relay, render: &mut Render<'_>) {
    if !render.has_people(List::Sessions) {
        return;
    }
    let draw = render.draw();
    let Some(author) = render.channel.member_or_passer_by(&of.author, render.live.seats) else { return };
    render.fan(List::Sessions, None, true, |render| {
        Some(relay(&render.frame(&render.address()), of, author, &render.id(draw)))
    });
}

/// A row with what is left of it, where it was retracted; for a retraction by a moderator, with what is left of the row that
/// it retracted. `outer` is an empty `<message/>` in the namespace of its place. `None` where rooms do not show rows of its
/// kind. A message keeps the id of its sender (`muc#stable_id`).
pub fn row(
    frame: &ChannelFrame<'_>,
    outer: Tag,
    (row, left): (&Row, Option<&Tombstone>),
    nicks: Nicks<'_>,
) -> Option<Tag> {
    let sealed = frame.id(row.number);
    let stanza_id = Tag::in_ns("stanza-id", ns::SID).attr("by", frame.channel).attr("id", &sealed);
    let id = row.stanza_id.as_deref().unwrap_or(&sealed);
    let spoken = |outer, lang| envelope(outer, frame.channel, &row.nick, id, lang);
    let message = match row.kind {
        RowKind::Event(_) => return None,
        RowKind::Moderation => {
            // Whoever passed by has no nick there any more once it left.
            let then = |by: &ParticipantId| Some(&*row.nick).filter(|_| *by == row.author);
            let nicks = |by: &ParticipantId| nicks(by).or_else(|| then(by));
            let message = outer.attr("from", frame.channel).attr("id", &sealed).attr("type", "groupchat");
            message.children(retraction::moderated(frame, row.target?, left, &nicks))
        }
        RowKind::Erased => {
            let stamp = row.stamp.to_xmpp();
            spoken(outer, None).child(Tag::in_ns("retracted", ns::RETRACT).attr("id", &sealed).attr("stamp", stamp))
        }
        RowKind::Retraction if row.payload.is_empty() => {
            spoken(outer, None).child(Tag::in_ns("retract", ns::RETRACT).attr("id", frame.id(row.target?)))
        }
        RowKind::Message | RowKind::Retraction => match left {
            Some(left) => spoken(outer, None).child(retraction::tombstone(frame, left, nicks)),
            None => {
                let origin = row.origin_id.as_deref().filter(|_| !row.payload.contains("<origin-id"));
                let origin = origin.map(|id| Tag::in_ns("origin-id", ns::SID).attr("id", id));
                let author = occupant::id(&row.author);
                return Some(
                    spoken(outer, row.lang.as_deref())
                        .raw(&row.payload)
                        .child(author)
                        .child_opt(origin)
                        .child(stanza_id),
                );
            }
        },
    };
    let author = names_author(row).then(|| occupant::id(&row.author));
    Some(message.child_opt(author).child(stanza_id))
}

/// Whether the row comes from its author, and not from the room.
pub fn names_author(row: &Row) -> bool {
    !matches!(row.kind, RowKind::Event(_) | RowKind::Moderation)
}

/// A message that is not archived, without `to`.
pub fn relay(frame: &ChannelFrame<'_>, relay: &Relay, member: &Member, id: &str) -> Tag {
    let message = &relay.message;
    let id = message.stanza_id.as_deref().unwrap_or(id);
    let outer = Tag::new("message");
    let envelope = envelope(outer, frame.channel, member.nick.as_str(), id, message.lang.as_deref());
    envelope.raw(&message.payload).child(occupant::id(&member.id))
}

/// XEP-0333 §5: an author is told that somebody read its messages up to one, without `to`. `row` and `id` are sealed.
pub fn displayed(room: &str, reader: &Member, row: &str, id: &str) -> Tag {
    let marker = Tag::in_ns("displayed", ns::MARKERS).attr("id", row);
    envelope(Tag::new("message"), room, reader.nick.as_str(), id, None).child(marker).child(occupant::id(&reader.id))
}

fn envelope(outer: Tag, room: &str, nick: &str, id: &str, lang: Option<&str>) -> Tag {
    let from = [room, "/", nick].concat();
    outer.attr("from", from).attr("id", id).attr("type", "groupchat").attr_opt("xml:lang", lang)
}
