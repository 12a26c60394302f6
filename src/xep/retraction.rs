//! XEP-0424: messages that their authors retract, and their tombstones.

use super::{Extension, Scope};

/// XEP-0424.
pub struct Retraction;

impl Extension for Retraction {
    fn name(&self) -> &'static str {
        "XEP-0424"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Channel => &["urn:xmpp:message-retract:1", "urn:xmpp:message-retract:1#tombstone"],
            Scope::Service => &[],
        }
    }
}
