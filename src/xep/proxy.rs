//! XEP-0403 §3.2, §4.5, XEP-0404 §2.4, §3.2: addresses of participants in a channel, and the stanzas that are relayed
//! between them.

use super::{Sealer, Service, privilege, relayed};
use crate::channel::proxy::ProxyRequest;
use crate::channel::{Channel, ChannelName, Member, ParticipantId};
use crate::xmpp::{Parts, Stanza, Tag, ns, write_children};
use jid::{BareJid, NodeRef};
use minidom::{Element, Node};

/// The requests that a participant whose JID is hidden may be asked: answers to these name no address.
const HARMLESS: [&str; 4] = [ns::DISCO_INFO, ns::PING, ns::VERSION, "urn:xmpp:time"];
/// XEP-0356 §4.3, §6.3: the requests that a host server carries out for a component which it trusts. A channel relays
/// none of them.
const PRIVILEGED: [&str; 3] = [ns::ROSTER, privilege::NAMESPACES[0], privilege::NAMESPACES[1]];
const VCARDS: [&str; 2] = ["vcard-temp", "urn:ietf:params:xml:ns:vcard-4.0"];

/// The channel and the participant that a localpart names.
pub fn parse(node: &NodeRef) -> Option<(ChannelName, ParticipantId)> {
    let (id, channel) = node.as_str().split_once('#')?;
    Some((ChannelName::new(channel)?, ParticipantId::new(id)?))
}

/// The address of a participant: bare, or at one of its resources.
pub fn address(service: &Service, channel: &Channel, member: &Member, resource: Option<&str>) -> String {
    let bare = format!("{}#{}", member.id, service.address_of(channel.name()));
    match resource {
        Some(resource) => format!("{bare}/{}", shown_resource(&service.sealer, channel, member, resource)),
        None => bare,
    }
}

/// XEP-0404 §2.4: the name under which the channel shows a resource.
pub fn shown_resource(sealer: &Sealer, channel: &Channel, member: &Member, resource: &str) -> String {
    match member.shown_jid(channel.settings().visibility) {
        Some(_) => resource.to_owned(),
        None => sealer.alias(channel.profile().tag, &member.id, resource),
    }
}

/// The kind of a request to a participant. `None` where the channel does not relay it. `guarded` means that the JID of
/// the participant is hidden, or that the request goes to its server instead of a client: a server may do for this
/// service what it would not do for the asker.
pub fn errand(payload: &Element, set: bool, guarded: bool) -> Option<ProxyRequest> {
    let ns = payload.ns();
    let pictures = [ns::AVATAR_DATA, ns::AVATAR_METADATA];
    let nodes = || payload.parts().all(|child| child.attr("node").is_some_and(|node| pictures.contains(&node)));
    match () {
        () if VCARDS.contains(&&*ns) || (ns == ns::PUBSUB && nodes()) => (!set).then_some(ProxyRequest::SeeCard),
        () if PRIVILEGED.contains(&&*ns) || (guarded && (set || !HARMLESS.contains(&&*ns))) => None,
        () => Some(ProxyRequest::Ask),
    }
}

/// XEP-0404 §3.2: a private message as it is relayed. `None` where nothing is left of it. `hides` means that the
/// channel hides JIDs. Without `to`, it is one for several addresses.
pub fn message(stanza: &Stanza, channel: &str, hides: bool, from: &str, to: Option<&str>) -> Option<Tag> {
    let mut content = String::new();
    let sender = stanza.sender();
    let names = |child: &Element| hides && relayed::names_its_sender(child, &sender);
    let mut said = relayed::Said::of(&stanza.element);
    let goes_on =
        |child: &Element| !relayed::speaks_for_the_channel(child, channel) && !names(child) && said.first(child);
    write_children(&stanza.element, goes_on, &mut content);
    let lang = stanza.element.attr_ns("http://www.w3.org/XML/1998/namespace", "lang");
    let type_ = Some(&*stanza.type_).filter(|type_| !type_.is_empty());
    let head = Tag::new("message").attr("from", from).attr_opt("to", to).attr_opt("type", type_);
    let head = head.attr_opt("id", stanza.id.as_deref()).attr_opt("xml:lang", lang);
    (!content.is_empty()).then(|| head.raw(&content))
}

/// The content of an answer. Where the JID of the one who answers is hidden, every element that names it is taken out.
pub fn content(stanza: &Stanza, veiled: Option<&BareJid>) -> String {
    let mut content = String::new();
    let Some(jid) = veiled else {
        write_children(&stanza.element, |_| true, &mut content);
        return content;
    };
    let (mut element, plain) = (stanza.element.clone(), jid.as_str().to_lowercase());
    strike(&mut element, &[plain.replacen('@', "%40", 1), plain]);
    write_children(&element, |_| true, &mut content);
    content
}

/// Takes out every child element that has one of `spellings` of an address in its text or in an attribute.
fn strike(element: &mut Element, spellings: &[String; 2]) {
    let names = |text: &str| {
        let text = text.to_lowercase();
        spellings.iter().any(|spelling| text.contains(spelling))
    };
    for node in element.take_nodes() {
        match node {
            Node::Element(child) if child.attrs().values().any(|value| names(value)) || child.texts().any(names) => {}
            Node::Element(mut child) => {
                strike(&mut child, spellings);
                element.append_node(Node::Element(child));
            }
            text => element.append_node(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_address_is_taken_out_and_nothing_else() {
        let card = "<iq xmlns='jabber:client' from='a@h' to='b@h' id='1' type='result'><vCard xmlns='vcard-temp'>\
                    <FN>Alice</FN><JABBERID>Alice@H/phone</JABBERID><URL>xmpp:alice%40h</URL><N x='alice@h'><GIVEN/></N>\
                    <DESC>alice at h</DESC></vCard></iq>";
        let stanza = Stanza::parse(card.as_bytes()).unwrap();
        let jid = BareJid::new("alice@h").unwrap();
        let left = "<vCard xmlns='vcard-temp'><FN>Alice</FN><DESC>alice at h</DESC></vCard>";
        assert_eq!(content(&stanza, Some(&jid)), left);
        assert!(content(&stanza, None).contains("JABBERID"));
    }
}
