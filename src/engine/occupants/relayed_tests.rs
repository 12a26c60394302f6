//! What goes on from one to another through a room: how much, and who pays for it; and who waits to enter.

use crate::channel::{Limits, Stamp};
use crate::engine::outgoing::outbox::Out;
use crate::engine::{Engine, Inbound, ServiceSettings, Turn, fixture};
use crate::xmpp::Stanza;

const X: &str = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";

fn stanza(xml: &str) -> Stanza {
    Stanza::parse(xml.as_bytes()).unwrap()
}

fn take(engine: &mut Engine, now: u64, xml: &str) -> Turn {
    engine.turn(Stamp(now), vec![Inbound::Stanza(stanza(xml))])
}

/// An open channel with `a@h` in it by MIX, and `b@h/1` and `c@h/1` by MUC; and the participant id of `b@h`.
fn room() -> (Engine, String) {
    let mut engine = Engine::new(
        ServiceSettings { limits: Limits::default(), ..fixture::settings() },
        [7; 16],
        [7; 32],
        Default::default(),
        Vec::new(),
    );
    take(&mut engine, 1, &format!("<iq type='set' id='1' from='a@h/r' to='mix.h'><create {CORE} channel='c'/></iq>"));
    let join = format!("<join {CORE}><subscribe node='urn:xmpp:mix:nodes:messages'/><nick>A</nick></join>");
    take(&mut engine, 1, &format!("<iq type='set' id='2' from='a@h' to='c@mix.h'>{join}</iq>"));
    take(&mut engine, 1, &format!("<presence from='c@h/1' to='c@mix.h/C'>{X}</presence>"));
    let entered =
        format!("{:?}", take(&mut engine, 1, &format!("<presence from='b@h/1' to='c@mix.h/B'>{X}</presence>")));
    let own = entered.split("from='c@mix.h/B'").nth(1).unwrap();
    let id = own.split_once("urn:xmpp:occupant-id:0' id='").unwrap().1.split_once('\'').unwrap().0.to_owned();
    (engine, id)
}

fn text(turn: &Turn) -> String {
    format!("{:?}", turn.outbox)
}

/// What the stanzas of a turn are charged to anybody, in bytes.
fn charged(turn: &Turn) -> usize {
    let fans = turn.outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(fan) } else { None });
    fans.map(|fan| fan.charge.as_ref().map_or(0, |charge| charge.bytes)).sum()
}

fn ask(engine: &mut Engine, now: u64, bytes: usize) -> Turn {
    let query = format!("<query xmlns='urn:example'>{}</query>", "x".repeat(bytes));
    take(engine, now, &format!("<iq type='get' id='q' from='b@h/1' to='c@mix.h/C'>{query}</iq>"))
}

#[test]
fn a_private_message_is_charged_for_every_copy_whichever_way_it_comes() {
    let (mut engine, id) = room();
    (2..5).for_each(|n| drop(take(&mut engine, 2, &format!("<presence from='b@h/{n}' to='c@mix.h/B'>{X}</presence>"))));
    let body = "y".repeat(10_000);
    for (from, to) in [("a@h/r", format!("{id}#c@mix.h")), ("c@h/1", "c@mix.h/B".to_owned())] {
        let message = format!("<message from='{from}' to='{to}' type='chat' id='m'><body>{body}</body></message>");
        let sent = Inbound::Stanza(stanza(&message));
        assert!(engine.let_through(&sent, &from.parse::<jid::Jid>().unwrap().to_bare(), true));
        let promised = engine.promised(&from.parse::<jid::Jid>().unwrap().to_bare());
        assert!((40_000..200_000).contains(&promised), "{from} reserves {promised}");
        engine.settle(&sent);
        let turn = take(&mut engine, 3, &message);
        assert!(charged(&turn) > 40_000, "{from} is charged {}", charged(&turn));
    }
}

#[test]
fn a_request_to_somebody_is_as_long_as_a_message_at_most_and_counted_as_one() {
    let (mut engine, _) = room();
    let refused = text(&ask(&mut engine, 2, Limits::default().payload_bytes_max));
    assert!(refused.contains("not-acceptable"), "{refused}");
    let mut went_on = 0;
    while text(&ask(&mut engine, 2, 100_000)).contains("to='c@h/1'") {
        went_on += 1;
    }
    assert_eq!(went_on, 20, "two megabytes");
    let refused = text(&ask(&mut engine, 2, 100_000));
    assert!(refused.contains("resource-constraint"), "{refused}");
    assert!(text(&ask(&mut engine, 60_000, 100_000)).contains("to='c@h/1'"));
}

