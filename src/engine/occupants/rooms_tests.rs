//! Rooms in the engine: what many do, what comes too fast, and what cannot be done at once.

use super::watchers::Watch;
use crate::channel::{ChannelName, Limits, Nick, ParticipantId, Stamp};
use crate::engine::outgoing::outbox::{Audience, Out};
use crate::engine::share::Shares;
use crate::engine::{Engine, Inbound, Memory, ServiceSettings, Step, Turn, fixture};
use crate::store::{Record, SavedClient, SavedSeat};
use crate::xmpp::Stanza;
use jid::{BareJid, FullJid};

const X: &str = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";

/// A service with an open channel that nobody is in.
fn service(limits: Limits) -> Engine {
    let settings = ServiceSettings { limits, ..fixture::settings() };
    let mut engine = Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new());
    take(
        &mut engine,
        1,
        "<iq type='set' id='1' from='o@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>",
    );
    engine
}

fn turn(engine: &mut Engine, now: u64, batch: Vec<Inbound>) -> Turn {
    engine.turn(Stamp(now), batch)
}

fn stanza(xml: &str) -> Inbound {
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())
}

fn take(engine: &mut Engine, now: u64, xml: &str) -> Turn {
    turn(engine, now, vec![stanza(xml)])
}

fn enter(engine: &mut Engine, now: u64, who: &str) -> Turn {
    let nick = who.replace(['@', '/'], "-");
    take(engine, now, &format!("<presence from='{who}' to='c@mix.h/{nick}'>{X}</presence>"))
}

/// Says something by its presence.
fn say(engine: &mut Engine, now: u64, who: &str, status: &str) -> Turn {
    let nick = who.replace(['@', '/'], "-");
    take(engine, now, &format!("<presence from='{who}' to='c@mix.h/{nick}'><status>{status}</status></presence>"))
}

/// The presences in what leaves.
fn told(outbox: &[Out]) -> Vec<String> {
    let fans = outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(fan) } else { None });
    fans.filter(|fan| fan.head.starts_with("<presence")).map(|fan| [&*fan.head, &*fan.tail].concat()).collect()
}

/// Whether a turn stores nothing but seats, which no commit waits for.
fn is_lazy(turn: &Turn) -> bool {
    turn.records.iter().all(|record| matches!(record, Record::Seat { .. }))
}

/// A tick, and what goes on after it.
fn tick(engine: &mut Engine, now: u64) -> Vec<Out> {
    fixture::sent(engine, Stamp(now), vec![Inbound::Tick])
}

/// A set to the channel's list of the banned.
fn ban(who: &str) -> String {
    let node = "urn:xmpp:mix:nodes:banned";
    let inner = match who {
        "" => format!("<create node='{node}'/>"),
        who => format!("<publish node='{node}'><item id='{who}'/></publish>"),
    };
    let pubsub = format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub>");
    format!("<iq type='set' id='b' from='o@h/r' to='c@mix.h'>{pubsub}</iq>")
}

#[test]
fn what_a_seat_says_is_told_once_a_second_and_the_newest_wins() {
    let mut engine = service(Limits::default());
    ["a@h/1", "b@h/1"].iter().for_each(|who| drop(enter(&mut engine, 1000, who)));
    assert_eq!(told(&say(&mut engine, 2000, "a@h/1", "one").outbox).len(), 2);
    for (now, status) in [(2100, "two"), (2200, "three"), (2300, "one"), (2400, "four")] {
        assert_eq!(told(&say(&mut engine, now, "a@h/1", status).outbox), [""; 0]);
    }
    assert_eq!(told(&tick(&mut engine, 2900)), [""; 0], "a second is not over");
    let at_last = told(&tick(&mut engine, 3100));
    assert!(at_last.len() == 2 && at_last.iter().all(|it| it.contains("four")), "{at_last:?}");
    assert_eq!(told(&tick(&mut engine, 5000)), [""; 0]);
    // What is said and taken back within the second is not told.
    say(&mut engine, 6000, "a@h/1", "five");
    say(&mut engine, 6100, "a@h/1", "six");
    say(&mut engine, 6200, "a@h/1", "five");
    assert_eq!(told(&tick(&mut engine, 7500)), [""; 0]);
}

