//! What has to be in the table: every route, node and payload that there is, and every command of the service, of a
//! channel and of forms.

use super::world::Sent;
use mixd::channel::{AnyCommand, Node};
use mixd::xep::{EXTENSIONS, Route, Scope, commands, nodes};
use mixd::xmpp::{Kind, Stanza};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Namespaces that only the service and host servers speak, and types of forms.
const OF_NO_PEER: &[&str] = &[
    "jabber:component:accept",
    "http://jabber.org/protocol/pubsub#event",
    "http://jabber.org/protocol/pubsub#errors",
    "urn:xmpp:channel-search:0:error",
    "vcard-temp:x:update",
    "urn:xmpp:channel-search:0:search-params",
    "http://jabber.org/protocol/xdata-validate",
    "jabber:iq:roster",
    "http://www.w3.org/XML/1998/namespace",
    "urn:mixd:host:1",
    "urn:mixd:multicast:list:0",
    "urn:xmpp:mix:admin:0",
    "jabber:x:conference",
    "http://jabber.org/protocol/muc#register",
    "http://jabber.org/protocol/muc#request",
    "http://jabber.org/protocol/muc#roominfo",
    "http://jabber.org/protocol/muc#roomconfig",
    "http://jabber.org/protocol/muc#stable_id",
    "http://jabber.org/protocol/muc#traffic",
    "urn:mixd:multicast:presence:0",
    "http://jabber.org/protocol/muc#self-ping-optimization",
    "urn:xmpp:mmn:0",
    "urn:xmpp:bookmarks:1",
    "http://jabber.org/protocol/pubsub#publish-options",
    "http://jabber.org/protocol/pubsub#node_config",
];

/// Commands that the service gives by itself: what leads to them is measured with what they cost.
const OF_NO_CALL: &[&str] = &["Group(ClearTo", "Enter", "DescribeRoom", "ConfigureRoom", "CancelRoom", "DestroyRoom"];

/// What there is and the table does not have.
pub fn missing(samples: &[Sent]) -> Vec<String> {
    let stanzas: Vec<Stanza> = samples
        .iter()
        .filter_map(|sent| match sent {
            Sent::Stanza(xml) => Some(Stanza::parse(xml.as_bytes()).unwrap()),
            Sent::Call(..) => None,
        })
        .collect();
    let texts: String = stanzas.iter().map(|stanza| String::from(&stanza.element)).collect();
    let mut missing = routes(&stanzas);
    for (scope, name) in [(Scope::Service, "service"), (Scope::Channel, "channel")] {
        let asked: BTreeSet<&str> = of(&stanzas, scope).filter_map(|stanza| stanza.payload()?.attr("node")).collect();
        missing.extend(
            commands::nodes(scope).filter(|node| !asked.contains(node)).map(|node| format!("{name}: command {node}")),
        );
    }
    for node in Node::ALL {
        let name = nodes::name_of(node);
        for verb in ["items", "publish"] {
            let is_there = stanzas.iter().any(|stanza| {
                stanza
                    .payload()
                    .is_some_and(|it| it.children().any(|it| it.name() == verb && it.attr("node") == Some(name)))
            });
            (!is_there).then(|| missing.push(format!("{verb} of node {name}")));
        }
    }
    let is_spoken = |ns: &str| texts.contains(&format!("'{ns}'")) || texts.contains(&format!("\"{ns}\""));
    let namespaces = quoted("src/xmpp/ns.rs");
    assert!(namespaces.len() > 60, "the namespaces were not found");
    missing.extend(namespaces.into_iter().filter(|ns| !OF_NO_PEER.contains(&&**ns) && !is_spoken(ns)));
    missing.extend(calls(samples));
    missing.extend(to_occupants(&stanzas));
    missing
}

