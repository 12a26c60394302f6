//! What is shown without subscribers.

use crate::channel::{Change, Stamp};
use crate::engine::{Audience, Engine, Fan, Inbound, Out, Turn, fixture};
use crate::store::Record;
use crate::xmpp::Stanza;

const NICK: &str = "<setnick xmlns='urn:xmpp:mix:core:1'><nick>other</nick></setnick>";
const BODY: &str = "<body>x</body>";
const STATE: &str = "<composing xmlns='http://jabber.org/protocol/chatstates'/>";

fn take(engine: &mut Engine, xml: &str) -> Turn {
    let stanza = Stanza::parse(xml.as_bytes()).unwrap();
    let turn = engine.turn(Stamp(engine.now.0 + 1000), vec![Inbound::Stanza(stanza)]);
    assert!(turn.refusals.is_empty() && turn.next.is_empty(), "{:?}", turn.refusals);
    turn
}

fn ask(engine: &mut Engine, to: &str, payload: &str) -> Vec<Fan> {
    fans(take(engine, &format!("<iq type='set' id='1' from='a@h/r' to='{to}'>{payload}</iq>")))
}

fn say(engine: &mut Engine, payload: &str) -> Turn {
    take(engine, &format!("<message type='groupchat' id='m' from='a@h/r' to='c@mix.h'>{payload}</message>"))
}

fn fans(turn: Turn) -> Vec<Fan> {
    turn.outbox.into_iter().filter_map(|out| if let Out::Fan(fan) = out { Some(fan) } else { None }).collect()
}

/// A service with a channel `c`, where `a@h` subscribes to these nodes.
fn service(nodes: &[&str]) -> Engine {
    let mut engine = Engine::new(fixture::settings(), [7; 16], [7; 32], Default::default(), Vec::new());
    ask(&mut engine, "mix.h", "<create xmlns='urn:xmpp:mix:core:1' channel='c'/>");
    let nodes: String = nodes.iter().map(|node| format!("<subscribe node='urn:xmpp:mix:nodes:{node}'/>")).collect();
    ask(&mut engine, "c@mix.h", &format!("<join xmlns='urn:xmpp:mix:core:1'>{nodes}</join>"));
    engine
}

#[test]
fn a_list_without_people_costs_nothing() {
    let mut engine = service(&["info"]);
    assert_eq!(ask(&mut engine, "c@mix.h", NICK), []);
    let turn = say(&mut engine, BODY);
    assert!(turn.records.iter().any(|record| matches!(record, Record::Channel { change: Change::Published(_), .. })));
    assert_eq!(fans(turn), []);
    let mut engine = service(&["participants", "messages"]);
    assert_eq!(ask(&mut engine, "c@mix.h", NICK).len(), 1);
    let fans = fans(say(&mut engine, BODY));
    assert!(matches!(&fans[..], [fan] if fan.charge.is_some()), "{fans:?}");
}

#[test]
fn presence_that_nobody_hears_of_is_no_fan_out() {
    let told = |nodes: &[&str]| {
        let fans = fans(take(&mut service(nodes), "<presence from='a@h/r' to='c@mix.h'/>"));
        fans.iter().filter(|fan| matches!(fan.audience, Audience::List(..)) && fan.presence).count()
    };
    assert_eq!((told(&["presence"]), told(&["messages"])), (1, 0));
}

/// An id is drawn for every rendered stanza, even without recipients.
#[test]
fn ids_do_not_depend_on_who_listens() {
    let [heard, unheard] = [&["participants", "messages"][..], &["messages"]].map(|nodes| {
        let mut engine = service(nodes);
        let told = ask(&mut engine, "c@mix.h", NICK).len();
        (told, fans(say(&mut engine, STATE)))
    });
    assert_eq!((heard.0, unheard.0), (1, 0));
    assert!(heard.1.len() == 1 && heard.1[0].head == unheard.1[0].head, "{heard:?} {unheard:?}");
}
