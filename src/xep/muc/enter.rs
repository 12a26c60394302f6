//! XEP-0045 §7.2: what a client enters a room with.

use super::history::HistoryWish;
use crate::channel::room::HISTORY_ROWS_MAX;
use crate::channel::{Channel, Password};
use crate::xmpp::{Kind, Parts, Stanza, ns};

/// What the `<x/>` of an entry says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// XEP-0045 §7.2.6: the password.
    pub password: Option<Password>,
    /// XEP-0045 §7.2.14: what it wants to be sent of what was said before.
    pub history: HistoryWish,
}

impl Entry {
    /// The entry, with no more of what was said before than the room gives.
    pub fn within(self, channel: &Channel) -> Entry {
        let max = channel.settings().room.history_max.unwrap_or(HISTORY_ROWS_MAX);
        Entry { history: self.history.within(max), ..self }
    }
}

/// Whether a stanza is presence of a client that enters.
pub fn is_entry(presence: &Stanza) -> bool {
    presence.kind == Kind::Presence && presence.type_.is_empty() && presence.element.has_part("x", ns::MUC)
}

/// Reads the presence of a client that enters; `None` where it does not enter.
pub fn entry(presence: &Stanza) -> Option<Entry> {
    if presence.kind != Kind::Presence || !presence.type_.is_empty() {
        return None;
    }
    let x = presence.element.part("x", ns::MUC)?;
    let password = x.part("password", ns::MUC).map(|it| Password::new(it.text()));
    Some(Entry { password, history: HistoryWish::of(x) })
}
