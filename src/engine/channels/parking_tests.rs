//! Items that wait for channels.

#[path = "parking_far_tests.rs"]
mod far;

use super::*;
use crate::channel::{Channel, Head, Item, Limits, Member, Profile, Rest, Rights, Stamp};
use crate::channel::{Nick, Node, NodeSet, Own, ParticipantId, Status};
use crate::engine::channels::arrival::PEOPLE_MAX;
use crate::engine::{Loaded, Out, ServiceSettings, Step};
use crate::store::{Directory, Halves, Listing, Outdated, Part, Unsent};
use crate::xep::availability::Availability;
use crate::xmpp::Stanza;
use jid::BareJid;
use rand::SeedableRng;
use rand::rngs::StdRng;

const MANY: usize = 100;

fn name(text: &str) -> ChannelName {
    ChannelName::new(text).unwrap()
}

fn founder() -> BareJid {
    BareJid::new("amy@h.example").unwrap()
}

fn number_of(text: &str) -> u32 {
    text.chars().next().map_or(0, u32::from)
}

/// An engine that knows these channels and has none in memory.
fn engine(names: &[&str], memory_bytes_max: usize) -> Engine {
    let listing = |text: &&str| {
        let gid = number_of(text);
        Listing {
            name: name(text),
            tag: gid.into(),
            gid,
            listed: true,
            shows_jids: true,
            end_of_life: None,
            creator: founder(),
            title: None,
            sign: None,
        }
    };
    let settings = ServiceSettings {
        domain: "mix.example".parse().unwrap(),
        name: "mix".into(),
        operators: Vec::new(),
        creators: vec!["*".into()],
        limits: Limits::default(),
        page_default: 10,
        page_max: 10,
        channels_memory_bytes_max: memory_bytes_max,
        pam: Default::default(),
        multicast: Default::default(),
    };
    let directory =
        Directory { listings: names.iter().map(listing).collect(), gid_highest: u32::MAX, ..Directory::default() };
    Engine::new(settings, [0; 16], [0; 32], directory, Vec::new())
}

/// A channel as the store has it, with this many participants.
fn arrival(text: &str, people: usize) -> Arrival {
    let gid = number_of(text);
    let profile = Profile { tag: gid.into(), created: Stamp(0), creator: founder(), gid, listed: true };
    let empty =
        Channel::create(name(text), profile, Limits::default().group_settings(), Rights::default(), Item::default());
    let mut dice = StdRng::seed_from_u64(1);
    let member = |n: usize| Member {
        id: ParticipantId::random(&mut dice),
        jid: BareJid::new(&format!("u{n}@h.example")).unwrap(),
        nick: Nick::new(&format!("n{n}")).unwrap(),
        status: Status::Joined,
        subscriptions: NodeSet::ALL,
        windows: vec![(1, None)],
        since: Stamp(0),
        spoke: false,
        preferences: Default::default(),
        veiled: Default::default(),
        ended: false,
        named: true,
        granted: false,
        own: Own::default(),
    };
    let channel = Channel::restore(name(text), empty.kept().clone(), (0..people).map(member), Head::default(), &[], []);
    Arrival::new(name(text), Some(channel))
}

fn message(channel: &str, id: &str) -> Inbound {
    let xml = format!(
        "<message type='groupchat' from='amy@h.example/r' to='{channel}@mix.example' id='{id}'><body>x</body></message>"
    );
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())
}

fn goes_on(channel: &str) -> Inbound {
    Inbound::GoOn(Step::In(name(channel)))
}

/// Divides a batch, where every account may know of every channel.
fn part(engine: &mut Engine, parking: &mut Parking, batch: Vec<impl Into<Candidate<Inbound>>>) -> Parted<Inbound> {
    let batch: Vec<Candidate<Inbound>> = batch.into_iter().map(Into::into).collect();
    let asked = engine.needs(batch.iter().map(AsRef::as_ref)).known.into_iter();
    let known = asked.map(|(name, actor)| (name, actor.account, true)).collect();
    engine.adopt(Loaded { known, ..Loaded::default() });
    parking.part(engine, batch)
}

/// An item that needs both channels.
fn both() -> Inbound {
    let part = |text: &str| {
        let stanza = Halves { head: String::new(), tail: String::new(), groupchat: false };
        Part::List { name: name(text), tag: number_of(text).into(), node: Node::Messages, except: None, stanza }
    };
    Inbound::Resend(vec![Unsent { number: 1, stamp: Stamp(0), parts: vec![part("a"), part("b")] }])
}

fn ids(batch: &[impl AsRef<Inbound>]) -> String {
    let id = |inbound: &Inbound| match inbound {
        Inbound::Stanza(stanza) => stanza.id.clone().unwrap_or_default(),
        Inbound::GoOn(_) => "goes on".into(),
        Inbound::Resend(_) => "both".into(),
        Inbound::Expired(_) => "expired".into(),
        _ => "?".into(),
    };
    batch.iter().map(|it| id(it.as_ref())).collect::<Vec<_>>().join(" ")
}

