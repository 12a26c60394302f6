//! XEP-0356: what a host server lets us do for its users.
//!
//! Used for presence (who is online), for roster items, and for joining channels of other services. Prosody speaks `:2`, ejabberd `:1` (hosts.md, D.2).

use crate::xmpp::{Parts, Stanza, Tag, ns, write_element};
use jid::BareJid;
use minidom::Element;

/// The versions of the protocol.
pub const NAMESPACES: [&str; 2] = ["urn:xmpp:privilege:1", "urn:xmpp:privilege:2"];

/// What a host server granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Privileges {
    /// We may change its users' rosters.
    pub roster: bool,
    /// We are sent its users' presence.
    pub presence: bool,
    /// We may have its users join and leave channels of other services.
    pub joins: bool,
}

/// What a message grants, where it grants something.
pub fn advert(message: &Element) -> Option<Privileges> {
    let advert = message.parts().find(|child| child.name() == "privilege" && NAMESPACES.contains(&&*child.ns()))?;
    let granted = |access: &str, kinds: &[&str]| {
        advert.parts().any(|perm| {
            perm.attr("access") == Some(access) && perm.attr("type").is_some_and(|kind| kinds.contains(&kind))
        })
    };
    // Prosody sends each client that logs in an empty advert (hosts.md, D.2): it grants nothing and takes nothing.
    advert.parts().next().map(|_| Privileges {
        roster: granted("roster", &["set", "both"]),
        presence: granted("presence", &["managed_entity", "roster"]),
        joins: advert.parts().filter(|perm| perm.attr("access") == Some("iq")).flat_map(Element::parts).any(|it| {
            it.attr("ns") == Some(ns::MIX_CORE) && it.attr("type").is_some_and(|kind| kind == "set" || kind == "both")
        }),
    })
}

/// A request that the host server is to send for an account, from its bare JID (XEP-0356 §7).
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

/// The answer to such a request, as the account got it.
pub fn on_behalf_answer(stanza: &Stanza) -> Option<&Element> {
    let answer = stanza.payload().filter(|payload| payload.is("privilege", NAMESPACES[1]))?;
    answer.part("forwarded", ns::FORWARD)?.part("iq", ns::CLIENT)
}

/// A request that puts a channel into an account's roster, or takes it out (XEP-0356 §4.2, XEP-0405 §6.7).
///
/// The subscription is `none`: presence comes by privilege, and a subscription would send every change of presence
/// once a channel across the link.
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
