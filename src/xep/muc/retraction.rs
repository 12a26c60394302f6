//! XEP-0424, XEP-0425: messages that were taken back, as rooms show them.

use crate::channel::{ParticipantId, Tombstone};
use crate::xep::occupant;
use crate::xep::reflection::ChannelFrame;
use crate::xmpp::{Tag, ns};

/// Finds the nick of a participant.
pub type Nicks<'a> = &'a dyn Fn(&ParticipantId) -> Option<&'a str>;

/// XEP-0425 §3: what a room says of a message that a moderator retracted, also as earlier versions had it. `left` is what is
/// left of that message.
pub fn moderated(frame: &ChannelFrame<'_>, target: u64, left: Option<&Tombstone>, nicks: Nicks<'_>) -> [Tag; 2] {
    let id = frame.id(target);
    let reason = || left.and_then(|left| left.reason.as_deref()).map(|reason| Tag::new("reason").text(reason));
    let by = left.and_then(|left| left.by.as_ref());
    let now = Tag::in_ns("retract", ns::RETRACT).attr("id", &id);
    let now = now.child(moderator(frame, ns::MODERATE, by, nicks)).child_opt(reason());
    let earlier = moderator(frame, ns::MODERATE_0, by, nicks).child(Tag::in_ns("retract", ns::RETRACT_0));
    [now, Tag::in_ns("apply-to", ns::FASTEN).attr("id", &id).child(earlier.child_opt(reason()))]
}

/// XEP-0424 §4, XEP-0425 §4: what stands in the place of a message that was retracted.
pub fn tombstone(frame: &ChannelFrame<'_>, left: &Tombstone, nicks: Nicks<'_>) -> Tag {
    let stamp = left.stamp.to_xmpp();
    let retracted = Tag::in_ns("retracted", ns::RETRACT).attr("id", frame.id(left.retraction)).attr("stamp", stamp);
    if !left.moderated {
        return retracted;
    }
    let reason = left.reason.as_deref().map(|reason| Tag::new("reason").text(reason));
    retracted.child(moderator(frame, ns::MODERATE, left.by.as_ref(), nicks)).child_opt(reason)
}

/// The moderator. The room itself speaks for one whose nick is not known.
fn moderator(frame: &ChannelFrame<'_>, ns: &str, by: Option<&ParticipantId>, nicks: Nicks<'_>) -> Tag {
    let nick = by.and_then(nicks);
    let address = nick.map(|nick| [frame.channel, "/", nick].concat());
    let moderated = Tag::in_ns("moderated", ns).attr("by", address.as_deref().unwrap_or(frame.channel));
    moderated.child_opt(by.map(occupant::id))
}
