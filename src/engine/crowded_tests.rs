//! A request to a channel costs the same whatever the channel holds, counted in people, list entries and invitations
//! looked at.

use super::{Engine, Inbound, Out, ServiceSettings, Turn, fixture};
use crate::channel::*;
use crate::steps;
use crate::store::{Directory, Listing};
use crate::xmpp::{Stanza, ns};
use jid::BareJid;
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Admins and owners, each. A channel may have more.
const ADMINS: usize = 20;

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

/// A channel with `count` people and entries in each list, a tenth of them again under the name `ann`, and a group of
/// the same size.
fn service(count: usize) -> Engine {
    let mut limits = Limits::default();
    limits.groups.participants_max = 1_000_000;
    let name = |text: &str| ChannelName::new(text).unwrap();
    let listing = |(text, gid): (&str, u32)| {
        let (name, tag, creator) = (name(text), gid.into(), jid("amy@h"));
        Listing { name, tag, gid, listed: true, shows_jids: true, end_of_life: None, creator, title: None, sign: None }
    };
    let listings = [("c", 1), ("g", 2)].map(listing).into();
    let directory = Directory { listings, gid_highest: 2, ..Directory::default() };
    let settings =
        ServiceSettings { limits: limits.clone(), channels_memory_bytes_max: usize::MAX, ..fixture::settings() };
    let mut engine = Engine::new(settings, [7; 16], [7; 32], directory, Vec::new());
    for (text, settings) in [("c", limits.plain_settings()), ("g", limits.group_settings())] {
        let kept = kept(count, settings);
        let channel = Channel::restore(name(text), kept, people(count), Head::default(), &[], []);
        engine.adopt(super::Loaded { channels: vec![(name(text), Some(channel))], ..Default::default() });
    }
    engine
}

fn kept(count: usize, settings: crate::channel::Settings) -> Kept {
    let (creator, is_group) = (jid("amy@h"), settings.style == Style::Group);
    let gid = if is_group { 2 } else { 1 };
    let others = (0..if is_group { 0 } else { 9 }).map(|n| jid(&format!("owner{n}@h")));
    let owners = std::iter::once(creator.clone()).chain(others).collect();
    let rights = Rights { owners, admins: (0..ADMINS).map(|n| jid(&format!("u{n}@h"))).collect() };
    let profile = Profile { tag: gid.into(), created: Stamp(0), creator, gid, listed: true };
    let name = ChannelName::new("x").unwrap();
    let mut kept = Channel::create(name, profile, settings, rights, Item::default()).kept().clone();
    if !is_group {
        let listed = |word: &str| (0..count).map(|n| jid(&format!("{word}{n}@far"))).collect::<Vec<_>>();
        let domains = ["h", "ann.example", "new.example"].map(jid);
        kept.allowed = Some(listed("a").into_iter().chain(domains).collect());
        kept.banned = Some(listed("b").into_iter().collect());
        let guest = |n: usize| {
            let subscriptions = NodeSet::from_iter([Node::Messages]);
            Guest { jid: jid(&format!("guest{n}@h")), since: Stamp(0), subscriptions, first: 1 }
        };
        kept.guests = (0..9).map(guest).map(|guest| (guest.jid.clone(), guest)).collect();
    }
    kept
}

fn people(count: usize) -> Vec<Member> {
    let mut dice = StdRng::seed_from_u64(1);
    let mut person = |n: usize, account: &str, nick: &str| Member {
        id: ParticipantId::random(&mut dice),
        jid: jid(account),
        nick: Nick::new(nick).unwrap(),
        status: Status::Joined,
        subscriptions: if n.is_multiple_of(2) { NodeSet::ALL } else { NodeSet::GROUP },
        windows: vec![(1, None)],
        since: Stamp(n as u64),
        spoke: true,
        preferences: Default::default(),
        veiled: false,
        ended: false,
        named: true,
        granted: false,
        own: Own::default(),
    };
    let mut people = vec![person(0, "amy@h", "amy"), person(0, "ann0@ann.example", "ann")];
    people.extend((0..count).map(|n| person(n, &format!("u{n}@h"), &format!("u{n}"))));
    people.extend((2..count / 10).map(|n| person(n, &format!("ann{n}@ann.example"), &format!("ann {n}"))));
    people
}

fn iq(from: &str, to: &str, type_: &str, payload: &str) -> String {
    format!("<iq type='{type_}' id='1' from='{from}' to='{to}@mix.h'>{payload}</iq>")
}

