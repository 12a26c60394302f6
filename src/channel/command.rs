//! What may be asked of a channel.

pub use super::slice::Slice;

use super::event::MediaKind;
use super::{
    Action, Announcement, Claim, Configuration, GroupCommand, Item, Message, Nick, Node, NodeSet, PreferencesPatch,
    Stamp,
};
use jid::BareJid;
use std::collections::BTreeMap;

/// Who asks: an account that its host server vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: BareJid,
    /// Whether it operates the service.
    pub operator: bool,
}

/// Something asked of one channel; what is asked of the service is a [`ServiceCommand`](super::ServiceCommand).
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Something asked of a group.
    Group(GroupCommand),
    /// Be destroyed (XEP-0369 §7.3.4).
    Destroy,
    /// Join, or change nick and subscriptions while in (XEP-0369 §7.1.2).
    Join(JoinWish),
    /// Ask for an invitation of somebody (XEP-0407 §6).
    Invite {
        /// The invitee.
        invitee: BareJid,
    },
    /// Turn an invitation down.
    Decline(Claim),
    /// Take invitations of these accounts back.
    RevokeInvitations {
        /// The invitees.
        invitees: Vec<BareJid>,
    },
    /// List the invitations that one may take back.
    ListInvitations(Slice),
    /// Leave (XEP-0369 §7.1.3).
    Leave,
    /// The account is removed at its home server: leave, and end the record.
    EndAccount,
    /// Take another nick; without one, let the channel choose (XEP-0369 §7.1.4).
    SetNick {
        /// The nick wanted.
        nick: Option<Nick>,
    },
    /// Ask which preferences there are (XEP-0404 §3.1).
    ReadPreferences,
    /// Change one's preferences; without any, ask for them (XEP-0404 §3.1).
    SetPreferences(PreferencesPatch),
    /// Change subscriptions (XEP-0369 §7.1.2).
    UpdateSubscription {
        /// The nodes to subscribe to.
        subscribe: NodeSet,
        /// The nodes to unsubscribe from.
        unsubscribe: NodeSet,
    },
    /// Subscribe to one node, or unsubscribe from it, in the channel or as a guest (XEP-0060 §6.1, §6.2).
    Subscribe {
        /// The node.
        node: Node,
        /// Whether to be subscribed.
        wanted: bool,
    },
    /// Ask what one subscribes to (XEP-0060 §5.6).
    ListSubscriptions {
        /// Only this node.
        node: Option<Node>,
    },
    /// Ask who subscribes to a node (XEP-0060 §8.8.1).
    ListSubscribers {
        /// The node.
        node: Node,
        /// Which of them.
        slice: Slice,
    },
    /// Change subscriptions of others, all or nothing (XEP-0060 §8.8.2).
    SetSubscriptions {
        /// The node.
        node: Node,
        /// Who is to be subscribed, and who not.
        edits: BTreeMap<BareJid, bool>,
    },
    /// Send a message to everybody (XEP-0369 §7.1.6).
    Publish(Message),
    /// Put an item on a node (XEP-0060 §7.1).
    SetItem {
        /// The node.
        node: Node,
        /// The item.
        item: Item,
    },
    /// Take the item of a node away (XEP-0060 §7.2).
    RetractItem {
        /// The node.
        node: Node,
        /// Its id.
        id: String,
    },
    /// Put an account or a domain on a list, or take it off (XEP-0406 §3.3).
    PutOnList {
        /// The node: allowed or banned.
        node: Node,
        /// The account or domain.
        jid: BareJid,
        /// Whether it is to be on it.
        present: bool,
    },
    /// Take everybody off a list (XEP-0060 §8.5).
    PurgeList {
        /// The node: allowed or banned.
        node: Node,
    },
    /// Change what the configuration node says (XEP-0406 §3.2).
    Reconfigure(Configuration),
    /// Make a list, or do away with it (protocol reading 10).
    MakeList {
        /// The node: allowed or banned.
        node: Node,
        /// Whether it is to exist.
        exists: bool,
    },
    /// Read items of a node (XEP-0060 §6.5).
    ReadItems {
        /// The node.
        node: Node,
        /// Only these ids; all where empty.
        ids: Vec<String>,
        /// Which of them.
        slice: Slice,
    },
    /// Ask whether one may do something, and may be shown what there is to it.
    Prepare(Action),
    /// Keep an account or a domain out, and throw out who is in.
    Ban {
        /// The account or domain.
        jid: BareJid,
    },
    /// List the participants with their accounts, in the order of these.
    ListPeople(Slice),
    /// Announce something to those who follow the messages.
    Announce(Announcement),
    /// Ask what the channel is (XEP-0030).
    Describe,
    /// Ask which nodes there are (XEP-0369 §6.4).
    ListNodes,
    /// Read the archive (XEP-0313 §4).
    ReadHistory(HistoryQuery),
    /// Ask for the first and last row (XEP-0313 §5).
    HistoryBounds,
    /// Ask which filters the archive takes (XEP-0313 §4.1.5).
    HistoryForm,
}

/// How somebody wants to be in a channel (XEP-0369 §7.1.2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinWish {
    /// The nick wanted.
    pub nick: Option<Nick>,
    /// The nodes to subscribe to.
    pub subscribe: NodeSet,
    /// The preferences wanted (XEP-0404 §3.1).
    pub preferences: PreferencesPatch,
    /// The invitation that it shows (XEP-0407 §6).
    pub claim: Option<Claim>,
}

/// Which rows of an archive to read. Row bounds exclude the rows they name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only rows of this account.
    pub with: Option<BareJid>,
    /// Only rows of this stamp or later.
    pub start: Option<Stamp>,
    /// Only rows of this stamp or earlier.
    pub end: Option<Stamp>,
    /// Only rows behind this one.
    pub after: Option<u64>,
    /// Only rows before this one.
    pub before: Option<u64>,
    /// Only these rows.
    pub ids: Option<Vec<u64>>,
    /// Whether one of these bounds is a place to page on from, and so none of what matches in all.
    pub pages_on: bool,
    /// Only rows with a file of one of these kinds.
    pub media: Option<Vec<MediaKind>>,
    /// Whether to leave events out.
    pub no_events: bool,
    /// What the asker may see: windows of rows, first and last included, in order; all where absent.
    pub windows: Option<Vec<(u64, u64)>>,
    /// The rows that the asker hid.
    pub hidden: Vec<u64>,
    /// How many rows at most.
    pub max: usize,
    /// Whether a page that is cut keeps its newest rows.
    pub from_end: bool,
    /// Whether to send the newest row of the page first.
    pub flip: bool,
    /// The asker's mark for results.
    pub query_id: Option<String>,
    /// Whether an id was named that this archive never gave out.
    pub names_unknown_row: bool,
    /// Whether the node asked for archives nothing.
    pub of_empty_node: bool,
    /// Whether only the first and the last of the rows are asked for (XEP-0313 §5).
    pub ends_only: bool,
}
