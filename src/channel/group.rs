//! groups.md §2: the commands of groups, and the answers to them.

use super::Visibility;
use super::change::Head;
use super::event::Progress;
use super::settings::{History, Membership, ReceiptPolicy};
use super::slice::Slice;
use super::{
    Access, ChannelName, Grants, Nick, NodeAccess, NodeSet, ParticipantId, PrivateMessages, RoomSettings, Row,
    Snapshot, Stamp, Standing, Status,
};
use jid::BareJid;

/// An account to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitee {
    /// The account.
    pub jid: BareJid,
    /// The nick that is suggested for it.
    pub nick: Option<Nick>,
}

/// groups.md §3.1: a group to create with its people, all or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupWish {
    /// The localpart wanted; a UUID where absent.
    pub name: Option<ChannelName>,
    /// The subject, which is the name shown to people.
    pub subject: String,
    /// The creator's nick.
    pub nick: Option<Nick>,
    /// Who is added.
    pub members: Vec<Invitee>,
    /// How people come to be in it. The service's default where absent.
    pub membership: Option<Membership>,
    /// Which rows a member sees. The service's default where absent.
    pub history: Option<History>,
    /// groups.md §4: whether its people get the notices of the HTTP API.
    pub notices: bool,
}

/// XEP-0406 §3.2: changes of the configuration. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The owners.
    pub owners: Option<Vec<BareJid>>,
    /// The admins.
    pub admins: Option<Vec<BareJid>>,
    /// The settings.
    pub patch: Patch,
    /// Whether there is a list of those who may join.
    pub allowed: Option<bool>,
    /// Whether there is a list of those who may not.
    pub banned: Option<bool>,
}

/// Changes of settings. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// How people come to be in it.
    pub membership: Option<Membership>,
    /// Which rows a member sees.
    pub history: Option<History>,
    /// Whether events become rows.
    pub events: Option<bool>,
    /// Who is told of receipts and markers.
    pub receipts: Option<ReceiptPolicy>,
    /// Whether members may add others.
    pub members_add: Option<bool>,
    /// The most people who are joined or wait. It cannot exceed the service's limit.
    pub participants_max: Option<usize>,
    /// How long an author may retract a message, in seconds. 0 means for ever.
    pub retract_window_s: Option<u64>,
    /// Days after which its rows expire. 0 keeps them as long as the service does.
    pub retention_days: Option<u64>,
    /// When it is destroyed. `Some(None)` means never.
    pub end_of_life: Option<Option<Stamp>>,
    /// Its nodes that are switched off.
    pub switched_off: Option<NodeSet>,
    /// Who may subscribe to its nodes as a guest.
    pub guests: Option<Access>,
    /// Who may subscribe to which of its nodes.
    pub access: Option<NodeAccess>,
    /// Who may do what in it.
    pub grants: Option<Grants>,
    /// Who sees the JIDs of participants.
    pub visibility: Option<Visibility>,
    /// Who may send private messages to participants.
    pub private_messages: Option<PrivateMessages>,
    /// Whether participants share their presence with it.
    pub presence: Option<bool>,
    /// Whether others may share theirs as well.
    pub open_presence: Option<bool>,
    /// Whether participants have to share theirs.
    pub presence_required: Option<bool>,
    /// What only rooms have a form for.
    pub room: Option<RoomSettings>,
}

/// A command of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupCommand {
    /// Ask for the profile and a page of the people.
    ReadProfile(Slice),
    /// Add and remove people, all or none.
    EditMembers {
        /// To be added.
        add: Vec<Invitee>,
        /// To be removed.
        remove: Vec<BareJid>,
    },
    /// Make and unmake admins, all or none.
    EditAdmins {
        /// The accounts that become admins.
        add: Vec<BareJid>,
        /// The admins that become plain members.
        remove: Vec<BareJid>,
    },
    /// Change settings.
    Configure(Patch),
    /// Change the subject.
    SetSubject(String),
    /// Report how far messages came.
    Report {
        /// The row.
        row: u64,
        /// How far they came.
        progress: Progress,
        /// Whether it is about this row alone and not about all rows up to it.
        exact: bool,
    },
    /// Ask how far one message came, and at whom.
    ReadMessageInfo {
        /// The row.
        row: u64,
    },
    /// Hide rows from oneself.
    Hide {
        /// The rows.
        rows: Vec<u64>,
    },
    /// Hide all rows up to one from oneself.
    Clear {
        /// The row. All rows so far where absent.
        up_to: Option<u64>,
    },
    /// Hide all rows from oneself, up to where the archive ended at some time.
    ClearTo(Head),
    /// Drop the group from one's own list after leaving it.
    Forget,
    /// XEP-0425: retract somebody's message; or one's own, without sending a message.
    Moderate {
        /// The row.
        row: u64,
        /// The reason.
        reason: Option<String>,
    },
}

/// What is known of a row that a command names. It is read before the turn, without the payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The row.
    pub row: Row,
    /// Whether it was retracted; for a correction, whether the corrected message was.
    pub entombed: bool,
}

/// groups.md §1 rule 6: how far a message came at all its recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// The number of recipients: those who were joined when it was sent, without the author.
    pub recipients: usize,
    /// At how many of them it arrived.
    pub delivered: usize,
    /// How many of them read it.
    pub read: usize,
    /// How far it came at every recipient who has not left.
    pub all: Option<Progress>,
}

/// A recipient of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The participant id.
    pub id: ParticipantId,
    /// The account.
    pub jid: BareJid,
    /// How far the message came there.
    pub progress: Option<Progress>,
}

/// What an author is told of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The author.
    pub author: BareJid,
    /// The newest row of the author's that was reported.
    pub row: u64,
    /// The author's origin id of that row.
    pub origin_id: Option<String>,
    /// How far that row came in all.
    pub aggregate: Aggregate,
}

/// An answer of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupAnswer {
    /// The profile and a page of the people. They are read from the channel as it is.
    Profile(Slice),
    /// The people who were named, each with its status now.
    Edited(Vec<(BareJid, Option<Status>)>),
    /// The report was accepted, and these authors are told of it.
    Reported(Vec<Notice>),
    /// The recipients of a row. They are read outside the turn.
    MessageInfo {
        /// The row.
        row: u64,
        /// The recipients.
        recipients: Vec<Recipient>,
        /// How far the row came in all.
        aggregate: Aggregate,
    },
    /// The command was carried out.
    Done,
}

/// A group in the list of an account's groups. It is read from the channel as it is for the asker.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupLine {
    /// The channel, without its people.
    pub group: Snapshot,
    /// The asker's role.
    pub standing: Standing,
    /// The asker's status.
    pub status: Status,
    /// The number of unread rows.
    pub unread: u64,
    /// The newest row that the asker sees.
    pub last_row: Option<u64>,
    /// The stamp of that row.
    pub last_activity: Option<Stamp>,
}