#[test]
fn whoever_enters_and_changes_its_nick_without_end_has_to_wait() {
    let mut engine = service(Limits::default());
    enter(&mut engine, 1000, "b@h/1");
    let refused = |turn: &Turn| turn.refusals.iter().any(|reason| reason.name == "too-fast");
    let entered = (0..3000).filter(|_| !refused(&enter(&mut engine, 1000, "a@h/1"))).count();
    assert_eq!(entered as u64, super::ENTRIES.burst);
    assert!(!refused(&enter(&mut engine, 1000, "b@h/2")) && !refused(&enter(&mut engine, 3000, "a@h/1")));
    let mut rename = |n: usize| take(&mut engine, 4000, &format!("<presence from='a@h/1' to='c@mix.h/n{n}'/>"));
    let renamed = (0..2000).filter(|n| !refused(&rename(*n))).count();
    assert!((400..=500).contains(&renamed), "{renamed}");
}

#[test]
fn whoever_has_much_on_the_way_enters_later_and_is_told_of_later() {
    let mut engine = service(Limits { account_sending_bytes_max: 20_000, ..Limits::default() });
    (0..60).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    // Everything is on the way still: each one's entry was charged to it, with a copy for each occupant.
    let charged = |turn: &Turn| -> usize {
        let charges =
            turn.outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { fan.charge.as_ref() } else { None });
        charges.map(|charge| charge.bytes).sum()
    };
    let entered = enter(&mut engine, 1000, "a@h/1");
    assert!(charged(&entered) > 20_000, "{}", charged(&entered));
    let refused = enter(&mut engine, 1001, "a@h/2");
    assert!(refused.outbox.iter().any(|out| format!("{out:?}").contains("wait")), "{:?}", refused.outbox);
    assert_eq!(told(&say(&mut engine, 1002, "a@h/1", "away").outbox), [""; 0]);
    let written = |engine: &mut Engine, outbox: &[Out]| {
        let charges = outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { fan.charge.clone() } else { None });
        engine.relieve(&charges.collect::<Vec<_>>());
    };
    written(&mut engine, &entered.outbox);
    let later = tick(&mut engine, 3000);
    assert_eq!(told(&later).len(), 2);
    written(&mut engine, &later);
    assert!(charged(&enter(&mut engine, 3001, "a@h/2")) > 10_000);
    // Whoever leaves is not kept, and pays for it.
    let left = take(&mut engine, 3002, "<presence from='a@h/1' to='c@mix.h/a-h-1' type='unavailable'/>");
    assert!(charged(&left) > 0);
}

#[test]
fn a_presence_is_rendered_once_however_many_hear_of_it() {
    let limits = Limits { presence_participants_max: 5000, ..Limits::default() };
    let mut engine = service(limits);
    (0..1000).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    let turn = say(&mut engine, 5000, "x7@h/1", "away");
    assert_eq!(told(&turn.outbox).len(), 2);
    assert!(turn.records.is_empty());
    let entered = enter(&mut engine, 5000, "y@h/1");
    assert!(is_lazy(&entered), "{:?}", entered.records);
    let many =
        entered.outbox.iter().filter(|out| matches!(out, Out::Fan(fan) if matches!(fan.audience, Audience::List(..))));
    assert!(many.filter(|out| matches!(out, Out::Fan(fan) if fan.presence)).count() == 1);
}

#[test]
fn the_ban_of_a_domain_ends_seats_some_at_a_time_and_whoever_is_banned_says_nothing_meanwhile() {
    let mut engine = service(Limits::default());
    take(&mut engine, 1000, &ban(""));
    (0..300).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@away/1"))));
    enter(&mut engine, 1000, "a@h/1");
    let ended = |outbox: &[Out]| told(outbox).iter().filter(|it| it.contains("'301'") && it.contains("'110'")).count();
    let first = take(&mut engine, 2000, &ban("away"));
    assert_eq!(ended(&first.outbox), 0, "it is not stored yet");
    let say = "<message type='groupchat' from='x299@away/1' to='c@mix.h'><body>Hi</body></message>";
    let meanwhile = take(&mut engine, 2001, say);
    assert!(is_lazy(&meanwhile), "{:?}", meanwhile.records);
    let (mut all, mut next, mut turns) = (ended(&meanwhile.outbox), first.next, 0);
    while !next.is_empty() {
        let turn = turn(&mut engine, 2002, next);
        let now = ended(&turn.outbox);
        assert!(now < 100, "{now}");
        (all, next, turns) = (all + now, turn.next, turns + 1);
    }
    assert!(all == 300 && turns >= 3, "{all} in {turns}");
}

