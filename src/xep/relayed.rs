//! Which children of a message are passed on to others. Left out are children that only a channel may send, that name a
//! hidden sender, or that repeat what is there once in each language.

use crate::xmpp::{Parts, address, ns};
use jid::BareJid;
use minidom::Element;
use std::collections::HashSet;

/// RFC 6121 §5.2.3 – §5.2.5: the children that a message has once, or once in each language. Of two in the same
/// language, clients would show different ones.
pub struct Said {
    /// The language of children that state none.
    lang: String,
    said: HashSet<(&'static str, String)>,
}

impl Said {
    /// None so far, of a message.
    pub fn of(message: &Element) -> Said {
        Said { lang: lang_of(message).unwrap_or_default(), said: HashSet::new() }
    }

    /// Whether a child is the first of its language, or no child of this sort.
    pub fn first(&mut self, child: &Element) -> bool {
        let is_in_languages = |name: &&str| child.is(*name, ns::CLIENT);
        match ["body", "subject"].into_iter().find(is_in_languages) {
            Some(name) => self.said.insert((name, lang_of(child).unwrap_or_else(|| self.lang.clone()))),
            None => !child.is("thread", ns::CLIENT) || self.said.insert(("thread", String::new())),
        }
    }
}

/// RFC 5646 §2.1.1: the language that an element states, in lower case.
fn lang_of(element: &Element) -> Option<String> {
    element.attr_ns(ns::XML, "lang").map(str::to_lowercase)
}

/// Whether a child is one that only the channel may send.
pub fn speaks_for_the_channel(child: &Element, address: &str) -> bool {
    match child.name() {
        "mix" => true,
        // The channel adds an origin id where there is none. An empty one would stand beside it.
        "origin-id" => child.has_ns(ns::SID) && child.attr("id").is_none_or(str::is_empty),
        "stanza-id" => child.has_ns(ns::SID) && child.attr("by").is_none_or(|by| same_address(by, address)),
        "delay" => child.has_ns(ns::DELAY) && child.attr("from").is_none_or(|from| same_address(from, address)),
        // XEP-0424 §4, XEP-0425 §4: only the archive sends tombstones.
        "retracted" => child.has_ns(ns::RETRACT) || child.has_ns(ns::RETRACT_0) || child.has_ns(ns::MIX_MISC),
        "apply-to" => child.has_ns(ns::FASTEN) && child.has_part("moderated", ns::MODERATE_0),
        _ => OF_THE_CHANNEL.iter().any(|ns| child.has_ns(*ns)),
    }
}

/// The namespaces that only a channel, its nodes and its archive send, and the one that says to whom a stanza goes.
const OF_THE_CHANNEL: [&str; 9] = [
    ns::GROUP,
    ns::OCCUPANT_ID,
    ns::MUC_USER,
    ns::MODERATE,
    ns::MODERATE_0,
    ns::PUBSUB_EVENT,
    ns::MAM,
    ns::ADDRESS,
    // XEP-0172: the channel says who has which nick.
    ns::NICK,
];

/// Whether a child was added on the way by a client or server, and names the sender. Where JIDs are hidden, it is left
/// out.
pub fn names_its_sender(child: &Element, account: &BareJid) -> bool {
    let is_mark = child.is("stanza-id", ns::SID) || child.is("delay", ns::DELAY) || child.is("archived", ns::MAM_TMP);
    is_mark && child.attrs().values().any(|value| same_address(value, account.as_str()))
}

/// Whether two addresses are the same after preparation.
fn same_address(stated: &str, address: &str) -> bool {
    address::jid(stated.trim()).is_ok_and(|stated| stated.to_bare().as_str() == address)
}
