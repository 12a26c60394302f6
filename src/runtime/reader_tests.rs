//! The reader: what it does with input and with silence.

use super::*;
use crate::runtime::framer::StanzaLimits;
use crate::runtime::outbox::Urgent;
use crate::runtime::refuse::URGENT_BYTES_MAX;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

fn inbox(items_max: usize, urgent: &Arc<Urgent>) -> Arc<Inbox> {
    let refuser = Refuser { urgent: urgent.clone(), ..Refuser::default() };
    Arc::new(Inbox::new(items_max, 1 << 20, Default::default(), refuser))
}

fn reader(inbox: &Arc<Inbox>, urgent: &Arc<Urgent>) -> Reader {
    let (idle, patience) = (Duration::from_millis(60), Duration::from_millis(60));
    let keep_alive = KeepAlive { idle, patience, from: "mix.h".into(), to: "h".into(), id: "pong".into() };
    let echo = Arc::new(Echo::new(&keep_alive, Arc::default()));
    let refuser = Refuser { urgent: urgent.clone(), ..Refuser::default() };
    Reader::new(inbox.clone(), refuser, Arc::default(), keep_alive, echo, Arc::default())
}

fn framer() -> Framer {
    let mut framer = Framer::new(StanzaLimits {
        stanza_bytes_max: 9999,
        stanza_depth_max: 9,
        stanza_elements_max: 99,
        attribute_bytes_max: 999,
        start_tag_bytes_max: 2000,
        attributes_max: 9,
    });
    framer.feed(b"<stream:stream>", |_| ()).unwrap();
    framer
}

async fn run(input: &str, inbox_items: usize) -> (LinkError, Vec<Inbound>, Vec<String>) {
    let urgent = Arc::new(Urgent::new(2, 9999));
    let inbox = inbox(inbox_items, &urgent);
    let (near, mut far) = tokio::io::duplex(1 << 20);
    far.write_all(input.as_bytes()).await.unwrap();
    let end = reader(&inbox, &urgent).read_from(near, framer(), Vec::new()).await;
    let taken = inbox.take_in_thread((99, usize::MAX), Duration::ZERO).unwrap();
    (end, taken, urgent.take_in_thread((99, usize::MAX), Duration::ZERO).unwrap())
}

#[tokio::test]
async fn silence_is_pinged_and_only_then_the_end() {
    let (end, _, urgent) = run("", 9).await;
    assert!(matches!(end, LinkError::Dead));
    assert_eq!(urgent, ["<iq type='get' id='pong' from='mix.h' to='h'><ping xmlns='urn:xmpp:ping'/></iq>"]);
}

#[tokio::test]
async fn the_answer_to_a_ping_reaches_nobody() {
    let pong = "<iq type='error' id='pong' from='h' to='mix.h'><error/></iq>";
    let (_, taken, _) = run(pong, 9).await;
    assert!(taken.is_empty(), "{taken:?}");
}

#[tokio::test]
async fn start_tags_are_bounded_as_they_are_written_too() {
    let message = |attributes: &str, child: &str| {
        format!("<message from='a@h/r' to='b@mix.h' id='1'{attributes}>{child}</message></stream:stream>")
    };
    let (long, quotes) = ("n".repeat(900), "'".repeat(400));
    for (input, passes) in [
        (message("", &format!("<x a='{long}' b='{long}'/>")), true),
        (message("", &format!("<x a='{long}' b='{long}' c='{}'/>", &long[..200])), false),
        (message("", &format!("<x a=\"{quotes}\"/>")), false),
        (message(&format!(" xmlns:p='{long}'"), "<p:x a='1'/>"), true),
        (message(&format!(" xmlns:p='{long}'"), "<p:x p:a='1' p:b='2'/>"), false),
        (message(&format!(" xmlns:p='{long}'"), &"<p:x/>".repeat(25)), false),
    ] {
        let (_, taken, _) = run(&input, 9).await;
        match &taken[..] {
            [Inbound::Stanza(_)] if passes => {}
            [Inbound::Unreadable(head)] if !passes => {
                let StanzaError { condition, text, .. } = &head.error;
                assert_eq!(
                    (*condition, &**text, head.id.as_deref()),
                    (Condition::PolicyViolation, TOO_LONG_TAG, Some("1"))
                );
            }
            other => panic!("{other:?} of {input}"),
        }
    }
}

#[tokio::test]
async fn a_ping_is_answered_by_whom_it_went_to_alone_and_once() {
    let urgent = Arc::new(Urgent::new(9, 9999));
    let inbox = inbox(9, &urgent);
    let mut reader = reader(&inbox, &urgent);
    let confirmed = reader.confirmed.clone();
    confirmed.ask(7, "h", 0);
    let mut answer = |id: &str, from: &str| {
        reader.take(format!("<iq type='result' id='pong-{id}' from='{from}' to='mix.h'/>").as_bytes());
        confirmed.newest_pong()
    };
    for (id, from) in [("7", "eve@h/r"), ("7", "h/r"), ("7", "multicast.h"), ("8", "h"), ("9", "h"), ("x", "h")] {
        assert_eq!(answer(id, from), 0, "{id} from {from}");
    }
    assert_eq!(answer("7", "h"), 7);
    confirmed.ask(8, "multicast.h", 0);
    assert_eq!((answer("8", "h"), answer("7", "h"), answer("8", "multicast.h")), (7, 7, 8));
    // An iq that is no answer to a ping reaches the engine like any other.
    assert_eq!(inbox.depth().0, 8);
}

