//! Which children of a message go on to others: none that only the channel may say, that tells who a hidden sender is, or
//! that says anew what was said.

use crate::xmpp::{Parts, address, ns};
use jid::BareJid;
use minidom::Element;
use std::collections::HashSet;

/// What a message says once in each language, and in all (RFC 6121 §5.2.3 – §5.2.5): where it says it twice, clients
/// would show different ones.
pub struct Said {
    /// The language of what states none.
    lang: String,
    said: HashSet<(&'static str, String)>,
}

impl Said {
    /// Nothing yet, of a message.
    pub fn of(message: &Element) -> Said {
        Said { lang: lang_of(message).unwrap_or_default(), said: HashSet::new() }
    }

    /// Whether a child is none of those, or the first one of its language.
    pub fn first(&mut self, child: &Element) -> bool {
        let is_in_languages = |name: &&str| child.is(*name, ns::CLIENT);
        match ["body", "subject"].into_iter().find(is_in_languages) {
            Some(name) => self.said.insert((name, lang_of(child).unwrap_or_else(|| self.lang.clone()))),
            None => !child.is("thread", ns::CLIENT) || self.said.insert(("thread", String::new())),
        }
    }
}

/// The language that an element states, as it is compared (RFC 5646 §2.1.1).
fn lang_of(element: &Element) -> Option<String> {
    element.attr_ns(ns::XML, "lang").map(str::to_lowercase)
}

/// What only the channel may say (protocol reading 6): nobody else speaks for it.
pub fn speaks_for_the_channel(child: &Element, address: &str) -> bool {
    match child.name() {
        "mix" => true,
        // An empty id would stand beside the one that the channel adds.
        "origin-id" => child.has_ns(ns::SID) && child.attr("id").is_none_or(str::is_empty),
        "stanza-id" => child.has_ns(ns::SID) && child.attr("by").is_none_or(|by| same_address(by, address)),
        "delay" => child.has_ns(ns::DELAY) && child.attr("from").is_none_or(|from| same_address(from, address)),
        // What is left of a message, and what a moderator did, the archive says (XEP-0424 §4, XEP-0425 §4.1).
        "retracted" => child.has_ns(ns::RETRACT) || child.has_ns(ns::RETRACT_0) || child.has_ns(ns::MIX_MISC),
        "apply-to" => child.has_ns(ns::FASTEN) && child.has_part("moderated", ns::MODERATE_0),
        _ => OF_THE_CHANNEL.iter().any(|ns| child.has_ns(*ns)),
    }
}

/// What nobody but a channel, its nodes and its archive says, and whom a stanza goes to.
const OF_THE_CHANNEL: [&str; 9] = [
    ns::GROUP,
    ns::OCCUPANT_ID,
    ns::MUC_USER,
    ns::MODERATE,
    ns::MODERATE_0,
    ns::PUBSUB_EVENT,
    ns::MAM,
    ns::ADDRESS,
    // By which name somebody goes here (XEP-0172).
    ns::NICK,
];

/// Whether a child is the mark of a client or server that a message passed on its way, and names its sender: nothing that
/// anybody wrote, so that where JIDs are hidden it goes no further.
pub fn names_its_sender(child: &Element, account: &BareJid) -> bool {
    let is_mark = child.is("stanza-id", ns::SID) || child.is("delay", ns::DELAY) || child.is("archived", ns::MAM_TMP);
    is_mark && child.attrs().values().any(|value| same_address(value, account.as_str()))
}

/// Whether two addresses are the same one, however they are spelled.
fn same_address(stated: &str, address: &str) -> bool {
    address::jid(stated.trim()).is_ok_and(|stated| stated.to_bare().as_str() == address)
}