/// What may be sent to a nick in a room, or to the id of somebody there: the kind of the stanza, its type, and what it holds.
const TO_OCCUPANTS: &[(bool, Kind, &str, &str)] = &[
    (false, Kind::Presence, "", "x"),
    (false, Kind::Presence, "", "show"),
    (false, Kind::Presence, "unavailable", ""),
    (false, Kind::Message, "chat", "body"),
    (false, Kind::Message, "error", "error"),
    (false, Kind::Iq, "get", "ping"),
    (false, Kind::Iq, "get", "query"),
    (false, Kind::Iq, "get", "vCard"),
    (true, Kind::Message, "chat", "body"),
    (true, Kind::Message, "error", "error"),
    (true, Kind::Iq, "get", "query"),
];

fn to_occupants(stanzas: &[Stanza]) -> Vec<String> {
    let is_sent = |(to_id, kind, type_, inner): &(bool, Kind, &str, &str)| {
        stanzas.iter().any(|stanza| {
            let is_id = stanza.to.node().is_some_and(|node| node.as_str().contains('#'));
            let is_nick = !is_id && stanza.to.node().is_some() && stanza.to.resource().is_some();
            let holds = inner.is_empty() || stanza.element.children().any(|child| child.name() == *inner);
            stanza.kind == *kind && stanza.type_ == *type_ && holds && if *to_id { is_id } else { is_nick }
        })
    };
    TO_OCCUPANTS.iter().filter(|it| !is_sent(it)).map(|it| format!("to an occupant: {it:?}")).collect()
}

/// The requests to an address of this kind.
fn of(stanzas: &[Stanza], scope: Scope) -> impl Iterator<Item = &Stanza> {
    stanzas.iter().filter(move |stanza| {
        let is_channel = stanza.to.node().is_some_and(|node| !node.as_str().contains('#'));
        stanza.kind == Kind::Iq && is_channel == (scope == Scope::Channel)
    })
}

fn routes(stanzas: &[Stanza]) -> Vec<String> {
    let is_taken = |route: &&Route| {
        !of(stanzas, route.scope).any(|stanza| {
            let payload = stanza.payload().is_some_and(|payload| payload.is(route.name, route.ns));
            payload && (stanza.type_ == "set") == route.set
        })
    };
    let all = EXTENSIONS.iter().flat_map(|extension| extension.routes());
    all.filter(is_taken).map(|route| format!("{route:?}")).collect()
}

/// The values of constants of a file.
fn quoted(path: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let constants = text.lines().filter(|line| line.starts_with("pub const "));
    constants.filter_map(|line| Some(line.split_once('"')?.1.split('"').next()?.to_owned())).collect()
}

/// The commands of the service, of channels and of groups that no call of the table brings.
fn calls(samples: &[Sent]) -> Vec<String> {
    let word = |text: &str| text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
    let of_service = |name: &str| format!("of the service: {name}");
    let mut called = BTreeSet::new();
    for sent in samples {
        let Sent::Call(_, _, command) = sent else { continue };
        let text = match command {
            AnyCommand::Service(command) => {
                called.insert(of_service(&word(&format!("{command:?}"))));
                continue;
            }
            AnyCommand::Channel(command) => format!("{command:?}"),
        };
        called.insert(word(&text));
        called.extend(text.strip_prefix("Group(").map(|inner| format!("Group({}", word(inner))));
    }
    let commands = variants("src/channel/command.rs", "pub enum Command {");
    let at_service = variants("src/channel/service_command.rs", "pub enum ServiceCommand {");
    let of_groups = variants("src/channel/group.rs", "pub enum GroupCommand {");
    assert!(commands.len() > 30 && at_service.len() > 15 && of_groups.len() > 8, "the commands were not found");
    let all = commands
        .into_iter()
        .chain(at_service.iter().map(|name| of_service(name)))
        .chain(of_groups.into_iter().map(|name| format!("Group({name}")));
    let is_missing = |name: &String| !called.contains(name) && !OF_NO_CALL.contains(&&**name);
    all.filter(is_missing).map(|name| format!("call: {name}")).collect()
}

/// The names of what an enum of a file may be.
fn variants(path: &str, head: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (_, behind) = text.split_once(head).unwrap();
    let lines = behind.lines().take_while(|line| *line != "}");
    let names = lines.filter_map(|line| line.strip_prefix("    ").filter(|rest| rest.starts_with(char::is_uppercase)));
    names.map(|name| name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()).collect()
}
