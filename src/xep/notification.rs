//! What all notifications from a channel share.

use super::Render;
use crate::xmpp::Tag;

/// A message from the channel with a fresh id.
pub fn headed(render: &mut Render<'_>) -> Tag {
    let id = render.fresh_id();
    Tag::new("message").attr("from", render.address()).attr("id", id)
}

/// XEP-0060 §12.7: makes a notification one that host servers do not keep for accounts that are offline. Whoever comes
/// later reads the node itself.
pub fn passing(notification: Tag) -> Tag {
    notification.attr("type", "headline")
}
