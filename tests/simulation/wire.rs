//! What the service sent, read back: every stanza well-formed, from the service, addressed, and owed to somebody.

use super::asks::{Ask, DOMAIN, NODES, Nodes};
use super::model::{Event, Expect, Key, Page, Row};
use super::routes::Routes;
use minidom::Element;
use mixd::channel::Stamp;
use mixd::xep::Sealer;
use mixd::xmpp::ns;
use std::collections::{BTreeMap, BTreeSet};

/// Reads whole stanzas, as they read inside a stream.
pub fn read(text: &str) -> Vec<Element> {
    let wrapped = format!("<stream xmlns='jabber:client'>{text}</stream>");
    let stream: Element = wrapped.parse().unwrap_or_else(|error| panic!("not well-formed ({error}): {text}"));
    let stanzas: Vec<Element> = stream.children().cloned().collect();
    stanzas.iter().for_each(check_head);
    stanzas
}

fn check_head(stanza: &Element) {
    let address = |name| stanza.attr(name).and_then(|text| jid::Jid::new(text).ok());
    let from = address("from").unwrap_or_else(|| panic!("no sender: {stanza:?}"));
    assert_eq!(from.domain().as_str(), DOMAIN, "a foreign sender");
    assert!(address("to").is_some_and(|to| to.domain().as_str() != DOMAIN), "nobody is addressed: {stanza:?}");
    assert!(["iq", "message", "presence"].contains(&stanza.name()), "no stanza: {stanza:?}");
    assert!(stanza.name() != "iq" || stanza.attr("id").is_some_and(|id| !id.is_empty()), "an iq without id");
}

/// Something delivered, as far as it tells what it is.
#[derive(Clone, Debug)]
pub enum Seen {
    Row { channel: String, token: String, id: String, stanza: Element },
    Relay { channel: String, token: String },
    Entered { channel: String, account: String, nick: String },
    Gone { channel: String, id: String },
    Info { channel: String, name: String },
    Deleted { channel: String },
}

fn child_text(element: &Element, name: &str) -> String {
    element.children().find(|child| child.name() == name).map(Element::text).unwrap_or_default()
}

/// The localpart of the sender.
fn channel_of(stanza: &Element) -> String {
    stanza.attr("from").and_then(|from| from.split('@').next()).unwrap_or_default().to_owned()
}

/// What a message to a participant is.
pub fn see(stanza: &Element) -> Seen {
    let channel = channel_of(stanza);
    if stanza.attr("type") == Some("groupchat") {
        let token = child_text(stanza, "thread");
        let id = stanza.attr("id").unwrap_or_default().to_owned();
        let named: Vec<&Element> = stanza.children().filter(|child| child.is("stanza-id", ns::SID)).collect();
        assert!(named.len() <= 1, "two stanza ids: {stanza:?}");
        let Some(stanza_id) = named.first() else { return Seen::Relay { channel, token } };
        assert_eq!(stanza_id.attr("id"), Some(&*id), "id and stanza-id differ");
        assert_eq!(stanza_id.attr("by"), Some(&*format!("{channel}@{DOMAIN}")));
        return Seen::Row { channel, token, id, stanza: stanza.clone() };
    }
    let Some(event) = stanza.get_child("event", ns::PUBSUB_EVENT) else { panic!("an unknown message: {stanza:?}") };
    let Some(action) = event.children().next() else { panic!("an empty event") };
    if action.name() == "delete" {
        return Seen::Deleted { channel };
    }
    let Some(entry) = action.children().next() else { panic!("an event without item") };
    if entry.name() == "retract" {
        return Seen::Gone { channel, id: entry.attr("id").unwrap_or_default().to_owned() };
    }
    if action.attr("node") == Some(ns::NODE_INFO) {
        return Seen::Info { channel, name: info_name(entry).unwrap_or_default() };
    }
    let (account, nick) = participant(entry);
    Seen::Entered { channel, account, nick }
}

