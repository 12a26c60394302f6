//! Items that wait for reads.

use super::*;
use crate::engine::LastSaid;

/// A retraction of an old row.
fn retracts(channel: &str, id: &str, who: &str) -> Inbound {
    let row = crate::xep::Sealer::new([0; 16]).seal(number_of(channel).into(), 7);
    let xml = format!(
        "<message type='groupchat' from='{who}@h.example/r' to='{channel}@mix.example' id='{id}'>\
         <retract xmlns='urn:xmpp:message-retract:1' id='{row}'/></message>"
    );
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())
}

/// A message of a participant.
fn says(channel: &str, id: &str) -> Inbound {
    let xml = format!(
        "<message type='groupchat' from='u1@h.example/r' to='{channel}@mix.example' id='{id}'><body>x</body></message>"
    );
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())
}

/// Two channels in memory with two participants each, where every item that needs rows is parked.
fn warm(memory_bytes_max: usize) -> (Engine, Parking) {
    let (mut engine, mut parking) =
        (engine(&["a", "b"], memory_bytes_max), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    take_in(&mut engine, &mut parking);
    (engine, parking)
}

fn take_in(engine: &mut Engine, parking: &mut Parking) {
    ["a", "b"].into_iter().for_each(|text| parking.arrive(arrival(text, 2)));
    parking.advance(engine, MANY);
}

fn hold(engine: &mut Engine, parking: &mut Parking, batch: Vec<impl Into<Candidate<Inbound>>>) -> String {
    let batch: Vec<Candidate<Inbound>> = batch.into_iter().map(Into::into).collect();
    let far = engine.needs(batch.iter().map(AsRef::as_ref));
    let parted = parking.hold(engine, &far, batch);
    assert!(parted.refused.is_empty());
    // More rounds change nothing.
    let parted = parking.part(engine, parted.ready);
    parking.end_batch(engine, None);
    ids(&parted.ready)
}

/// The read of a channel's archive.
fn errand_of(channel: &str) -> Errand {
    Errand { source: Source::Channel(name(channel)), account: founder(), wants: Needs::default(), round: 0 }
}

fn read() -> Loaded {
    Loaded { facts: vec![(number_of("a").into(), 7, None)], ..Loaded::default() }
}

#[test]
fn what_asks_for_an_old_row_is_read_for_together_and_holds_up_its_own_channel_alone() {
    let (mut engine, mut parking) = warm(usize::MAX);
    let mut batch = vec![says("a", "0"), retracts("a", "1", "u0"), says("a", "2"), says("b", "3")];
    batch.push(retracts("a", "4", "u1"));
    assert_eq!(hold(&mut engine, &mut parking, batch), "0 3", "what came before does not wait");
    let errands = parking.errands(&mut engine);
    assert_eq!(
        errands.iter().map(|it| (&it.source, it.account.as_str())).collect::<Vec<_>>(),
        [(&Source::Channel(name("a")), "u0@h.example")]
    );
    // Other channels go on, however slow the read is.
    assert_eq!(hold(&mut engine, &mut parking, vec![says("b", "5"), retracts("a", "6", "u0"), says("a", "7")]), "5");
    assert!(parking.errands(&mut engine).is_empty() && !parking.is_empty(), "it is being read already");
    parking.bring(&mut engine, &errand_of("a"), read());
    parking.advance(&mut engine, MANY);
    assert_eq!(all(&mut parking), "1 2 4 6 7");
    parking.brought().into_iter().for_each(|loaded| engine.adopt(loaded));
    assert!(engine.needs(&[retracts("a", "1", "u0")]).rows.is_empty(), "it is known now");
    assert_eq!((parking.depth(), parking.is_empty(), parking.is_reading()), ((0, 0), true, false));
}

#[test]
fn a_read_that_fails_refuses_what_asked_for_it_alone() {
    let asks = || vec![retracts("a", "1", "u0"), says("a", "2"), retracts("b", "3", "u0"), retracts("a", "4", "u1")];
    for (of, refused, rest) in [(None, "1 4", "2"), (Some("u0@h.example"), "1", "2 4")] {
        let (mut engine, mut parking) = warm(usize::MAX);
        assert_eq!(hold(&mut engine, &mut parking, asks()), "");
        assert_eq!(parking.errands(&mut engine).len(), 2);
        let of = of.map(|account| BareJid::new(account).unwrap());
        assert_eq!(ids(&parking.fail_to_bring(&mut engine, &errand_of("a"), of.as_ref())), refused);
        parking.advance(&mut engine, MANY);
        assert_eq!((all(&mut parking).as_str(), parking.brought().len()), (rest, 0));
        assert_eq!(parking.depth().0, 1, "another channel's waits on");
        // A repeated request is read for again.
        assert_eq!(hold(&mut engine, &mut parking, vec![retracts("a", "5", "u1")]), "");
        assert_eq!(parking.errands(&mut engine).len(), 1);
    }
}

#[test]
fn a_channel_that_leaves_memory_while_its_archive_is_read_is_read_no_second_time() {
    let (mut engine, mut parking) = warm(0);
    assert_eq!(hold(&mut engine, &mut parking, vec![retracts("a", "1", "u0"), says("a", "2")]), "");
    engine.turn(Stamp(1), Vec::new());
    assert!(engine.is_cold(&name("a")));
    parking.bring(&mut engine, &errand_of("a"), read());
    parking.advance(&mut engine, MANY);
    let freed = parking.freed((MANY, usize::MAX));
    assert_eq!(ids(&part(&mut engine, &mut parking, freed).ready), "", "it has to be loaded");
    take_in(&mut engine, &mut parking);
    assert_eq!((all(&mut parking).as_str(), parking.brought().len()), ("1 2", 1));
}

/// The channels have closed membership.
#[test]
fn whoever_may_not_know_of_a_channel_does_not_wait_for_its_archive() {
    let (mut engine, mut parking) = warm(usize::MAX);
    let batch = vec![retracts("a", "1", "u0"), message("a", "2"), says("a", "3"), retracts("a", "4", "amy")];
    assert_eq!(hold(&mut engine, &mut parking, batch), "2 4");
}

#[test]
fn what_waits_for_old_rows_has_a_bound() {
    let (engine, _) = warm(usize::MAX);
    let mut parking = Parking::new(2, usize::MAX, OwnDomains::default());
    let batch: Vec<Inbound> = (0..4).map(|n| retracts(["a", "b"][n % 2], &n.to_string(), "u0")).collect();
    let far = engine.needs(&batch);
    let parted = parking.hold(&engine, &far, batch.into_iter().map(Candidate::from).collect());
    assert_eq!((ids(&parted.ready), ids(&parted.refused)), (String::new(), "2 3".into()));
}

/// A parked item keeps its place when it is parked again, and does not wait for reads that later items asked for.
#[test]
fn what_waited_for_a_channel_is_not_held_up_by_what_its_account_asked_later() {
    let (mut engine, mut parking) = (engine(&["a"], 0), Parking::new(MANY, usize::MAX, OwnDomains::default()));
    let xml = "<iq type='get' from='amy@h.example/r' to='mix.example' id='list'>\
               <query xmlns='http://jabber.org/protocol/disco#items'/></iq>";
    let list = Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    let known = vec![(name("a"), founder(), true)];
    engine.adopt(Loaded { known, ..Loaded::default() });
    let batch = vec![message("a", "1"), list, message("a", "2"), says("nowhere", "other")];
    assert_eq!(hold(&mut engine, &mut parking, batch), "other");
    let errands = parking.errands(&mut engine);
    assert_eq!(errands.iter().map(|it| &it.source).collect::<Vec<_>>(), [&Source::Account(founder())]);
    parking.arrive(arrival("a", 1));
    parking.advance(&mut engine, MANY);
    let freed = parking.freed((MANY, usize::MAX));
    assert_eq!(ids(&freed), "1", "the other one is behind the list");
    assert_eq!(ids(&part(&mut engine, &mut parking, freed.clone()).ready), "1");
    // The channel leaves memory. Both messages are parked, and keep their order.
    engine.turn(Stamp(1), Vec::new());
    assert!(engine.is_cold(&name("a")));
    assert_eq!(ids(&part(&mut engine, &mut parking, freed).ready), "");
    let (mentions, memberships) = (vec![(founder(), Default::default())], vec![(founder(), Vec::new())]);
    parking.bring(&mut engine, &errands[0], Loaded { mentions, memberships, ..Loaded::default() });
    parking.arrive(arrival("a", 1));
    parking.advance(&mut engine, MANY);
    let freed = parking.freed((MANY, usize::MAX));
    assert_eq!(ids(&part(&mut engine, &mut parking, freed).ready), "1 list 2");
    assert!(parking.is_empty() && parking.depth() == (0, 0));
}

/// Somebody who is in enters the room of a channel.
fn enters(channel: &str, id: &str) -> Inbound {
    let xml = format!(
        "<presence from='u0@h.example/r' to='{channel}@mix.example/nick' id='{id}'>\
         <x xmlns='http://jabber.org/protocol/muc'/></presence>"
    );
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())
}

