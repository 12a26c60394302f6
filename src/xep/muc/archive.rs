//! XEP-0313 §6.1.2: rows of the archive as clients of rooms read them.

use super::message;
use crate::channel::{Member, ParticipantId, Rights, Row, Tombstone, Visibility};
use crate::xep::reflection::ChannelFrame;
use crate::xmpp::{Tag, ns};
use std::collections::HashMap;

/// What a client of a room is shown of the authors of rows, as of the turn of its query.
#[derive(Clone, Debug)]
pub struct AsRoom {
    /// Whether it sees whose JID an id stands for.
    pub unveils: bool,
    /// Who owns and administers the channel.
    pub rights: Rights,
}

/// A row with what a moderator or its author left of it. `outer` is an empty `<message/>` in the namespace of its place.
/// `None` where rooms do not show rows of its kind.
pub fn row(
    frame: &ChannelFrame<'_>,
    outer: Tag,
    (row, left): (&Row, Option<&Tombstone>),
    people: &HashMap<ParticipantId, Member>,
    as_room: &AsRoom,
) -> Option<Tag> {
    let nick_of = |id: &ParticipantId| people.get(id).map(|member| member.nick.as_str());
    let message = message::row(frame, outer, (row, left), &nick_of)?;
    let author =
        people.get(&row.author).filter(|author| message::names_author(row) && is_shown(frame, author, as_room));
    Some(message.child_opt(author.map(|author| {
        let (affiliation, role) = standing(author, as_room);
        let item = Tag::new("item").attr("affiliation", affiliation).attr("role", role);
        Tag::in_ns("x", ns::MUC_USER).child(item.attr("jid", author.jid.as_str()))
    })))
}

/// Whether the asker sees whose row it is.
fn is_shown(frame: &ChannelFrame<'_>, author: &Member, as_room: &AsRoom) -> bool {
    author.archived_jid(frame.visibility).is_some() || (as_room.unveils && frame.visibility != Visibility::Visible)
}

/// XEP-0045 §5: what the author is to the room now, and what it may do in it.
fn standing(author: &Member, as_room: &AsRoom) -> (&'static str, &'static str) {
    match () {
        () if as_room.rights.owners.contains(&author.jid) => ("owner", "moderator"),
        () if as_room.rights.admins.contains(&author.jid) => ("admin", "moderator"),
        () if author.is_joined() => ("member", "participant"),
        () => ("none", "none"),
    }
}
