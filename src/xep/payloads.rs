//! Which payloads of a message are kept: those that clients must find again (protocol reading 7).
//!
//! The payloads themselves are relayed untouched.

use super::{Extension, Weight, rows};
use crate::xmpp::{Parts, ns};
use minidom::Element;

/// Bodies, files, encrypted payloads, and what refers to earlier messages.
pub struct Payloads;

impl Extension for Payloads {
    fn name(&self) -> &'static str {
        "RFC 6121"
    }

    fn weigh(&self, child: &Element) -> Option<Weight> {
        Some(match (child.name(), &*child.ns()) {
            ("body", ns::CLIENT) => Weight::Count,
            ("file-sharing", ns::FILE_SHARING) | ("file", ns::FILE_METADATA) | ("x", ns::OOB) => Weight::Count,
            // XEP-0297: whoever forwards a message says it again; to a channel of one it is history (XEP-0407 §7).
            ("forwarded", ns::FORWARD) => Weight::Count,
            // XEP-0384: what has no payload hands over keys, and nobody reads it.
            ("encrypted", ns::OMEMO | ns::OMEMO_LEGACY) if !child.parts().any(|part| part.name() == "payload") => {
                Weight::Keep
            }
            ("encrypted", ns::OMEMO | ns::OMEMO_LEGACY) | ("openpgp", ns::OPENPGP) => Weight::Count,
            ("subject", ns::CLIENT) => Weight::Keep,
            ("reactions", ns::REACTIONS) | ("replace", ns::CORRECT) => Weight::Keep,
            _ if rows::is_retraction(child) => Weight::Keep,
            _ => return None,
        })
    }
}