/// A stanza for each thing that can be read.
fn reads() -> Vec<(&'static str, String)> {
    let set = "<set xmlns='http://jabber.org/protocol/rsm'><max>1</max></set>";
    let items = |node: &str, items: &str, set: &str| {
        let pubsub = ns::PUBSUB;
        iq(
            "amy@h/r",
            "c",
            "get",
            &format!("<pubsub xmlns='{pubsub}'><items node='{node}'>{items}</items>{set}</pubsub>"),
        )
    };
    let last = "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set>";
    let named: String = (0..50).map(|n| format!("<item id='a{n}@far'/>")).collect();
    let group = |who: &str, type_: &str, payload: &str| {
        let payload = payload.replacen(['/', '>'], &format!(" xmlns='{}'>", ns::GROUP), 1).replace(">>", ">");
        iq(who, "g", type_, &payload)
    };
    let command = |node: &str, field: &str| {
        let form = format!("<x xmlns='jabber:x:data' type='submit'>{field}</x>");
        iq("amy@h/r", "c", "set", &format!("<command xmlns='{}' node='{node}'>{form}</command>", ns::COMMANDS))
    };
    let subscriptions =
        format!("<pubsub xmlns='{}'><subscriptions node='{}'/>{set}</pubsub>", ns::PUBSUB_OWNER, ns::NODE_MESSAGES);
    vec![
        ("one participant", items(ns::NODE_PARTICIPANTS, "", set)),
        ("the last participants", items(ns::NODE_PARTICIPANTS, "", last)),
        ("one entry of a list", items(ns::NODE_ALLOWED, "", set)),
        ("entries by name", items(ns::NODE_ALLOWED, &named, "")),
        ("the last entries", items(ns::NODE_BANNED, "", last)),
        ("one subscriber", iq("amy@h/r", "c", "get", &subscriptions)),
        ("the profile of one", group("amy@h/r", "get", &format!("<profile>{set}</profile>"))),
        (
            "the form of participants",
            command("urn:mixd:command:1#list-participants", "<field var='max_items'><value>3</value></field>"),
        ),
        ("statistics", command("urn:mixd:command:1#statistics", "")),
        ("what the channel is", iq("x@h/r", "c", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")),
        ("its nodes", iq("u3@h/r", "c", "get", &format!("<query xmlns='{}' node='mix'/>", ns::DISCO_ITEMS))),
    ]
}

/// A stanza for each thing that can be changed.
fn writes() -> Vec<(&'static str, String)> {
    let publish = |node: &str, id: &str| {
        let item = format!("<publish node='{node}'><item id='{id}'/></publish>");
        iq("amy@h/r", "c", "set", &format!("<pubsub xmlns='{}'>{item}</pubsub>", ns::PUBSUB))
    };
    let join = |who: &str, nick: &str| {
        let subscribe = format!("<subscribe node='{}'/>", ns::NODE_MESSAGES);
        iq(who, "c", "set", &format!("<join xmlns='{}'>{subscribe}{nick}</join>", ns::MIX_CORE))
    };
    let core = |who: &str, to: &str, payload: &str| {
        iq(who, to, "set", &payload.replace("/>", &format!(" xmlns='{}'/>", ns::MIX_CORE)))
    };
    let owners: String = (0..ADMINS).map(|n| format!("<value>u{}@h</value>", n + 5)).collect();
    let form = format!(
        "<x xmlns='jabber:x:data' type='submit'><field var='Owner'><value>amy@h</value>{owners}</field>\
         <field var='Administrator'><value>u1@h</value></field></x>"
    );
    let configure = format!(
        "<pubsub xmlns='{}'><publish node='{}'><item>{form}</item></publish></pubsub>",
        ns::PUBSUB,
        ns::NODE_CONFIG
    );
    let retract = format!(
        "<pubsub xmlns='{}'><retract node='{}'><item id='b7@far'/></retract></pubsub>",
        ns::PUBSUB,
        ns::NODE_BANNED
    );
    vec![
        ("a message", "<message type='groupchat' from='u3@h/r' to='c@mix.h' id='m'><body>x</body></message>".into()),
        ("a join", join("new@h/r", "")),
        ("a join by a name that is taken", join("ann@new.example/r", "")),
        ("a join by a nick", join("other@h/r", "<nick>Other</nick>")),
        ("a rename", core("u3@h/r", "c", &format!("<setnick xmlns='{}'><nick>Third</nick></setnick>", ns::MIX_CORE))),
        (
            "a subscription",
            core(
                "u3@h/r",
                "c",
                &format!(
                    "<update-subscription xmlns='{}'><unsubscribe node='{}'></unsubscribe></update-subscription>",
                    ns::MIX_CORE,
                    ns::NODE_INFO
                ),
            ),
        ),
        ("a leave", core("u7@h/r", "c", "<leave/>")),
        ("an owner who leaves a group", core("amy@h/r", "g", "<leave/>")),
        ("a ban", publish(ns::NODE_BANNED, "u9@h")),
        ("a ban of an admin", publish(ns::NODE_BANNED, "u19@h")),
        ("a ban of a domain", publish(ns::NODE_BANNED, "nobody.example")),
        ("a pardon", iq("amy@h/r", "c", "set", &retract)),
        ("owners who are replaced", iq("amy@h/r", "c", "set", &configure)),
    ]
}

fn take(engine: &mut Engine, xml: &str) -> (Turn, u64) {
    let inbound = Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    let before = steps::taken();
    let turn = engine.turn(Stamp(engine.now.0 + 1), vec![inbound]);
    (turn, steps::taken() - before)
}

#[test]
fn what_somebody_asks_costs_the_same_whatever_the_channel_holds() {
    let (mut small, mut large) = (service(1000), service(10_000));
    let mut dear = Vec::new();
    for (what, xml) in reads().into_iter().chain(writes()) {
        let ((told, few), (turn, many)) = (take(&mut small, &xml), take(&mut large, &xml));
        let is_error = |out: &Out| matches!(out, Out::Stanza(xml) if xml.contains("type='error'"));
        let refused = [&told, &turn].map(|turn| turn.outbox.iter().any(is_error));
        assert_eq!(refused, [false; 2], "{what}: {:?}", turn.outbox);
        if many > 2 * few + 200 || many > 4000 {
            dear.push(format!("{what}: {few} and {many} steps"));
        }
    }
    assert!(dear.is_empty(), "{dear:#?}");
}
