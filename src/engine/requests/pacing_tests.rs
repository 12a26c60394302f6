//! What is held, for how long, and in which order.

use super::*;
use crate::channel::ChannelName;
use crate::channel::{Actor, Command, Limits, Message, Rate, Rates, ServiceCommand, Stamp};
use crate::engine::{Addressee, Call, ServiceSettings, fixture};

struct World {
    engine: Engine,
    pacing: Pacing,
}

fn world(rates: Rates, bytes_max: usize) -> World {
    let limits = Limits { rates, ..Limits::default() };
    let settings = ServiceSettings { limits, operators: vec![BareJid::new("root@h").unwrap()], ..fixture::settings() };
    let engine = Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new());
    let pacing = Pacing::new(bytes_max, OwnDomains::new(["h".to_owned()]));
    World { engine, pacing }
}

impl World {
    /// The ids that go on, marked if refused.
    fn pass(&mut self, now_ms: u64, stanzas: &[String]) -> Vec<String> {
        let read = |xml: &String| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
        let ready = self.pacing.pass(&mut self.engine, Stamp(now_ms), stanzas.iter().map(read).collect());
        ready.iter().map(named).collect()
    }
}

fn named(inbound: &Inbound) -> String {
    match inbound {
        Inbound::Stanza(stanza) => stanza.id.clone().unwrap_or_default(),
        Inbound::Refused(refused) => format!("!{}", named(&refused.0)),
        Inbound::Call(call) => call.token.to_string(),
        _ => String::new(),
    }
}

fn say(who: &str, to: &str, id: &str) -> String {
    format!("<message type='groupchat' from='{who}' to='{to}@mix.h' id='{id}'><body>x</body></message>")
}

fn all(who: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| say(who, "c", &n.to_string())).collect()
}

#[test]
fn who_enters_a_room_that_many_enter_waits_a_moment_and_what_it_sends_behind_that_waits_as_well() {
    let mut world = world(Rates::unlimited(), 32 << 20);
    let create = "<iq type='set' id='1' from='o@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>";
    let presence = |who: &str, id: &str, inner: &str| {
        format!("<presence from='{who}/1' to='c@mix.h/{who}' id='{id}'>{inner}</presence>")
    };
    let enter = |who: &str, id: &str| {
        presence(who, id, "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>")
    };
    let turn = |world: &mut World, now_ms, stanzas: &[String]| {
        let came = world.pass(now_ms, stanzas);
        let of = |xml: &String| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
        let is_in = |xml: &&String| came.iter().any(|id| xml.contains(&format!("id='{id}'")));
        world.engine.turn(Stamp(now_ms), stanzas.iter().filter(is_in).map(of).collect());
        came
    };
    turn(&mut world, 1000, &[create.to_owned()]);
    (0..16).for_each(|n| drop(turn(&mut world, 2000 + 1000 * n, &[enter(&format!("x{n}@h"), "e")])));
    let four: Vec<String> = (0..4).map(|n| enter(&format!("y{n}@h"), &format!("y{n}"))).collect();
    assert_eq!(turn(&mut world, 30_000, &four), ["y0", "y1", "y2", "y3"]);
    // Two more; one of them is away at once and speaks. A client that is inside waits for nobody.
    let say = |who: &str, id: &str| say(&format!("{who}/1"), "c", id);
    let more = [enter("a@h", "a1"), presence("a@h", "a2", "<show>away</show>"), say("a@h", "a3"), enter("b@h", "b1")];
    assert_eq!(turn(&mut world, 30_100, &more), [""; 0]);
    assert_eq!(turn(&mut world, 30_150, &[presence("y0@h", "y", ""), enter("y1@h", "again")]), ["y", "again"]);
    assert_eq!(turn(&mut world, 30_199, &[]), [""; 0]);
    assert_eq!(turn(&mut world, 30_200, &[]), ["a1", "a2", "a3", "b1"]);
    assert_eq!(turn(&mut world, 40_000, &[enter("z@h", "z")]), ["z"]);
}

