//! What happened: the one list that memory, the store and every rendering read.

#![deny(clippy::wildcard_enum_match_arm)]

use super::event::Tombstone;
use super::limits::Limits;
use super::refusal::Refusal;
use super::settings::{Rights, Settings};
use super::{Guest, Invitation, Item, Member, Message, Node, NodeSet, ParticipantId, Report, Row, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// What is settled when a channel is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Drawn at random; it marks the rows and ids of this channel and of no later one of its name.
    pub tag: u64,
    /// When it was created.
    pub created: Stamp,
    /// Who created it.
    pub creator: BareJid,
    /// Its number, unique within the service (groups.md §1).
    pub gid: u32,
    /// Whether people who are not in it find it (XEP-0369 §7.3.3: an ad hoc channel is not discoverable).
    pub listed: bool,
}

/// Where an archive stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the newest row; 0 while there is none.
    pub row: u64,
    /// How many rows so far have a body or a file.
    pub ordinal: u64,
    /// The stamp of the newest row.
    pub stamp: Stamp,
}

/// What is behind the last row of an archive that is too old, as far as whoever found that could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Rows that stay, the first one of this stamp.
    From(Stamp),
    /// No row, and none comes into its month any more.
    Nothing,
    /// No row; but one may have come since.
    Unknown,
}

/// One fact. All but `Relayed` and `Announced` are durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The channel came to be.
    Created {
        /// What is settled.
        profile: Profile,
        /// What may be settled anew.
        settings: Settings,
        /// Who has which role.
        rights: Rights,
        /// The first item of the information node.
        info: Item,
    },
    /// The channel ceased to be, with its members and its archive.
    Destroyed,
    /// Somebody joined, or joined again; the record as it is after.
    Joined(Member),
    /// Somebody left; the record as it is after.
    Left(Member),
    /// Somebody took another nick; the record as it is after.
    Renamed(Member),
    /// Somebody changed the subscriptions; the record as it is after.
    Subscribed(Member),
    /// A message became the next row.
    Published(Row),
    /// An item replaced the one of its node.
    ItemSet {
        /// The node.
        node: Node,
        /// The item.
        item: Item,
    },
    /// The item of a node is gone.
    ItemGone {
        /// The node.
        node: Node,
        /// Its id.
        id: String,
    },
    /// A list of accounts came to be, or ceased to be, and with it what it demands.
    ListMade {
        /// The node: allowed or banned.
        node: Node,
        /// Whether there is such a list from here on.
        exists: bool,
    },
    /// A list was emptied.
    ListPurged {
        /// The node: allowed or banned.
        node: Node,
    },
    /// An account or a domain was put on a list, or taken off.
    Listed {
        /// The node: allowed or banned.
        node: Node,
        /// The account or domain.
        jid: BareJid,
        /// Whether it is on the list from here on.
        present: bool,
    },
    /// Somebody was added and waits, or waits no longer; the record as it is after.
    Invited(Member),
    /// Somebody was removed by somebody else; the record as it is after.
    Removed(Member),
    /// Somebody settled something for itself alone; the record as it is after. Beside a `Published` it only saves how
    /// far the member's reading came, and says nothing new to anybody.
    Noted(Member),
    /// A record is gone, as it last was: nothing in the archive needs it.
    Struck(Member),
    /// A record is given up, as it last was, since there are too many of people who left. What a row needs stays in the store:
    /// the id, the account, the nick, and whether it was hidden; and by it whoever comes back gets the same id. Where the
    /// account has ended, nobody does; that may come later than the record went.
    Faded(Member),
    /// A recipient reported how far messages came, which its record tells too, without another change.
    Reported(Report),
    /// A row was retracted.
    Entombed(Tombstone),
    /// The rows up to `base` are gone by their age: nothing shows, names or counts them any more.
    Expired {
        /// Where the archive stood at the last of them.
        base: Head,
        /// What is known of the rows that stay.
        rest: Rest,
    },
    /// Somebody who is not in the channel subscribes to other nodes than before.
    GuestSet {
        /// The record as it is after; one without subscriptions is none.
        guest: Guest,
        /// The nodes that it subscribed to until here, unless it keeps them as a participant.
        ended: NodeSet,
    },
    /// An invitation was given, or given again.
    InvitationSet(Invitation),
    /// An invitation is good no longer.
    InvitationEnded {
        /// The invitation.
        invitation: Invitation,
        /// Whether its invitee turned it down.
        declined: bool,
    },
    /// Somebody has another role.
    RightsSet(Rights),
    /// The settings are others.
    Configured(Settings),
    /// A message that is passed on and kept nowhere.
    Relayed(Relay),
    /// Something was announced to those who follow the messages; it is kept nowhere.
    Announced(Announcement),
}

/// What a change is of, for whoever asks that and not which one it is.
enum Subject<'a> {
    /// The record of a member, as it is after.
    Record(&'a Member),
    /// Who may join, subscribe or do what.
    Rules,
    /// The item of a node.
    Item(Node),
    /// What outlives no moment.
    Moment,
    /// Something that nobody asks for by its kind.
    Other,
}

impl Change {
    fn subject(&self) -> Subject<'_> {
        match self {
            Change::Joined(member)
            | Change::Left(member)
            | Change::Renamed(member)
            | Change::Subscribed(member)
            | Change::Invited(member)
            | Change::Removed(member)
            | Change::Noted(member) => Subject::Record(member),
            Change::ListMade { .. }
            | Change::ListPurged { .. }
            | Change::Listed { .. }
            | Change::RightsSet(_)
            | Change::Configured(_) => Subject::Rules,
            Change::ItemSet { node, .. } | Change::ItemGone { node, .. } => Subject::Item(*node),
            Change::Relayed(_) | Change::Announced(_) => Subject::Moment,
            Change::Created { .. }
            | Change::Destroyed
            | Change::Published(_)
            | Change::Struck(_)
            | Change::Faded(_)
            | Change::Reported(_)
            | Change::Entombed(_)
            | Change::Expired { .. }
            | Change::GuestSet { .. }
            | Change::InvitationSet(_)
            | Change::InvitationEnded { .. } => Subject::Other,
        }
    }

    /// The record of a member as it is after, where this change is one of somebody's record.
    pub fn member(&self) -> Option<&Member> {
        if let Subject::Record(member) = self.subject() { Some(member) } else { None }
    }

    /// Whether it is a fact that outlives the moment.
    pub fn is_kept(&self) -> bool {
        !matches!(self.subject(), Subject::Moment)
    }

    /// Whether it changes who may join or subscribe.
    pub fn is_of_rules(&self) -> bool {
        matches!(self.subject(), Subject::Rules)
    }

    /// Whether the channel has another video or none after this.
    pub fn is_of_video(&self) -> bool {
        *self == Change::Destroyed || matches!(self.subject(), Subject::Item(Node::Video))
    }
}

/// Something that is told to people and kept in no archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What it is about; may be empty.
    pub subject: String,
    /// What is announced.
    pub body: String,
}

impl Announcement {
    /// Refuses one that is too long.
    ///
    /// # Errors
    /// [`Refusal::TooLong`].
    pub fn check(&self, limits: &Limits) -> Result<(), Refusal> {
        match self.subject.len() + self.body.len() > limits.info_bytes_max {
            true => Err(Refusal::TooLong { what: "the announcement", max: limits.info_bytes_max }),
            false => Ok(()),
        }
    }
}

/// A message that has no row: a chat state, or one that its sender asked not to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Relay {
    /// The sender's participant id.
    pub author: ParticipantId,
    /// The message.
    pub message: Message,
    /// When it came.
    pub stamp: Stamp,
}
