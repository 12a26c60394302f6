//! A groupchat message on its way in: what is kept of it, and what only the channel may say and so is stripped.

use super::{Request, Weight};
use crate::channel::{Command, Message, Refusal};
use crate::xmpp::{ns, write_children};
use minidom::Element;

/// Reads a groupchat message to a channel.
///
/// # Errors
/// [`Refusal::BadRequest`] where nothing is left to pass on.
pub fn decode(request: &Request<'_>) -> Result<Command, Refusal> {
    let stanza = request.payload;
    let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
    let address = request.service.address_of(channel.name());
    let relayed = |child: &Element| !speaks_for_the_channel(child, &address);
    let weight = stanza.children().filter(|child| relayed(child)).filter_map(weigh).max();
    let Some(weight) = weight else {
        return Err(Refusal::BadRequest("the message is empty".into()));
    };
    let hint = |name: &str| stanza.has_child(name, ns::HINTS);
    let archived = match weight {
        Weight::State => false,
        _ if hint("no-store") || hint("no-permanent-store") => false,
        Weight::Pass => {
            hint("store") && stanza.children().any(|child| super::weigh(child).is_none() && !is_bare(child))
        }
        Weight::Keep | Weight::Count => true,
    };
    let mut payload = String::with_capacity(256);
    write_children(stanza, relayed, &mut payload);
    let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Command::Publish(Message {
        stanza_id: own(stanza.attr("id")),
        origin_id: own(stanza.get_child("origin-id", ns::SID).and_then(|child| child.attr("id"))),
        lang: own(stanza.attr_ns("http://www.w3.org/XML/1998/namespace", "lang")),
        archived,
        echoed: weight > Weight::State,
        counted: archived && weight == Weight::Count,
        target: target(stanza).and_then(|id| request.service.sealer.open(channel.profile().tag, &id)),
        payload,
    }))
}

/// What a child means for keeping the message; what no extension knows is relayed, what only accompanies means nothing.
fn weigh(child: &Element) -> Option<Weight> {
    super::weigh(child).or_else(|| (!is_bare(child)).then_some(Weight::Pass))
}

/// Whether a child only accompanies others.
fn is_bare(child: &Element) -> bool {
    child.has_ns(ns::HINTS) || child.is("origin-id", ns::SID) || child.is("thread", ns::CLIENT)
}

/// What only the channel may say (protocol reading 6): nobody else speaks for it.
fn speaks_for_the_channel(child: &Element, address: &str) -> bool {
    match child.name() {
        "mix" => true,
        // An empty id would stand beside the one that the channel adds.
        "origin-id" => child.has_ns(ns::SID) && child.attr("id").is_none_or(str::is_empty),
        "occupant-id" => child.has_ns(ns::OCCUPANT_ID),
        "stanza-id" => child.has_ns(ns::SID) && child.attr("by").is_none_or(|by| same_address(by, address)),
        "delay" => child.has_ns(ns::DELAY) && child.attr("from").is_none_or(|from| same_address(from, address)),
        "x" => child.has_ns(ns::MUC_USER),
        _ => child.has_ns(ns::GROUP),
    }
}

/// Whether two addresses are the same one, however they are spelled.
fn same_address(stated: &str, address: &str) -> bool {
    jid::Jid::new(stated.trim()).is_ok_and(|stated| stated.to_bare().as_str() == address)
}

/// The id of the message that this one refers to, where the reference is to a stanza id (XEP-0424, XEP-0444, XEP-0461).
fn target(stanza: &Element) -> Option<String> {
    let child = stanza.children().find(|child| {
        matches!((child.name(), &*child.ns()), ("retract", ns::RETRACT | ns::MIX_MISC) | ("reactions", ns::REACTIONS))
            || child.is("reply", "urn:xmpp:reply:0")
    })?;
    child.attr("id").map(str::to_owned)
}
