//! XEP-0403: the presence of participants, as a channel passes it on.
//!
//! What goes out is what the resource said, without what only the channel may say. Of somebody whose JID is hidden only
//! that is left which tells nothing of who it is (XEP-0404 §2.4).

use super::{Extension, Service, proxy};
use crate::channel::{Channel, Member};
use crate::xmpp::{Parts, Tag, ns, write_element};
use minidom::Element;
use std::collections::HashSet;
use std::sync::Arc;

/// XEP-0403.
pub struct MixPresence;

impl Extension for MixPresence {
    fn name(&self) -> &'static str {
        "XEP-0403"
    }
}

/// What is kept of one presence, in bytes; a child that does not fit is left out.
const AVAILABILITY_BYTES_MAX: usize = 4096;
/// What is kept of one status text, in bytes.
const STATUS_BYTES_MAX: usize = 1024;

/// What a resource says of itself: the children of its presence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// All that may be passed on.
    open: Arc<str>,
    /// What may be passed on of somebody whose JID is hidden.
    veiled: Arc<str>,
}

impl Availability {
    /// Reads a presence; of what says the same thing twice, the first counts.
    pub fn of(presence: &Element) -> Availability {
        let (mut open, mut veiled, mut said) = (String::new(), String::new(), HashSet::new());
        for child in presence.parts() {
            if child.name() != "status" && !said.insert((child.name(), child.ns())) {
                continue;
            }
            let Some((text, tells_nothing)) = passed_on(child) else { continue };
            if open.len() + text.len() > AVAILABILITY_BYTES_MAX {
                continue;
            }
            open.push_str(&text);
            if tells_nothing {
                veiled.push_str(&text);
            }
        }
        let same = open == veiled;
        let open: Arc<str> = open.into();
        Availability { veiled: if same { open.clone() } else { veiled.into() }, open }
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.open.len() + self.veiled.len()
    }
}

/// A child of a presence as it is passed on, where it is, and whether it is of everybody.
fn passed_on(child: &Element) -> Option<(String, bool)> {
    let mut text = String::new();
    let child_ns = child.ns();
    let tells_nothing = match (child.name(), &*child_ns) {
        ("show", ns::CLIENT) if !matches!(child.text().trim(), "away" | "chat" | "dnd" | "xa") => return None,
        ("priority", ns::CLIENT) if child.text().trim().parse::<i8>().is_err() => return None,
        ("status", ns::CLIENT) => {
            let status = child.text();
            let end = (0..=STATUS_BYTES_MAX.min(status.len())).rev().find(|&at| status.is_char_boundary(at));
            let lang = child.attr_ns(ns::XML, "lang");
            let cut = Tag::new("status").attr_opt("xml:lang", lang).text(&status[..end.unwrap_or(0)]);
            return Some((cut.into_xml(), true));
        }
        ("show" | "priority", ns::CLIENT) | ("c", ns::CAPS) | ("idle", ns::IDLE) => true,
        (_, ns::CLIENT | ns::OCCUPANT_ID | ns::SID | ns::DELAY | ns::NICK | "jabber:x:delay") => return None,
        (_, other) if other.starts_with("urn:xmpp:mix:") || other.starts_with(ns::MUC) => return None,
        _ => false,
    };
    write_element(child, ns::CLIENT, &mut text);
    Some((text, tells_nothing))
}

/// The presence of one resource as subscribers know it: where it comes from, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// `ID#channel@service/resource`, where the resource stands for the real one or is it (XEP-0403 §3.2).
    from: String,
    mix: String,
    says: String,
}

impl Shared {
    /// What a channel shows of a participant's resource.
    pub fn of(member: &Member, resource: &str, says: &Availability, channel: &Channel, service: &Service) -> Shared {
        let jid = member.shown_jid(channel.settings().visibility);
        let from = proxy::address(service, channel, member, Some(resource));
        let mix = Tag::in_ns("mix", ns::MIX_PRESENCE)
            .child_opt(jid.map(|jid| Tag::new("jid").text(format!("{jid}/{resource}"))))
            .child(Tag::new("nick").text(member.nick.as_str()));
        let says = if jid.is_some() { &says.open } else { &says.veiled };
        Shared { from, mix: mix.into_xml(), says: says.to_string() }
    }

    /// The address that it comes from.
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Whether it comes from the same address as another one.
    pub fn is_from_same(&self, other: &Shared) -> bool {
        self.from == other.from
    }

    /// The stanza that tells of it, without `to`.
    pub fn available(&self, id: &str) -> Tag {
        Tag::new("presence").attr("from", &self.from).attr("id", id).raw(&self.mix).raw(&self.says)
    }

    /// The stanza that tells that it is no more, without `to`.
    pub fn unavailable(&self, id: &str) -> Tag {
        Tag::new("presence").attr("from", &self.from).attr("id", id).attr("type", "unavailable").raw(&self.mix)
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.from.len() + self.mix.len() + self.says.len()
    }
}

/// A presence without content from a channel to an account: a probe, or an answer to a subscription (RFC 6121 §3, §4.3).
pub fn bare(kind: &str, from: &str, to: &str) -> Tag {
    Tag::new("presence").attr("type", kind).attr("from", from).attr("to", to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(children: &str) -> Availability {
        Availability::of(&format!("<presence xmlns='jabber:client'>{children}</presence>").parse().unwrap())
    }

    #[test]
    fn what_only_the_channel_may_say_is_not_passed_on() {
        for forged in [
            "<mix xmlns='urn:xmpp:mix:presence:0'><nick>x</nick></mix>",
            "<mix xmlns='urn:xmpp:mix:core:1'/>",
            "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x>",
            "<x xmlns='http://jabber.org/protocol/muc'/>",
            "<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>",
            "<nick xmlns='http://jabber.org/protocol/nick'>somebody else</nick>",
            "<delay xmlns='urn:xmpp:delay' from='a@h/r' stamp='2002-09-10T23:41:07Z'/>",
            "<show>online</show>",
            "<priority>200</priority>",
            "<error type='cancel'/>",
        ] {
            assert_eq!(&*read(forged).open, "", "{forged}");
        }
    }

    #[test]
    fn a_hidden_person_shows_nothing_that_tells_who_it_is() {
        let photo = "<x xmlns='vcard-temp:x:update'><photo>abc</photo></x>";
        let caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>";
        let both = read(&format!("<show>dnd</show>{photo}<status xml:lang='en'>Brew</status>{caps}"));
        let rest = format!("<show>dnd</show><status xml:lang='en'>Brew</status>{caps}");
        assert_eq!((both.open.contains(photo), &*both.veiled), (true, &*rest));
    }

    #[test]
    fn a_presence_has_a_limit() {
        let long = read(&format!("<status>{}</status>", "ä".repeat(5000)));
        assert_eq!(long.open.len(), STATUS_BYTES_MAX + "<status></status>".len());
        let many = read(&format!("{}<show>away</show>", "<status>x</status>".repeat(5000)));
        assert!(many.open.len() <= AVAILABILITY_BYTES_MAX);
        assert_eq!(&*read("<show>away</show><show>dnd</show>").open, "<show>away</show>");
        let twice = read("<x xmlns='a'/><x xmlns='b'/><x xmlns='a'/>");
        assert_eq!(&*twice.open, "<x xmlns='a'/><x xmlns='b'/>");
    }
}
