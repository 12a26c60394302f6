//! For each shared bound: one account floods, and another is served.

mod former_tests;

use super::people::pending::Purpose;
use super::presence::online::{Online, ResourcePlace};
use super::share::OwnDomains;
use super::{Addressee, Call, Engine, Inbound, ServiceSettings, Turn, fixture};
use crate::channel::group::Invitee;
use crate::channel::{Actor, ChannelName, GroupWish, Limits, ParticipantId, ServiceCommand, Stamp};
use crate::xep::availability::Availability;
use crate::xmpp::Stanza;
use jid::{BareJid, FullJid, Jid};

/// A service of `h`, where only accounts of `h` create channels.
fn service(limits: Limits) -> Engine {
    let settings = ServiceSettings { limits, creators: vec!["h".into()], ..fixture::settings() };
    Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new())
}

fn take(engine: &mut Engine, now: u64, xml: &str) -> (String, Turn) {
    let stanza = Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    let turn = engine.turn(Stamp(now), vec![stanza, Inbound::Tick]);
    (format!("{:?}", turn.outbox), turn)
}

fn create(engine: &mut Engine, who: &str, name: &str) -> String {
    let create = format!("<create xmlns='urn:xmpp:mix:core:1' channel='{name}'/>");
    take(engine, 1, &format!("<iq type='set' id='1' from='{who}' to='mix.h'>{create}</iq>")).0
}

fn join(engine: &mut Engine, who: &str) -> String {
    let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:presence'/></join>";
    take(engine, 1, &format!("<iq type='set' id='2' from='{who}' to='c@mix.h'>{join}</iq>")).0
}

#[test]
fn questions_to_one_domain_keep_nobody_else_from_being_asked() {
    let mut engine = service(Limits::default());
    create(&mut engine, "a@h/r", "c");
    join(&mut engine, "a@h/r");
    join(&mut engine, "b@far/r");
    for n in 0..12_000 {
        let full = FullJid::new(&format!("x{n}@away/r")).unwrap();
        let purpose = Purpose::Capabilities { full: full.clone(), announced: None };
        engine.people.ask(format!("q{n}"), full.into(), purpose, Stamp(1));
    }
    for who in ["a@h/other", "b@far/other"] {
        let (told, turn) = take(&mut engine, 2, &format!("<presence from='{who}' to='mix.h'/>"));
        assert!(told.contains("disco#info") && told.contains(who), "{told}");
        assert!(turn.hits.iter().all(|hit| (hit.what, &*hit.domain) == ("questions", "away")), "{:?}", turn.hits);
    }
    println!(
        "flood: 12,000 questions of one domain: {} wait, and those of two others are asked",
        engine.people.questions()
    );
}

#[test]
fn a_question_that_went_for_another_is_answered_with_an_error() {
    let mut engine = service(Limits::default());
    create(&mut engine, "a@h/r", "c");
    ["a@h/r", "x@away/r"].iter().for_each(|who| drop(join(&mut engine, who)));
    let channel = engine.channels.channel(&ChannelName::new("c").unwrap()).unwrap();
    let id = channel.participant(&BareJid::new("a@h").unwrap()).unwrap().id.as_str().to_owned();
    for n in 0..100 {
        let payload = "<query xmlns='jabber:iq:version'/>";
        let ask = format!("<iq type='get' id='v{n}' from='x@away/r' to='{id}#c@mix.h/r'>{payload}</iq>");
        let told = take(&mut engine, 2, &ask).0;
        assert!(told.contains("jabber:iq:version") && !told.contains("type='error'"), "{n}: {told}");
    }
    for n in 0..9_990 {
        let purpose = Purpose::RosterItem { domain: "away".into() };
        engine.people.ask(format!("q{n}"), Jid::new(&format!("y{n}@away")).unwrap(), purpose, Stamp(2));
    }
    let told = take(&mut engine, 3, "<presence from='a@h/other' to='mix.h'/>").0;
    let refusal = told.contains("to='x@away/r'") && told.contains("id='v0'") && told.contains("resource-constraint");
    assert!(refusal && engine.people.questions() == 10_000, "{told}");
}

