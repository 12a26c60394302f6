//! The writer: what is written when, and what a lost link costs.

use super::*;
use crate::channel::Node;
use crate::engine::outgoing::outbox::{
    Audience, BookEntry, Delta, EntryNo, Fan, HomeNo, Lasting, ListId, MulticastService, Out, Rank, Reached,
};
use crate::runtime::outbox::Parcel;
use crate::xep::List;
use tokio::io::AsyncReadExt;

const LIST: ListId = ListId { tag: 7, list: List::Node(Node::Messages) };

struct Bench {
    writer: Writer,
    outbox: Arc<Outbox>,
    urgent: Arc<Urgent>,
    confirmed: Arc<Confirmed>,
}

fn bench() -> Bench {
    let (outbox, urgent) = (Arc::new(Outbox::new(usize::MAX, 1 << 20)), Arc::new(Urgent::new(9, 999)));
    let confirmed: Arc<Confirmed> = Arc::default();
    let keep_alive = KeepAlive {
        idle: Duration::from_secs(9),
        patience: Duration::from_millis(100),
        from: "m".into(),
        to: "h".into(),
        id: "p".into(),
    };
    let limits =
        WriterLimits { write_timeout: Duration::from_millis(200), line_bytes_max: 1 << 20, horizon_ms: 600_000 };
    let writer = Writer::new(outbox.clone(), urgent.clone(), confirmed.clone(), Arc::default(), keep_alive, limits);
    Bench { writer, outbox, urgent, confirmed }
}

fn account(place: u32, address: &str) -> [Out; 2] {
    let (no, entry) =
        (EntryNo::first(place), BookEntry { reached: Reached::Address(address.into()), marked: false, home: None });
    [Out::Book(Delta::Entry { no, entry }), Out::Book(Delta::Added(LIST, (Rank::at(0), no)))]
}

fn fan(body: &str) -> Out {
    let tail = format!("><body>{body}</body></message>");
    let audience = Audience::List(LIST, None);
    Out::Fan(Fan {
        audience,
        head: "<message from='c@m'".into(),
        tail,
        groupchat: true,
        presence: false,
        decided: false,
        lasting: Lasting::Row,
        charge: None,
    })
}

fn push(outbox: &Outbox, outs: impl IntoIterator<Item = Out>) {
    let parcel = Parcel { number: None, outs: outs.into_iter().collect() };
    assert!(outbox.try_push(parcel, 1));
}

/// Writes everything into memory, without the pings.
async fn write_all(bench: &mut Bench) -> String {
    bench.outbox.close();
    let mut written = Vec::new();
    bench.writer.write_to(&mut written).await.unwrap();
    without_pings(&String::from_utf8(written).unwrap())
}

fn without_pings(text: &str) -> String {
    let mut rest = text.to_owned();
    while let Some(from) = rest.find("<iq type='get' id='p-") {
        let to = from + rest[from..].find("</iq>").unwrap() + 5;
        rest.replace_range(from..to, "");
    }
    rest
}

#[tokio::test]
async fn what_comes_without_a_link_is_written_on_the_next_one() {
    let mut bench = bench();
    push(&bench.outbox, account(0, "a@h"));
    push(&bench.outbox, [Out::Stanza("<iq/>".into()), fan("early")]);
    let held = tokio::time::timeout(Duration::from_millis(50), bench.writer.hold()).await;
    assert!(held.is_err() && bench.outbox.is_empty());
    push(&bench.outbox, [fan("late")]);
    let text = write_all(&mut bench).await;
    assert_eq!(
        text,
        "<iq/><message from='c@m' to='a@h'><body>early</body></message>\
         <message from='c@m' to='a@h'><body>late</body></message>"
    );
}

#[tokio::test]
async fn a_link_lost_in_the_middle_of_a_fan_out_loses_nothing() {
    let mut bench = bench();
    push(&bench.outbox, account(0, "a@h"));
    push(&bench.outbox, [fan(&"x".repeat(100_000))]);
    push(&bench.outbox, account(1, "b@h"));
    let (mut near, far) = tokio::io::duplex(1000);
    let stalled = bench.writer.write_to(&mut near).await;
    assert!(matches!(stalled, Err(LinkError::Stalled)), "{stalled:?}");
    drop(far);
    let _ = tokio::time::timeout(Duration::from_millis(20), bench.writer.hold()).await;
    push(&bench.outbox, [fan("y")]);
    let text = write_all(&mut bench).await;
    assert!(text.starts_with("<message from='c@m' to='a@h'><body>xxx"), "{}", &text[..60]);
    assert_eq!((text.matches("x</body>").count(), text.matches(">y</body>").count()), (1, 2));
}

