//! Why a command is refused. The stanzas and the HTTP API have one table each from here to their own errors.

use super::search::SearchFault;
use thiserror::Error;

/// A refusal. Its texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such channel, or the asker may not know of it.
    #[error("there is no such channel")]
    NoSuchChannel,
    /// The channel exists already.
    #[error("a channel of this name exists")]
    NameTaken,
    /// Another participant has this nick.
    #[error("somebody in this channel goes by this nick")]
    NickTaken,
    /// Another account registered this nick with the service.
    #[error("somebody else registered this nick with the service")]
    NickRegistered,
    /// The asker is not in the channel.
    #[error("only participants of the channel may do this")]
    NotJoined,
    /// The asker's role is too low.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Nobody of this role may do it.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// The address has no such node.
    #[error("there is no such node here")]
    NoSuchNode,
    /// The node or the archive has no such item.
    #[error("there is no such item")]
    NoSuchItem,
    /// Something is longer than allowed.
    #[error("{what} is longer than the {max} bytes allowed here")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// The limit, in bytes.
        max: usize,
    },
    /// A text for people has too many characters.
    #[error("{what} is longer than the {max} characters allowed here")]
    TooManyCharacters {
        /// What is too long.
        what: &'static str,
        /// The limit, in Unicode scalar values.
        max: usize,
    },
    /// There are as many as the limit allows.
    #[error("there are as many {what} as allowed: {max}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The asker was added and has not joined yet.
    #[error("join the group first: you were added and are still waiting")]
    StillWaiting,
    /// The asker is not an admin.
    #[error("only an admin of the group may do this")]
    NotAdmin,
    /// XEP-0045 §7.2.1: whoever enters a room names a nick.
    #[error("name a nick to enter with")]
    NoNick,
    /// XEP-0045 §7.5: the asker is not in the room.
    #[error("you are not in this room")]
    NotOccupant,
    /// XEP-0045 §7.2.7: the asker may not enter.
    #[error("you may not enter this room")]
    Banned,
    /// XEP-0045 §7.2.6: only members enter.
    #[error("only members may enter this room")]
    NotMember,
    /// XEP-0077 §3.2: the asker registered nothing that it could end.
    #[error("you are not registered here")]
    NotRegistered,
    /// XEP-0045 §7.2.6: the asker does not know the password.
    #[error("a password is needed here, and none or another one was given")]
    BadPassword,
    /// XEP-0045 §10.1.3: a field of a form has a value that it cannot have.
    #[error("{field}: {why}")]
    Unacceptable {
        /// The field.
        field: &'static str,
        /// What was expected.
        why: String,
    },
    /// XEP-0045 §10.1.1: no room can have this name.
    #[error("no room can have this name")]
    BadName,
    /// XEP-0045 §10.1: nobody enters the room before its creator settled what it is.
    #[error("this room is not open yet")]
    Locked,
    /// XEP-0045 §10.9: the room was destroyed.
    #[error("{}", .reason.as_deref().unwrap_or("this room was destroyed"))]
    Gone {
        /// Why, if that was said.
        reason: Option<String>,
        /// Where people meet since, if that was said.
        venue: Option<jid::Jid>,
    },
    /// XEP-0045 §7.2.9: there are as many occupants as allowed.
    #[error("the room is full, try again later")]
    RoomFull,
    /// XEP-0045 §9.1: whoever bans itself.
    #[error("you may not ban yourself")]
    Oneself,
    /// XEP-0045 §10.4: a room has an owner.
    #[error("a room has an owner: make somebody else one first")]
    LastOwner,
    /// The operator switched this feature off.
    #[error("this service does not offer {0}")]
    FeatureOff(&'static str),
    /// The group would have more people than it may.
    #[error("the group may have {max} participants at most")]
    Crowded {
        /// The limit.
        max: usize,
    },
    /// A parameter is missing or wrong.
    #[error("{field}: {why}")]
    Invalid {
        /// The parameter.
        field: &'static str,
        /// What was expected.
        why: String,
    },
    /// Pictures of this type are not accepted.
    #[error("this type of file is not taken")]
    UnsupportedMedia,
    /// The file is larger than allowed.
    #[error("the file is larger than the {max} bytes allowed here")]
    FileTooLarge {
        /// The limit, in bytes.
        max: usize,
    },
    /// There is no such file.
    #[error("there is no such file")]
    NoSuchFile,
    /// The node is not open to the asker.
    #[error("you are not among those who may subscribe to this node")]
    ClosedNode,
    /// The asker does not subscribe to the node.
    #[error("you do not subscribe to this node")]
    NotSubscribed,
    /// The request subscribes somebody else than the asker.
    #[error("one subscribes for oneself, by one's own bare JID")]
    ForeignSubscriber,
    /// The invitation is not accepted.
    #[error("{}", .0.sentence())]
    BadInvitation(super::invitation::InvitationFault),
    /// The request is malformed.
    #[error("{0}")]
    BadRequest(String),
    /// The request is well-formed and not served here.
    #[error("{0}")]
    Unsupported(String),
    /// A command is used wrongly.
    #[error("{0}")]
    Command(CommandFault),
    /// XEP-0433 §4.2: a search is refused.
    #[error("{0}")]
    Search(SearchFault),
    /// Nothing of this kind is served at this address.
    #[error("nothing of this kind is served at this address")]
    NoSuchService,
    /// Requests of this kind come too fast.
    #[error("slow down: {what} come too fast, the next one is welcome in {wait_s} s")]
    TooFast {
        /// What comes too fast.
        what: &'static str,
        /// When the next one may come, in seconds.
        wait_s: u64,
    },
    /// XEP-0500: people wait between two messages in this channel.
    #[error("in this room people wait {every_s} s between two messages; yours is welcome in {wait_s} s")]
    SlowMode {
        /// How long people wait, in seconds.
        every_s: u64,
        /// When the next message may come, in seconds.
        wait_s: u64,
    },
    /// There is too much to do now. The asker may try again later.
    #[error("the service is busy, try again in a moment")]
    Busy,
    /// An error of the service itself.
    #[error("the service could not store this; nothing was changed")]
    Internal,
}

