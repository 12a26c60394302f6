//! The stanza error of each refusal.

use crate::channel::search::SearchFault;
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
            Refusal::Search(fault) => match fault {
                SearchFault::BadOrder => FeatureNotImplemented,
                SearchFault::BadTerms(_) | SearchFault::Conflict { .. } | SearchFault::NoConditions => BadRequest,
                SearchFault::NotAll => NotAllowed,
                SearchFault::NotAllToYou => Forbidden,
                SearchFault::TooFast { .. } => ResourceConstraint,
            },
            Refusal::NoSuchService => ServiceUnavailable,
            Refusal::Internal => InternalServerError,
        };
        // XEP-0433 §4.2: these types are not those that the conditions mostly have.
        let type_ = match refusal {
            Refusal::Search(SearchFault::BadOrder) => Some("modify"),
            Refusal::Search(SearchFault::NoConditions) => Some("cancel"),
            _ => None,
        };
        let (text, address) = (refusal.to_string(), address(refusal));
        StanzaError { condition, type_, text, address, specific: specific(refusal), code: code(refusal) }
    }
}

/// RFC 6120 §8.3.3.5: where what is gone can be found.
fn address(refusal: &Refusal) -> Option<String> {
    let Refusal::Gone { venue: Some(venue), .. } = refusal else { return None };
    Some(address::join_iri(venue))
}

/// groups.md §3.8: the application-specific condition.
fn specific(refusal: &Refusal) -> Option<Specific> {
    let of = |ns, name, attr| Some(Specific { name, ns, attr, children: ("", &[]) });
    let of_groups = |name, attr| of(ns::GROUP, name, attr);
    let of_pubsub = |name| of(ns::PUBSUB_ERRORS, name, None);
    let of_commands = |name| of(ns::COMMANDS, name, None);
    match refusal {
        Refusal::Command(fault) => of_commands(match fault {
            CommandFault::MalformedAction => "malformed-action",
            CommandFault::BadAction => "bad-action",
            CommandFault::BadPayload(_) => "bad-payload",
            CommandFault::BadSession => "bad-sessionid",
            CommandFault::SessionExpired => "session-expired",
        }),
        Refusal::Search(fault) => of_search(fault),
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

/// XEP-0433 §4.2: what is wrong with a search.
fn of_search(fault: &SearchFault) -> Option<Specific> {
    let (name, attr, fields): (_, _, &'static [&'static str]) = match fault {
        SearchFault::BadOrder => ("invalid-sort-key", None, &[]),
        SearchFault::BadTerms(_) => ("invalid-search-terms", None, &[]),
        SearchFault::Conflict { fields, .. } => ("conflicting-fields", None, *fields),
        SearchFault::NoConditions => ("no-search-conditions", None, &[]),
        SearchFault::NotAll | SearchFault::NotAllToYou => ("full-set-retrieval-rejected", None, &[]),
        SearchFault::TooFast { wait_s } => ("rate-limit", Some(("retry-after", wait_s.to_string())), &[]),
    };
    Some(Specific { name, ns: ns::SEARCH_ERROR, attr, children: ("var", fields) })
}

/// groups.md §3.8: the code. Refusals outside that table have none.
fn code(refusal: &Refusal) -> Option<u16> {
    let is_in_table = match refusal {
        Refusal::NoSuchChannel | Refusal::NoSuchFile | Refusal::Internal => true,
        other => specific(other).is_some_and(|specific| specific.ns == ns::GROUP),
    };
    is_in_table.then(|| refusal.code())
}