fn participant(item: &Element) -> (String, String) {
    let Some(participant) = item.get_child("participant", ns::MIX_CORE) else { panic!("no participant: {item:?}") };
    (child_text(participant, "jid"), child_text(participant, "nick"))
}

fn info_name(item: &Element) -> Option<String> {
    let form = item.get_child("x", ns::FORM)?;
    let field = form.children().find(|field| field.attr("var") == Some("Name"))?;
    field.children().next().map(Element::text)
}

/// Whether what was seen is what was to be shown; `ids` tells whose a participant id is.
fn fits(key: &Key, seen: &Seen, ids: &BTreeMap<(String, String), String>) -> bool {
    match (key, seen) {
        (Key::Row(a, t), Seen::Row { channel, token, .. }) => a == channel && t == token,
        (Key::Relay(a, t), Seen::Relay { channel, token }) => a == channel && t == token,
        (Key::Entered { channel: c, account: a, nick: n }, Seen::Entered { channel, account, nick }) => {
            c == channel && a == account && n == nick
        }
        (Key::Gone { channel: c, account }, Seen::Gone { channel, id }) => {
            c == channel && ids.get(&(c.clone(), id.clone())).is_none_or(|owner| owner == account)
        }
        (Key::Info(c, n), Seen::Info { channel, name }) => c == channel && n == name,
        (Key::Deleted(c), Seen::Deleted { channel }) => c == channel,
        _ => false,
    }
}

/// Compares what every address got in a turn with what it was to get: each once, in order, and nobody else anything.
pub fn check_delivery(
    events: &[Event],
    got: &BTreeMap<String, Vec<Seen>>,
    routes: &Routes,
    ids: &BTreeMap<(String, String), String>,
) {
    let owed = events.iter().flat_map(|event| event.audience.values().flatten());
    let addresses: BTreeSet<&String> = got.keys().chain(owed).collect();
    for address in addresses {
        let (account, resource) = address.split_once('/').map_or((&**address, None), |(a, r)| (a, Some(r)));
        let seen = got.get(address).map_or(&[][..], Vec::as_slice);
        let as_guest = resource.is_some() && events.iter().any(|event| event.guests.contains(account));
        let may = routes.may(account, resource, as_guest);
        assert!(seen.is_empty() || may, "{address} is not known to be there: {seen:?}");
        let mut rest = seen.iter().peekable();
        for event in events {
            let Some(sure) = event.audience.get(account) else { continue };
            let to_guest = event.guests.contains(account);
            if to_guest && resource.is_none() {
                continue;
            }
            if rest.peek().is_some_and(|seen| fits(&event.key, seen, ids)) {
                rest.next();
            } else {
                assert!(!sure.contains(address), "{address} misses {:?}; got {seen:?}", event.key);
            }
        }
        assert!(rest.peek().is_none(), "{address} gets what it must not: {:?} of {seen:?}, {events:?}", rest.next());
    }
}

/// Compares a message with the row that it stands for.
pub fn check_row(message: &Element, number: u64, row: &Row, tag: u64, sealer: &Sealer) {
    let id = sealer.seal(tag, number);
    assert_eq!(message.attr("id"), Some(&*id), "another row's id: {message:?}");
    assert!(id.len() == 32 && id.parse::<u64>().is_err(), "a plain number shows");
    assert_eq!(child_text(message, "thread"), row.token, "another message under the id of row {number}");
    assert_eq!(child_text(message, "body").starts_with(&*row.token), row.counted, "the body");
    let mixes: Vec<&Element> = message.children().filter(|child| child.is("mix", ns::MIX_CORE)).collect();
    let [mix] = mixes[..] else { panic!("not one <mix/>: {message:?}") };
    assert_eq!((child_text(mix, "nick"), child_text(mix, "jid")), (row.nick.clone(), row.author.clone()));
    let origin = message.children().find(|child| child.is("origin-id", ns::SID)).and_then(|child| child.attr("id"));
    assert_eq!(origin, Some(row.origin.as_deref().unwrap_or(&row.sent_id)), "the sender's own id");
}

