//! What all notifications of a channel share.

use super::Render;
use super::render::Draw;
use crate::channel::Node;
use crate::xmpp::{Tag, ns};

/// A message from the channel, with a fresh id.
pub fn headed(render: &mut Render<'_>) -> Tag {
    let draw = render.draw();
    headed_by(draw, render)
}

fn headed_by(draw: Draw, render: &Render<'_>) -> Tag {
    Tag::new("message").attr("from", render.address()).attr("id", render.id(draw))
}

/// Notifies the subscribers of a node, if the node exists.
pub fn tell_node(node: Node, render: &mut Render<'_>, news: impl FnOnce(&Render<'_>) -> Tag) {
    let draw = render.draw();
    render.notify(node, |render| event(draw, news(render), render));
}

/// The same for a node that was removed.
pub fn tell_node_at_end(node: Node, render: &mut Render<'_>, news: impl FnOnce(&Render<'_>) -> Tag) {
    let draw = render.draw();
    render.notify_at_end(node, |render| event(draw, news(render), render));
}

fn event(draw: Draw, news: Tag, render: &Render<'_>) -> Tag {
    passing(headed_by(draw, render)).child(Tag::in_ns("event", ns::PUBSUB_EVENT).child(news))
}

/// XEP-0060 §12.7: makes a notification a `headline`, so that home servers do not store it for offline accounts. A
/// client that comes online later reads the node.
pub fn passing(notification: Tag) -> Tag {
    notification.attr("type", "headline")
}
