//! The commands of a channel.

pub use super::slice::Slice;

use super::event::MediaKind;
use super::{
    Action, Affiliation, Announcement, Claim, Configuration, Farewell, GroupCommand, InviterName, Item, Message, Nick,
    Node, NodeSet, OccupantRole, ParticipantId, Password, PreferencesPatch, RoomInvitee, Stamp,
};
use jid::BareJid;
use std::collections::BTreeMap;

/// The account that asks. Its host server vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: BareJid,
    /// Whether it is an operator of the service.
    pub operator: bool,
}

/// A command of one channel. Those of the service are [`ServiceCommand`](super::ServiceCommand)s.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A command of a group.
    Group(GroupCommand),
    /// XEP-0369 §7.3.4: destroy the channel.
    Destroy,
    /// XEP-0045 §10.9: destroy the channel, and say something of that.
    DestroyRoom(Farewell),
    /// XEP-0369 §7.1.2: join; for a participant, change nick and subscriptions.
    Join(JoinWish),
    /// XEP-0407 §6: ask for an invitation to pass on.
    Invite {
        /// The invitee.
        invitee: BareJid,
    },
    /// XEP-0407 §6: decline an invitation.
    Decline(Claim),
    /// Take back the invitations of these accounts.
    RevokeInvitations {
        /// The invitees.
        invitees: Vec<BareJid>,
    },
    /// XEP-0045 §7.8.2: invite people through the room.
    InviteByRoom(Vec<RoomInvitee>),
    /// XEP-0045 §7.8.2: decline such an invitation.
    DeclineToRoom {
        /// Whom to decline to.
        inviter: InviterName,
        /// Why.
        reason: Option<String>,
    },
    /// List the invitations that the asker may take back.
    ListInvitations(Slice),
    /// XEP-0045 §7.10: ask what the asker registered with the room, and whether it may.
    ReadRegistration,
    /// XEP-0045 §7.10: become a member of the room with this nick, or go by it.
    Register {
        /// The nick.
        nick: Nick,
    },
    /// XEP-0077 §3.2: end that.
    Unregister,
    /// XEP-0045 §7.12: ask for the nick that the room keeps for the asker.
    ReadNick,
    /// XEP-0045 §7.13: ask the moderators for voice.
    RequestVoice,
    /// XEP-0045 §8.6: give voice to whoever asked for it, or do not.
    AnswerVoiceRequest(Option<VoiceGrant>),
    /// XEP-0045 §7.2: enter the room.
    Enter(EnterWish),
    /// XEP-0369 §7.1.3: leave.
    Leave,
    /// Leave and delete the record, because the home server removed the account.
    EndAccount,
    /// XEP-0369 §7.1.4: change the nick. Without one, the channel chooses it.
    SetNick {
        /// The nick wanted.
        nick: Option<Nick>,
    },
    /// XEP-0404 §3.1: ask for the form of preferences.
    ReadPreferences,
    /// XEP-0404 §3.1: change preferences. Without any, ask for them.
    SetPreferences(PreferencesPatch),
    /// XEP-0369 §7.1.2: change subscriptions.
    UpdateSubscription {
        /// The nodes to subscribe to.
        subscribe: NodeSet,
        /// The nodes to unsubscribe from.
        unsubscribe: NodeSet,
    },
    /// XEP-0060 §6.1, §6.2: subscribe to one node or unsubscribe from it, as a participant or a guest.
    Subscribe {
        /// The node.
        node: Node,
        /// Whether to subscribe.
        wanted: bool,
    },
    /// XEP-0060 §5.6: list the asker's subscriptions.
    ListSubscriptions {
        /// Only this node.
        node: Option<Node>,
    },
    /// XEP-0060 §8.8.1: list the subscribers of a node.
    ListSubscribers {
        /// The node.
        node: Node,
        /// Which page of them.
        slice: Slice,
    },
    /// XEP-0060 §8.8.2: change subscriptions of others, all or none.
    SetSubscriptions {
        /// The node.
        node: Node,
        /// Who is to be subscribed (true) and who not.
        edits: BTreeMap<BareJid, bool>,
    },
    /// XEP-0369 §7.1.6: send a message to the channel.
    Publish(Message),
    /// XEP-0060 §7.1: publish an item.
    SetItem {
        /// The node.
        node: Node,
        /// The item.
        item: Item,
    },
    /// XEP-0486: make this the picture of the channel; without one, it has none.
    SetPicture(Option<Box<Picture>>),
    /// XEP-0060 §7.2: retract the item of a node.
    RetractItem {
        /// The node.
        node: Node,
        /// Its id.
        id: String,
    },
    /// XEP-0406 §3.3: put an account or a domain on a list, or take it off.
    PutOnList {
        /// The node: allowed or banned.
        node: Node,
        /// The account or domain.
        jid: BareJid,
        /// Whether it is on the list afterwards.
        present: bool,
    },
    /// XEP-0060 §8.5: empty a list.
    PurgeList {
        /// The node: allowed or banned.
        node: Node,
    },
    /// XEP-0406 §3.2: change the configuration.
    Reconfigure(Configuration),
    /// XEP-0045 §10.2: ask for the form of the room.
    DescribeRoom,
    /// XEP-0045 §10.1.3: leave the form of the room as it is.
    CancelRoom,
    /// XEP-0045 §10.2: change the configuration and the information, all or nothing.
    ConfigureRoom(Box<RoomWish>),
    /// XEP-0406 §3.2: make a list, or delete it.
    MakeList {
        /// The node: allowed or banned.
        node: Node,
        /// Whether the list exists afterwards.
        exists: bool,
    },
    /// XEP-0060 §6.5: read items of a node.
    ReadItems {
        /// The node.
        node: Node,
        /// Only these ids; all where empty.
        ids: Vec<String>,
        /// Which page of them.
        slice: Slice,
    },
    /// Ask whether the asker may do something, to be shown a form for it.
    Prepare(Action),
    /// Ban an account or a domain, and remove those of it who are in the channel.
    Ban {
        /// The account or domain.
        jid: BareJid,
    },
    /// List the participants with their accounts, in the order of accounts.
    ListPeople(Slice),
    /// Announce something to the subscribers of the messages node.
    Announce(Announcement),
    /// XEP-0030: ask for the description of the channel.
    Describe,
    /// XEP-0369 §6.4: ask for the nodes of the channel.
    ListNodes,
    /// XEP-0045 §6.5: ask who is in the room.
    ListOccupants(Slice),
    /// XEP-0045 §8.2 to §8.5, §9.6 to §9.8: set roles of people in the room, all or none.
    SetRoles(Vec<RoleEdit>),
    /// XEP-0045 §9.1 to §9.5, §10.3 to §10.8: set affiliations, all or none.
    SetAffiliations(Vec<AffiliationEdit>),
    /// XEP-0045 §8.5, §9.8: list those in the room who have a role.
    ListRoles {
        /// The role.
        role: OccupantRole,
        /// Which page of them.
        slice: Slice,
    },
    /// XEP-0045 §9.2, §9.5, §10.5, §10.8: list those who have an affiliation.
    ListAffiliations {
        /// The affiliation.
        affiliation: Affiliation,
        /// Which page of them.
        slice: Slice,
    },
    /// XEP-0313 §4: read the archive.
    ReadHistory(HistoryQuery),
    /// XEP-0313 §5: ask for the first and the last row.
    HistoryBounds,
    /// XEP-0313 §4.1.5: ask for the filters of the archive.
    HistoryForm {
        /// Whether a client of a room asks (XEP-0045).
        as_room: bool,
    },
}

