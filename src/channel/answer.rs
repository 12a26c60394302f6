//! What a command leads to: changes, and an answer for the asker.

use super::census::{FoundChannel, ListedChannel, ServiceCensus};
use super::command::{HistoryQuery, Slice};
use super::ending::AccountAnswer;
use super::group::{GroupAnswer, GroupLine};
use super::search::Hits;
use super::{
    Affiliation, Change, ChannelName, Invitation, Member, Nick, Node, NodeSet, OccupantRole, ParticipantId,
    Preferences, Status,
};
use jid::BareJid;

/// What a command leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// The answer for the asker.
    pub answer: Answer,
    /// Whether this is a part of a decision that concerns many people. Once it is committed, the same command is
    /// decided again. The answer counts only where this is `false`.
    pub is_part: bool,
}

impl Decision {
    /// A decision that changes nothing.
    pub fn answer(answer: Answer) -> Decision {
        Decision::of(Vec::new(), answer)
    }

    /// A whole decision.
    pub fn of(changes: Vec<Change>, answer: Answer) -> Decision {
        Decision { changes, answer, is_part: false }
    }
}

/// The answer for the asker.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The channel was created.
    Created {
        /// Its localpart.
        name: ChannelName,
    },
    /// The channel was destroyed.
    Destroyed,
    /// The channels of one page.
    Channels(Page<FoundChannel>),
    /// The channels that a search found. `None`: the form for it.
    Hits(Option<Box<Hits>>),
    /// The asker joined.
    Joined {
        /// The asker's participant id.
        id: ParticipantId,
        /// The nick in force.
        nick: Nick,
        /// Those of the nodes asked for that it subscribes to.
        subscribed: NodeSet,
        /// The preferences in force.
        preferences: Preferences,
    },
    /// XEP-0045 §7.2: the asker is in the room.
    Entered {
        /// Its record, or the one that stands for it.
        member: Box<Member>,
        /// Whether it has no record.
        passes_by: bool,
    },
    /// The preferences in force.
    Preferences(Preferences),
    /// The form for preferences, with those in force.
    PreferencesForm(Preferences),
    /// An invitation, for the inviter to pass on.
    Invitation(Invitation),
    /// A page of the invitations that the asker may take back.
    Invitations(Page<Invitation>),
    /// The asker left.
    Left,
    /// An answer about an account as a whole.
    Account(AccountAnswer),
    /// The nick that the asker registered, if any.
    Registered(Option<Nick>),
    /// The nick in force.
    Nick(Nick),
    /// The subscriptions were changed.
    Subscriptions {
        /// Subscribed to.
        subscribe: NodeSet,
        /// Unsubscribed from.
        unsubscribe: NodeSet,
    },
    /// The subscription to one node was changed.
    Subscribed {
        /// The node.
        node: Node,
        /// Whether the asker is subscribed now.
        subscribed: bool,
    },
    /// The asker's subscriptions. They are read from the channel as it is.
    Subscribing {
        /// Only this node.
        node: Option<Node>,
    },
    /// The subscribers of a node. They are read from the channel as it is.
    Subscribers {
        /// The node.
        node: Node,
        /// Which page of them.
        slice: Slice,
    },
    /// The group was created, with these people.
    GroupCreated {
        /// Its localpart.
        name: ChannelName,
        /// The people named, each with the status that it got.
        members: Vec<(BareJid, Status)>,
    },
    /// A page of groups.
    Groups(Page<GroupLine>),
    /// The answer of a group.
    Group(GroupAnswer),
    /// The command was carried out, and there is nothing to tell.
    Done,
    /// The message was accepted. Its reflection is the acknowledgement.
    Taken,
    /// The message is a repeat. Its row is reflected again, to the asker alone.
    Repeat {
        /// The row of the message.
        row: u64,
    },
    /// The item is in place.
    ItemSet {
        /// Its node.
        node: Node,
        /// Its id.
        id: String,
    },
    /// Items of a node. They are read from the channel as it is.
    Items {
        /// The node.
        node: Node,
        /// Only these ids; all where empty.
        ids: Vec<String>,
        /// Which page of them.
        slice: Slice,
    },
    /// The description of the channel, read from the channel as it is.
    Description,
    /// The nodes of the channel.
    Nodes,
    /// A page of the people in the room, read from the channel and its seats as they are. `None` where the asker is not shown
    /// who is there.
    Occupants(Option<Slice>),
    /// XEP-0045 §8, §9: roles or affiliations were set.
    Ruled {
        /// Whether they were roles.
        of_roles: bool,
        /// Whose, each for a reason or for none.
        people: Vec<(BareJid, Option<String>)>,
    },
    /// A page of those in the room who have a role, read from the channel and its seats as they are.
    Roles {
        /// The role.
        role: OccupantRole,
        /// Which page of them.
        slice: Slice,
    },
    /// A page of those who have an affiliation, read from the channel as it is.
    Affiliations {
        /// The affiliation.
        affiliation: Affiliation,
        /// Which page of them.
        slice: Slice,
    },
    /// A page of the archive, up to the newest row of the turn. It is read outside the turn.
    History {
        /// The query, bounded to the rows that the asker may see.
        query: HistoryQuery,
        /// The participant to whose rows the page is limited.
        author: Option<ParticipantId>,
    },
    /// The first and the last row of the archive, read outside the turn.
    HistoryBounds,
    /// The form with the filters of the archive.
    HistoryForm,
    /// The asker may do it. What it needs for that is read from the channel as it is.
    Prepared,
    /// A page of the participants, read from the channel as it is.
    People(Slice),
    /// A page of all channels.
    EveryChannel {
        /// The channels, in the order of their names.
        entries: Vec<ListedChannel>,
        /// How many there are in all.
        count: usize,
        /// Whether the list goes on.
        goes_on: bool,
    },
    /// The numbers of the service.
    Census(ServiceCensus),
    /// The description of the service.
    ServiceDescription {
        /// The disco node asked for.
        node: Option<String>,
        /// Whether the asker may create channels.
        may_create: bool,
    },
    /// The answer to a ping.
    Pong,
    /// The name and version of the software.
    Version,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries of the page, in order.
    pub entries: Vec<T>,
    /// How many there are in all.
    pub count: usize,
    /// The index of the first entry in the whole list.
    pub index: usize,
}
