//! What may be asked of a group, and what the asker is told (groups.md §2).

use super::Visibility;
use super::change::Head;
use super::event::Progress;
use super::settings::{History, Membership, ReceiptPolicy};
use super::slice::Slice;
use super::{
    Access, ChannelName, Grants, Nick, NodeAccess, NodeSet, ParticipantId, Row, Snapshot, Stamp, Standing, Status,
};
use jid::BareJid;

/// Somebody to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitee {
    /// The account.
    pub jid: BareJid,
    /// The nick that whoever adds it suggests.
    pub nick: Option<Nick>,
}

/// A group to be created with its people, all or nothing (groups.md §3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupWish {
    /// The localpart wanted; a UUID where absent.
    pub name: Option<ChannelName>,
    /// The subject.
    pub subject: String,
    /// The creator's nick.
    pub nick: Option<Nick>,
    /// Who is added.
    pub members: Vec<Invitee>,
    /// How somebody comes to be in it; the service's default where absent.
    pub membership: Option<Membership>,
    /// Which rows a member sees; the service's default where absent.
    pub history: Option<History>,
    /// Whether its people are told by the notices of the HTTP API (groups.md §4).
    pub notices: bool,
}

/// What the configuration node is to say; what is absent stays (XEP-0406 §3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The owners.
    pub owners: Option<Vec<BareJid>>,
    /// The admins.
    pub admins: Option<Vec<BareJid>>,
    /// Settings.
    pub patch: Patch,
    /// Whether there is a list of those who may join.
    pub allowed: Option<bool>,
    /// Whether there is a list of those who may not.
    pub banned: Option<bool>,
}

/// Settings to be changed; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// How somebody comes to be in it.
    pub membership: Option<Membership>,
    /// Which rows a member sees.
    pub history: Option<History>,
    /// Whether changes become rows.
    pub events: Option<bool>,
    /// Who is told of receipts and markers.
    pub receipts: Option<ReceiptPolicy>,
    /// Whether members may add others.
    pub members_add: Option<bool>,
    /// Joined and waiting together, at most; no more than the service allows.
    pub participants_max: Option<usize>,
    /// For how long one may retract one's own message, in seconds; 0: for ever.
    pub retract_window_s: Option<u64>,
    /// Days after which its rows are gone; 0: for ever, as far as the service keeps them.
    pub retention_days: Option<u64>,
    /// When it is destroyed; `Some(None)`: never.
    pub end_of_life: Option<Option<Stamp>>,
    /// Which of its nodes are switched off.
    pub switched_off: Option<NodeSet>,
    /// Who may subscribe to any of its nodes without being in it.
    pub guests: Option<Access>,
    /// Who may subscribe to which of its nodes.
    pub access: Option<NodeAccess>,
    /// Who may do what in it.
    pub grants: Option<Grants>,
    /// Who sees the JIDs of participants.
    pub visibility: Option<Visibility>,
    /// Whether participants write to one another through the channel.
    pub private_messages: Option<bool>,
    /// Whether participants share their presence with it.
    pub presence: Option<bool>,
    /// Whether others share theirs with it, too.
    pub open_presence: Option<bool>,
    /// Whether everybody in it has to share it.
    pub presence_required: Option<bool>,
}

/// What may be asked of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupCommand {
    /// Ask for the profile and these of the people.
    ReadProfile(Slice),
    /// Add and remove people, all or nothing.
    EditMembers {
        /// To be added.
        add: Vec<Invitee>,
        /// To be removed.
        remove: Vec<BareJid>,
    },
    /// Make admins and unmake them, all or nothing.
    EditAdmins {
        /// To be made.
        add: Vec<BareJid>,
        /// To be unmade.
        remove: Vec<BareJid>,
    },
    /// Change settings.
    Configure(Patch),
    /// Change the subject.
    SetSubject(String),
    /// Say how far messages came: one row, or all up to it.
    Report {
        /// The row.
        row: u64,
        /// How far.
        progress: Progress,
        /// Whether it is about this row alone.
        exact: bool,
    },
    /// Ask how far one message came at whom.
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
        /// The row; all so far where absent.
        up_to: Option<u64>,
    },
    /// Hide all rows from oneself up to where the archive stood at some time.
    ClearTo(Head),
    /// Drop the group from one's own list, once one has left.
    Forget,
    /// Retract somebody's message (XEP-0425), or one's own without sending a message.
    Moderate {
        /// The row.
        row: u64,
        /// Why.
        reason: Option<String>,
    },
}

/// What is known of a row that a command names; loaded before the turn, without its payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The row.
    pub row: Row,
    /// Whether it was retracted, or the message that it corrects.
    pub entombed: bool,
}

/// How far a message came at all its recipients (groups.md §1 rule 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aggregate {
    /// Those joined when it was sent, less the author.
    pub recipients: usize,
    /// How many of them it reached.
    pub delivered: usize,
    /// How many of them read it.
    pub read: usize,
    /// What all of them who have not left reached.
    pub all: Option<Progress>,
}

/// One to whom a message was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The participant id.
    pub id: ParticipantId,
    /// The account.
    pub jid: BareJid,
    /// How far the message came at it.
    pub progress: Option<Progress>,
}

/// What the author is told of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The author.
    pub author: BareJid,
    /// The newest row of the author's that the report is about.
    pub row: u64,
    /// The author's origin id of that row.
    pub origin_id: Option<String>,
    /// How far it came at all.
    pub aggregate: Aggregate,
}

/// What the asker is told.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupAnswer {
    /// The profile and these of the people, read from the channel as it is.
    Profile(Slice),
    /// Done; who was named, and what each is now.
    Edited(Vec<(BareJid, Option<Status>)>),
    /// The report is taken, and these authors are to be told.
    Reported(Vec<Notice>),
    /// The recipients of a row, read off the turn.
    MessageInfo {
        /// The row.
        row: u64,
        /// Who they are.
        recipients: Vec<Recipient>,
        /// How far it came in all.
        aggregate: Aggregate,
    },
    /// Done.
    Done,
}

/// One line of the list of one's groups, read from the channel as it is for the asker.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupLine {
    /// The channel, without its people.
    pub group: Snapshot,
    /// The asker's role.
    pub standing: Standing,
    /// What the asker is in it.
    pub status: Status,
    /// How many rows are to be read.
    pub unread: u64,
    /// The newest visible row.
    pub last_row: Option<u64>,
    /// When it came.
    pub last_activity: Option<Stamp>,
}
