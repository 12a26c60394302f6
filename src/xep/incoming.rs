//! A groupchat message on its way in: which of its children are passed on and archived. What only the channel may say
//! is taken out.

use super::muc::subject;
use super::relayed::{Said, names_its_sender, speaks_for_the_channel};
use super::{Request, Sealer, Weight, gist, media, receipts, rows};
use crate::channel::{Channel, Command, Message, Refusal};
use crate::xmpp::{Parts, Tag, ns, write_element};
use minidom::Element;
use std::collections::HashMap;

/// Reads a groupchat message to a channel.
///
/// # Errors
/// [`Refusal::BadRequest`] where nothing is left to pass on.
pub fn decode(request: &Request<'_>) -> Result<Command, Refusal> {
    let stanza = request.payload;
    let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
    let address = request.service.address_of(channel.name());
    let hides = !channel.settings().shows_jids();
    let is_mark = |child: &Element| hides && names_its_sender(child, &request.actor.account);
    let relayed = |child: &Element| !speaks_for_the_channel(child, &address) && !is_mark(child);
    let mut said = Said::of(stanza);
    let relayed: Vec<&Element> = stanza.parts().filter(|child| relayed(child) && said.first(child)).collect();
    let Some(weight) = weigh_all(stanza, &relayed) else {
        return Err(Refusal::BadRequest("the message is empty".into()));
    };
    let named = names(request, channel);
    let (sealer, tag) = (&request.service.sealer, channel.profile().tag);
    let is_plain = |child: &Element| {
        child.is("retract", ns::RETRACT)
            && row_of(child, sealer, tag).is_some()
            && !child.has_part("moderated", ns::MODERATE)
    };
    let misspelled = |child: &Element| child.is("retract", ns::RETRACT) && !is_plain(child);
    let mut payload = written(relayed, misspelled, request.service.limits.payload_bytes_max)?;
    if named.retracts && !stanza.parts().any(is_plain) {
        // Clients look for XEP-0424 with the channel's id, in whichever form the sender retracted.
        let id = named.row.map(|row| sealer.seal(tag, row));
        Tag::in_ns("retract", ns::RETRACT).attr_opt("id", id).write(&mut payload);
    }
    let topic = subject::stated(stanza);
    if named.retracts && topic.is_some() {
        return Err(Refusal::BadRequest("a message either retracts another one or sets the subject".into()));
    }
    let archived = topic.is_some() || is_archived(stanza, weight, named.retracts);
    let own = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let origin_id = own(stanza.part("origin-id", ns::SID).and_then(|child| child.attr("id")));
    Ok(Command::Publish(Message {
        stanza_id: own(stanza.attr("id")),
        gist: origin_id.as_ref().map(|_| gist::of(&payload)),
        origin_id,
        lang: own(stanza.attr_ns(ns::XML, "lang")),
        archived,
        echoed: weight > Weight::State,
        counted: archived && weight == Weight::Count,
        retracts: named.retracts,
        media: media::of_message(stanza),
        reports: if weight == Weight::Pass { receipts::report(stanza, sealer, tag) } else { None },
        target: named.row,
        corrects: named.corrects,
        topic,
        says: weight == Weight::Count,
        payload,
    }))
}

fn is_archived(stanza: &Element, weight: Weight, retracts: bool) -> bool {
    let hint = |name: &str| stanza.has_part(name, ns::HINTS);
    match weight {
        Weight::State => false,
        // A retraction is always archived.
        _ if retracts => true,
        _ if hint("no-store") || hint("no-permanent-store") => false,
        Weight::Pass => hint("store") && stanza.parts().any(|child| super::weigh(child).is_none() && !is_bare(child)),
        Weight::Keep | Weight::Count => true,
    }
}

/// The children that are passed on, as they read inside a stanza, without those for which `are_left_out` is true.
fn written(relayed: Vec<&Element>, are_left_out: impl Fn(&Element) -> bool, max: usize) -> Result<String, Refusal> {
    let mut payload = String::with_capacity(256);
    for child in relayed.into_iter().filter(|child| !are_left_out(child)) {
        write_element(child, ns::CLIENT, &mut payload);
        if payload.len() > max {
            return Err(Refusal::TooLong { what: "the message", max });
        }
    }
    Ok(payload)
}

