//! XEP-0045 §7.2: errors of entering. Clients give a room up, and its bookmark, over any error that does not say that it
//! may pass, so whatever may pass is of type `wait`.

use super::presence::status;
use crate::channel::Refusal;
use crate::xep::Reply;
use crate::xmpp::{Stanza, StanzaError, Tag, ns};

/// The error that a presence to a room is answered with; `room` is the room's address.
pub fn of_entry(stanza: &Stanza, room: &str, refusal: &Refusal) -> Tag {
    let error = StanzaError::from(refusal);
    let passes = matches!(refusal, Refusal::RoomFull | Refusal::Busy | Refusal::Internal | Refusal::TooFast { .. });
    let error = if passes { error.to_tag_of_type("wait") } else { error.to_tag() };
    Tag::new("presence")
        .attr("type", "error")
        .attr_opt("id", stanza.id.as_deref())
        .attr("from", stanza.to.as_str())
        .attr("to", stanza.from.as_str())
        .child(Tag::in_ns("x", ns::MUC))
        .child(error.attr("by", room))
}

/// The reply to an entry, for an error that says nothing of the room.
pub fn reply_to_entry(stanza: &Stanza) -> Reply {
    Reply { repeated: Some(Tag::in_ns("x", ns::MUC).into_xml()), ..Reply::to_stanza(stanza) }
}

/// XEP-0045, `#enter-gc`: what a client is told that sends presence to a nick without entering, or that the room does not
/// know any more: it is not in the room.
pub fn not_inside(stanza: &Stanza) -> Tag {
    let codes = [status::SELF, status::KICKED, status::UNREACHABLE];
    let x = Tag::in_ns("x", ns::MUC_USER).child(Tag::new("item").attr("affiliation", "none").attr("role", "none"));
    let x = x.children(codes.iter().map(|code| Tag::new("status").attr("code", code.to_string())));
    let head = Tag::new("presence").attr("type", "unavailable").attr("from", stanza.to.as_str());
    head.attr("to", stanza.from.as_str()).child(x)
}
