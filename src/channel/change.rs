//! What happened: the one list that memory, the store and every extension read.

#![deny(clippy::wildcard_enum_match_arm)]

use super::event::Tombstone;
use super::limits::Limits;
use super::refusal::Refusal;
use super::settings::{Rights, Settings};
use super::{
    Farewell, Guest, Invitation, Item, Member, Message, Nick, Node, NodeSet, OccupantRole, ParticipantId, Report,
    RoomDecline, RoomInvitation, Row, Stamp, Topic, VersionedChange,
};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// What is settled for good when a channel is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// A random number. It marks the rows and ids of this channel, so that a later channel of the same name does not
    /// take them for its own.
    pub tag: u64,
    /// When it was created.
    pub created: Stamp,
    /// Who created it.
    pub creator: BareJid,
    /// groups.md §1: the number of the channel, unique within the service.
    pub gid: u32,
    /// Whether people who are not in it find it. XEP-0369 §7.3.3: an ad hoc channel cannot be discovered.
    pub listed: bool,
}

/// Where an archive ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The number of the newest row; 0 while there is none.
    pub row: u64,
    /// How many rows so far have a body or a file.
    pub ordinal: u64,
    /// The stamp of the newest row.
    pub stamp: Stamp,
}

/// What follows the last row of an archive that expired, as far as the one who looked could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Rows that stay. The first one has this stamp.
    From(Stamp),
    /// No row follows, and none will come in that month.
    Nothing,
    /// No row follows, unless one came since.
    Unknown,
}

/// One fact. Those that matter for a moment alone are not stored ([`Change::is_kept`]).
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The channel was created.
    Created {
        /// What is settled for good.
        profile: Profile,
        /// What can be changed later.
        settings: Settings,
        /// The owners and admins.
        rights: Rights,
        /// The first item of the information node.
        info: Item,
    },
    /// The channel was destroyed, with its members and its archive. What is said of that is not stored.
    Destroyed(Farewell),
    /// Somebody joined, or joined again. This is the record afterwards.
    Joined(Member),
    /// Somebody left. This is the record afterwards.
    Left(Member),
    /// Somebody's nick changed. This is the record afterwards.
    Renamed(Member),
    /// Somebody's subscriptions changed. This is the record afterwards.
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
    /// The item of a node was retracted.
    ItemGone {
        /// The node.
        node: Node,
        /// Its id.
        id: String,
    },
    /// A list of accounts was made or deleted, and its rules with it.
    ListMade {
        /// The node: allowed or banned.
        node: Node,
        /// Whether the list exists afterwards.
        exists: bool,
    },
    /// A list was emptied.
    ListPurged {
        /// The node: allowed or banned.
        node: Node,
    },
    /// An account or a domain was put on a list, or taken off it.
    Listed {
        /// The node: allowed or banned.
        node: Node,
        /// The account or domain.
        jid: BareJid,
        /// Whether it is on the list afterwards.
        present: bool,
        /// Why it may not join. `None` where nobody said, and of the list of those who may.
        reason: Option<String>,
    },
    /// Somebody was added and waits, or does not wait any more. This is the record afterwards.
    Invited(Member),
    /// Others removed somebody. This is the record afterwards.
    Removed(Member),
    /// Somebody settled something for itself alone. This is the record afterwards. Beside a `Published` it only saves
    /// how far the member read, and nobody is told.
    Noted(Member),
    /// A record was dropped, because no row needs it. This is the record as it was.
    Struck(Member),
    /// A record was given up, because too many people left. This is the record as it was. The store keeps what rows
    /// need of it: the id, the account, the nick, and whether the JID was hidden. Whoever comes back gets the same id
    /// by that, unless the account has ended, before or after.
    Faded(Member),
    /// Somebody who passes by in the room wrote a row. This stands for its record. The channel keeps nothing; the store keeps
    /// the same of it as of a record that was given up, of the newest [`TRACED_MAX`](crate::store::TRACED_MAX) of them.
    Traced(Member),
    /// A recipient reported how far messages came. Its record is changed as well, and there is no other change for it.
    Reported(Report),
    /// A row was retracted.
    Entombed(Tombstone),
    /// The rows up to `base` expired by age. They are not shown, named or counted any more.
    Expired {
        /// The end of the archive at the last of these rows.
        base: Head,
        /// What follows that row.
        rest: Rest,
    },
    /// The subscriptions of a guest changed.
    GuestSet {
        /// The record afterwards. One without subscriptions is deleted.
        guest: Guest,
        /// The nodes to which it does not subscribe any more, unless it keeps them as a participant.
        ended: NodeSet,
    },
    /// An invitation was given, or given anew.
    InvitationSet(Invitation),
    /// An invitation ended.
    InvitationEnded {
        /// The invitation.
        invitation: Invitation,
        /// Whether the invitee declined.
        declined: bool,
    },
    /// Somebody's role changed.
    RightsSet(Rights),
    /// The settings changed.
    Configured(Settings),
    /// XEP-0045 §8.1: the room is about something else.
    TopicSet(Topic),
    /// XEP-0045 §8.3, §8.4: an account got voice, or lost it.
    VoiceSet {
        /// The account.
        account: BareJid,
        /// Whether it has voice afterwards. `None`: as the settings say.
        voice: Option<bool>,
    },
    /// XEP-0463: affiliations are others than before, or somebody asks for versions of them for the first time.
    Versioned(Vec<VersionedChange>),
    /// A message was passed on that is not archived.
    Relayed(Relay),
    /// Somebody who has no record entered the room (XEP-0045 §7.2). This stands for the record. It is not stored.
    Entered(Member),
    /// Somebody in the room who has no record goes by another nick (XEP-0045 §7.6). It is not stored.
    Moved(Member),
    /// Somebody in the room who has no record left it (XEP-0045 §7.14). It is not stored.
    Exited(Member),
    /// XEP-0045 §8.2, §9.6: somebody in the room is put out, or becomes a moderator for its visit, or is one no longer. It
    /// is not stored.
    RoleSet {
        /// The account.
        account: BareJid,
        /// `None` puts it out, `Moderator` makes it a moderator, and any other role ends that.
        role: OccupantRole,
    },
    /// Something was announced to the subscribers of the messages node. It is not archived.
    Announced(Announcement),
    /// A visitor asks the moderators of the room for voice (XEP-0045 §7.13). It is not stored.
    VoiceRequested {
        /// The account.
        account: BareJid,
        /// The nick that it goes by.
        nick: Nick,
    },
    /// Somebody is invited through the room (XEP-0045 §7.8.2). It is not stored.
    InvitedByRoom(RoomInvitation),
    /// Somebody declines such an invitation. It is not stored.
    DeclinedToRoom(RoomDecline),
}