/// XEP-0084: a picture, with what describes it. The items of both are named by the SHA-1 of its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Its bytes.
    pub data: Item,
    /// What describes it.
    pub metadata: Item,
}

/// XEP-0369 §7.1.2: how somebody wants to join.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinWish {
    /// The nick wanted.
    pub nick: Option<Nick>,
    /// The nodes to subscribe to.
    pub subscribe: NodeSet,
    /// XEP-0404 §3.1: the preferences wanted.
    pub preferences: PreferencesPatch,
    /// XEP-0407 §6: the invitation shown.
    pub claim: Option<Claim>,
}

/// XEP-0045 §7.2: what somebody enters a room with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnterWish {
    /// The nick wanted.
    pub nick: Nick,
    /// The occupant id of whoever has no record in the channel (XEP-0421).
    pub id: ParticipantId,
    /// XEP-0045 §7.2.6: the password.
    pub password: Option<Password>,
    /// Whether the client that asks is in the room already.
    pub is_inside: bool,
}

/// XEP-0045 §10.2: what an owner wants a room to be. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoomWish {
    /// Settings, rights and lists.
    pub configuration: Configuration,
    /// The item of the information node.
    pub info: Option<Item>,
}

/// XEP-0045 §8.2: the role of somebody in the room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleEdit {
    /// The nick that it goes by.
    pub nick: Nick,
    /// The role wanted. [`OccupantRole::None`] puts it out.
    pub role: OccupantRole,
    /// Why.
    pub reason: Option<String>,
}

/// XEP-0045 §9.1: the affiliation of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffiliationEdit {
    /// The account. Only an outcast may be a domain.
    pub jid: BareJid,
    /// The affiliation wanted.
    pub affiliation: Affiliation,
    /// The nick that a new member is given.
    pub nick: Option<Nick>,
    /// Why.
    pub reason: Option<String>,
}

/// XEP-0045 §8.6: to whom a moderator gives voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceGrant {
    /// The nick that it went by when it asked.
    pub nick: Nick,
    /// The account that asked, where the moderator names it.
    pub account: Option<BareJid>,
}

/// Which rows of an archive to read. Bounds by row exclude the row that they name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only rows by this account.
    pub with: Option<BareJid>,
    /// Only rows of this stamp or later.
    pub start: Option<Stamp>,
    /// Only rows of this stamp or earlier.
    pub end: Option<Stamp>,
    /// Only rows after this one.
    pub after: Option<u64>,
    /// Only rows before this one.
    pub before: Option<u64>,
    /// Only these rows.
    pub ids: Option<Vec<u64>>,
    /// Whether `after` or `before` pages on, so that it does not bound what the query matches in all.
    pub pages_on: bool,
    /// Only rows with a file of one of these kinds.
    pub media: Option<Vec<MediaKind>>,
    /// Whether to leave out events.
    pub no_events: bool,
    /// The ranges of rows that the asker may see, in order, both ends included. All rows where absent.
    pub windows: Option<Vec<(u64, u64)>>,
    /// The rows that the asker hid.
    pub hidden: Vec<u64>,
    /// The most rows of the page.
    pub max: usize,
    /// Whether a page that is cut keeps the newest rows.
    pub from_end: bool,
    /// Whether to send the newest row of the page first.
    pub flip: bool,
    /// The asker's id of the query, which the results repeat.
    pub query_id: Option<String>,
    /// Whether the query names an id that this archive never gave out.
    pub names_unknown_row: bool,
    /// Whether the query is for a node that archives nothing.
    pub of_empty_node: bool,
    /// XEP-0313 §5: whether only the first and the last row are asked for.
    pub ends_only: bool,
    /// Whether a client of a room asks (XEP-0045): whoever may enter may read.
    pub as_room: bool,
}