fn all(parking: &mut Parking) -> String {
    ids(&parking.freed((MANY, usize::MAX)))
}

#[test]
fn what_is_for_one_channel_waits_in_order_and_the_others_go_on() {
    let (mut engine, mut parking) =
        (engine(&["a", "b"], usize::MAX), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    let batch = vec![message("a", "1"), message("b", "2"), message("nowhere", "3"), message("a", "4")];
    let parted = part(&mut engine, &mut parking, batch);
    assert_eq!((ids(&parted.ready), ids(&parted.refused)), ("3".into(), String::new()));
    assert_eq!(parking.wanted(), [name("a"), name("b")]);
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![message("a", "5")]).ready), "");
    assert!(parking.wanted().is_empty(), "it is being loaded already");
    parking.arrive(arrival("b", 1));
    assert!(parking.is_moving() && parking.advance(&mut engine, MANY) && !parking.is_moving());
    assert_eq!(all(&mut parking), "2");
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![message("b", "6"), message("a", "7")]).ready), "6");
    parking.arrive(arrival("a", 1));
    parking.advance(&mut engine, MANY);
    assert_eq!(ids(&parking.freed((2, usize::MAX))), "1 4");
    assert_eq!(ids(&parking.freed((MANY, 1))), "5");
    assert_eq!((all(&mut parking).as_str(), parking.depth(), parking.is_empty()), ("7", (0, 0), true));
}

#[test]
fn a_large_channel_comes_into_memory_and_leaves_it_a_part_at_a_time() {
    let (mut engine, mut parking) = (engine(&["a", "b"], 0), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![message("a", "1")]).ready), "");
    parking.arrive(arrival("a", 25));
    let mut parts = 0;
    while engine.is_cold(&name("a")) {
        assert_eq!(all(&mut parking), "");
        parking.advance(&mut engine, 10);
        parts += 1;
    }
    assert_eq!((parts, all(&mut parking).as_str()), (3, "1"));
    let filled = |out: &&Out| matches!(out, Out::Book(crate::engine::Delta::Filled(..)));
    let (all_nodes, turn) = (crate::channel::Node::ALL.len(), engine.turn(Stamp(1), Vec::new()));
    assert_eq!(turn.outbox.iter().filter(filled).count(), all_nodes);
    assert!(engine.is_cold(&name("a")), "there is room for none");
}

#[test]
fn what_left_memory_is_let_go_of_before_anything_else_comes_in() {
    let (mut engine, mut parking) =
        (engine(&["a", "b"], 0), Parking::<Inbound>::new(MANY, usize::MAX, OwnDomains::default()));
    parking.arrive(arrival("a", PEOPLE_MAX + 25));
    while parking.is_moving() {
        parking.advance(&mut engine, MANY);
    }
    engine.turn(Stamp(1), Vec::new());
    assert!(engine.is_cold(&name("a")));
    parking.arrive(arrival("b", 1));
    let mut parts = 0;
    while parking.is_moving() {
        parking.advance(&mut engine, 10);
        parts += 1;
    }
    assert_eq!(parts, 3);
}

#[test]
fn beyond_the_bounds_people_are_refused_and_the_services_own_is_not() {
    let mut engine = engine(&["a", "b"], usize::MAX);
    let mut parking = Parking::new(2, usize::MAX, OwnDomains::default());
    let batch = vec![message("a", "1"), message("a", "2"), message("b", "3"), goes_on("a"), goes_on("b")];
    let parted = part(&mut engine, &mut parking, batch);
    assert_eq!((ids(&parted.ready), ids(&parted.refused)), (String::new(), "3".into()));
    assert_eq!(parking.depth().0, 4);
    let mut parking = Parking::new(MANY, 1, OwnDomains::default());
    let parted = part(&mut engine, &mut parking, vec![message("a", "1"), message("a", "2")]);
    assert_eq!((parking.depth().0, ids(&parted.refused)), (1, "2".into()), "a single one always finds room");
}

#[test]
fn what_needs_several_channels_gets_them_together() {
    let (mut engine, mut parking) = (engine(&["a", "b"], 0), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![both(), message("a", "1")]).ready), "");
    assert_eq!(parking.pins(), BTreeSet::from([name("a"), name("b")]));
    engine.pin(parking.pins());
    parking.arrive(arrival("a", 1));
    parking.advance(&mut engine, MANY);
    assert_eq!(all(&mut parking), "1");
    engine.turn(Stamp(1), Vec::new());
    assert!(!engine.is_cold(&name("a")), "kept for the one that waits for the other");
    parking.arrive(arrival("b", 1));
    parking.advance(&mut engine, MANY);
    assert_eq!((all(&mut parking).as_str(), parking.pins()), ("both", BTreeSet::new()));
    engine.pin(parking.pins());
    engine.turn(Stamp(2), Vec::new());
    assert!(engine.is_cold(&name("a")) && engine.is_cold(&name("b")));
}