#[tokio::test]
async fn a_ping_is_behind_what_was_written_and_its_answer_settles_it() {
    let mut bench = bench();
    push(&bench.outbox, account(0, "a@h"));
    assert!(bench.outbox.try_push(Parcel { number: Some(4), outs: vec![fan("x")] }, 1));
    let (mut near, mut far) = tokio::io::duplex(1 << 20);
    let _ = tokio::time::timeout(Duration::from_millis(80), bench.writer.write_to(&mut near)).await;
    let mut text = vec![0; 9999];
    let read = far.read(&mut text).await.unwrap();
    let text = String::from_utf8(text[..read].to_vec()).unwrap();
    assert!(text.ends_with("id='p-1' from='m' to='h'><ping xmlns='urn:xmpp:ping'/></iq>"), "{text}");
    assert_eq!(bench.confirmed.settled(), 0);
    bench.confirmed.pong(1);
    let _ = tokio::time::timeout(Duration::from_millis(20), bench.writer.write_to(&mut near)).await;
    assert_eq!((bench.confirmed.settled(), bench.writer.line.bytes()), (4, 0));
}

#[tokio::test]
async fn a_host_that_talks_and_never_answers_pings_stops_nothing() {
    let mut bench = bench();
    push(&bench.outbox, account(0, "a@h"));
    push(&bench.outbox, [fan("x")]);
    let (mut near, _far) = tokio::io::duplex(1 << 20);
    // Silence tells nothing.
    let _ = tokio::time::timeout(Duration::from_millis(400), bench.writer.write_to(&mut near)).await;
    assert!(bench.writer.line.bytes() > 0);
    let confirmed = bench.confirmed.clone();
    let talking = tokio::spawn(async move {
        loop {
            confirmed.hear(clock::uptime_ms());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let _ = tokio::time::timeout(Duration::from_millis(400), bench.writer.write_to(&mut near)).await;
    talking.abort();
    assert_eq!(bench.writer.line.bytes(), 0);
}

/// Has the host server say something all the time.
fn talk(bench: &Bench) -> tokio::task::JoinHandle<()> {
    let confirmed = bench.confirmed.clone();
    tokio::spawn(async move {
        loop {
            confirmed.hear(clock::uptime_ms());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
}

fn answer(bench: &Bench, ping: u64, from: &str) -> bool {
    bench.confirmed.answer(ping, &from.parse().unwrap())
}

#[tokio::test]
async fn a_host_that_answered_pings_and_then_does_not_is_a_broken_link_and_gets_everything_on_the_next() {
    let mut bench = bench();
    push(&bench.outbox, account(0, "a@h"));
    push(&bench.outbox, [fan("x")]);
    let talking = talk(&bench);
    assert!(written_in(&mut bench, 80).await.contains("id='p-1'"));
    assert!(!answer(&bench, 1, "a@h") && answer(&bench, 1, "h"));
    assert!(bench.outbox.try_push(Parcel { number: Some(4), outs: vec![fan("y")] }, 1));
    let end = tokio::time::timeout(Duration::from_secs(5), bench.writer.write_to(&mut Vec::new())).await;
    assert!(matches!(end, Ok(Err(LinkError::Mute))), "{end:?}");
    assert_eq!(bench.confirmed.settled(), 0);
    let _ = tokio::time::timeout(Duration::from_millis(20), bench.writer.hold()).await;
    // Nothing is known of the next link yet: silence there is met as on any other.
    let text = written_in(&mut bench, 400).await;
    talking.abort();
    assert_eq!((text.matches(">x<").count(), text.matches(">y<").count()), (0, 1), "{text}");
}

#[tokio::test]
async fn a_multicast_service_is_given_up_only_where_the_host_answers_on_the_same_link() {
    for host_answers in [true, false] {
        let mut bench = bench();
        push(&bench.outbox, account(2, "c@i"));
        push(&bench.outbox, [fan("first")]);
        let talking = talk(&bench);
        assert!(written_in(&mut bench, 80).await.contains("id='p-1' from='m' to='h'"));
        assert!(answer(&bench, 1, "h"));
        push(&bench.outbox, [multicast(0, "m.h")]);
        push(&bench.outbox, [shared(0, "a@h"), shared(1, "b@h")].concat());
        push(&bench.outbox, [fan("x")]);
        let text = written_in(&mut bench, 180).await;
        assert!(
            text.contains("id='p-2' from='m' to='m.h/mixd'")
                && text.ends_with("to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
        );
        assert_eq!(text.matches(">x</body>").count(), 2, "nothing is written again yet: {text}");
        if host_answers {
            assert!(answer(&bench, 3, "h"));
            let text = without_pings(&written_in(&mut bench, 80).await);
            assert_eq!(text.matches(">x</body>").count(), 2, "{text}");
        } else {
            let end = tokio::time::timeout(Duration::from_secs(5), bench.writer.write_to(&mut Vec::new())).await;
            assert!(matches!(end, Ok(Err(LinkError::Mute))), "{end:?}");
        }
        talking.abort();
    }
}

#[tokio::test]
async fn writing_that_is_broken_off_goes_on_where_it_was() {
    let mut bench = bench();
    push(&bench.outbox, account(0, "a@h"));
    push(&bench.outbox, [fan(&"x".repeat(5000)), Out::Stanza("<iq/>".into())]);
    assert!(bench.urgent.try_push("<urgent/>".into(), 9));
    let (mut near, mut far) = tokio::io::duplex(1000);
    let broken_off = tokio::time::timeout(Duration::from_millis(20), bench.writer.write_to(&mut near)).await;
    assert!(broken_off.is_err(), "nobody reads");
    bench.outbox.close();
    let mut text = String::new();
    let (written, read) = tokio::join!(
        async {
            let written = bench.writer.write_to(&mut near).await;
            drop(near);
            written
        },
        far.read_to_string(&mut text)
    );
    written.unwrap();
    read.unwrap();
    let body = "x".repeat(5000);
    assert_eq!(
        without_pings(&text),
        format!("<urgent/><message from='c@m' to='a@h'><body>{body}</body></message><iq/>")
    );
}

#[tokio::test]
async fn what_is_urgent_passes_between_two_blocks_of_a_fan_out() {
    let mut bench = bench();
    for place in 0..100 {
        push(&bench.outbox, account(place, &format!("u{place}@h")));
    }
    push(&bench.outbox, [fan(&"x".repeat(10_000))]);
    let (mut near, mut far) = tokio::io::duplex(10_000);
    let _ = tokio::time::timeout(Duration::from_millis(50), bench.writer.write_to(&mut near)).await;
    assert!(bench.urgent.try_push("<urgent/>".into(), 9));
    bench.outbox.close();
    let mut text = String::new();
    let writing = async move {
        bench.writer.write_to(&mut near).await.unwrap();
        drop(near);
    };
    let (_, read) = tokio::join!(writing, far.read_to_string(&mut text));
    read.unwrap();
    let at = text.find("<urgent/>").unwrap();
    assert!(at < text.len() / 2, "{at} of {}", text.len());
    assert_eq!((text.matches("</message>").count(), text.matches("<message ").count()), (100, 100));
}

fn shared(place: u32, address: &str) -> [Out; 2] {
    let no = EntryNo::first(place);
    let entry = BookEntry { reached: Reached::Address(address.into()), marked: false, home: HomeNo::new(0) };
    [Out::Book(Delta::Entry { no, entry }), Out::Book(Delta::Added(LIST, (Rank::at(0), no)))]
}

fn multicast(place: usize, to: &str) -> Out {
    let service = Some(MulticastService { to: to.into(), addresses_max: 20, presence_max: None, as_text: false });
    Out::Book(Delta::Multicast { home: HomeNo::new(place).unwrap(), service })
}

/// What the writer writes within this time.
async fn written_in(bench: &mut Bench, ms: u64) -> String {
    let mut written = Vec::new();
    let _ = tokio::time::timeout(Duration::from_millis(ms), bench.writer.write_to(&mut written)).await;
    String::from_utf8(written).unwrap()
}

#[tokio::test]
async fn each_multicast_service_is_asked_whether_it_has_what_went_through_it() {
    let mut bench = bench();
    push(&bench.outbox, [multicast(0, "m.h"), multicast(1, "m.i")]);
    push(&bench.outbox, [shared(0, "a@h"), shared(1, "b@h")].concat());
    for (place, address) in [(2, "c@i"), (3, "d@i")] {
        let mut account = shared(place, address);
        if let Out::Book(Delta::Entry { entry, .. }) = &mut account[0] {
            entry.home = HomeNo::new(1);
        }
        push(&bench.outbox, account);
    }
    assert!(bench.outbox.try_push(Parcel { number: Some(4), outs: vec![fan("x")] }, 1));
    let text = written_in(&mut bench, 80).await;
    assert_eq!((text.matches("<addresses").count(), text.matches("id='p-").count()), (2, 1), "{text}");
    assert!(text.contains("id='p-1' from='m' to='m.i/mixd'"), "{text}");
    bench.confirmed.pong(1);
    let text = written_in(&mut bench, 80).await;
    assert!(text.contains("id='p-2' from='m' to='m.h/mixd'"), "{text}");
    assert_eq!(bench.confirmed.settled(), 0);
    bench.confirmed.pong(2);
    assert_eq!(written_in(&mut bench, 80).await, "");
    assert_eq!((bench.confirmed.settled(), bench.writer.line.bytes()), (4, 0));
}

#[tokio::test]
async fn what_comes_back_before_the_answer_to_the_ping_is_written_again() {
    let mut bench = bench();
    push(&bench.outbox, [multicast(0, "m.h")]);
    push(&bench.outbox, [shared(0, "a@h"), shared(1, "b@h")].concat());
    push(&bench.outbox, [fan("x")]);
    assert!(written_in(&mut bench, 80).await.contains("to='m.h'"));
    bench.confirmed.refuse(Refused { by: "m.h".into(), message: None });
    bench.confirmed.pong(1);
    let text = written_in(&mut bench, 80).await;
    assert_eq!(
        without_pings(&text),
        "<message from='c@m' to='a@h'><body>x</body></message><message from='c@m' to='b@h'><body>x</body></message>"
    );
    assert!(text.ends_with("id='p-2' from='m' to='h'><ping xmlns='urn:xmpp:ping'/></iq>"), "{text}");
    bench.confirmed.pong(2);
    written_in(&mut bench, 80).await;
    assert_eq!(bench.writer.line.bytes(), 0);
}

#[tokio::test]
async fn a_multicast_service_that_does_not_answer_is_not_relied_on() {
    let mut bench = bench();
    push(&bench.outbox, [multicast(0, "m.h")]);
    push(&bench.outbox, [shared(0, "a@h"), shared(1, "b@h")].concat());
    push(&bench.outbox, [fan("x")]);
    let confirmed = bench.confirmed.clone();
    let talking = tokio::spawn(async move {
        loop {
            confirmed.hear(clock::uptime_ms());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let text = written_in(&mut bench, 500).await;
    talking.abort();
    assert_eq!((text.matches("to='m.h").count(), text.matches(">x</body>").count()), (2, 3), "{text}");
}

#[test]
fn many_messages_that_one_domain_sends_back_count_as_all_of_its_own() {
    let confirmed = Confirmed::default();
    confirmed.expect(vec!["m.h".into(), "far".into()]);
    let refused = |by: &str, id: usize| Refused { by: by.into(), message: Some(("c@m".into(), id.to_string())) };
    confirmed.refuse(refused("m.h", 0));
    (0..1000).for_each(|id| confirmed.refuse(refused("far", id)));
    let taken = confirmed.take_refused();
    assert!(taken.len() < 102 && taken.contains(&refused("m.h", 0)), "{taken:?}");
    assert!(taken.contains(&Refused { by: "far".into(), message: None }), "{taken:?}");
    assert!(confirmed.take_refused().is_empty());
}