/// What kind of thing a change concerns.
enum Subject<'a> {
    /// The record of a member afterwards.
    Record(&'a Member),
    /// Who may join, subscribe or do something.
    Rules,
    /// The item of a node.
    Item(Node),
    /// Something that is not stored.
    Moment,
    /// Anything else.
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
            Change::Relayed(_)
            | Change::Announced(_)
            | Change::Entered(_)
            | Change::Moved(_)
            | Change::Exited(_)
            | Change::VoiceRequested { .. }
            | Change::InvitedByRoom(_)
            | Change::DeclinedToRoom(_)
            | Change::RoleSet { .. } => Subject::Moment,
            Change::Created { .. }
            | Change::Destroyed(_)
            | Change::Published(_)
            | Change::Struck(_)
            | Change::Faded(_)
            | Change::Traced(_)
            | Change::Reported(_)
            | Change::Entombed(_)
            | Change::Expired { .. }
            | Change::GuestSet { .. }
            | Change::TopicSet(_)
            | Change::VoiceSet { .. }
            | Change::Versioned(_)
            | Change::InvitationSet(_)
            | Change::InvitationEnded { .. } => Subject::Other,
        }
    }

    /// The record of a member afterwards, where the change has one.
    pub fn member(&self) -> Option<&Member> {
        if let Subject::Record(member) = self.subject() { Some(member) } else { None }
    }

    /// Whether the change is stored.
    pub fn is_kept(&self) -> bool {
        !matches!(self.subject(), Subject::Moment)
    }

    /// Whether it changes who may join or subscribe.
    pub fn is_of_rules(&self) -> bool {
        matches!(self.subject(), Subject::Rules)
    }

    /// Whether it is the end of the channel.
    pub fn is_end(&self) -> bool {
        matches!(self, Change::Destroyed(_))
    }

    /// Whether it sets or removes the video.
    pub fn is_of_video(&self) -> bool {
        self.is_end() || matches!(self.subject(), Subject::Item(Node::Video))
    }
}

/// Something that is told to people and not archived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The subject, which may be empty.
    pub subject: String,
    /// The text.
    pub body: String,
}

impl Announcement {
    /// Refuses an announcement that is too long.
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

/// A message that becomes no row: a chat state, or one whose sender asked not to archive it.
#[derive(Clone, Debug, PartialEq)]
pub struct Relay {
    /// The sender's participant id.
    pub author: ParticipantId,
    /// The message.
    pub message: Message,
    /// When it came.
    pub stamp: Stamp,
}