#[test]
fn whoever_has_others_send_it_very_much_asks_again_later() {
    let (mut engine, _) = room();
    let (mut bytes, mut now) = (0, 2);
    loop {
        let asked = text(&ask(&mut engine, now, 1));
        let Some(question) = asked.split_once("to='c@h/1'").map(|(head, _)| head.to_owned()) else { break };
        let id = question.rsplit_once("id='").unwrap().1.split_once('\'').unwrap().0.to_owned();
        let answer = "z".repeat(400_000);
        take(
            &mut engine,
            now,
            &format!(
                "<iq type='result' id='{id}' from='c@h/1' to='c@mix.h/B'><query xmlns='urn:example'>{answer}</query></iq>"
            ),
        );
        (bytes, now) = (bytes + 400_000, now + 1);
        assert!(bytes < 100 << 20, "there is no end of it");
    }
    assert!(bytes > 30 << 20, "{bytes}");
    let refused = text(&ask(&mut engine, now, 1));
    assert!(refused.contains("resource-constraint"), "{refused}");
    // It is still in the room, and others go on.
    let ping = "<iq type='get' id='p' from='b@h/1' to='c@mix.h/B'><ping xmlns='urn:xmpp:ping'/></iq>";
    assert!(text(&take(&mut engine, now, ping)).contains("type='result'"));
    assert!(text(&ask(&mut engine, now + 20_000, 1)).contains("to='c@h/1'"));
}

#[test]
fn whoever_pings_itself_without_end_has_to_wait() {
    let (mut engine, _) = room();
    let pings =
        |from: &str| format!("<iq type='get' id='p' from='{from}' to='c@mix.h/B'><ping xmlns='urn:xmpp:ping'/></iq>");
    for (from, answer) in [("b@h/1", "type='result'"), ("eve@h/1", "not-acceptable")] {
        let burst = Limits::default().rates.requests.burst;
        let answered = (0..burst + 10).filter(|_| text(&take(&mut engine, 2, &pings(from))).contains(answer)).count();
        assert_eq!(answered as u64, burst);
        assert!(text(&take(&mut engine, 2, &pings(from))).contains("resource-constraint"));
    }
}

#[test]
fn nobody_waits_for_others_to_enter_who_may_not_enter_itself() {
    let (mut engine, _) = room();
    engine.service.limits.muc.gathering_sessions_min = 2;
    let group = "<group xmlns='urn:mixd:group:1'><name>g</name><member jid='b@h'/></group>";
    let create = format!("<create {CORE} channel='g'>{group}</create>");
    take(&mut engine, 2, &format!("<iq type='set' id='1' from='a@h/r' to='mix.h'>{create}</iq>"));
    for who in ["a@h/r", "b@h/1"] {
        take(&mut engine, 2, &format!("<presence from='{who}' to='g@mix.h/{}'>{X}</presence>", &who[..1]));
    }
    take(
        &mut engine,
        2,
        "<iq type='set' id='b' from='a@h/r' to='c@mix.h'><query xmlns='http://jabber.org/protocol/muc#admin'><item affiliation='outcast' jid='eve@h'/></query></iq>",
    );
    engine.tell_time(Stamp(1000));
    let mut waits = |who: &str, room: &str| {
        let entry = stanza(&format!("<presence from='{who}' to='{room}@mix.h/x'>{X}</presence>"));
        (0..6).map(|_| engine.gathers_until(&entry)).max() > Some(1000)
    };
    // A hidden group, a name that is free, and a room in which it is banned are all the same to a stranger.
    assert_eq!(["g", "nowhere", "c"].map(|room| waits("eve@h/1", room)), [false; 3]);
    assert_eq!([waits("a@h/2", "g"), waits("d@h/1", "c")], [true, true]);
}