fn said_in(engine: &Engine, entry: &Inbound) -> Loaded {
    let wanted = engine.needs([entry]).backlogs;
    let said = |max| LastSaid { max, ..LastSaid::default() };
    Loaded { backlogs: wanted.into_iter().map(|(key, max)| (key, said(max))).collect(), ..Loaded::default() }
}

fn inbound(batch: Vec<Candidate<Inbound>>) -> Vec<Inbound> {
    Candidate::apart(batch).1
}

#[test]
fn whoever_enters_waits_for_what_was_said_and_what_is_said_meanwhile_comes_behind() {
    let (mut engine, mut parking) = warm(usize::MAX);
    assert_eq!(hold(&mut engine, &mut parking, vec![enters("a", "0")]), "0", "nothing was said yet");
    engine.turn(Stamp(1), vec![says("a", "1")]);
    assert_eq!(hold(&mut engine, &mut parking, vec![enters("a", "2"), says("a", "3"), says("b", "4")]), "4");
    let errands = parking.errands(&mut engine);
    assert_eq!(errands.len(), 1);
    assert_eq!(errands[0].wants.backlogs.values().collect::<Vec<_>>(), [&20]);
    let loaded = said_in(&engine, &enters("a", "2"));
    parking.bring(&mut engine, &errands[0], loaded);
    parking.advance(&mut engine, MANY);
    let freed = parking.freed((MANY, usize::MAX));
    assert_eq!(ids(&freed), "2 3");
    parking.brought().into_iter().for_each(|loaded| engine.adopt(loaded));
    assert!(engine.needs([&enters("a", "2")]).is_empty(), "it is known now");
    let turn = engine.turn(Stamp(2), inbound(freed));
    let sent = format!("{:?}", turn.outbox);
    let place = |text: &str| sent.find(text).unwrap();
    assert!(place("<subject/>") < place("<body>"), "{sent}");
    assert!(turn.next.is_empty());
}

