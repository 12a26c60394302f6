//! XEP-0356: what a host server lets the service do for its users.
//!
//! The service uses it for presence (who is online), for roster items, for joining channels of other services, and for bookmarks.
//! Prosody speaks `:2`, ejabberd `:1` (hosts.md, D.2).

use crate::xmpp::{Parts, Stanza, Tag, ns, write_element};
use jid::BareJid;
use minidom::Element;
use serde::{Deserialize, Serialize};

/// The versions of the protocol.
pub const NAMESPACES: [&str; 2] = ["urn:xmpp:privilege:1", "urn:xmpp:privilege:2"];

/// What a host server granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// XEP-0356 §4: the service may change the rosters of the server's users.
    pub roster: bool,
    /// XEP-0356 §7: the service gets the presence of the server's users.
    pub presence: bool,
    /// XEP-0356 §6: the service may have the server's users join and leave channels of other services.
    pub joins: bool,
    /// XEP-0356 §6: the service may ask for things in the pubsub services of the server's users, and change them.
    pub bookmarks: bool,
}

/// The privileges that a message grants. `None` where it grants nothing.
pub fn advert(message: &Element) -> Option<Privileges> {
    let advert = message.parts().find(|child| child.name() == "privilege" && NAMESPACES.contains(&&*child.ns()))?;
    let granted = |access: &str, kinds: &[&str]| {
        advert.parts().any(|perm| {
            perm.attr("access") == Some(access) && perm.attr("type").is_some_and(|kind| kinds.contains(&kind))
        })
    };
    // Prosody sends an empty advert to each client that logs in (hosts.md, D.2). It changes nothing.
    advert.parts().next().map(|_| Privileges {
        roster: granted("roster", &["set", "both"]),
        presence: granted("presence", &["managed_entity", "roster"]),
        joins: grants_iq(advert, ns::MIX_CORE, &["set", "both"]),
        bookmarks: grants_iq(advert, ns::PUBSUB, &["both"]),
    })
}

/// Whether requests of a namespace are granted. Prosody 0.12 writes each namespace into the one before.
fn grants_iq(advert: &Element, ns: &str, kinds: &[&str]) -> bool {
    let mut level: Vec<&Element> = advert.parts().filter(|perm| perm.attr("access") == Some("iq")).collect();
    while !level.is_empty() {
        level = level.into_iter().flat_map(Element::parts).filter(|it| it.name() == "namespace").collect();
        let is_meant =
            |it: &&Element| it.attr("ns") == Some(ns) && it.attr("type").is_some_and(|it| kinds.contains(&it));
        if level.iter().any(is_meant) {
            return true;
        }
    }
    false
}

/// XEP-0356 §6.3: a request that the host server sends for an account, from its bare JID.
pub fn on_behalf(from: &str, account: &BareJid, to: &BareJid, id: &str, payload: &Element) -> String {
    let mut inner = String::new();
    write_element(payload, ns::CLIENT, &mut inner);
    let iq = Tag::in_ns("iq", ns::CLIENT).attr("type", "set").attr("id", id).attr("to", to.as_str()).raw(&inner);
    Tag::new("iq")
        .attr("type", "set")
        .attr("id", id)
        .attr("from", from)
        .attr("to", account.as_str())
        .child(Tag::in_ns("privileged_iq", NAMESPACES[1]).child(iq))
        .into_xml()
}

/// XEP-0356 §6.3: a request that the host server sends for an account to the account itself, as one of its clients would.
pub fn as_account(from: &str, account: &BareJid, (type_, id): (&str, &str), payload: Tag) -> String {
    let iq =
        Tag::in_ns("iq", ns::CLIENT).attr("type", type_).attr("id", id).attr("to", account.as_str()).child(payload);
    Tag::new("iq")
        .attr("type", type_)
        .attr("id", id)
        .attr("from", from)
        .attr("to", account.as_str())
        .child(Tag::in_ns("privileged_iq", NAMESPACES[1]).child(iq))
        .into_xml()
}

/// XEP-0356 §6.3: the answer to such a request, as the account got it.
pub fn on_behalf_answer(stanza: &Stanza) -> Option<&Element> {
    let answer = stanza.payload().filter(|payload| payload.is("privilege", NAMESPACES[1]))?;
    answer.part("forwarded", ns::FORWARD)?.part("iq", ns::CLIENT)
}

/// XEP-0356 §4.3, XEP-0405 §2.9: a request that adds a channel to an account's roster, or removes it.
///
/// The subscription is `none`, since presence comes by privilege. With a subscription, each change of presence would
/// cross the link once for each channel.
pub fn roster_item(from: &str, account: &str, id: &str, channel: &str, label: Option<&str>) -> String {
    let item = match label {
        Some(label) => Tag::new("item")
            .attr("jid", channel)
            .attr("name", label)
            .attr("subscription", "none")
            .child(Tag::new("group").text("Channels")),
        None => Tag::new("item").attr("jid", channel).attr("subscription", "remove"),
    };
    Tag::new("iq")
        .attr("type", "set")
        .attr("id", id)
        .attr("from", from)
        .attr("to", account)
        .child(Tag::in_ns("query", ns::ROSTER).child(item))
        .into_xml()
}
