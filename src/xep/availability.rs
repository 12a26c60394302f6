//! RFC 6121 §4.7: the children of a presence, and what a channel shows of them. Each face renders them.

use crate::channel::{Channel, Member, ParticipantId};
use crate::xep::{Service, proxy};
use crate::xmpp::{Parts, Tag, ns, write_element};
use jid::BareJid;
use minidom::Element;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

/// The most bytes kept of a presence. A child that does not fit is left out.
const AVAILABILITY_BYTES_MAX: usize = 4096;
/// The most bytes of a status text.
const STATUS_BYTES_MAX: usize = 1024;

/// The children of an `available` presence, in order, without those that only a channel may add.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SavedAvailability", into = "SavedAvailability")]
pub struct Availability(Option<Arc<Said>>);

/// A presence that says something. A client's sessions share it, since most clients say the same in all rooms.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    children: Arc<str>,
    /// The children that may identify the sender, as byte ranges.
    naming: Box<[(u16, u16)]>,
    /// RFC 6121 §4.7.2.3.
    priority: i8,
}

/// An availability as one process hands it to the next: its fields, in order.
type SavedAvailability = (String, Vec<(u16, u16)>, i8);

impl From<Availability> for SavedAvailability {
    fn from(says: Availability) -> SavedAvailability {
        match says.0 {
            Some(said) => (said.children.to_string(), said.naming.to_vec(), said.priority),
            None => SavedAvailability::default(),
        }
    }
}

impl TryFrom<SavedAvailability> for Availability {
    type Error = &'static str;

    fn try_from((children, naming, priority): SavedAvailability) -> Result<Availability, &'static str> {
        let mut at = 0;
        for (from, to) in naming.iter().map(|(from, to)| (usize::from(*from), usize::from(*to))) {
            if from < at || to < from || children.get(from..to).is_none() {
                return Err("a part of a presence lies outside of it");
            }
            at = to;
        }
        match children.len() <= AVAILABILITY_BYTES_MAX {
            true => Ok(Availability::saying(children, naming, priority)),
            false => Err("a presence is longer than any that is kept"),
        }
    }
}

impl Availability {
    /// Reads a presence. Of children with the same name and namespace, except `status`, the first counts.
    pub fn of(presence: &Element) -> Availability {
        let (mut children, mut naming, mut said) = (String::new(), Vec::new(), HashSet::new());
        for child in presence.parts() {
            if child.name() != "status" && !said.insert((child.name(), child.ns())) {
                continue;
            }
            let Some((text, tells_nothing)) = passed_on(child) else { continue };
            let (begin, end) = (children.len(), children.len() + text.len());
            let (Ok(from), Ok(to)) = (u16::try_from(begin), u16::try_from(end)) else { continue };
            if end > AVAILABILITY_BYTES_MAX {
                continue;
            }
            children.push_str(&text);
            if !tells_nothing {
                naming.push((from, to));
            }
        }
        // One that is no number is not passed on, either.
        let priority = presence.part("priority", ns::CLIENT).and_then(|it| it.text().trim().parse().ok());
        Availability::saying(children, naming, priority.unwrap_or(0))
    }

    fn saying(children: String, naming: Vec<(u16, u16)>, priority: i8) -> Availability {
        let says_something = !children.is_empty() || priority != 0;
        let said = || Arc::new(Said { children: children.into(), naming: naming.into(), priority });
        Availability(says_something.then(said))
    }

    /// This, in the memory of another one where that says the same.
    pub fn shared_with(self, other: &Availability) -> Availability {
        if self == *other { other.clone() } else { self }
    }

    /// RFC 6121 §4.7.2.3: how much the resource wants to be the one that is spoken to.
    pub fn priority(&self) -> i8 {
        self.0.as_ref().map_or(0, |said| said.priority)
    }

    /// All children, for those who may see the real JID.
    pub fn open(&self) -> Arc<str> {
        static NOTHING: LazyLock<Arc<str>> = LazyLock::new(|| Arc::from(""));
        self.0.as_ref().map_or(&*NOTHING, |said| &said.children).clone()
    }

    /// XEP-0404 §2.4: the children that do not identify the sender.
    pub fn veiled(&self) -> Arc<str> {
        self.without(|_| true)
    }

    /// Leaves out of the children that may identify the sender those that are meant.
    fn without(&self, is_meant: impl Fn(&str) -> bool) -> Arc<str> {
        let Some(said) = self.0.as_ref() else { return self.open() };
        let ranges = said.naming.iter().map(|(from, to)| usize::from(*from)..usize::from(*to));
        let mut left_out = ranges.filter(|range| is_meant(&said.children[range.clone()])).peekable();
        if left_out.peek().is_none() {
            return self.open();
        }
        let (mut rest, mut at) = (String::with_capacity(said.children.len()), 0);
        for range in left_out {
            rest.push_str(&said.children[at..range.start]);
            at = range.end;
        }
        rest.push_str(&said.children[at..]);
        rest.into()
    }

