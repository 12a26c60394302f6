//! XEP-0045 §7.2: what a client enters a room with.

use super::history::HistoryWish;
use crate::xmpp::{Kind, Parts, Stanza, ns};

/// What the `<x/>` of an entry says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// XEP-0045 §7.2.6: the password.
    pub password: Option<String>,
    /// XEP-0045 §7.2.14: what it wants to be sent of what was said before.
    pub history: HistoryWish,
}

/// Reads the presence of a client that enters; `None` where it does not enter.
pub fn entry(presence: &Stanza) -> Option<Entry> {
    if presence.kind != Kind::Presence || !presence.type_.is_empty() {
        return None;
    }
    let x = presence.element.part("x", ns::MUC)?;
    let password = x.part("password", ns::MUC).map(minidom::Element::text);
    Some(Entry { password, history: HistoryWish::of(x) })
}