/// XEP-0050 §4.4: how a command is used wrongly.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CommandFault {
    /// The action is unknown.
    #[error("there is no such action: execute, next, prev, complete and cancel are known")]
    MalformedAction,
    /// The action is not possible at this stage.
    #[error("this action is not possible at this stage of the command")]
    BadAction,
    /// The form is not accepted.
    #[error("{0}")]
    BadPayload(String),
    /// The session is not one of this account with this command.
    #[error("there is no such session: begin the command anew")]
    BadSession,
    /// The session began too long ago.
    #[error("the session is over: begin the command anew")]
    SessionExpired,
}

impl Refusal {
    /// The reason as one of a few words, for counting, and what it is about, where the word does not say so.
    pub fn reason(&self) -> (&'static str, &'static str) {
        match self {
            Refusal::NoSuchChannel => ("no-such-channel", ""),
            Refusal::NameTaken => ("name-taken", ""),
            Refusal::NickTaken | Refusal::NickRegistered => ("nick-taken", ""),
            Refusal::NotJoined => ("not-joined", ""),
            Refusal::Forbidden(_) => ("forbidden", ""),
            Refusal::NotAllowed(_) => ("not-allowed", ""),
            Refusal::NoSuchNode => ("no-such-node", ""),
            Refusal::NoSuchItem => ("no-such-item", ""),
            Refusal::TooLong { what, .. } | Refusal::TooManyCharacters { what, .. } => ("too-long", what),
            Refusal::TooMany { what, .. } => ("too-many", what),
            Refusal::StillWaiting => ("still-waiting", ""),
            Refusal::NotAdmin => ("not-admin", ""),
            Refusal::FeatureOff(feature) => ("feature-off", feature),
            Refusal::Crowded { .. } => ("too-many", "participants"),
            Refusal::NoNick => ("no-nick", ""),
            Refusal::NotOccupant => ("not-joined", "room"),
            Refusal::Banned => ("banned", ""),
            Refusal::NotMember => ("not-member", ""),
            Refusal::NotRegistered => ("not-member", "registration"),
            Refusal::RoomFull => ("too-many", "occupants"),
            Refusal::Oneself => ("oneself", ""),
            Refusal::LastOwner => ("last-owner", ""),
            Refusal::BadPassword => ("bad-password", ""),
            Refusal::Locked => ("locked", ""),
            Refusal::Gone { .. } => ("gone", ""),
            Refusal::BadName => ("bad-name", ""),
            Refusal::Unacceptable { field, .. } => ("invalid", field),
            Refusal::Invalid { field, .. } => ("invalid", field),
            Refusal::UnsupportedMedia => ("unsupported-media", ""),
            Refusal::FileTooLarge { .. } => ("too-long", "the file"),
            Refusal::NoSuchFile => ("no-such-file", ""),
            Refusal::ClosedNode => ("closed-node", ""),
            Refusal::NotSubscribed => ("not-subscribed", ""),
            Refusal::ForeignSubscriber => ("foreign-subscriber", ""),
            Refusal::BadInvitation(fault) => ("bad-invitation", fault.word()),
            Refusal::BadRequest(_) => ("bad-request", ""),
            Refusal::Unsupported(_) => ("unsupported", ""),
            Refusal::Command(_) => ("bad-command", ""),
            Refusal::Search(SearchFault::TooFast { .. }) => ("too-fast", "searches"),
            Refusal::Search(_) => ("bad-search", ""),
            Refusal::NoSuchService => ("no-such-service", ""),
            Refusal::TooFast { what, .. } => ("too-fast", what),
            Refusal::SlowMode { .. } => ("too-fast", "slow mode"),
            Refusal::Busy => ("busy", ""),
            Refusal::Internal => ("internal", ""),
        }
    }