#[test]
fn the_rate_of_a_channel_holds_for_whoever_is_in_the_room_and_for_nobody_outside() {
    let mut world = world(Rates { channel_messages: Rate { per_s: 1, burst: 1 }, ..Rates::default() }, 32 << 20);
    let create = "<iq type='set' id='1' from='o@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>";
    let enter = "<presence from='b@h/1' to='c@mix.h/b'><x xmlns='http://jabber.org/protocol/muc'/></presence>";
    for xml in [create, enter] {
        world.engine.turn(Stamp(1000), vec![Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()), Inbound::Tick]);
    }
    // A few messages of whoever seldom speaks there skip it.
    assert_eq!(world.pass(2000, &all("b@h/1", 10)).len(), 6);
    assert_eq!(world.pass(2000, &all("x@h/1", 10)).len(), 10);
}

#[test]
fn a_phone_that_sends_five_hundred_queued_messages_loses_none() {
    let mut world = world(Rates::default(), 32 << 20);
    let mut came = world.pass(1000, &all("a@h/phone", 500));
    assert_eq!(came.len(), 50);
    let mut last_ms = 0;
    for now_ms in (1100..32_000).step_by(100) {
        let more = world.pass(now_ms, &[]);
        // At most twice the rate.
        assert!(more.len() <= 3, "{more:?}");
        last_ms = if more.is_empty() { last_ms } else { now_ms };
        came.extend(more);
    }
    assert_eq!(came, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!((20_000..=27_000).contains(&last_ms) && world.pacing.depth() == (0, 0), "{last_ms}");
    // A sender that never stops is served at its rate; what would wait too long is refused.
    let told = world.pass(100_000, &all("a@h/phone", 2000));
    let refused = told.iter().filter(|id| id.starts_with('!')).count();
    assert!((1400..1460).contains(&refused), "{refused}");
}

#[test]
fn those_whose_time_comes_at_once_go_on_as_they_came_whatever_they_are_called() {
    for people in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
        let rates = Rates { messages: Rate { per_s: 1, burst: 1 }, ..Rates::default() };
        let mut world = world(rates, 32 << 20);
        let mut came = Vec::new();
        for who in people {
            (0..2).for_each(|_| came.push(say(&format!("{who}@h/r"), who, who)));
        }
        let told = world.pass(1000, &came);
        assert_eq!(told, people, "the second ones are held");
        assert_eq!(world.pass(10_000, &[]), people);
    }
}

#[test]
fn one_floods_and_the_other_goes_on_at_once() {
    let mut world = world(Rates::default(), 32 << 20);
    (0..30).for_each(|n| drop(world.pass(1000, &all(&format!("x{n}@away/r"), 100))));
    // The channel's rate is used up, too.
    assert_eq!(world.pass(1000, &[say("b@far/r", "c", "b"), say("a@h/r", "c", "a")]), ["b", "a"]);
}