/// The weight of a message: the highest weight of the children that are passed on. XEP-0428: a body that stands in for
/// other children has the weight of those.
fn weigh_all(stanza: &Element, relayed: &[&Element]) -> Option<Weight> {
    let stands_for = what_the_body_stands_for(stanza);
    let weights = relayed.iter().filter_map(|child| match stands_for {
        Some(weight) if child.is("body", ns::CLIENT) => Some(weight),
        _ => weigh(child),
    });
    weights.max()
}

/// XEP-0428: the weight of what the whole body stands in for. `None` where it stands for itself. A message may have
/// thousands of children, so each is looked at once.
fn what_the_body_stands_for(stanza: &Element) -> Option<Weight> {
    let mut fallbacks = stanza.parts().filter(|child| is_for_the_body(child)).peekable();
    fallbacks.peek()?;
    let (mut of_namespaces, mut of_others) = (HashMap::new(), None);
    for (ns, weight) in stanza.parts().filter_map(|child| Some((child.ns(), super::weigh(child)?))) {
        if ns != ns::CLIENT {
            of_others = of_others.max(Some(weight));
        }
        let most = of_namespaces.entry(ns).or_insert(weight);
        *most = weight.max(*most);
    }
    let original = |fallback: &Element| match fallback.attr("for") {
        Some(ns) => of_namespaces.get(ns).copied(),
        None => of_others,
    };
    fallbacks.filter_map(original).min()
}

/// XEP-0428 §2.2: whether a child marks the whole body as a fallback.
fn is_for_the_body(child: &Element) -> bool {
    let is_whole = |part: &Element| part.name() == "body" && part.attr("start").is_none() && part.attr("end").is_none();
    child.is("fallback", ns::FALLBACK) && (child.parts().next().is_none() || child.parts().any(is_whole))
}

/// The weight of a child. A child that no extension knows is passed on. One that only goes with other children has no
/// weight.
fn weigh(child: &Element) -> Option<Weight> {
    super::weigh(child).or_else(|| (!is_bare(child)).then_some(Weight::Pass))
}

/// Whether a child only goes with other children.
fn is_bare(child: &Element) -> bool {
    child.has_ns(ns::HINTS) || child.is("origin-id", ns::SID) || child.is("thread", ns::CLIENT)
}

/// The row that a child names by its stanza id.
fn row_of(child: &Element, sealer: &Sealer, tag: u64) -> Option<u64> {
    sealer.open(tag, child.attr("id")?)
}

/// The earlier message that a message refers to.
struct Named {
    /// The row of the earlier message.
    row: Option<u64>,
    /// Whether this message retracts it.
    retracts: bool,
    /// Whether this message corrects it.
    corrects: bool,
}

/// The earlier message that this one refers to: the one that it retracts (XEP-0424), else corrects (XEP-0308), else
/// reacts to (XEP-0444) or replies to (XEP-0461).
fn names(request: &Request<'_>, channel: &Channel) -> Named {
    let stanza = request.payload;
    let row = |child: &Element| row_of(child, &request.service.sealer, channel.profile().tag);
    let account = &request.actor.account;
    let author = channel.participant(account).or_else(|| request.live.seats.passer_by(account));
    let named_by_author = |id: &str| channel.own_row(&author?.id, id);
    let own =
        |child: &Element| row(child).or_else(|| child.attr("id").filter(|id| !id.is_empty()).and_then(named_by_author));
    let named = rows::naming(stanza);
    if let Some(retraction) = named.filter(|child| rows::is_retraction(child)) {
        return Named { row: own(retraction), retracts: true, corrects: false };
    }
    let corrected = named.and_then(own);
    let refers = |child: &&Element| child.is("reactions", ns::REACTIONS) || child.is("reply", ns::REPLY);
    let referred = || stanza.parts().find(refers).and_then(row);
    Named { row: corrected.or_else(referred), retracts: false, corrects: corrected.is_some() }
}