#[test]
fn presence_of_one_domain_is_not_shown_any_more_before_anybody_else_s() {
    let mut online = Online::of_bytes(1 << 20, &OwnDomains::new(["h".to_owned()]));
    let says = || Availability::of(&"<presence xmlns='jabber:client'/>".parse().unwrap());
    let id = |who: &str| {
        let mut bytes = [0; 20];
        bytes.iter_mut().zip(who.bytes()).for_each(|(at, byte)| *at = byte);
        ParticipantId::of_bytes(bytes)
    };
    let channel = |tag: u64| ChannelName::new(&format!("c{tag}")).unwrap();
    let full = |who: &str| FullJid::new(&format!("{who}/r")).unwrap();
    let say = |online: &mut Online, tag: u64, who: &str| {
        online.say(tag, &channel(tag), &id(who), &full(who), says()).is_some()
    };
    let flood = |online: &mut Online| {
        for n in 0..10_000 {
            say(online, n % 500, &format!("x{}@away", n / 500));
        }
    };
    flood(&mut online);
    for n in 0..20 {
        assert!(say(&mut online, 7, &format!("b{n}@far")));
        flood(&mut online);
        assert!(say(&mut online, 7, &format!("a{n}@h")));
    }
    let is_of = |place: &ResourcePlace, at: &str| online.account_at(place).is_some_and(|it| it.domain().as_str() == at);
    let own = |at: &str| online.places(7).iter().filter(|place| is_of(place, at)).count();
    assert_eq!((own("far"), own("h")), (20, 20));
    let places: usize = (0..500).map(|tag| online.places(tag).len()).sum();
    println!("flood: 210,000 presences of one domain in 1 MiB: {places} are kept, and all 40 of two others");
    assert!(online.hits().all(|hit| (hit.what, &*hit.domain) == ("presence", "away")));
}

#[test]
fn a_crowded_channel_keeps_no_presence_and_asks_for_it_when_it_is_crowded_no_longer() {
    let mut engine = service(Limits { presence_participants_max: 2, ..Limits::default() });
    create(&mut engine, "a@h/r", "c");
    ["a@h/r", "b@h/r", "c@h/r"].iter().for_each(|who| drop(join(&mut engine, who)));
    let tag = engine.channels.tag_of(&ChannelName::new("c").unwrap()).unwrap();
    for n in 0..30 {
        take(&mut engine, 2, &format!("<presence from='a@h/{n}' to='c@mix.h'/>"));
    }
    assert_eq!(engine.presence.online().account_count(tag), 0);
    take(&mut engine, 3, "<iq type='set' id='3' from='c@h/r' to='c@mix.h'><leave xmlns='urn:xmpp:mix:core:1'/></iq>");
    let (told, _) = take(&mut engine, 1004, "<presence from='n@nowhere/r' to='mix.h'/>");
    assert!(told.contains("probe") || engine.presence.online().is_probed(tag), "{told}");
    let (told, _) = take(&mut engine, 1005, "<presence from='a@h/0' to='c@mix.h'><status>here</status></presence>");
    assert!(told.contains("here") && engine.presence.online().account_count(tag) == 1, "{told}");
}

fn register(engine: &mut Engine, who: &str, nick: &str) -> bool {
    let register = format!("<register xmlns='urn:xmpp:mix:misc:0'><nick>{nick}</nick></register>");
    let iq = format!("<iq type='set' id='n' from='{who}/r' to='mix.h'>{register}</iq>");
    let (told, turn) = take(engine, 1, &iq);
    assert!(turn.records.is_empty() == told.contains("type='error'"), "{told}");
    !turn.records.is_empty()
}

#[test]
fn nicks_are_registered_by_whom_the_operator_lets_and_none_takes_all() {
    let mut engine = service(Limits { registered_nicks_max: 1000, ..Limits::default() });
    assert!(register(&mut engine, "a@h", "Ann") && !register(&mut engine, "b@away", "Bob"));
    let limits = Limits { registered_nicks_max: 1000, nick_domains: vec!["*".into()], ..Limits::default() };
    let mut engine = service(limits);
    let taken = (0..2000).filter(|n| register(&mut engine, &format!("x{n}@away"), &format!("n{n}"))).count();
    assert_eq!(taken, 314, "five eighths of what is not kept for the service's own");
    println!("flood: 2,000 nicks of one domain: {taken} of 1,000 are registered, and all that two others want");
    assert!((0..10).all(|n| register(&mut engine, &format!("b{n}@far"), &format!("far{n}"))));
    assert!(
        (0..250).all(|n| register(&mut engine, &format!("a{n}@h"), &format!("n{n}"))),
        "a stranger's nick binds none"
    );
    // The foreign account lost its nick to the service's own.
    let account = |text: &str| BareJid::new(text).unwrap();
    assert_eq!(engine.requests.nick_of(&account("x1@away")), None);
    assert_eq!(engine.requests.nick_of(&account("a1@h")).map(|nick| nick.as_str()), Some("n1"));
}