    /// XEP-0045, `#bizrules-presence`: what the occupants of a room see. A client sends its presence to a room on purpose, so all
    /// of it passes; where JIDs are hidden, all but the children that name the account.
    pub fn in_room(&self, account: &BareJid, shows_jids: bool) -> Arc<str> {
        if shows_jids {
            return self.open();
        }
        // RFC 7622 §3.3.1: no character of it is ever escaped.
        let name = account.as_str().to_lowercase();
        self.without(|child| child.to_lowercase().contains(&name))
    }

    /// Approximate size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |said| said.children.len() + said.naming.len() * size_of::<(u16, u16)>())
    }
}

/// A child as it is delivered, if it is, and whether it does not identify its sender.
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

/// What a channel shows of a participant's resource, in any face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SavedShared", into = "SavedShared")]
pub struct SharedPresence {
    /// The participant id.
    pub id: ParticipantId,
    /// The nick.
    pub nick: String,
    /// XEP-0403 §3.2: the resource shown if the JID is hidden. `None`: the JID is visible.
    pub alias: Option<String>,
    /// The children of its presence, as subscribers may see them.
    pub says: Arc<str>,
}

/// A shared presence as one process hands it to the next: its fields, in order.
type SavedShared = (ParticipantId, String, Option<String>, String);

impl From<SharedPresence> for SavedShared {
    fn from(shared: SharedPresence) -> SavedShared {
        (shared.id, shared.nick, shared.alias, shared.says.to_string())
    }
}

impl From<SavedShared> for SharedPresence {
    fn from((id, nick, alias, says): SavedShared) -> SharedPresence {
        SharedPresence { id, nick, alias, says: says.into() }
    }
}

impl SharedPresence {
    /// What a channel shows of an available resource.
    pub fn of(
        member: &Member,
        resource: &str,
        says: &Availability,
        channel: &Channel,
        service: &Service,
    ) -> SharedPresence {
        let is_shown = member.shown_jid(channel.settings().visibility).is_some();
        SharedPresence {
            id: member.id.clone(),
            nick: member.nick.as_str().to_owned(),
            alias: (!is_shown).then(|| proxy::shown_resource(&service.sealer, channel, member, resource)),
            says: if is_shown { says.open() } else { says.veiled() },
        }
    }

    /// Whether it is shown with the same address as an earlier one of the same resource.
    pub fn is_from_same(&self, other: &SharedPresence) -> bool {
        self.id == other.id && self.alias == other.alias
    }

    /// Approximate size in memory, in bytes. Text shared with [`Availability`] counts twice.
    pub fn bytes(&self) -> usize {
        self.nick.len() + self.alias.as_ref().map_or(0, String::len) + self.says.len()
    }
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
            assert_eq!(&*read(forged).open(), "", "{forged}");
        }
    }

    #[test]
    fn a_hidden_person_shows_nothing_that_tells_who_it_is() {
        let photo = "<x xmlns='vcard-temp:x:update'><photo>abc</photo></x>";
        let caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='n' ver='v'/>";
        let both = read(&format!("<show>dnd</show>{photo}<status xml:lang='en'>Brew</status>{caps}{}", photo_of("b")));
        let rest = format!("<show>dnd</show><status xml:lang='en'>Brew</status>{caps}");
        assert_eq!((both.open().contains(photo), &*both.veiled()), (true, &*rest));
        assert!(both.open().contains("<b xmlns='other'>"));
        // In a room all passes but what names the account, however it is spelled.
        let account = BareJid::new("hag@h").unwrap();
        let named = |text: &str| format!("<b xmlns='other'>{text}</b>");
        let said = read(&format!("{photo}{}<a xmlns='other'/>", named("xmpp:Hag@h/r")));
        assert_eq!(&*said.in_room(&account, false), format!("{photo}<a xmlns='other'/>"));
        assert_eq!(said.in_room(&account, true), said.open());
        let plain = read("<show>dnd</show>");
        assert!(Arc::ptr_eq(&plain.open(), &plain.veiled()), "it is kept once");
    }

    fn photo_of(name: &str) -> String {
        format!("<{name} xmlns='other'><photo>abc</photo></{name}>")
    }

    #[test]
    fn a_presence_has_a_limit() {
        let long = read(&format!("<status>{}</status>", "ä".repeat(5000)));
        assert_eq!(long.open().len(), STATUS_BYTES_MAX + "<status></status>".len());
        let many = read(&format!("{}<show>away</show>", "<status>x</status>".repeat(5000)));
        assert!(many.open().len() <= AVAILABILITY_BYTES_MAX);
        assert_eq!(&*read("<show>away</show><show>dnd</show>").open(), "<show>away</show>");
        let twice = read("<x xmlns='a'/><x xmlns='b'/><x xmlns='a'/>");
        assert_eq!(&*twice.open(), "<x xmlns='a'/><x xmlns='b'/>");
    }
}