#[test]
fn what_a_client_sends_one_channel_stays_in_order_whatever_it_is() {
    let rates = Rates { messages: Rate { per_s: 1, burst: 1 }, messages_backlog: 0, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let iq =
        |who: &str, to: &str, id: &str| format!("<iq type='get' from='{who}' to='{to}' id='{id}'><x xmlns='y'/></iq>");
    let leave = |from: &str| {
        format!(
            "<iq type='set' from='h' to='mix.h' id='left'><delegation xmlns='urn:xmpp:delegation:2'><forwarded \
         xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' type='set' from='{from}' id='l'><client-leave \
         xmlns='urn:xmpp:mix:pam:2' channel='c@mix.h'/></iq></forwarded></delegation></iq>"
        )
    };
    let gone = "<presence type='unavailable' from='a@h/r' to='mix.h' id='gone'/>".to_owned();
    let came = world.pass(
        1000,
        &[
            say("a@h/r", "c", "1"),
            say("a@h/r", "c", "2"),
            iq("a@h/r", "c@mix.h", "c"),
            iq("a@h/r", "mix.h", "service"),
            iq("a@h/r", "d@mix.h", "d"),
            iq("a@h/other", "c@mix.h", "other"),
            leave("a@h/r"),
            leave("b@h/r"),
            gone,
            say("a@h/r", "d", "3"),
        ],
    );
    assert_eq!(came, ["1", "service", "d", "other", "left"]);
    assert_eq!(world.pass(1999, &[]), [""; 0]);
    assert_eq!(world.pass(2000, &[]), ["2", "c", "left", "gone"]);
    assert_eq!(world.pass(3000, &[]), ["3"]);
}

#[test]
fn presence_is_paced_and_its_newest_state_alone_waits() {
    let rates = Rates { presence: Rate { per_s: 1, burst: 2 }, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let here = |n: usize| format!("<presence from='a@h/r' to='c@mix.h' id='{n}'/>");
    let came = world.pass(1000, &(0..1000).map(here).collect::<Vec<_>>());
    assert_eq!((came, world.pacing.depth().0), (vec!["0".to_owned(), "1".to_owned()], 1));
    assert_eq!((world.pass(2000, &[]), world.pacing.depth()), (vec!["999".to_owned()], (0, 0)));
}

/// Counted in steps: an entry costs the same behind a queue ten times as long.
#[test]
fn what_comes_costs_the_same_however_much_of_its_account_is_held() {
    let steps_of = |held: usize| {
        let one = Rate { per_s: 1, burst: 1 };
        let rates = Rates { messages: one, presence: one, messages_backlog: 0, held_s: 10_000, ..Rates::default() };
        let mut world = world(rates, 32 << 20);
        world.pass(1000, &all("a@h/r", held));
        let here = |n: usize| format!("<presence from='a@h/r' to='d{n}@mix.h' id='{n}'/>");
        world.pass(1000, &(0..held).map(here).collect::<Vec<_>>());
        let before = crate::steps::taken();
        let ask = "<iq type='get' from='a@h/r' to='e@mix.h' id='i'><x xmlns='y'/></iq>".to_owned();
        let told = world.pass(1000, &[here(1), here(held - 1), ask, say("a@h/r", "c", "last")]);
        assert_eq!((told, world.pacing.depth().0), (vec!["i".to_owned()], 2 * held));
        crate::steps::taken() - before
    };
    let (short, long) = (steps_of(100), steps_of(1000));
    assert!(short > 0 && long <= short + 5, "{short} {long}");
}

#[test]
fn presence_that_takes_the_place_of_older_one_counts_as_any_other() {
    let rates = Rates { presence: Rate { per_s: 1, burst: 2 }, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let here = |n: usize| format!("<presence from='a@h/r' to='c@mix.h' id='{n}'/>");
    world.pass(1000, &(0..12).map(here).collect::<Vec<_>>());
    assert_eq!(world.pass(2000, &[]), ["11"]);
    // Ten more were counted, one second each.
    world.pass(2000, &[here(12)]);
    assert_eq!((world.pass(11_999, &[]), world.pass(12_000, &[])), (Vec::new(), vec!["12".to_owned()]));
}

#[test]
fn what_is_held_is_bounded_and_whoever_holds_most_loses_its_newest() {
    let rates = Rates { messages: Rate { per_s: 1, burst: 1 }, messages_backlog: 0, ..Rates::default() };
    let mut world = world(rates, 20_000);
    let came = world.pass(1000, &all("x@away/r", 25));
    let (held, bytes) = world.pacing.depth();
    assert!(came.len() + held == 25 && (10..25).contains(&held) && bytes <= 20_000, "{came:?}");
    let came = world.pass(1000, &[say("a@h/r", "c", "a1"), say("a@h/r", "c", "a2")]);
    assert_eq!(came, ["a1".to_owned(), format!("!{held}")]);
    assert!(world.pacing.hits().all(|hit| (hit.what, &*hit.domain) == ("held messages", "away")));
    let rest: Vec<String> = world.pacing.finish().iter().map(named).collect();
    let expected: Vec<String> = (1..held).map(|n| n.to_string()).collect();
    assert!(rest.iter().filter(|id| *id != "a2").eq(expected.iter()) && rest.contains(&"a2".to_owned()), "{rest:?}");
    assert_eq!((world.pacing.depth(), world.pacing.next_in_ms(&world.engine)), ((0, 0), None));
}

#[test]
fn what_only_waits_behind_messages_is_promised_no_room_and_host_servers_speak_for_their_own() {
    let rates = Rates { messages: Rate { per_s: 1, burst: 1 }, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let bounce = "<message type='error' from='a@h/r' to='c@mix.h' id='bounce'/>".to_owned();
    let asks = |host: &str, kind: &str| {
        let iq = "<iq xmlns='jabber:client' type='set' from='a@h' id='i'/>";
        let inner = format!("<forwarded xmlns='urn:xmpp:forward:0'>{iq}</forwarded>");
        let outer = format!("<delegation xmlns='urn:xmpp:delegation:2'>{inner}</delegation>");
        format!("<{kind} type='set' from='{host}' to='c@mix.h' id='{host}-{kind}'>{outer}</{kind}>")
    };
    let told = [all("a@h/r", 2), vec![bounce, asks("away", "message"), asks("away", "iq"), asks("h", "iq")]].concat();
    assert_eq!(world.pass(1000, &told), ["0", "away-message", "away-iq"], "nobody else's wait in its line");
    let read = |xml: &String| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    let rest = world.pacing.pass(&mut world.engine, Stamp(3000), Vec::new());
    assert_eq!(rest.iter().map(named).collect::<Vec<_>>(), ["1", "bounce", "h-iq"]);
    told.iter().map(read).for_each(|inbound| world.engine.settle(&inbound));
    assert!(!world.engine.outgoing.has_promised());
}

#[test]
fn presence_that_becomes_longer_while_it_waits_finds_no_more_room_than_there_is() {
    let rates = Rates { presence: Rate { per_s: 1, burst: 1 }, ..Rates::default() };
    let mut world = world(rates, 40_000);
    let here = |n: usize, more: &str| format!("<presence from='a@h/r' to='c{n}@mix.h' id='{n}'>{more}</presence>");
    let held = world.pass(1000, &(0..10).map(|n| here(n, "")).collect::<Vec<_>>());
    assert_eq!((held, world.pacing.depth().0), (vec!["0".to_owned()], 9));
    let told = world.pass(1000, &(1..10).map(|n| here(n, &"<a/>".repeat(100))).collect::<Vec<_>>());
    assert!(told.len() >= 8 && told.iter().all(|id| id.starts_with('!')), "{told:?}");
    assert!(world.pacing.depth().1 <= 40_000, "{:?}", world.pacing.depth());
    let left: Vec<String> = (1..10).map(|n| n.to_string()).collect();
    assert_eq!(world.pacing.finish().iter().map(named).collect::<Vec<_>>(), left, "the older ones wait on");
    assert_eq!(world.pacing.depth(), (0, 0));
}

#[test]
fn operators_bridges_and_errors_are_not_held() {
    let rates =
        Rates { messages: Rate { per_s: 1, burst: 1 }, unpaced_domains: vec!["bridge.h".into()], ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    for who in ["root@h/r", "someone@bridge.h/r"] {
        assert_eq!(world.pass(1000, &all(who, 900)).len(), 900);
    }
    let bounce = "<message type='error' from='a@h/r' to='c@mix.h' id='e'><error type='cancel'/></message>";
    assert_eq!(world.pass(1000, &vec![bounce.to_owned(); 900]).len(), 900);
}

#[test]
fn bytes_are_counted_as_well() {
    let rates = Rates { message_bytes: Rate { per_s: 1000, burst: 10_000 }, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let long = |id: &str| say("a@h/r", "c", id).replace(">x<", &format!(">{}<", "x".repeat(6000)));
    assert_eq!(world.pass(1000, &[long("1"), long("2"), long("3"), long("9")].map(|it| it)), ["1"]);
    assert_eq!(world.pass(4500, &[]), ["2"]);
    assert_eq!(world.pass(11_000, &[]), ["3"]);
}

fn call(who: &str, token: u64) -> Inbound {
    let actor = Actor { account: BareJid::new(who).unwrap(), operator: false };
    let message = Message { payload: "<body>x</body>".into(), ..Message::default() };
    let to = Addressee::Channel(ChannelName::new("c").unwrap());
    Inbound::Call(Box::new(Call { token, actor, to, command: Command::Publish(message).into() }))
}

#[test]
fn what_is_published_by_calls_waits_as_messages_do_and_in_order_with_them() {
    let rates = Rates { messages: Rate { per_s: 1, burst: 2 }, messages_backlog: 0, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let mut pass = |now_ms: u64, batch: Vec<Inbound>| {
        let ready = world.pacing.pass(&mut world.engine, Stamp(now_ms), batch);
        ready.iter().map(named).collect::<Vec<_>>()
    };
    let said = |id: &str| Inbound::Stanza(Stanza::parse(say("a@h/r", "c", id).as_bytes()).unwrap());
    let other = {
        let Inbound::Call(call) = call("a@h", 9) else { panic!("a call") };
        Inbound::Call(Box::new(Call { command: ServiceCommand::Ping.into(), ..*call }))
    };
    let came = pass(1000, vec![call("a@h", 1), said("2"), call("a@h", 3), said("4"), other, call("b@h", 5)]);
    assert_eq!(came, ["1", "2", "9", "5"], "nothing else waits for them");
    assert_eq!((pass(1999, Vec::new()), pass(2000, Vec::new())), (Vec::new(), vec!["3".to_owned()]));
    // What would wait more than half a minute is refused.
    let came = pass(3000, (10..60).map(|token| call("a@h", token)).collect());
    assert_eq!((came.first().map(String::as_str), came.len()), (Some("4"), 1 + 50 - 30), "{came:?}");
    assert!(came[1..].iter().all(|token| token.starts_with('!')), "{came:?}");
    let mut rest = Vec::new();
    (4000..40_000).step_by(500).for_each(|now_ms| rest.extend(pass(now_ms, Vec::new())));
    assert_eq!(rest, (10..40).map(|token| token.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_call_that_is_refused_for_its_pace_gets_its_answer() {
    let rates = Rates { messages: Rate { per_s: 1, burst: 1 }, messages_backlog: 0, held_s: 0, ..Rates::default() };
    let mut world = world(rates, 32 << 20);
    let batch = world.pacing.pass(&mut world.engine, Stamp(1000), vec![call("a@h", 1), call("a@h", 2)]);
    let results = world.engine.turn(Stamp(1000), batch).results;
    let told: Vec<_> = results.iter().map(|(token, told)| (*token, told.as_ref().unwrap_err())).collect();
    let too_fast = Refusal::TooFast { what: "messages", wait_s: 1 };
    assert_eq!(told, [(1, &Refusal::NoSuchChannel), (2, &too_fast)]);
}

#[test]
fn what_is_held_comes_back_some_at_a_time_and_in_order() {
    let mut world = world(Rates { presence: Rate { per_s: 1, burst: 1 }, ..Rates::unlimited() }, 32 << 20);
    let presence = |n: usize, id: &str| format!("<presence from='x{n}@h/1' to='c@mix.h/{id}' id='{id}{n}'/>");
    let all = |id: &str| (0..3000).map(|n| presence(n, id)).collect::<Vec<_>>();
    assert_eq!(world.pass(1000, &all("a")).len(), 3000);
    assert_eq!(world.pass(1000, &all("b")).len(), 0);
    let came: Vec<Vec<String>> = (0..4).map(|_| world.pass(3000, &[])).collect();
    assert_eq!(came.iter().map(Vec::len).collect::<Vec<_>>(), [1024, 1024, 952, 0]);
    let order: Vec<String> = (0..3000).map(|n| format!("b{n}")).collect();
    assert_eq!(came.concat(), order);
    assert_eq!(world.pacing.next_in_ms(&world.engine), None);
}
