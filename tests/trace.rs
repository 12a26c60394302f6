//! The log of the real `mixd`: the way of a stanza can be followed by its id, and nothing is told that must not be.

#![allow(clippy::unwrap_used)]

mod scripted;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use scripted::{DOMAIN, Host, Mixd, Peer, SECRET};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

const BODY: &str = "what-people-write-is-theirs";
const PASSWORD: &str = "hunter-2-password";

/// A conversation: two people in a channel, a message that arrives, comes back from one, and one that is refused.
fn converse(peer: &mut Peer) {
    let mut ask = |id: &str, to: &str, payload: &str| {
        peer.send(&format!("<iq type='set' id='{id}' from='ann@example.org/r' to='{to}{DOMAIN}'>{payload}</iq>"));
        peer.answer_to(id)
    };
    ask("create", "", "<create xmlns='urn:xmpp:mix:core:1' channel='coven'/>");
    let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
    assert!(ask("join", "coven@", join).contains("type='result'"));
    for (id, who) in [("say&#10;it", "ann"), ("say-no", "eve")] {
        peer.send(&format!(
            "<message type='groupchat' id='{id}' from='{who}@example.org/r' to='coven@{DOMAIN}'><body>{BODY}</body></message>"
        ));
    }
    let mut seen = String::new();
    while !(seen.contains(BODY) && seen.contains("<not-acceptable")) {
        seen += &peer.next_stanza();
    }
    let row = seen.split("<stanza-id").nth(1).unwrap().split(" id='").nth(1).unwrap().split('\'').next().unwrap();
    peer.send(&format!(
        "<message type='error' id='{row}' from='ann@example.org/r' to='coven@{DOMAIN}'><body>{BODY}</body>\
         <error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
    ));
    peer.send(&format!(
        "<message id='broken' from='ann@example.org/r' to='coven@{DOMAIN}'><x:y>{BODY}</x:y></message>"
    ));
    peer.answer_to("broken");
    peer.check_alive("end");
}

/// Logs in over HTTP at the port that the log names.
fn log_in(mixd: &Mixd) {
    mixd.wait_for_log("the HTTP API listens", 1);
    let log = mixd.log();
    let line = log.lines().find(|line| line.contains("the HTTP API listens")).unwrap();
    let digits = line.split("127.0.0.1:").nth(1).unwrap();
    let port: u16 = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let login = STANDARD.encode(format!("ann:{PASSWORD}"));
    let request = format!(
        "GET /gch.ashx?gm=getGroup HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {login}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
}

fn log_of(level: &str, format: &str) -> String {
    let host = Host::start();
    let mut mixd = Mixd::start(
        &host,
        &format!("[http]\nlisten = '127.0.0.1:0'\ncheck_port = 1\n[log]\nlevel = '{level}'\nformat = '{format}'"),
    );
    let mut peer = host.accept_authenticated();
    converse(&mut peer);
    log_in(&mixd);
    mixd.terminate();
    drop(peer);
    mixd.wait();
    mixd.log()
}

#[track_caller]
fn tells_nothing_secret(log: &str) {
    let login = STANDARD.encode(format!("ann:{PASSWORD}"));
    for secret in [BODY, PASSWORD, &login, SECRET, "s3cr3t"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

/// Eleven people are there, whose server sends back what a channel says to them, as it comes from a stranger.
#[test]
fn a_host_that_takes_channels_for_strangers_is_named_once() {
    let host = Host::start();
    let mut mixd = Mixd::start(&host, "");
    let mut peer = host.accept_authenticated();
    let create = "<create xmlns='urn:xmpp:mix:core:1' channel='coven'/>";
    peer.send(&format!("<iq type='set' id='create' from='a0@example.org/r' to='{DOMAIN}'>{create}</iq>"));
    peer.answer_to("create");
    for n in 0..11 {
        let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
        peer.send(&format!("<iq type='set' id='j{n}' from='a{n}@example.org/r' to='coven@{DOMAIN}'>{join}</iq>"));
        peer.answer_to(&format!("j{n}"));
    }
    peer.send(&format!(
        "<message type='groupchat' id='m' from='a0@example.org/r' to='coven@{DOMAIN}'><body>x</body></message>"
    ));
    let seen = peer.read_until("<stanza-id", "</message>");
    let row = seen.split("<stanza-id").nth(1).unwrap().split(" id='").nth(1).unwrap().split('\'').next().unwrap();
    let refuse = |peer: &mut Peer, n: usize, id: &str| {
        let error = "<error type='modify'><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        peer.send(&format!(
            "<message type='error' id='{id}' from='a{n}@example.org/r' to='coven@{DOMAIN}'>{error}</message>"
        ));
    };
    let warning = "a module against strangers keeps them out";
    (0..11).for_each(|n| refuse(&mut peer, n, "never-sent"));
    (0..9).for_each(|n| refuse(&mut peer, n, row));
    (0..9).for_each(|n| refuse(&mut peer, n, row));
    peer.check_alive("nine");
    assert!(!mixd.log().contains(warning), "nine are few");
    refuse(&mut peer, 9, row);
    mixd.wait_for_log(warning, 1);
    refuse(&mut peer, 10, row);
    peer.check_alive("eleven");
    assert_eq!(mixd.log().matches(warning).count(), 1);
    assert!(mixd.log().contains("host=example.org"), "{}", mixd.log());
    mixd.terminate();
    drop(peer);
    mixd.wait();
}

#[test]
fn the_way_of_a_stanza_is_told_by_its_id_and_never_what_it_says() {
    let log = log_of("debug", "json");
    tells_nothing_secret(&log);
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let told = |id: &str| -> Vec<(&str, &Value)> {
        let of_id = events.iter().map(|event| &event["fields"]).filter(|fields| fields["id"] == id);
        of_id.map(|fields| (fields["message"].as_str().unwrap(), fields)).collect()
    };
    let words = |id: &str| told(id).into_iter().map(|(message, _)| message).collect::<Vec<_>>();
    assert_eq!(words("say\nit"), ["received", "routed", "decided", "becomes a row", "committed"]);
    assert_eq!(words("join"), ["received", "routed", "decided", "committed", "sent"]);
    let refused = told("say-no");
    assert_eq!(words("say-no"), ["received", "routed", "refused", "committed", "sent"]);
    assert_eq!(refused[2].1["reason"], "not-joined");
    let way = told("say\nit");
    assert_eq!((&way[0].1["from"], &way[1].1["channel"]), (&"ann@example.org/r".into(), &"coven".into()));
    // From here on it goes by the id of its row, and comes back by it.
    let row = way[3].1["row"].as_str().unwrap().to_owned();
    let further = told(&row);
    assert_eq!(words(&row)[..2], ["sent", "received"]);
    assert!(words(&row).contains(&"bounced"), "{further:?}");
    assert_eq!(further[0].1["copies"], 1);
    assert!(told("broken")[0].0.starts_with("a stanza cannot be read"), "{:?}", told("broken"));
}

#[test]
fn a_line_of_text_holds_one_event_whatever_an_id_holds() {
    let log = log_of("debug", "text");
    tells_nothing_secret(&log);
    let told: Vec<&str> = log.lines().filter(|line| line.contains(r#"id="say\nit""#)).collect();
    assert_eq!(told.len(), 5, "{log}");
    assert!(log.lines().all(|line| line.starts_with("20")), "a line is no event:\n{log}");
}

#[test]
fn above_debug_no_address_is_told() {
    let log = log_of("info", "text");
    tells_nothing_secret(&log);
    assert!(log.contains("link up") && !log.contains("ann@") && !log.contains("coven"), "{log}");
}
