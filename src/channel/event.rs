//! Events of a group in its archive, and what is said of single rows.

use super::{ParticipantId, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// groups.md §3.7: the kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The group was created.
    GroupCreated,
    /// Somebody was added.
    MemberAdded,
    /// Somebody who waited joined, or somebody joined an open channel.
    MemberJoined,
    /// Somebody left, or declined.
    MemberLeft,
    /// Somebody was removed.
    MemberRemoved,
    /// The name or a picture changed.
    ProfileChanged,
    /// Somebody became an admin, or the owner.
    AdminAdded,
    /// Somebody is not an admin any more.
    AdminRemoved,
}

/// A person in an event, as it was called at the time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The participant id.
    pub id: ParticipantId,
    /// The account.
    pub jid: BareJid,
    /// The nick.
    pub nick: String,
}

/// An event of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The kind.
    pub kind: EventKind,
    /// Who caused it, where that was a member.
    pub by: Option<Named>,
    /// Whom it concerns.
    pub whom: Option<Named>,
    /// The detail: the part of the profile, the new role, or the new status.
    pub detail: Option<String>,
}

/// groups.md §1 rule 10: the kind of file that a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// An audio file.
    Audio,
    /// Any other file.
    File,
}

/// The kind of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowKind {
    /// A message.
    #[default]
    Message,
    /// XEP-0424: a message that retracts an earlier one.
    Retraction,
    /// XEP-0425: a retraction by somebody else than the author.
    Moderation,
    /// An event.
    Event(Event),
    /// A message that was erased with its author's account.
    Erased,
}

/// XEP-0424 §4: what remains of a row that was retracted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The row.
    pub row: u64,
    /// The row that retracted it.
    pub retraction: u64,
    /// When it was retracted.
    pub stamp: Stamp,
    /// Who retracted it, where that one has a record in the channel.
    pub by: Option<ParticipantId>,
    /// Whether somebody else than the author did.
    pub moderated: bool,
    /// The reason, where one was given.
    pub reason: Option<String>,
}

/// How far a message came at one recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Progress {
    /// It arrived.
    Delivered,
    /// It was read. This includes that it arrived.
    Read,
}