#[test]
fn a_setting_that_is_told_to_nobody_but_each_one_itself_is_told_in_few_turns() {
    let mut engine = service(Limits { presence_participants_max: 20, ..Limits::default() });
    (0..600).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    let field = "<field var='muc#roomconfig_moderatedroom'><value>1</value></field>";
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{field}</x>");
    let query = format!("<query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query>");
    let mut turn = take(&mut engine, 2000, &format!("<iq type='set' id='f' from='o@h/r' to='c@mix.h'>{query}</iq>"));
    let (mut turns, mut own) = (0, 0);
    while !turn.next.is_empty() {
        turn = engine.turn(Stamp(2001), turn.next);
        let told = told(&turn.outbox);
        assert!(told.iter().all(|it| it.contains("'110'")), "silent occupants are told of to nobody else");
        (turns, own) = (turns + 1, own + told.len());
    }
    // Counted as if each went to all, it would take twenty.
    assert!(own == 600 && turns <= 2, "{own} in {turns}");
}

#[test]
fn the_end_of_a_room_is_told_some_at_a_time() {
    let mut engine = service(Limits::default());
    (0..1200).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    let destroy =
        "<iq type='set' id='d' from='o@h/r' to='mix.h'><destroy xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>";
    let first = take(&mut engine, 2000, destroy);
    let count = |outbox: &[Out]| told(outbox).iter().filter(|it| it.contains("<destroy/>")).count();
    assert_eq!(count(&first.outbox), 0, "it is not stored yet");
    // Whoever enters a later room of that name hears of the end of the first one before.
    take(
        &mut engine,
        2001,
        "<iq type='set' id='1' from='o@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>",
    );
    let again = told(&enter(&mut engine, 2001, "x1100@h/1").outbox);
    assert!(again[0].contains("<destroy/>") && again.iter().filter(|it| it.contains("<destroy/>")).count() == 1);
    let (mut all, mut next, mut steps) = (1, first.next, Vec::new());
    while !next.is_empty() {
        let turn = turn(&mut engine, 2002, next);
        steps.push(count(&turn.outbox));
        (all, next) = (all + count(&turn.outbox), turn.next);
    }
    assert!(all == 1200 && steps.iter().all(|step| *step <= 500), "{all}: {steps:?}");
    assert_eq!((engine.occupants.ended.len(), engine.occupants.shares.held()), (0, 1));
}

#[test]
fn the_end_of_a_room_is_told_by_the_process_that_takes_over() {
    let mut engine = service(Limits::default());
    (0..700).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    let destroy =
        "<iq type='set' id='d' from='o@h/r' to='mix.h'><destroy xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>";
    let first = take(&mut engine, 2000, destroy);
    let second = turn(&mut engine, 2001, first.next);
    let memory: Memory = postcard::from_bytes(&postcard::to_allocvec(&engine.memory()).unwrap()).unwrap();
    let mut next = Engine::new(fixture::settings(), [7; 16], [7; 32], Default::default(), Vec::new());
    let rest = fixture::sent(&mut next, Stamp(2002), vec![Inbound::LinkKept(Box::new(memory))]);
    let ends = |outbox: &[Out]| -> Vec<String> {
        told(outbox).into_iter().filter(|it| it.contains("<destroy/>")).map(|it| it.replace("'", "")).collect()
    };
    let (before, after) = (ends(&second.outbox), ends(&rest));
    assert_eq!((before.len(), after.len()), (500, 200));
    assert!(after.iter().all(|it| !before.contains(it)) && after[0].contains("c@mix.h/x500-h-1"), "{}", after[0]);
    assert_eq!((next.occupants.ended.len(), next.occupants.shares.held()), (0, 0));
}

