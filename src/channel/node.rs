//! The nodes of a channel and sets of them.

use super::Stamp;
use serde::{Deserialize, Serialize};

/// A node that a channel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Node {
    /// Messages; holds no items (XEP-0369 §4.7.2).
    Messages,
    /// One item a participant (XEP-0369 §4.7.3).
    Participants,
    /// One item about the channel (XEP-0369 §4.7.4).
    Info,
    /// One item about its picture (XEP-0084, XEP-0407 §3).
    AvatarMetadata,
    /// The picture itself.
    AvatarData,
    /// Its video, as the service's own namespace has it.
    Video,
    /// Who may join (XEP-0406 §3.1.2); where there is no such list, everybody may.
    Allowed,
    /// Who may not (XEP-0406 §3.1.3).
    Banned,
    /// Settings and rights (XEP-0406 §3.1.1); a view, it holds no item.
    Config,
    /// Which resources of participants are online (XEP-0403 §3.6); absent where presence is not shared.
    Presence,
    /// The JIDs of participants, for those who administer the channel (XEP-0404 §2.5); absent where JIDs are visible.
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

    /// What somebody subscribes to who is added to a group: all but the bytes of pictures and what admins alone see.
    pub const GROUP: NodeSet = NodeSet(
        1 << Node::Messages as u32
            | 1 << Node::Participants as u32
            | 1 << Node::Info as u32
            | 1 << Node::AvatarMetadata as u32
            | 1 << Node::Video as u32,
    );

    /// Whether the node is in it.
    pub fn contains(self, node: Node) -> bool {
        self.0 & (1 << node as u32) != 0
    }

    /// Puts a node in.
    pub fn insert(&mut self, node: Node) {
        self.0 |= 1 << node as u32;
    }

    /// Takes a node out.
    pub fn remove(&mut self, node: Node) {
        self.0 &= !(1 << node as u32);
    }

    /// The set with those of another one.
    pub fn with(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 | other.0)
    }

    /// The set without those of another one.
    pub fn without(self, other: NodeSet) -> NodeSet {
        NodeSet(self.0 & !other.0)
    }

    /// Whether there is none in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The nodes in it, in their order.
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

/// One item of a node, its payload as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The item's id.
    pub id: String,
    /// The payload as XML inside `<item/>`.
    pub payload: String,
    /// The name that people see, read from an information item's payload.
    pub label: Option<String>,
    /// When it was put there; settled by the decision.
    pub stamp: Stamp,
}
