//! What happens to a group besides messages, as its archive tells it, and what is said of single rows.

use super::{ParticipantId, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// What kind of thing happened (groups.md §3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The group was created.
    GroupCreated,
    /// Somebody was added.
    MemberAdded,
    /// Somebody who was waiting joined, or somebody joined an open channel.
    MemberJoined,
    /// Somebody left, or declined.
    MemberLeft,
    /// Somebody was removed.
    MemberRemoved,
    /// The name or a picture changed.
    ProfileChanged,
    /// Somebody became an admin, or the owner.
    AdminAdded,
    /// Somebody is an admin no longer.
    AdminRemoved,
}

/// Somebody as an event names it: as it was called at the time, whatever becomes of its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The participant id.
    pub id: ParticipantId,
    /// The account.
    pub jid: BareJid,
    /// The nick.
    pub nick: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    pub kind: EventKind,
    /// Who did it, where a member did.
    pub by: Option<Named>,
    /// To whom.
    pub whom: Option<Named>,
    /// What it is about: the part of the profile, the new role, the new status.
    pub detail: Option<String>,
}

/// The kind of file that a message carries (groups.md §1 rule 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio,
    /// Any other file.
    File,
}

/// What a row is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowKind {
    /// A message.
    #[default]
    Message,
    /// A message that retracts its target (XEP-0424).
    Retraction,
    /// A retraction by somebody else than the author (XEP-0425).
    Moderation,
    /// An event.
    Event(Event),
    /// A message that was erased with its author's account.
    Erased,
}

/// What is left of a row that was retracted (XEP-0424 §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The row.
    pub row: u64,
    /// The row that retracted it.
    pub retraction: u64,
    /// When.
    pub stamp: Stamp,
    /// Who, where that is somebody with a record in the channel.
    pub by: Option<ParticipantId>,
    /// Whether that was not its author.
    pub moderated: bool,
    /// Why, where that was said.
    pub reason: Option<String>,
}

/// How far a message came at one of its recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Progress {
    /// It arrived.
    Delivered,
    /// It was read, and so arrived.
    Read,
}