#[test]
fn a_room_is_quiet_until_it_is_a_good_deal_smaller() {
    let mut engine = service(Limits { presence_participants_max: 10, ..Limits::default() });
    let shown = |turn: Turn| told(&turn.outbox).iter().filter(|it| !it.contains("'110'")).count();
    (0..10).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    assert_eq!(shown(enter(&mut engine, 1000, "x10@h/1")), 0);
    let leave = |engine: &mut Engine, n: usize| {
        take(engine, 1000, &format!("<presence from='x{n}@h/1' to='c@mix.h/n' type='unavailable'/>"));
    };
    (0..2).for_each(|n| leave(&mut engine, n));
    assert_eq!(shown(enter(&mut engine, 1000, "y@h/1")), 0, "there are ten");
    (2..4).for_each(|n| leave(&mut engine, n));
    assert_eq!(shown(enter(&mut engine, 1000, "z@h/1")), 0, "there are nine");
    (4..6).for_each(|n| leave(&mut engine, n));
    assert_eq!(shown(enter(&mut engine, 1000, "zz@h/1")), 7 + 1, "there are eight");
}

#[test]
fn whoever_makes_room_in_a_room_that_is_not_in_memory_is_put_out_once_it_is() {
    let mut engine = service(Limits::default());
    let create = "<create xmlns='urn:xmpp:mix:core:1' channel='d'/>";
    take(&mut engine, 1, &format!("<iq type='set' id='1' from='o@h/r' to='mix.h'>{create}</iq>"));
    enter(&mut engine, 1000, "a@away/1");
    let name = ChannelName::new("c").unwrap();
    let tag = engine.channels.tag_of(&name).unwrap();
    engine.unshelve(&name, &mut Vec::new());
    engine.occupants.shares = Shares::new("sessions in rooms", 2, engine.own.clone());
    engine.occupants.shares.count(&BareJid::new("a@away").unwrap(), 2);
    take(&mut engine, 2000, &format!("<presence from='b@h/1' to='d@mix.h/b'>{X}</presence>"));
    let seat = |engine: &Engine, who: &str| -> Option<bool> {
        let seat = engine.occupants.room(tag)?.seat_of(&BareJid::new(who).unwrap())?;
        seat.shown().map(|session| session.is_gone)
    };
    assert_eq!((seat(&engine, "a@away"), engine.occupants.shares.held()), (Some(true), 2));
    assert!(engine.occupants.is_sent_something(&"b@h/1".parse().unwrap()));
    let next = turn(&mut engine, 3000, vec![Inbound::Tick]).next;
    assert!(next.iter().any(|it| matches!(it, Inbound::GoOn(Step::In(of)) if *of == name)), "{next:?}");
}

/// A seat of `name@h` in the room `c`, as it is saved.
fn saved(tag: u64, name: &str, nick: &str, place: u64) -> SavedSeat {
    let client = |resource: &str| SavedClient { resource: resource.into(), sees_all: true };
    SavedSeat {
        account: BareJid::new(&format!("{name}@h")).unwrap(),
        tag,
        room: ChannelName::new("c").unwrap(),
        place,
        id: ParticipantId::of_bytes([place as u8; 20]),
        nick: Nick::new(nick).unwrap(),
        windows: Some(vec![(1, None)]),
        moderates: false,
        is_open: false,
        is_silent: false,
        clients: vec![client("1"), client("2")],
    }
}

