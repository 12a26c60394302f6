//! A groupchat message on its way in: what is kept of it, and what only the channel may say and so is stripped.

use super::{Request, Weight, media, receipts};
use crate::channel::{Command, Message, Refusal};
use crate::xmpp::{Tag, ns, write_children};
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
    let retracts = stanza.children().find(|child| is_retraction(child));
    let archived = match weight {
        Weight::State => false,
        // What was kept is not taken back in passing.
        _ if retracts.is_some() => true,
        _ if hint("no-store") || hint("no-permanent-store") => false,
        Weight::Pass => {
            hint("store") && stanza.children().any(|child| super::weigh(child).is_none() && !is_bare(child))
        }
        Weight::Keep | Weight::Count => true,
    };
    let mut payload = String::with_capacity(256);
    write_children(stanza, relayed, &mut payload);
    let (sealer, tag) = (&request.service.sealer, channel.profile().tag);
    if let Some(retract) = retracts.filter(|retract| retract.has_ns(ns::MIX_MISC)) {
        // XEP-0407 §4 has a spelling of its own; clients look for the one of XEP-0424.
        Tag::in_ns("retract", ns::RETRACT).attr_opt("id", retract.attr("id")).write(&mut payload);
    }
    let corrects = stanza.get_child("replace", ns::CORRECT).and_then(|replace| replace.attr("id"));
    let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(Command::Publish(Message {
        stanza_id: own(stanza.attr("id")),
        origin_id: own(stanza.get_child("origin-id", ns::SID).and_then(|child| child.attr("id"))),
        lang: own(stanza.attr_ns("http://www.w3.org/XML/1998/namespace", "lang")),
        archived,
        echoed: weight > Weight::State,
        counted: archived && weight == Weight::Count,
        retracts: retracts.is_some(),
        media: media::of_message(stanza),
        reports: if weight == Weight::Pass { receipts::report(stanza, sealer, tag) } else { None },
        target: target(stanza).or(corrects).and_then(|id| sealer.open(tag, id)),
        corrects: own(corrects),
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
pub fn speaks_for_the_channel(child: &Element, address: &str) -> bool {
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

fn is_retraction(child: &Element) -> bool {
    child.is("retract", ns::RETRACT) || child.is("retract", ns::MIX_MISC)
}

/// The id of the message that this one refers to, where the reference is to a stanza id (XEP-0424, XEP-0444, XEP-0461).
fn target(stanza: &Element) -> Option<&str> {
    let refers = |child: &&Element| {
        is_retraction(child) || child.is("reactions", ns::REACTIONS) || child.is("reply", "urn:xmpp:reply:0")
    };
    // A retraction may be a reply as well.
    let mut children = stanza.children();
    let child = stanza.children().find(|child| is_retraction(child)).or_else(|| children.find(refers))?;
    child.attr("id")
}
