//! What all notifications from a channel have in common.

use super::Render;
use crate::xmpp::Tag;

/// The head of a notification from the channel.
pub fn headed(render: &mut Render<'_>) -> Tag {
    let id = render.fresh_id();
    Tag::new("message").attr("from", render.address()).attr("id", id)
}

/// A notification that is nothing without its moment, since the node tells the same to whoever comes later: hosts keep
/// none of these for those who are offline (XEP-0060 §4.3).
pub fn passing(notification: Tag) -> Tag {
    notification.attr("type", "headline")
}