    /// groups.md §3.8: the 3-digit code, which is the `<code/>` of a stanza error and the status over HTTP.
    pub fn code(&self) -> u16 {
        match self {
            Refusal::NameTaken
            | Refusal::NickTaken
            | Refusal::NickRegistered
            | Refusal::NoSuchNode
            | Refusal::NoSuchItem
            | Refusal::TooLong { .. }
            | Refusal::TooManyCharacters { .. }
            | Refusal::TooMany { .. }
            | Refusal::Invalid { .. }
            | Refusal::Unacceptable { .. }
            | Refusal::NotSubscribed
            | Refusal::ForeignSubscriber
            | Refusal::BadRequest(_)
            | Refusal::Unsupported(_)
            | Refusal::Command(_)
            | Refusal::Search(
                SearchFault::BadOrder
                | SearchFault::BadTerms(_)
                | SearchFault::Conflict { .. }
                | SearchFault::NoConditions,
            )
            | Refusal::NoNick
            | Refusal::Oneself
            | Refusal::LastOwner
            | Refusal::BadName
            | Refusal::NotOccupant
            | Refusal::NotRegistered
            | Refusal::NoSuchService => 400,
            Refusal::NotAllowed(_) | Refusal::BadInvitation(_) | Refusal::FeatureOff(_) | Refusal::ClosedNode => 403,
            Refusal::Search(SearchFault::NotAll | SearchFault::NotAllToYou) => 403,
            Refusal::Search(SearchFault::TooFast { .. }) => 429,
            Refusal::NoSuchFile => 404,
            Refusal::UnsupportedMedia => 407,
            Refusal::FileTooLarge { .. } => 411,
            Refusal::TooFast { .. } | Refusal::SlowMode { .. } => 429,
            Refusal::Crowded { .. } | Refusal::RoomFull => 443,
            Refusal::NoSuchChannel
            | Refusal::NotJoined
            | Refusal::Forbidden(_)
            | Refusal::NotAdmin
            | Refusal::Banned
            | Refusal::BadPassword
            | Refusal::Locked
            | Refusal::Gone { .. }
            | Refusal::NotMember => 444,
            Refusal::StillWaiting => 457,
            Refusal::Busy | Refusal::Internal => 500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_apart_what_the_table_tells_apart_and_nothing_that_must_stay_hidden() {
        assert_eq!(Refusal::NoSuchChannel.code(), Refusal::NotAdmin.code());
        assert_eq!(Refusal::Crowded { max: 30 }.code(), 443);
        assert_eq!(Refusal::FileTooLarge { max: 1 }.code(), 411);
        assert_eq!(Refusal::StillWaiting.code(), 457);
        assert_eq!(Refusal::Invalid { field: "name", why: String::new() }.code(), 400);
        assert_eq!((Refusal::FeatureOff("groups").code(), Refusal::Internal.code()), (403, 500));
    }
}
