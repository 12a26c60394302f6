//! XEP-0045 §7.2.15, §8.1: what a room is about.

use crate::channel::Topic;
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// XEP-0045 §8.1: the subject that a message sets: it has one, and neither a body nor a thread.
pub fn stated(message: &Element) -> Option<String> {
    let says_more = message.has_part("body", ns::CLIENT) || message.has_part("thread", ns::CLIENT);
    message.part("subject", ns::CLIENT).filter(|_| !says_more).map(Element::text)
}

/// XEP-0045 §7.2.15: the subject, as whoever enters is sent it; without `to`. It ends the entry, so there is one of a room
/// that never had any, which comes from the room itself.
pub fn on_entry(room: &str, topic: Option<&Topic>, id: &str) -> Tag {
    let message = Tag::new("message").attr("id", id).attr("type", "groupchat");
    let Some(topic) = topic else { return message.attr("from", room).child(Tag::new("subject")) };
    let delay = Tag::in_ns("delay", ns::DELAY).attr("from", room).attr("stamp", topic.stamp.to_xmpp());
    message.attr("from", [room, "/", &topic.nick].concat()).child(Tag::new("subject").text(&topic.text)).child(delay)
}
