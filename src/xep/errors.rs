//! From refusals to stanza errors: the one table.

use crate::channel::Refusal;
use crate::xmpp::{Condition, StanzaError, ns};

impl From<&Refusal> for StanzaError {
    fn from(refusal: &Refusal) -> StanzaError {
        use Condition::*;
        let condition = match refusal {
            Refusal::NoSuchChannel | Refusal::NoSuchNode | Refusal::NoSuchItem => ItemNotFound,
            Refusal::NameTaken | Refusal::NickTaken => Conflict,
            Refusal::NotJoined | Refusal::Forbidden(_) => Forbidden,
            Refusal::NotAllowed(_) => NotAllowed,
            Refusal::TooLong { .. } | Refusal::TooManyCharacters { .. } => NotAcceptable,
            Refusal::TooMany { .. } | Refusal::Busy => ResourceConstraint,
            Refusal::BadRequest(_) | Refusal::Invalid { .. } => BadRequest,
            Refusal::StillWaiting => RegistrationRequired,
            Refusal::NotAdmin => Forbidden,
            Refusal::FeatureOff(_) => NotAllowed,
            Refusal::Crowded { .. } => ResourceConstraint,
            Refusal::UnsupportedMedia => NotAcceptable,
            Refusal::FileTooLarge { .. } => PolicyViolation,
            Refusal::NoSuchFile => ItemNotFound,
            Refusal::Unsupported(_) => FeatureNotImplemented,
            Refusal::NoSuchService => ServiceUnavailable,
            Refusal::Internal => InternalServerError,
        };
        let specific = matches!(refusal, Refusal::TooLong { what: "the item", .. })
            .then_some(("payload-too-big", ns::PUBSUB_ERRORS));
        StanzaError { condition, text: refusal.to_string(), specific }
    }
}
