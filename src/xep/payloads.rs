//! Which payloads make a message one to archive: those that clients have to find again.
//!
//! The payloads themselves are passed on as they are.

use super::{Extension, Weight, rows};
use crate::xmpp::{Parts, ns};
use minidom::Element;

/// Bodies, files, encrypted payloads, and references to earlier messages.
pub struct Payloads;

impl Extension for Payloads {
    fn name(&self) -> &'static str {
        "RFC 6121"
    }

    fn weigh(&self, child: &Element) -> Option<Weight> {
        Some(match (child.name(), &*child.ns()) {
            ("body", ns::CLIENT) => Weight::Count,
            ("file-sharing", ns::FILE_SHARING) | ("file", ns::FILE_METADATA) | ("x", ns::OOB) => Weight::Count,
            // XEP-0297: a forwarded message counts as a new one. XEP-0407 §7: in a channel made of a 1:1 chat, it is
            // the history.
            ("forwarded", ns::FORWARD) => Weight::Count,
            // XEP-0384: without a payload it only transports keys.
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
