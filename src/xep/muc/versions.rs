//! XEP-0463: how versions of affiliations are asked for and told.

use super::names::affiliation_name;
use crate::channel::{Affiliation, Lists};
use crate::xep::Sealer;
use crate::xmpp::{Parts, Stanza, StanzaError, Tag, ns};
use jid::BareJid;

/// The most bytes of one message. A longer answer is several.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// The longest text that is looked at for a version.
const VERSION_BYTES: usize = 32;

/// What a client that enters has of affiliations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionWish {
    /// Nothing: it wants all.
    All,
    /// A version, as the client wrote it. Anything that none was given out as counts as unknown.
    Since(String),
}

/// What the presence of a client that enters asks for.
pub fn wish(presence: &Stanza) -> Option<VersionWish> {
    let mav = presence.element.part("x", ns::MUC)?.part("mav", ns::MUC_VERSIONS)?;
    let since = mav.attr("since").map(|since| if since.len() == VERSION_BYTES { since } else { "" });
    Some(since.map_or(VersionWish::All, |since| VersionWish::Since(since.to_owned())))
}

/// A version as a client is told it: its own, so that it says nothing to others, and nothing of how much changed.
#[derive(Clone, Copy)]
pub struct Spelling<'a> {
    /// What seals it.
    pub sealer: &'a Sealer,
    /// The channel's tag.
    pub tag: u64,
    /// Whose version it is.
    pub account: &'a BareJid,
    /// Of which lists.
    pub lists: Lists,
}

impl Spelling<'_> {
    /// The text of a version.
    pub fn write(&self, version: u64) -> String {
        self.sealer.version((self.tag, self.account, self.lists as u8), version)
    }

    /// The version of a text; `None` if it is none of this account.
    pub fn read(&self, text: &str) -> Option<u64> {
        self.sealer.open_version((self.tag, self.account, self.lists as u8), text)
    }
}

/// What says which version a stanza leads to, and from which.
pub fn mav(since: Option<&str>, until: &str) -> Tag {
    Tag::in_ns("mav", ns::MUC_VERSIONS).attr_opt("since", since).attr("until", until)
}

/// Affiliations as messages, each of them short enough. `since`: they are changes of that version, else all there are. Parts of
/// an answer lead from one to the next by versions that are known to nobody afterwards.
pub fn messages(
    room: &str,
    ids: &mut dyn FnMut() -> String,
    (since, until): (Option<String>, String),
    affiliations: &[(BareJid, Affiliation)],
) -> Vec<Tag> {
    let (mut parts, mut bytes) = (vec![Vec::new()], 0);
    for (jid, affiliation) in affiliations {
        let item = Tag::new("item").attr("affiliation", affiliation_name(*affiliation)).attr("jid", jid.as_str());
        bytes += jid.as_str().len() + 64;
        if bytes > MESSAGE_BYTES_MAX {
            bytes = 0;
            parts.push(Vec::new());
        }
        parts.last_mut().into_iter().for_each(|part| part.push(item.clone()));
    }
    let (count, mut before) = (parts.len(), since);
    let mut messages = Vec::with_capacity(count);
    for (n, items) in parts.into_iter().enumerate() {
        let id = ids();
        let until = if n + 1 == count { until.clone() } else { id.clone() };
        let x = Tag::in_ns("x", ns::MUC_USER).child(mav(before.as_deref(), &until)).children(items);
        messages.push(Tag::new("message").attr("from", room).attr("id", id).child(x));
        before = Some(until);
    }
    messages
}

/// XEP-0463 §3.4: the answer to whoever may not read the lists.
pub fn refusal(presence: &Stanza, room: &str, error: &StanzaError) -> Tag {
    Tag::new("message")
        .attr("type", "error")
        .attr_opt("id", presence.id.as_deref())
        .attr("from", room)
        .child(error.to_tag().attr("by", room))
}
