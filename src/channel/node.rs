//! The nodes of a channel, and sets of them.

use super::Stamp;
use serde::{Deserialize, Serialize};

/// A node of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Node {
    /// XEP-0369 §4.7.2: messages. It has no items.
    Messages,
    /// XEP-0369 §4.7.3: participants, one item each.
    Participants,
    /// XEP-0369 §4.7.4: information about the channel, one item.
    Info,
    /// XEP-0407 §2, XEP-0084: the description of the picture, one item.
    AvatarMetadata,
    /// XEP-0407 §2, XEP-0084: the picture itself.
    AvatarData,
    /// The service's own node for the video.
    Video,
    /// XEP-0406 §2.2: who may join. Without this list, everybody may.
    Allowed,
    /// XEP-0406 §2.3: who may not join.
    Banned,
    /// XEP-0406 §2.4: settings and roles. Its item is made when it is read.
    Config,
    /// XEP-0403 §3.5: which resources of participants are online. It is missing where presence is not shared.
    Presence,
    /// XEP-0404 §2.5: the JIDs of participants, for those who administer the channel. It is missing where JIDs are
    /// visible.
    JidMap,
}

impl Node {
    /// Every node.
    pub const ALL: [Node; 11] = [
        Node::Messages,
        Node::Participants,
        Node::Info,
        Node::AvatarMetadata,
        Node::AvatarData,
        Node::Video,
        Node::Allowed,
        Node::Banned,
        Node::Config,
        Node::Presence,
        Node::JidMap,
    ];
}

/// A set of nodes: what a participant subscribes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeSet(u32);

impl NodeSet {
    /// Every node.
    pub const ALL: NodeSet = NodeSet((1 << Node::ALL.len()) - 1);

    /// The subscriptions of somebody who is added to a group: all nodes but the bytes of pictures and what only admins
    /// see.
    pub const GROUP: NodeSet = NodeSet(
        1 << Node::Messages as u32
            | 1 << Node::Participants as u32
            | 1 << Node::Info as u32
            | 1 << Node::AvatarMetadata as u32
            | 1 << Node::Video as u32,
    );

    /// Whether a node is in the set.
    pub fn contains(self, node: Node) -> bool {
        self.0 & (1 << node as u32) != 0
    }

    /// Adds a node.
    pub fn insert(&mut self, node: Node) {
        self.0 |= 1 << node as u32;
    }

    /// Removes a node.
    pub fn remove(&mut self, node: Node) {
        self.0 &= !(1 << node as u32);
    }

    /// The union with another set.
    pub fn with(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 | other.0)
    }

    /// The set without the nodes of another one.
    pub fn without(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 & !other.0)
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The nodes of the set, in order.
    pub fn iter(self) -> impl Iterator<Item = Node> {
        Node::ALL.into_iter().filter(move |&node| self.contains(node))
    }
}

impl FromIterator<Node> for NodeSet {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> NodeSet {
        let mut set = NodeSet::default();
        nodes.into_iter().for_each(|node| set.insert(node));
        set
    }
}

/// An item of a node. Its payload is as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The item's id.
    pub id: String,
    /// The payload as XML inside `<item/>`.
    pub payload: String,
    /// The name shown to people, which is read from the payload of an information item.
    pub label: Option<String>,
    /// When it was published. The decision sets it.
    pub stamp: Stamp,
}
