//! XEP-0356: what a host server lets us do for its users.
//!
//! Used for presence (who is online) and for roster items. Prosody speaks `:2`, ejabberd `:1` (hosts.md, D.2).

use crate::xmpp::{Tag, ns};
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
}

/// What a message grants, where it grants something.
pub fn advert(message: &Element) -> Option<Privileges> {
    let advert = message.children().find(|child| child.name() == "privilege" && NAMESPACES.contains(&&*child.ns()))?;
    let granted = |access: &str, kinds: &[&str]| {
        advert.children().any(|perm| {
            perm.attr("access") == Some(access) && perm.attr("type").is_some_and(|kind| kinds.contains(&kind))
        })
    };
    // Prosody sends each client that logs in an empty advert (hosts.md, D.2): it grants nothing and takes nothing.
    advert.children().next().map(|_| Privileges {
        roster: granted("roster", &["set", "both"]),
        presence: granted("presence", &["managed_entity", "roster"]),
    })
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