/// What is not stored yet is no history.
#[test]
fn whoever_enters_behind_a_message_of_the_same_turn_waits_for_its_commit() {
    let (mut engine, mut parking) = warm(usize::MAX);
    engine.turn(Stamp(1), vec![says("a", "1")]);
    let loaded = said_in(&engine, &enters("a", "3"));
    engine.adopt(loaded);
    let mut turn = engine.turn(Stamp(2), vec![says("a", "2"), enters("a", "3")]);
    assert!(!format!("{:?}", turn.outbox).contains("<subject/>"));
    let rest = turn.next.remove(0);
    assert!(matches!(rest, Inbound::GoOn(Step::Finish(..))) && turn.next.is_empty());
    assert_eq!(hold(&mut engine, &mut parking, vec![rest.clone(), says("a", "4")]), "");
    let errands = parking.errands(&mut engine);
    assert_eq!(errands.len(), 1);
    let loaded = said_in(&engine, &enters("a", "3"));
    parking.bring(&mut engine, &errands[0], loaded);
    parking.advance(&mut engine, MANY);
    let freed = inbound(parking.freed((MANY, usize::MAX)));
    parking.brought().into_iter().for_each(|loaded| engine.adopt(loaded));
    let turn = engine.turn(Stamp(3), freed);
    assert!(format!("{:?}", turn.outbox).contains("<subject/>") && turn.next.is_empty());
    parking.advance(&mut engine, MANY);
    assert_eq!(all(&mut parking), "4");
}
