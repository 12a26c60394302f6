//! The names of a channel's nodes in XMPP.

use crate::channel::Node;
use crate::xmpp::ns;

/// The node of a name.
pub fn node_of(name: &str) -> Option<Node> {
    match name {
        ns::NODE_MESSAGES => Some(Node::Messages),
        ns::NODE_PARTICIPANTS => Some(Node::Participants),
        // XEP-0406 uses this longer name.
        ns::NODE_INFO | "urn:xmpp:mix:nodes:information" => Some(Node::Info),
        ns::AVATAR_METADATA => Some(Node::AvatarMetadata),
        ns::AVATAR_DATA => Some(Node::AvatarData),
        ns::NODE_VIDEO => Some(Node::Video),
        ns::NODE_ALLOWED => Some(Node::Allowed),
        ns::NODE_BANNED => Some(Node::Banned),
        ns::NODE_CONFIG => Some(Node::Config),
        ns::NODE_PRESENCE => Some(Node::Presence),
        ns::NODE_JIDMAP => Some(Node::JidMap),
        _ => None,
    }
}

/// The name of a node.
pub fn name_of(node: Node) -> &'static str {
    match node {
        Node::Messages => ns::NODE_MESSAGES,
        Node::Participants => ns::NODE_PARTICIPANTS,
        Node::Info => ns::NODE_INFO,
        Node::AvatarMetadata => ns::AVATAR_METADATA,
        Node::AvatarData => ns::AVATAR_DATA,
        Node::Video => ns::NODE_VIDEO,
        Node::Allowed => ns::NODE_ALLOWED,
        Node::Banned => ns::NODE_BANNED,
        Node::Config => ns::NODE_CONFIG,
        Node::Presence => ns::NODE_PRESENCE,
        Node::JidMap => ns::NODE_JIDMAP,
    }
}
