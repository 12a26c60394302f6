//! What a command leads to, and what the asker is told.

use super::census::{ListedChannel, ServiceCensus};
use super::command::{HistoryQuery, Slice};
use super::ending::AccountAnswer;
use super::group::{GroupAnswer, GroupLine};
use super::{Change, ChannelName, Invitation, Nick, Node, NodeSet, ParticipantId, Preferences, Status};
use jid::BareJid;

/// What a command leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What happens, in order.
    pub changes: Vec<Change>,
    /// What the asker is told.
    pub answer: Answer,
    /// Whether this is only a part, because it concerns many people. The command is to be decided again once this part is
    /// committed. The answer counts only where this is `false`.
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

/// What the asker is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The channel exists.
    Created {
        /// Its localpart.
        name: ChannelName,
    },
    /// It is gone.
    Destroyed,
    /// The channels of one page.
    Channels(Page<ChannelName>),
    /// The asker is in.
    Joined {
        /// The asker's participant id.
        id: ParticipantId,
        /// The nick in force.
        nick: Nick,
        /// Which of the nodes wanted are subscribed to.
        subscribed: NodeSet,
        /// The preferences in force.
        preferences: Preferences,
    },
    /// The preferences in force.
    Preferences(Preferences),
    /// The form for preferences, with those in force.
    PreferencesForm(Preferences),
    /// An invitation, for the inviter to pass on.
    Invitation(Invitation),
    /// The invitations that the asker may take back.
    Invitations(Page<Invitation>),
    /// The asker is out.
    Left,
    /// What is told of an account as a whole.
    Account(AccountAnswer),
    /// The nick that the asker has registered, where it has.
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
    /// One node was subscribed to, or unsubscribed from.
    Subscribed {
        /// The node.
        node: Node,
        /// Whether it is subscribed to.
        subscribed: bool,
    },
    /// What the asker subscribes to, read from the channel as it is.
    Subscribing {
        /// Only this node.
        node: Option<Node>,
    },
    /// Who subscribes to a node, read from the channel as it is.
    Subscribers {
        /// The node.
        node: Node,
        /// Which of them.
        slice: Slice,
    },
    /// The group exists, with these people.
    GroupCreated {
        /// Its localpart.
        name: ChannelName,
        /// What became of each who was named.
        members: Vec<(BareJid, Status)>,
    },
    /// The groups of one page.
    Groups(Page<GroupLine>),
    /// What a group answers.
    Group(GroupAnswer),
    /// Done, with nothing to say.
    Done,
    /// A message was taken: its reflection is the acknowledgement.
    Taken,
    /// The message is a repeat: its row is to be reflected to the asker alone.
    Repeat {
        /// The row it became.
        row: u64,
    },
    /// The item is in place.
    ItemSet {
        /// Its node.
        node: Node,
        /// Its id.
        id: String,
    },
    /// Items of a node, read from the channel as it is.
    Items {
        /// The node.
        node: Node,
        /// Only these ids; all where empty.
        ids: Vec<String>,
        /// Which of them.
        slice: Slice,
    },
    /// What the channel is, read from the channel as it is.
    Description,
    /// Its nodes.
    Nodes,
    /// A page of the archive, read off the turn, up to the newest row of the turn.
    History {
        /// What was asked, with the bounds of what the asker may see.
        query: HistoryQuery,
        /// The participant whose rows alone are wanted.
        author: Option<ParticipantId>,
    },
    /// The first and last row, read off the turn.
    HistoryBounds,
    /// The filters of the archive.
    HistoryForm,
    /// One may, and what there is to it is read from the channel as it is.
    Prepared,
    /// A page of the participants, read from the channel as it is.
    People(Slice),
    /// A page of every channel.
    EveryChannel {
        /// The channels, in the order of their names.
        entries: Vec<ListedChannel>,
        /// How many there are in all.
        count: usize,
        /// Whether the list goes on.
        goes_on: bool,
    },
    /// What the service holds.
    Census(ServiceCensus),
    /// What the service is.
    ServiceDescription {
        /// The disco node asked for.
        node: Option<String>,
        /// Whether the asker may create channels.
        may_create: bool,
    },
    /// Alive.
    Pong,
    /// The software.
    Version,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it, in order.
    pub entries: Vec<T>,
    /// How many there are in all.
    pub count: usize,
    /// The place of the first entry in the whole list.
    pub index: usize,
}
