//! Stanza errors (RFC 6120 §8.3).

use super::{Tag, ns};

/// The longest text of an error, in characters.
const TEXT_CHARS_MAX: usize = 300;

/// The defined conditions that the service uses, with the error types of RFC 6120 §8.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Condition {
    BadRequest,
    Conflict,
    FeatureNotImplemented,
    Forbidden,
    Gone,
    InternalServerError,
    ItemNotFound,
    JidMalformed,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    PolicyViolation,
    /// It may pass, unlike what its name says of itself.
    PolicyViolationForNow,
    RegistrationRequired,
    RemoteServerTimeout,
    ResourceConstraint,
    ServiceUnavailable,
    UnexpectedRequest,
}

impl Condition {
    /// All of them.
    pub const ALL: [Condition; 18] = {
        use Condition::*;
        [
            BadRequest,
            Conflict,
            FeatureNotImplemented,
            Forbidden,
            Gone,
            InternalServerError,
            ItemNotFound,
            JidMalformed,
            NotAcceptable,
            NotAllowed,
            NotAuthorized,
            PolicyViolation,
            PolicyViolationForNow,
            RegistrationRequired,
            RemoteServerTimeout,
            ResourceConstraint,
            ServiceUnavailable,
            UnexpectedRequest,
        ]
    };

    /// The element name and the error type of the condition.
    pub fn spelling(self) -> (&'static str, &'static str) {
        use Condition::*;
        match self {
            BadRequest => ("bad-request", "modify"),
            Conflict => ("conflict", "cancel"),
            FeatureNotImplemented => ("feature-not-implemented", "cancel"),
            Forbidden => ("forbidden", "auth"),
            Gone => ("gone", "cancel"),
            InternalServerError => ("internal-server-error", "wait"),
            ItemNotFound => ("item-not-found", "cancel"),
            JidMalformed => ("jid-malformed", "modify"),
            NotAcceptable => ("not-acceptable", "modify"),
            NotAllowed => ("not-allowed", "cancel"),
            NotAuthorized => ("not-authorized", "auth"),
            PolicyViolation => ("policy-violation", "modify"),
            PolicyViolationForNow => ("policy-violation", "wait"),
            RegistrationRequired => ("registration-required", "auth"),
            RemoteServerTimeout => ("remote-server-timeout", "wait"),
            ResourceConstraint => ("resource-constraint", "wait"),
            ServiceUnavailable => ("service-unavailable", "cancel"),
            UnexpectedRequest => ("unexpected-request", "modify"),
        }
    }
}

/// Conditions with their types that the service passes on but never causes itself.
const FOREIGN: [(&str, &str); 7] = [
    ("gone", "cancel"),
    ("recipient-unavailable", "wait"),
    ("redirect", "modify"),
    ("remote-server-not-found", "cancel"),
    ("subscription-required", "auth"),
    ("undefined-condition", "cancel"),
    ("payment-required", "auth"),
];

/// The `<error/>` of a condition that somebody else stated, without its text and other children. A condition that RFC
/// 6120 §8.3.3 does not define becomes `<undefined-condition/>`.
pub fn restated(condition: &str) -> Tag {
    let own = Condition::ALL.into_iter().map(Condition::spelling);
    let mut known = own.chain(FOREIGN);
    let (name, error_type) = known.find(|(name, _)| *name == condition).unwrap_or(("undefined-condition", "cancel"));
    Tag::new("error").attr("type", error_type).child(Tag::in_ns(name, ns::STANZAS))
}

/// A stanza error to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StanzaError {
    /// The defined condition.
    pub condition: Condition,
    /// The error type, where it is another than the condition mostly has (RFC 6120 §8.3.2).
    pub type_: Option<&'static str>,
    /// The text for people.
    pub text: String,
    /// Where what was asked for is since (RFC 6120 §8.3.3.5).
    pub address: Option<String>,
    /// An application-specific condition (RFC 6120 §8.3.4).
    pub specific: Option<Specific>,
    /// The 3-digit code of the service's own table. It is written as an element of the service's own namespace.
    pub code: Option<u16>,
}

/// An application-specific condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Specific {
    /// The element name.
    pub name: &'static str,
    /// The namespace.
    pub ns: &'static str,
    /// An attribute that tells more: its name and value.
    pub attr: Option<(&'static str, String)>,
    /// Children that tell more: their name, and the text of each.
    pub children: (&'static str, &'static [&'static str]),
}

impl StanzaError {
    /// An error with a sentence that says what was wrong.
    pub fn new(condition: Condition, text: impl Into<String>) -> StanzaError {
        StanzaError { condition, type_: None, text: text.into(), address: None, specific: None, code: None }
    }

    /// The `<error/>` element.
    pub fn to_tag(&self) -> Tag {
        self.to_tag_of_type(self.type_.unwrap_or(self.condition.spelling().1))
    }

    /// The same, of another type than the condition mostly has (RFC 6120 §8.3.2).
    pub fn to_tag_of_type(&self, error_type: &str) -> Tag {
        let (name, _) = self.condition.spelling();
        let condition = Tag::in_ns(name, ns::STANZAS);
        let condition = match &self.address {
            Some(address) => condition.text(address),
            None => condition,
        };
        // The text may quote what a peer sent, which may be long.
        let text: String = self.text.chars().take(TEXT_CHARS_MAX).collect();
        let text = (!text.is_empty()).then(|| Tag::in_ns("text", ns::STANZAS).text(&text));
        Tag::new("error")
            .attr("type", error_type)
            .child(condition)
            .child_opt(text)
            .child_opt(self.specific.as_ref().map(|specific| {
                let (name, value) = specific.attr.as_ref().map_or(("", None), |(name, value)| (*name, Some(value)));
                let (child, texts) = specific.children;
                let children = texts.iter().map(|text| Tag::new(child).text(text));
                Tag::in_ns(specific.name, specific.ns).attr_opt(name, value).children(children)
            }))
            .child_opt(self.code.map(|code| Tag::in_ns("code", ns::GROUP).text(code.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_one_that_the_stanza_crate_knows() {
        for condition in Condition::ALL {
            let xml = StanzaError::new(condition, "why").to_tag().attr("xmlns", ns::COMPONENT).into_xml();
            let element: minidom::Element = xml.parse().unwrap();
            xmpp_parsers::stanza_error::StanzaError::try_from(element).unwrap();
        }
    }
}
