//! The stanza error of each refusal.

use crate::channel::{CommandFault, Refusal};
use crate::xmpp::error::Specific;
use crate::xmpp::{Condition, StanzaError, address, ns};

impl From<&Refusal> for StanzaError {
    fn from(refusal: &Refusal) -> StanzaError {
        use Condition::*;
        let condition = match refusal {
            Refusal::NoSuchChannel | Refusal::NoSuchNode | Refusal::NoSuchItem => ItemNotFound,
            Refusal::NameTaken | Refusal::NickTaken | Refusal::NickRegistered => Conflict,
            Refusal::Oneself | Refusal::LastOwner => Conflict,
            Refusal::NotJoined | Refusal::Forbidden(_) => Forbidden,
            Refusal::NotAllowed(_) | Refusal::ClosedNode | Refusal::BadInvitation(_) => NotAllowed,
            Refusal::NotSubscribed => UnexpectedRequest,
            Refusal::TooMany { what: "guests", .. } => PolicyViolation,
            Refusal::TooLong { .. } | Refusal::TooManyCharacters { .. } => NotAcceptable,
            Refusal::TooMany { .. } | Refusal::TooFast { .. } | Refusal::Busy => ResourceConstraint,
            Refusal::SlowMode { .. } => PolicyViolationForNow,
            Refusal::BadRequest(_) | Refusal::Invalid { .. } | Refusal::ForeignSubscriber => BadRequest,
            Refusal::StillWaiting => RegistrationRequired,
            Refusal::NotAdmin | Refusal::Banned => Forbidden,
            Refusal::NotMember | Refusal::NotRegistered => RegistrationRequired,
            Refusal::NoNick | Refusal::BadName => JidMalformed,
            Refusal::NotOccupant => NotAcceptable,
            Refusal::RoomFull => ServiceUnavailable,
            Refusal::BadPassword => NotAuthorized,
            Refusal::Locked => ItemNotFound,
            Refusal::Gone { .. } => Gone,
            Refusal::Unacceptable { .. } => NotAcceptable,
            Refusal::FeatureOff(_) => NotAllowed,
            Refusal::Crowded { .. } => ResourceConstraint,
            Refusal::UnsupportedMedia => NotAcceptable,
            Refusal::FileTooLarge { .. } => PolicyViolation,
            Refusal::NoSuchFile => ItemNotFound,
            Refusal::Unsupported(_) => FeatureNotImplemented,
            Refusal::Command(CommandFault::SessionExpired) => NotAllowed,
            Refusal::Command(_) => BadRequest,
            Refusal::NoSuchService => ServiceUnavailable,
            Refusal::Internal => InternalServerError,
        };
        let (text, address) = (refusal.to_string(), address(refusal));
        StanzaError { condition, text, address, specific: specific(refusal), code: code(refusal) }
    }
}

/// RFC 6120 §8.3.3.5: where what is gone can be found.
fn address(refusal: &Refusal) -> Option<String> {
    let Refusal::Gone { venue: Some(venue), .. } = refusal else { return None };
    Some(address::join_iri(venue))
}

/// groups.md §3.8: the application-specific condition.
fn specific(refusal: &Refusal) -> Option<Specific> {
    let of_groups = |name, attr| Some(Specific { name, ns: ns::GROUP, attr });
    let of_pubsub = |name| Some(Specific { name, ns: ns::PUBSUB_ERRORS, attr: None });
    let of_commands = |name| Some(Specific { name, ns: ns::COMMANDS, attr: None });
    match refusal {
        Refusal::Command(fault) => of_commands(match fault {
            CommandFault::MalformedAction => "malformed-action",
            CommandFault::BadAction => "bad-action",
            CommandFault::BadPayload(_) => "bad-payload",
            CommandFault::BadSession => "bad-sessionid",
            CommandFault::SessionExpired => "session-expired",
        }),
        Refusal::TooLong { what: "the item", .. } => of_pubsub("payload-too-big"),
        Refusal::ClosedNode => of_pubsub("closed-node"),
        Refusal::NotSubscribed => of_pubsub("not-subscribed"),
        Refusal::ForeignSubscriber => of_pubsub("invalid-jid"),
        Refusal::TooMany { what: "guests", .. } => of_pubsub("too-many-subscriptions"),
        Refusal::Invalid { field, .. } => of_groups("invalid", Some(("field", (*field).to_owned()))),
        Refusal::TooManyCharacters { .. } => of_groups("invalid", Some(("field", "name".to_owned()))),
        Refusal::FeatureOff(feature) => of_groups("feature-off", Some(("feature", (*feature).to_owned()))),
        Refusal::UnsupportedMedia => of_groups("unsupported-media-type", None),
        Refusal::FileTooLarge { max } => of_groups("file-too-large", Some(("max", max.to_string()))),
        Refusal::Crowded { max } => of_groups("too-many-participants", Some(("max", max.to_string()))),
        Refusal::BadInvitation(fault) => of_groups("bad-invitation", Some(("reason", fault.word().to_owned()))),
        Refusal::NotAdmin => of_groups("not-admin", None),
        Refusal::StillWaiting => of_groups("not-joined", None),
        _ => None,
    }
}

/// groups.md §3.8: the code. Refusals outside that table have none.
fn code(refusal: &Refusal) -> Option<u16> {
    let is_in_table = match refusal {
        Refusal::NoSuchChannel | Refusal::NoSuchFile | Refusal::Internal => true,
        other => specific(other).is_some_and(|specific| specific.ns == ns::GROUP),
    };
    is_in_table.then(|| refusal.code())
}