#[tokio::test]
async fn a_full_inbox_refuses_requests_and_reading_goes_on() {
    let request = "<iq type='get' id='1' from='a@h/r' to='c@mix.h'><x xmlns='y'/></iq>";
    let result = "<iq type='result' id='1' from='a@h/r' to='c@mix.h'/>";
    let foreign = "<iq type='get' id='1' from='a@h/r' to='c@users.h'><x xmlns='y'/></iq>";
    let input = format!("{request}{foreign}{}{result}</stream:stream>{request}", request.repeat(5));
    let (end, taken, urgent) = run(&input, 1).await;
    assert!(matches!(end, LinkError::Closed));
    assert_eq!((taken.len(), urgent.len()), (1, 2), "the answers' queue holds two");
    assert!(urgent[0].contains("<resource-constraint") && urgent[0].contains("to='a@h/r'"), "{urgent:?}");
    assert!(!urgent[0].contains("users.h"), "{urgent:?}");
}

#[tokio::test]
async fn what_finds_its_room_taken_is_refused_like_the_rest() {
    let urgent = Arc::new(Urgent::new(9, 1 << 20));
    let inbox = inbox(1, &urgent);
    let mut reader = reader(&inbox, &urgent);
    let stanza = |xml: &str| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    assert!(inbox.try_push(stanza("<message from='a@h/r' to='c@mix.h'/>"), 9));
    reader.push(stanza("<iq type='get' id='1' from='a@h/r' to='c@mix.h'><x xmlns='y'/></iq>"), 9);
    reader.push(stanza("<iq type='result' id='2' from='a@h/r' to='c@mix.h'/>"), 9);
    let told = urgent.take_now(9);
    assert!(told.len() == 1 && told[0].contains("id='1'") && told[0].contains("<resource-constraint"), "{told:?}");
}

#[tokio::test]
async fn iqs_are_told_of_their_refusal_when_no_more_messages_are() {
    let urgent = Arc::new(Urgent::new(usize::MAX, URGENT_BYTES_MAX));
    let inbox = inbox(1, &urgent);
    let mut reader = reader(&inbox, &urgent);
    reader.take(b"<message from='a@h/r' to='c@mix.h'/>");
    let mut take = |xml: String| (0..5000).for_each(|_| reader.take(xml.as_bytes()));
    let told = || urgent.depth().0;
    take("<message type='groupchat' id='1' from='a@h/r' to='c@mix.h'><body>x</body></message>".into());
    let messages = told();
    assert!((1000..5000).contains(&messages), "{messages}");
    take("<iq type='get' id='1' from='a@h/r' to='c@mix.h'><x xmlns='y'/></iq>".into());
    assert!(told() - messages > 1000 && urgent.depth().1 <= URGENT_BYTES_MAX, "{}", told());
}

#[tokio::test]
async fn a_full_inbox_takes_what_others_than_the_flood_send() {
    let urgent = Arc::new(Urgent::new(9, 1 << 20));
    let inbox = inbox(2, &urgent);
    let mut reader = reader(&inbox, &urgent);
    let mut take = |who: &str, id: &str| {
        let ping = "<ping xmlns='urn:xmpp:ping'/>";
        reader.take(format!("<iq type='get' id='{id}' from='{who}' to='c@mix.h'>{ping}</iq>").as_bytes());
    };
    ["1", "2", "3"].iter().for_each(|id| take("flood@away/r", id));
    take("a@h/r", "4");
    let told = urgent.take_now(9);
    assert!(told.len() == 2 && told[0].contains("id='3'") && told[1].contains("id='2'"), "{told:?}");
    let taken = inbox.take_in_thread((9, usize::MAX), Duration::ZERO).unwrap();
    let ids = taken.iter().map(|it| if let Inbound::Stanza(it) = it { it.id.clone().unwrap() } else { "".into() });
    assert_eq!(ids.collect::<Vec<_>>(), ["1", "4"]);
}

#[tokio::test]
async fn what_is_for_another_component_is_neither_taken_nor_answered() {
    let foreign = "<iq type='get' id='1' from='a@h/r' to='c@users.h'><x xmlns='y'/></iq>";
    let (_, taken, urgent) = run(foreign, 9).await;
    assert!(taken.is_empty() && urgent.len() == 1 && !urgent[0].contains("users.h"), "{taken:?} {urgent:?}");
}

#[tokio::test]
async fn stanzas_weigh_what_their_trees_do() {
    let many = format!("<message from='a@h/r' to='b@mix.h'>{}</message>", "<a/>".repeat(90));
    let (_, taken, _) = run(&many.repeat(80), 99).await;
    assert!(taken.len() > 20 && taken.len() < 60, "{}", taken.len());
}

#[tokio::test]
async fn what_is_oversize_comes_with_its_head() {
    let input = format!(
        "<message id='1' from='a@h' to='b@mix.h'>{}</message></stream:stream>",
        "<a>".repeat(9) + &"</a>".repeat(9)
    );
    let (_, taken, _) = run(&input, 9).await;
    let [Inbound::Unreadable(head)] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!((head.error.condition, head.id.as_deref()), (Condition::PolicyViolation, Some("1")));
}