/// Compares the answer of an iq or message with what is owed.
pub fn check_answer(ask: &Ask, expect: &Expect, answer: &Element) {
    let inner = unwrapped(ask, answer);
    let problem = || format!("{ask:?} is owed {expect:?}, gets {answer:?}");
    let condition = inner.get_child("error", ns::CLIENT).map(|error| {
        error
            .children()
            .find(|child| child.has_ns(ns::STANZAS))
            .map(|child| child.name().to_owned())
            .unwrap_or_default()
    });
    assert_eq!(inner.attr("type") == Some("error"), condition.is_some(), "{}", problem());
    match (expect, &condition) {
        (Expect::Error(conditions), Some(condition)) => {
            assert!(conditions.contains(&&**condition), "{}", problem());
            return;
        }
        (Expect::Left { at_bare: true }, Some(condition)) if condition == "item-not-found" => return,
        (_, Some(_)) => panic!("{}", problem()),
        (Expect::Error(_), None) => panic!("{}", problem()),
        _ => {}
    }
    let mut payload = inner.children().next();
    if ask.wrapped {
        payload = payload.and_then(|client| client.children().next());
    }
    let payload = || payload.unwrap_or_else(|| panic!("no payload: {}", problem()));
    let right = match expect {
        Expect::Created(name) => {
            name.as_ref().is_none_or(|name| payload().attr("channel").is_some_and(|it| it.to_lowercase() == *name))
        }
        Expect::Destroyed => true,
        Expect::Settled => inner.children().next().is_none(),
        Expect::Left { .. } => payload().name() == "leave",
        Expect::Joined { nick, nodes } => {
            let id = payload().attr("id").is_some_and(|id| id.len() == 20);
            id && child_text(payload(), "nick") == *nick && nodes_in(payload(), "subscribe") == *nodes
        }
        Expect::Nick(nick) => child_text(payload(), "nick") == *nick,
        Expect::Registered(nick) => match nick {
            Some(nick) => child_text(payload(), "nick") == *nick,
            None => payload().is("register", ns::MIX_MISC) && payload().children().next().is_none(),
        },
        Expect::Updated(add, remove) => {
            nodes_in(payload(), "subscribe") == *add && nodes_in(payload(), "unsubscribe") == *remove
        }
        Expect::Subscribed(node, wanted) => {
            let told = payload().children().next();
            let state = if *wanted { "subscribed" } else { "none" };
            let name = NODES.iter().find(|(bit, _)| bit == node).map(|(_, name)| *name);
            told.is_some_and(|told| told.attr("subscription") == Some(state) && told.attr("node") == name)
        }
        Expect::InfoSet(id) => items_of(payload()).first().is_some_and(|item| item.attr("id") == Some(id)),
        Expect::Participants(people) => {
            let listed = items_of(payload());
            let found: BTreeSet<_> = listed.iter().map(|item| participant(item)).collect();
            listed.len() == people.len() && found == *people
        }
        Expect::Info(id, name) => {
            let items = items_of(payload());
            items.len() == 1 && items[0].attr("id") == Some(id) && info_name(items[0]) == *name
        }
        Expect::Empty => items_of(payload()).is_empty(),
        Expect::List(names) => {
            let listed: Vec<_> = payload().children().filter_map(|item| item.attr("jid")).collect();
            listed.len() == names.len() && listed.iter().all(|name| names.contains(*name))
        }
        Expect::Described(name) => {
            payload().children().any(|child| child.name() == "identity" && child.attr("name") == Some(name))
        }
        _ => false,
    };
    assert!(right, "{}", problem());
}