#[test]
fn seats_that_were_saved_end_where_their_accounts_may_not_be_in_the_room_or_somebody_has_their_nick() {
    let mut engine = service(Limits::default());
    take(&mut engine, 1000, &ban(""));
    take(&mut engine, 1000, &ban("b@h"));
    let join = "<join xmlns='urn:xmpp:mix:core:1'><nick>Taken</nick></join>";
    take(&mut engine, 1000, &format!("<iq type='set' id='j' from='j@h' to='c@mix.h'>{join}</iq>"));
    let tag = engine.channels.tag_of(&ChannelName::new("c").unwrap()).unwrap();
    let seats = [("a", "Alice", 4), ("b", "Bob", 3), ("c", "taken", 2), ("j", "Jack", 1), ("d", "alice", 9)];
    let mut seats: Vec<SavedSeat> = seats.into_iter().map(|(name, nick, at)| saved(tag, name, nick, at)).collect();
    // A room that is no more.
    seats.push(saved(tag + 1, "e", "Eve", 1));
    engine.restore_seats(seats);
    engine.occupants.look_again(tag);
    let turn = turn(&mut engine, 2000, vec![Inbound::LinkUp]);
    let ended = |who: &str| {
        turn.records
            .iter()
            .filter(|it| matches!(it, Record::Seat { account, seat: None, .. } if account.as_str() == who))
            .count()
    };
    assert_eq!(["a@h", "b@h", "c@h", "d@h", "e@h", "j@h"].map(ended), [0, 1, 1, 1, 1, 0]);
    let told = told(&turn.outbox);
    let with = |codes: &[&str]| told.iter().filter(|it| codes.iter().all(|code| it.contains(code))).count();
    assert_eq!((with(&["'301'", "'110'"]), with(&["'333'", "'110'"])), (2, 2), "{told:?}");
    // Whoever became a participant sits there by its record, and is asked by the nick of that.
    let (accounts, passers_by) = (engine.occupants.seats(tag).count(), engine.occupants.seats(tag).passer_by_count());
    assert_eq!((accounts, passers_by, engine.occupants.shares.held()), (2, 1, 4));
}

#[test]
fn those_who_may_be_gone_are_asked_some_at_a_tick_and_first_where_something_is_said() {
    let mut engine = service(Limits::default());
    let create = "<create xmlns='urn:xmpp:mix:core:1' channel='d'/>";
    take(&mut engine, 1, &format!("<iq type='set' id='1' from='o@h/r' to='mix.h'>{create}</iq>"));
    (0..120).for_each(|n| drop(enter(&mut engine, 1000, &format!("x{n}@h/1"))));
    let say = |engine: &mut Engine, at, who: &str| {
        let nick = who.replace(['@', '/'], "-");
        let stanza = format!("<presence from='{who}' to='d@mix.h/{nick}'>{X}</presence>");
        take(engine, at, &stanza);
        take(engine, at, &format!("<message type='groupchat' from='{who}' to='d@mix.h'><body>Hi</body></message>"));
    };
    (0..20).for_each(|n| say(&mut engine, 1000, &format!("y{n}@h/1")));
    let asked = |engine: &mut Engine, now| -> Vec<String> {
        let turn = turn(engine, now, vec![Inbound::Tick]);
        let asked =
            turn.outbox.iter().filter_map(|out| if let Out::Question(xml) = out { Some(xml.clone()) } else { None });
        asked.filter(|xml| xml.contains("@h/1")).collect()
    };
    assert_eq!(asked(&mut engine, 1500).len(), 0);
    turn(&mut engine, 2000, vec![Inbound::LinkDown]);
    turn(&mut engine, 3000, vec![Inbound::LinkUp]);
    say(&mut engine, 3000, "y3@h/1");
    let first = asked(&mut engine, 3001);
    assert_eq!((first.len(), first.iter().filter(|xml| xml.contains("'y")).count()), (50, 19));
    let rest: Vec<usize> = (4..8).map(|s| asked(&mut engine, s * 1000).len()).collect();
    assert_eq!(rest, [50, 39, 0, 0], "each is asked once, and not the one that spoke");
    // Nothing is said for long: the one that spoke since is asked, too.
    assert_eq!(asked(&mut engine, 3000 + 16 * 60_000).len(), 1);
    assert_eq!(asked(&mut engine, 3000 + 40 * 60_000).len(), 0);
}

#[test]
fn whoever_subscribes_to_activity_all_the_time_is_told_to_wait() {
    let mut engine = service(Limits::default());
    let wish = "<presence from='a@h/r' to='mix.h'><rai xmlns='urn:xmpp:rai:0'/></presence>";
    let refused = (0..2100).filter(|_| !take(&mut engine, 1, wish).refusals.is_empty()).count();
    assert_eq!(refused, 100);
    let told = format!("{:?}", take(&mut engine, 1, wish).outbox);
    assert!(told.contains("type='error'") && told.contains("<rai xmlns='urn:xmpp:rai:0'/>"), "{told}");
    assert!(take(&mut engine, 1001, wish).refusals.is_empty());
    assert_eq!(engine.occupants.watchers.all().count(), 1);
}