#[test]
fn no_account_creates_all_channels_that_there_may_be() {
    let rates = crate::channel::Rates { requests: crate::channel::Rate { per_s: 0, burst: 1 }, ..Default::default() };
    let limits = Limits { channels_max: 200, channels_per_creator_max: usize::MAX, rates, ..Limits::default() };
    let mut engine = service(limits);
    let mut count = 0;
    let mut created = |who: &str| {
        count += 1;
        !create(&mut engine, who, &format!("c{count}")).contains("type='error'")
    };
    let taken = (0..300).filter(|_| created("x@h/r")).count();
    assert_eq!(taken, 100);
    assert!((0..20).all(|n| created(&format!("a{n}@h/r"))));
    println!("flood: 300 channels of one account: {taken} of 200 are created, and those of 20 others");
}

/// Creates a group with this many strangers. Returns whether they are in it.
fn gather(engine: &mut Engine, now: u64, (who, group): (&str, u64), people: usize) -> bool {
    let invitee = |n: usize| Invitee { jid: BareJid::new(&format!("s{group}-{n}@away")).unwrap(), nick: None };
    let members = (0..people).map(invitee).collect();
    let wish = GroupWish { subject: "x".into(), members, ..GroupWish::default() };
    let actor = Actor { account: BareJid::new(who).unwrap(), operator: false };
    let call = Call { token: group, actor, to: Addressee::Service, command: ServiceCommand::CreateGroup(wish).into() };
    engine.turn(Stamp(now), vec![Inbound::Call(Box::new(call))]).results.remove(0).1.is_ok()
}

#[test]
fn one_account_writes_to_so_many_strangers_at_once_and_then_to_nine_a_second() {
    let mut engine = service(Limits::default());
    let mut group = 0;
    let mut gather_by = |who: &str, now: u64| {
        group += 1;
        gather(&mut engine, now, (who, group), 29)
    };
    let at_once = 29 * (0..10_000).filter(|_| gather_by("flood@h", 1000)).count();
    assert!((400..=450).contains(&at_once), "{at_once}");
    assert!(gather_by("a@h", 1000), "another one's are its own");
    let later = 29 * (0..200).filter(|second| gather_by("flood@h", 2000 + 1000 * second)).count();
    assert!((1700..=1850).contains(&later), "{later} in 200 seconds");
}

#[test]
fn more_strangers_than_may_be_at_once_are_paid_for_afterwards() {
    let mut limits = Limits::default();
    limits.groups.participants_max = 5000;
    limits.named_max = usize::MAX;
    let mut engine = service(limits);
    assert!(gather(&mut engine, 1000, ("a@h", 1), 4000));
    assert!(!gather(&mut engine, 1000 + 390_000, ("a@h", 2), 1));
    assert!(gather(&mut engine, 1000 + 450_000, ("a@h", 3), 400));
}

#[test]
fn no_domain_gives_all_invitations_that_a_channel_may_have_open() {
    let limits = Limits { invitations_max: 200, invitations_per_inviter_max: 10, ..Limits::default() };
    let mut engine = service(limits);
    create(&mut engine, "a@h/r", "c");
    let field = "<field var='Participation Addition by Invitation from Participant'><value>true</value></field>";
    let form = format!(
        "<x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>urn:xmpp:mix:admin:0</value></field>{field}</x>"
    );
    let publish = format!("<publish node='urn:xmpp:mix:nodes:config'><item>{form}</item></publish>");
    let pubsub = format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{publish}</pubsub>");
    let told = take(&mut engine, 1, &format!("<iq type='set' id='s' from='a@h/r' to='c@mix.h'>{pubsub}</iq>")).0;
    assert!(!told.contains("type='error'"), "{told}");
    let mut hits = Vec::new();
    let mut invited = |who: &str, count: usize| {
        join(&mut engine, &format!("{who}/r"));
        let given = (0..count).filter(|n| {
            let localpart = who.replace(['@', '.'], "-");
            let invite = format!("<invite xmlns='urn:xmpp:mix:misc:0'><invitee>{localpart}-{n}@h</invitee></invite>");
            let (told, turn) =
                take(&mut engine, 1, &format!("<iq type='set' id='i' from='{who}/r' to='c@mix.h'>{invite}</iq>"));
            hits.extend(turn.hits);
            !told.contains("type='error'")
        });
        given.count()
    };
    let taken: usize = (0..30).map(|n| invited(&format!("x@host{n}.away.example"), 9)).sum();
    assert!((50..=64).contains(&taken), "five eighths at most of what is not kept for the service's own: {taken}");
    assert_eq!((invited("b@far.example", 2), invited("a@h", 10), invited("c@h", 10)), (2, 10, 10));
    assert!(hits.iter().all(|hit| (hit.what, &*hit.domain) == ("invitations", "away.example")) && !hits.is_empty());
    println!("flood: 270 invitations of one domain: {taken} of 200 are open, and all 22 of others");
}