#[test]
fn whoever_has_long_lists_made_leaves_room_for_those_of_others() {
    let (mut engine, _) = room();
    (0..1500).for_each(|n| {
        drop(take(&mut engine, 2, &format!("<presence from='x{n}@h/1' to='c@mix.h/x{n}'>{X}</presence>")))
    });
    let list = |who: &str, id: &str| {
        let query = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
        Inbound::Stanza(stanza(&format!("<iq type='get' id='{id}' from='{who}' to='c@mix.h'>{query}</iq>")))
    };
    let mut batch: Vec<Inbound> = (0..60).map(|n| list("x0@h/1", &format!("flood{n}"))).collect();
    batch.extend([list("x1@h/1", "amy"), list("x2@h/1", "bob")]);
    let told = engine.turn(Stamp(3000), batch).outbox;
    let refused = |id: &str| {
        let is_it = |out: &&Out| matches!(out, Out::Stanza(xml) if xml.contains(&format!("id='{id}")));
        told.iter().filter(is_it).filter(|out| format!("{out:?}").contains("resource-constraint")).count()
    };
    let of_flood = refused("flood");
    assert!((10..60).contains(&of_flood), "{of_flood}");
    assert_eq!([refused("amy'"), refused("bob'")], [0, 0]);
    // What it had made counts as more requests, and the next turn has room again.
    assert!(text(&engine.turn(Stamp(3001), vec![list("x0@h/1", "again")])).contains("type='result'"));
    let ping = "<iq type='get' id='p' from='x0@h/1' to='mix.h'><ping xmlns='urn:xmpp:ping'/></iq>";
    let of = |engine: &mut Engine, who: &str| {
        let burst = Limits::default().rates.requests.burst as usize;
        (0..burst).filter(|_| text(&take(engine, 3002, &ping.replace("x0", who))).contains("type='result'")).count()
    };
    let (of_flood, of_other) = (of(&mut engine, "x0"), of(&mut engine, "x3"));
    assert!(of_flood + 60 < of_other, "{of_flood}, {of_other}");
}

#[test]
fn a_room_that_comes_and_goes_is_looked_at_once() {
    let (mut engine, _) = room();
    for n in 0..200 {
        take(&mut engine, 10 + n, "<presence from='b@h/1' to='c@mix.h/B' type='unavailable'/>");
        take(&mut engine, 10 + n, "<presence from='c@h/1' to='c@mix.h/C' type='unavailable'/>");
        assert_eq!(engine.occupants.ghosts.due_count(), 0);
        take(&mut engine, 10 + n, &format!("<presence from='c@h/1' to='c@mix.h/C'>{X}</presence>"));
        take(&mut engine, 10 + n, &format!("<presence from='b@h/1' to='c@mix.h/B'>{X}</presence>"));
        assert_eq!(engine.occupants.ghosts.due_count(), 1);
    }
}

#[test]
fn an_entry_to_a_large_room_saves_no_other_seat_and_shows_whom_it_has_to() {
    let (mut engine, _) = room();
    engine.service.limits.presence_participants_max = 20;
    (0..100).for_each(|n| {
        drop(take(&mut engine, 2, &format!("<presence from='x{n}@h/1' to='c@mix.h/x{n}'>{X}</presence>")))
    });
    // The owner, by its rights; one that speaks, and one that is made a moderator.
    take(&mut engine, 2, &format!("<presence from='a@h/1' to='c@mix.h/A'>{X}</presence>"));
    take(&mut engine, 3, "<message type='groupchat' id='m' from='x7@h/1' to='c@mix.h'><body>Hi</body></message>");
    let item = "<item nick='x9' role='moderator'/>";
    let query = format!("<query xmlns='http://jabber.org/protocol/muc#admin'>{item}</query>");
    take(&mut engine, 3, &format!("<iq type='set' id='r' from='a@h/1' to='c@mix.h'>{query}</iq>"));
    for (n, now) in [(200, 4), (201, 5)] {
        let turn = take(&mut engine, now, &format!("<presence from='x{n}@h/1' to='c@mix.h/x{n}'>{X}</presence>"));
        let fans = turn.outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(&fan.head) } else { None });
        let shown: Vec<&str> = fans
            .filter(|head| head.starts_with("<presence"))
            .map(|head| head.split_once("c@mix.h/").unwrap().1.split_once('\'').unwrap().0)
            .collect();
        let mut sorted = shown.clone();
        sorted.sort();
        assert_eq!(sorted, ["A", &format!("x{n}"), "x7", "x9"].map(|it| it.to_owned()), "{shown:?}");
        let saved = turn.records.iter().filter(|it| matches!(it, crate::store::Record::Seat { .. })).count();
        // The first one finds those who moderate; they are known then.
        assert!(saved <= 1 || n == 200, "{saved} seats are saved");
    }
}