#[test]
fn rows_of_a_channel_that_is_being_loaded_do_not_go_meanwhile() {
    let (mut engine, mut parking) =
        (engine(&["a", "b"], usize::MAX), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    let outdated = || Outdated { name: name("a"), tag: 97, base: Head::default(), rest: Rest::Unknown };
    let expired = || Inbound::Expired(vec![outdated()]);
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![expired()]).ready), "expired", "nobody reads it");
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![message("a", "1"), expired(), message("b", "2")]).ready), "");
    parking.arrive(arrival("b", 1));
    parking.advance(&mut engine, MANY);
    assert_eq!(all(&mut parking), "2");
    parking.arrive(arrival("a", 1));
    parking.advance(&mut engine, MANY);
    assert_eq!(all(&mut parking), "1 expired");
}

#[test]
fn a_channel_that_cannot_be_loaded_fails_those_who_wait_for_it_and_is_asked_for_again() {
    let (mut engine, mut parking) =
        (engine(&["a", "b"], usize::MAX), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    part(&mut engine, &mut parking, vec![message("a", "1"), message("b", "2"), goes_on("a")]);
    assert_eq!(parking.wanted().len(), 2);
    assert_eq!(ids(&parking.fail(&name("a"))), "1 goes on");
    assert_eq!(ids(&part(&mut engine, &mut parking, vec![message("a", "3"), goes_on("a")]).ready), "");
    assert_eq!((parking.wanted(), parking.depth().0), (vec![name("a")], 3));
}

/// A chore over many channels keeps few of them in memory, and stanzas do not wait for it.
#[test]
fn what_concerns_many_channels_has_few_of_them_loaded_at_a_time() {
    let texts: Vec<String> = (0..200).filter_map(|n| char::from_u32(0x4e00 + n)).map(String::from).collect();
    let names: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (mut engine, mut parking) = (engine(&names, 0), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    let full = founder().with_resource_str("r").unwrap();
    let says = Availability::of(&"<presence xmlns='jabber:client'/>".parse().unwrap());
    let id = ParticipantId::of_bytes([1; 20]);
    for (n, text) in names.iter().enumerate() {
        let tag = u64::from(number_of(text));
        if n % 2 == 0 {
            engine.presence.online_mut().bring_later(tag, &name(text), &founder());
            continue;
        }
        let place = engine.presence.online_mut().say(tag, &name(text), &id, &full, says.clone()).unwrap();
        engine.presence.online_mut().wait(place);
    }
    let (mut next, mut most, mut loaded) = (vec![Inbound::Tick], 0, 0);
    while !next.is_empty() || !parking.is_empty() {
        let parted = part(&mut engine, &mut parking, std::mem::take(&mut next));
        let ready = [parking.freed((MANY, usize::MAX)), parted.ready].concat();
        next = engine.turn(Stamp(1), ready.into_iter().map(|candidate| candidate.item).collect()).next;
        for text in parking.wanted() {
            loaded += 1;
            parking.arrive(arrival(text.as_str(), 1));
        }
        parking.advance(&mut engine, MANY);
        most = most.max(engine.census().channels_in_memory);
    }
    assert!(most <= 16 && loaded >= 200, "{most} at once of {loaded}");
    assert!(engine.presence.online().channels_to_tell(None, 1).is_empty());
}

/// Counted in places, not in time: one account floods a loading channel, and others still have places.
#[test]
fn one_floods_and_the_other_waits_all_the_same() {
    let mut engine = engine(&["a", "b"], usize::MAX);
    let mut parking = Parking::new(8, usize::MAX, OwnDomains::new(["h.example".to_owned()]));
    let from = |who: &str, channel: &str, id: &str| {
        let Inbound::Stanza(stanza) = message(channel, id) else { panic!("a message is a stanza") };
        Inbound::Stanza(Stanza { from: who.parse().unwrap(), ..stanza })
    };
    let flood = (0..10).map(|n| from("eve@away/r", "a", &n.to_string())).collect();
    assert_eq!(ids(&part(&mut engine, &mut parking, flood).refused), "8 9");
    let others = vec![from("amy@h.example/r", "a", "amy"), from("bob@h.example/r", "b", "bob")];
    assert_eq!(ids(&part(&mut engine, &mut parking, others).refused), "7 6");
    assert_eq!(parking.depth().0, 8);
    assert!(parking.hits().all(|hit| (hit.what, &*hit.domain) == ("parked", "away")));
    // Freed items may have to give way, too.
    parking.arrive(arrival("a", 1));
    parking.advance(&mut engine, MANY);
    let more = vec![from("cat@h.example/r", "b", "cat")];
    assert_eq!(ids(&part(&mut engine, &mut parking, more).refused), "5");
    assert_eq!(all(&mut parking), "0 1 2 3 4 amy");
    parking.arrive(arrival("b", 1));
    parking.advance(&mut engine, MANY);
    assert_eq!((all(&mut parking).as_str(), parking.depth()), ("bob cat", (0, 0)));
}
