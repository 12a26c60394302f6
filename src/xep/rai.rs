//! XEP-0437: clients are told of rooms in which something is said while they are not there.

use super::{Extension, Scope};
use crate::xmpp::{Parts, Stanza, Tag, ns};

/// XEP-0437.
pub struct ActivityIndicators;

impl Extension for ActivityIndicators {
    fn name(&self) -> &'static str {
        "XEP-0437"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Service => &[ns::RAI],
            // A room says it with its other features, and a channel that is asked for alone does not.
            Scope::Channel => &[],
        }
    }
}

/// Whether presence to the service asks to be told of activity.
pub fn is_wanted(stanza: &Stanza) -> bool {
    stanza.element.has_part("rai", ns::RAI)
}

/// XEP-0437 §3.1: something was said in these rooms, which are named by their addresses. A client that is gone has no use for
/// it later.
pub fn indicator<'a>(service: &str, id: &str, rooms: impl IntoIterator<Item = &'a str>) -> Tag {
    let activity = rooms.into_iter().map(|room| Tag::new("activity").text(room));
    Tag::new("message")
        .attr("from", service)
        .attr("id", id)
        .child(Tag::in_ns("rai", ns::RAI).children(activity))
        .child(Tag::in_ns("no-store", ns::HINTS))
}

/// What such presence has.
pub fn wish() -> Tag {
    Tag::in_ns("rai", ns::RAI)
}