/// The iq itself, out of the wrapping that it came in.
fn unwrapped<'a>(ask: &Ask, answer: &'a Element) -> &'a Element {
    if !ask.wrapped {
        return answer;
    }
    assert_eq!(answer.attr("type"), Some("result"), "the outer iq of a delegation is a result");
    let delegation = answer.get_child("delegation", "urn:xmpp:delegation:2");
    let forwarded = delegation.and_then(|delegation| delegation.get_child("forwarded", ns::FORWARD));
    let inner = forwarded.and_then(|forwarded| forwarded.get_child("iq", ns::CLIENT));
    let inner = inner.unwrap_or_else(|| panic!("nothing is forwarded: {answer:?}"));
    assert_eq!((inner.attr("from"), inner.attr("id")), (Some(&*ask.account), Some(&*ask.id)));
    assert_eq!(inner.attr("to"), Some(&*ask.from()));
    inner
}

fn nodes_in(payload: &Element, name: &str) -> Nodes {
    let named = payload.children().filter(|child| child.name() == name).filter_map(|child| child.attr("node"));
    named.filter_map(|node| NODES.iter().find(|(_, known)| *known == node)).fold(0, |bits, (bit, _)| bits | bit)
}

fn items_of(payload: &Element) -> Vec<&Element> {
    let holder = payload.children().find(|child| ["items", "publish"].contains(&child.name()));
    holder.into_iter().flat_map(Element::children).filter(|child| child.name() == "item").collect()
}

/// Compares a page of the archive with the one owed. Returns the ids that it names as first and last.
pub fn check_page(ask: &Ask, page: &Page, tag: u64, sealer: &Sealer, stanzas: &[Element]) -> [Option<String>; 2] {
    let Some((end, results)) = stanzas.split_last() else { panic!("no answer to {ask:?}") };
    let mut numbered: Vec<_> = page.rows.iter().zip(&page.records).collect();
    if page.flip {
        numbered.reverse();
    }
    assert_eq!(results.len(), numbered.len(), "{ask:?} is owed {:?}, gets {results:?}", page.rows);
    for (result, (&number, row)) in results.iter().zip(numbered) {
        assert_eq!(result.attr("to"), Some(&*ask.from()));
        let result = result.get_child("result", ns::MAM).unwrap_or_else(|| panic!("no result: {result:?}"));
        assert_eq!((result.attr("queryid"), result.attr("id")), (Some(&*ask.id), Some(&*sealer.seal(tag, number))));
        let forwarded = result.get_child("forwarded", ns::FORWARD).unwrap_or_else(|| panic!("nothing forwarded"));
        let stamp = forwarded.get_child("delay", ns::DELAY).and_then(|delay| delay.attr("stamp"));
        assert_eq!(stamp, Some(&*Stamp(row.stamp).to_xmpp()));
        let message = forwarded.get_child("message", ns::CLIENT).unwrap_or_else(|| panic!("no message"));
        check_row(message, number, row, tag, sealer);
    }
    assert_eq!((end.attr("type"), end.attr("id")), (Some("result"), Some(&*ask.id)), "{ask:?} gets {end:?}");
    let fin = end.get_child("fin", ns::MAM).unwrap_or_else(|| panic!("no fin: {end:?}"));
    assert_eq!(fin.attr("complete") == Some("true"), page.complete, "{ask:?}: {fin:?}");
    let set = fin.get_child("set", ns::RSM).unwrap_or_else(|| panic!("no set: {fin:?}"));
    let text = |name| set.get_child(name, ns::RSM).map(Element::text);
    let ends = [page.rows.first(), page.rows.last()].map(|row| row.map(|&row| sealer.seal(tag, row)));
    assert_eq!([text("first"), text("last")], ends, "the ends of the page");
    let index = set.get_child("first", ns::RSM).and_then(|first| first.attr("index")).map(str::to_owned);
    for (stated, owed) in [(text("count"), page.counted.0), (index, page.counted.1)] {
        assert!(stated.is_none_or(|stated| stated == owed.to_string()), "{ask:?}: not {owed} in {set:?}");
    }
    ends
}