#[test]
fn whoever_watches_is_told_of_what_was_stored_even_if_the_commit_of_the_next_turn_is_refused() {
    let mut engine = service(Limits::default());
    for who in ["o@h", "a@h"] {
        let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
        take(&mut engine, 2000, &format!("<iq type='set' id='j' from='{who}' to='c@mix.h'>{join}</iq>"));
    }
    let watch = "<presence from='a@h/1' to='mix.h'><rai xmlns='urn:xmpp:rai:0'/></presence>";
    fixture::sent(&mut engine, Stamp(3000), vec![stanza(watch)]);
    let (tag, watchers) =
        (engine.channels.tag_of(&ChannelName::new("c").unwrap()).unwrap(), &mut engine.occupants.watchers);
    let number = watchers.number_of(&FullJid::new("a@h/1").unwrap()).unwrap();
    watchers.end_search(number);
    watchers.set(number, tag, Some(Watch::Armed), &mut Vec::new());
    let says = |id: u32| {
        stanza(&format!("<message type='groupchat' id='m{id}' from='o@h/r' to='c@mix.h'><body>x{id}</body></message>"))
    };
    let indicators = |outbox: &[Out]| {
        let is_one =
            |out: &&Out| matches!(out, Out::Fan(fan) if fan.head.contains("<rai") || fan.tail.contains("<rai"));
        outbox.iter().filter(is_one).count()
    };
    let first = turn(&mut engine, 4000, vec![says(1)]);
    assert_eq!(indicators(&first.outbox), 0, "it is not stored yet");
    let second = turn(&mut engine, 4001, vec![says(2)]);
    assert_eq!(indicators(&second.outbox), 1);
    assert_eq!(indicators(&engine.abandon(second)), 0);
    let third = turn(&mut engine, 4002, vec![Inbound::Tick]);
    assert_eq!(indicators(&third.outbox), 1);
    assert_eq!(indicators(&turn(&mut engine, 4003, vec![Inbound::Tick]).outbox), 0, "once");
}

#[test]
fn the_nick_of_a_seat_that_is_about_to_end_is_taken_once_the_others_are_told() {
    let mut engine = service(Limits::default());
    for who in ["o", "a", "b"] {
        let join = format!("<join xmlns='urn:xmpp:mix:core:1'><nick>{who}</nick></join>");
        take(&mut engine, 1000, &format!("<iq type='set' id='j' from='{who}@h' to='c@mix.h'>{join}</iq>"));
        take(&mut engine, 1000, &format!("<presence from='{who}@h/1' to='c@mix.h/{who}'>{X}</presence>"));
    }
    take(&mut engine, 1500, &ban(""));
    fixture::sent(&mut engine, Stamp(1600), vec![Inbound::Tick]);
    let renames = || {
        stanza(
            "<iq type='set' id='n' from='b@h' to='c@mix.h'><setnick xmlns='urn:xmpp:mix:core:1'><nick>A</nick></setnick></iq>",
        )
    };
    let answer = |turn: &Turn| -> String {
        let is_it = |out: &&Out| matches!(out, Out::Stanza(xml) if xml.contains("id='n'"));
        turn.outbox.iter().filter(is_it).map(|out| format!("{out:?}")).collect()
    };
    let first = turn(&mut engine, 2000, vec![stanza(&ban("a@h")), renames()]);
    assert!(answer(&first).contains("conflict"), "{}", answer(&first));
    assert_eq!(told(&first.outbox), Vec::<String>::new());
    let second = turn(&mut engine, 2001, vec![renames()]);
    assert!(answer(&second).contains("setnick") && !answer(&second).contains("conflict"), "{}", answer(&second));
    let told = told(&second.outbox);
    let place = |what: &str| told.iter().position(|it| it.contains(what)).unwrap_or_else(|| panic!("{what}: {told:?}"));
    assert!(place("code='301'") < place("code='303'") && place("c@mix.h/a'") < place("c@mix.h/A'"), "{told:?}");
}
