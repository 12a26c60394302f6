//! The real `mixd` against a scripted host server: coming up, staying up, going down.

#![allow(clippy::unwrap_used)]

mod scripted;

use scripted::{DOMAIN, Host, Mixd, SECRET};
use std::io::Write;
use std::time::{Duration, Instant};
use xmpp_parsers::component::Handshake;

/// Has mixd look for nothing when a link comes up.
const QUIET: &str = "[hosts.'example.org']\nmulticast = 'off'";

#[test]
fn it_authenticates_and_answers() {
    let host = Host::start();
    let mixd = Mixd::start(&host, "");
    let mut peer = host.accept_authenticated();
    mixd.wait_for_log("link up", 1);
    peer.check_alive("1");
    // Behind the handshake in one segment, byte by byte, and with white space between.
    for byte in "\n <iq type='get' id='2' from='a@example.org/r' to='mix.example.org'><x xmlns='y'/></iq> ".chars() {
        peer.send(&byte.to_string());
    }
    peer.answer_to("2");
    assert!(!mixd.log().contains(SECRET), "{}", mixd.log());
}

/// The same against another implementation of the stream: the accepting side of tokio-xmpp.
#[tokio::test]
async fn it_speaks_with_a_stream_that_is_not_our_own() {
    use futures::{SinkExt, StreamExt};
    use tokio_xmpp::xmlstream::{StreamHeader, Timeouts, XmppStreamElement, accept_stream};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _mixd = Mixd::start_at(listener.local_addr().unwrap().port(), QUIET);
    let (tcp, _) = listener.accept().await.unwrap();
    let io = tokio::io::BufStream::new(tcp);
    let mut accepted = accept_stream(io, "jabber:component:accept", Timeouts::tight()).await.unwrap();
    assert_eq!(accepted.take_header().to.as_deref(), Some(DOMAIN));
    let header = StreamHeader { from: Some(DOMAIN.into()), to: None, id: Some("id&1".into()) };
    let pending = accepted.send_header(header).await.unwrap();
    let mut stream = pending.send_features::<XmppStreamElement>(&Default::default()).await.unwrap();
    let digest = Handshake::from_stream_id_and_password("id&1".to_owned(), SECRET);
    let XmppStreamElement::ComponentHandshake(given) = stream.next().await.unwrap().unwrap() else {
        panic!("no handshake")
    };
    assert_eq!(given, digest);
    stream.send(&XmppStreamElement::ComponentHandshake(Handshake::new())).await.unwrap();
    let request = "<iq xmlns='jabber:component:accept' type='get' id='x' from='a@example.org/r' to='mix.example.org'>\
                   <query xmlns='http://jabber.org/protocol/disco#info'/></iq>";
    stream.send(&request.parse::<minidom::Element>().unwrap()).await.unwrap();
    let XmppStreamElement::Stanza(answer) = stream.next().await.unwrap().unwrap() else { panic!("no stanza") };
    assert!(format!("{answer:?}").contains("\"x\""), "{answer:?}");
}

#[test]
fn no_port_is_open_unless_it_is_configured_and_a_port_alone_is_one_of_the_loopback() {
    let host = Host::start();
    let mixd = Mixd::start(&host, "");
    host.accept_authenticated().check_alive("1");
    assert_eq!(mixd.listens(), [] as [String; 0]);
    drop(mixd);
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let host = Host::start();
    let mixd = Mixd::start(&host, &format!("[http]\nlisten = {port}"));
    host.accept_authenticated().check_alive("2");
    // 127.0.0.1, as the kernel writes it on a machine that puts the lowest byte first.
    assert_eq!(mixd.listens(), [format!("0100007F:{port}")]);
}

#[test]
fn a_stanza_right_behind_the_handshake_is_answered() {
    let host = Host::start();
    let _mixd = Mixd::start(&host, "");
    let mut peer = host.accept();
    peer.open();
    peer.check_handshake();
    peer.send("<handshake/><iq type='get' id='early' from='a@example.org/r' to='mix.example.org'><x xmlns='y'/></iq>");
    peer.answer_to("early");
}

#[test]
fn each_refusal_is_told_once_with_what_to_do_and_tried_again() {
    for (condition, told) in [
        ("not-authorized", "refuses the secret, or does not know this domain; give component.secret"),
        ("host-unknown", "knows no component of this domain; name the component"),
        ("conflict", "another connection for this domain; stop the other process"),
        ("invalid-namespace", "ended the stream: invalid-namespace (why); check that the port"),
    ] {
        let host = Host::start();
        let mixd = Mixd::start(&host, "backoff_ms_max = 60");
        for _ in 0..4 {
            let mut peer = host.accept();
            peer.open();
            if condition == "not-authorized" {
                peer.check_handshake();
            }
            peer.refuse(condition);
        }
        let _peer = host.accept_authenticated();
        mixd.wait_for_log("link up", 1);
        let log = mixd.log();
        assert_eq!((log.matches(told).count(), log.matches("link down").count()), (1, 1), "{log}");
        assert!(!log.contains(SECRET), "{log}");
    }
}

#[test]
fn nobody_listening_and_strangers_are_told_apart() {
    let port = Host::start().port();
    let mixd = Mixd::start_at(port, "");
    mixd.wait_for_log("no connection", 1);
    drop(mixd);

    let host = Host::start();
    let mixd = Mixd::start(&host, "connect_timeout_s = 1");
    let mut stranger = host.accept();
    stranger.read_until("<stream:stream", ">");
    stranger.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    mixd.wait_for_log("where stanzas belong", 1);
    let silent = host.accept();
    mixd.wait_for_log("no answer in time", 1);
    drop(silent);
    let mut closing = host.accept();
    closing.open();
    drop(closing);
    host.accept_authenticated();
    mixd.wait_for_log("link up", 1);
}

#[test]
fn pauses_between_attempts_grow() {
    let host = Host::start();
    let _mixd = Mixd::start(&host, "backoff_ms_max = 800");
    let mut gaps = Vec::new();
    let mut last = Instant::now();
    for _ in 0..7 {
        drop(host.accept());
        gaps.push(last.elapsed());
        last = Instant::now();
    }
    // The steps are 50, 100, 200, 400, 800 ms; a pause is at least half of its step.
    assert!(gaps[5] >= Duration::from_millis(400) && gaps[6] >= Duration::from_millis(400), "{gaps:?}");
    assert!(gaps[6] < Duration::from_secs(5), "{gaps:?}");
}

#[test]
fn a_lost_link_comes_back() {
    let host = Host::start();
    let mixd = Mixd::start(&host, "");
    let mut first = host.accept_authenticated();
    first.check_alive("1");
    first.refuse("system-shutdown");
    drop(first);
    let mut second = host.accept_authenticated();
    second.check_alive("2");
    drop(second);
    host.accept_authenticated().check_alive("3");
    mixd.wait_for_log("link up", 3);
    mixd.wait_for_log("system-shutdown (why)", 1);
}

/// Everything that is not known to have arrived on one link is written on the next, in order and under the same ids.
#[test]
fn what_a_lost_link_took_along_is_written_on_the_next_one() {
    let host = Host::start();
    let _mixd = Mixd::start(&host, "");
    let mut first = host.accept_authenticated();
    let ann = format!("from='ann@example.org/r' to='coven@{DOMAIN}'");
    first.send(&format!(
        "<iq type='set' id='c' from='ann@example.org/r' to='{DOMAIN}'><create xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>"
    ));
    first.answer_to("c");
    first.send(&format!(
        "<iq type='set' id='j' {ann}><join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join></iq>"
    ));
    first.answer_to("j");
    let say = |text: &str| format!("<message type='groupchat' id='{text}' {ann}><body>{text}</body></message>");
    first.send(&say("confirmed"));
    assert!(first.read_until("<message", "</message>").contains("confirmed</body>"));
    // The ping behind it is answered while the answer to this is waited for, and settles it.
    std::thread::sleep(Duration::from_millis(200));
    first.check_alive("between");
    std::thread::sleep(Duration::from_millis(200));
    first.check_alive("settled");
    first.answers_pings = false;
    first.send(&(say("one") + &say("two")));
    let one = first.read_until("<message", "</message>");
    assert!(one.contains("one</body>") && first.read_until("<message", "</message>").contains("two</body>"));
    drop(first);
    let mut second = host.accept_authenticated();
    let again = second.read_until("<message", "</message>");
    assert_eq!(again, one, "the first to come is the first that is not known to have arrived");
    assert!(second.read_until("<message", "</message>").contains("two</body>"));
    second.check_alive("3");
}

#[test]
fn silence_is_pinged_and_a_dead_host_is_left() {
    let host = Host::start();
    let mixd = Mixd::start(&host, &format!("ping_idle_s = 1\nping_timeout_s = 1\n{QUIET}"));
    let mut peer = host.accept_authenticated();
    for _ in 0..2 {
        let ping = peer.read_until("<iq", "</iq>");
        assert!(ping.contains("to='example.org/mixd'") && ping.contains(&format!("from='{DOMAIN}'")), "{ping}");
        assert!(ping.contains("urn:xmpp:ping"), "{ping}");
        let id = ping.split(" id='").nth(1).unwrap().split('\'').next().unwrap();
        peer.send(&format!(
            "<iq type='error' id='{id}' from='example.org/mixd' to='{DOMAIN}'><error type='cancel'/></iq>"
        ));
    }
    peer.check_alive("1");
    // White space is a sign of life as well.
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(700));
        peer.send(" ");
    }
    assert_eq!(mixd.log().matches("link down").count(), 0, "{}", mixd.log());
    let _again = host.accept_authenticated();
    mixd.wait_for_log("gone silent", 1);
    mixd.wait_for_log("link up", 2);
}

#[test]
fn it_ends_the_stream_when_it_is_told_to() {
    let host = Host::start();
    let mut mixd = Mixd::start(&host, "");
    let mut peer = host.accept_authenticated();
    peer.check_alive("1");
    mixd.terminate();
    peer.read_until("</stream:stream>", "");
    peer.send("</stream:stream>");
    assert_eq!(peer.read_to_end(), "");
    let (status, took) = mixd.wait();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
}

#[test]
fn a_hangup_does_not_end_it_and_is_told() {
    let host = Host::start();
    let mut mixd = Mixd::start(&host, "");
    let mut peer = host.accept_authenticated();
    peer.check_alive("1");
    mixd.signal("-HUP");
    mixd.wait_for_log("SIGHUP: the service goes on", 1);
    peer.check_alive("2");
    mixd.terminate();
    assert!(mixd.wait().0.success());
}

#[test]
fn it_ends_without_a_link_too() {
    let mut mixd = Mixd::start_at(Host::start().port(), "");
    mixd.wait_for_log("link down", 1);
    mixd.terminate();
    let (status, took) = mixd.wait();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
}

/// A host that sends requests and reads nothing until mixd's queues are full; returns how many it sent.
fn flood(peer: &mut scripted::Peer, mixd: &Mixd) -> usize {
    let body = "x".repeat(800);
    let mut sent = 0;
    let until = Instant::now() + Duration::from_secs(60);
    while !mixd.log().contains("more comes in than is worked off") {
        assert!(Instant::now() < until, "the queues never fill: {sent} sent\n{}", mixd.log());
        let mut block = String::new();
        for _ in 0..500 {
            sent += 1;
            block.push_str(&format!(
                "<iq type='get' id='{sent}-{body}' from='a@example.org/r' to='{DOMAIN}'><x xmlns='y'/></iq>"
            ));
        }
        peer.stream.write_all(block.as_bytes()).unwrap();
    }
    sent
}

const SMALL_QUEUES: &str = "[limits]\ninbox_items_max = 100\noutbox_bytes_max = 100000";

#[test]
fn a_host_that_does_not_read_fills_no_memory_and_requests_are_refused() {
    let host = Host::start();
    let mixd = Mixd::start(&host, SMALL_QUEUES);
    let mut peer = host.accept_authenticated();
    let sent = flood(&mut peer, &mixd);
    let memory = mixd.memory();
    assert!(memory.1 < 100 << 20, "peak {} bytes", memory.1);
    // Reading goes on: more than any socket buffer holds is taken in while nothing is read.
    peer.stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let chatter =
        format!("<message from='a@example.org/r' to='{DOMAIN}' type='error'><b>{}</b></message>", "y".repeat(9000));
    for _ in 0..3000 {
        peer.send(&chatter);
    }
    let (mut constrained, mut answered) = (0, 0);
    while constrained < 10 {
        let answer = peer.next_stanza();
        answered += 1;
        constrained += usize::from(answer.contains("<resource-constraint"));
        assert!(answered <= sent, "no refusal among {answered}");
    }
    peer.check_alive("after");
    assert_eq!(mixd.log().matches("link down").count(), 0, "{}", mixd.log());
}

#[test]
fn it_ends_when_the_host_does_not_read() {
    let host = Host::start();
    let mut mixd = Mixd::start(&host, SMALL_QUEUES);
    let mut peer = host.accept_authenticated();
    flood(&mut peer, &mixd);
    mixd.terminate();
    let (status, took) = mixd.wait();
    assert!(status.success() && took < Duration::from_secs(10), "{status} after {took:?}");
}

#[test]
fn wrong_settings_end_with_78_and_right_ones_are_shown() {
    let run = |file: &str, text: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        std::fs::write(&path, text).unwrap();
        let binary = std::process::Command::new(env!("CARGO_BIN_EXE_mixd"))
            .args(["check-config", "--config"])
            .arg(&path)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (binary.status.code().unwrap(), text(binary.stdout), text(binary.stderr))
    };
    let (code, out, _) = run("a.toml", "[component]\ndomain = 'mix.a'\nsecret = 'hush'");
    assert!(code == 0 && out.contains("port = 5347") && out.ends_with("# OK\n") && !out.contains("hush"), "{out}");
    let (code, out, error) = run("b.toml", "[component]\ndomain = 'mix.a'\nsecret = 'hush'\nport = 0");
    assert!(code == 78 && out.is_empty() && error.contains("b.toml: component.port: found 0, expected"), "{error}");
}

/// What a multicast service refuses reaches everybody as a copy, in its place among what follows.
#[test]
fn what_a_multicast_service_refuses_reaches_everybody_all_the_same() {
    let host = Host::start();
    let settings = "[hosts.'example.org']\npam = 'standard'\nmulticast = 'multicast.example.org'";
    let mixd = Mixd::start(&host, settings);
    let mut peer = host.accept_authenticated();
    let question = peer.read_until("<iq", "</iq>");
    assert!(question.contains("to='multicast.example.org/mixd'") && question.contains("disco#info"), "{question}");
    peer.send(&format!(
        "<iq type='result' id='{}' from='multicast.example.org/mixd' to='{DOMAIN}'>\
         <query xmlns='http://jabber.org/protocol/disco#info'><feature var='http://jabber.org/protocol/address'/>\
         </query></iq>",
        attribute(&question, "id")
    ));
    mixd.wait_for_log("one stanza for many recipients", 1);
    let request = |id: &str, from: &str, to: &str, payload: &str| {
        format!("<iq type='set' id='{id}' from='{from}@example.org' to='{to}'>{payload}</iq>")
    };
    peer.send(&request("c", "u0", DOMAIN, "<create xmlns='urn:xmpp:mix:core:1' channel='coven'/>"));
    peer.answer_to("c");
    let channel = format!("coven@{DOMAIN}");
    for user in ["u0", "u1", "u2"] {
        let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
        peer.send(&request(user, user, &channel, join));
        peer.answer_to(user);
    }
    let say = |body: &str| {
        format!(
            "<message type='groupchat' id='{body}' from='u0@example.org/r' to='{channel}'><body>{body}</body></message>"
        )
    };
    peer.send(&say("one"));
    let list = peer.read_until("<message", "</message>");
    assert!(list.contains("to='multicast.example.org'"), "{list}");
    assert_eq!(list.matches("<address ").count(), 3, "{list}");
    let (id, from) = (attribute(&list, "id"), attribute(&list, "from"));
    let forbidden = "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
    peer.send(&format!(
        "<message type='error' id='{id}' from='multicast.example.org' to='{from}'>{forbidden}</message>"
    ));
    peer.send(&say("two"));
    let copies: Vec<String> = (0..6).map(|_| peer.read_until("<message", "</message>")).collect();
    for (place, copy) in copies.iter().enumerate() {
        let (body, user) = (["one", "two"][place / 3], place % 3);
        assert!(copy.contains(&format!("<body>{body}</body>")), "{copies:?}");
        assert!(copy.contains(&format!(" to='u{user}@example.org'")), "{copies:?}");
        assert_eq!(attribute(copy, "id") == id, body == "one", "{copies:?}");
    }
}

/// The first attribute of that name in a stanza.
fn attribute(stanza: &str, name: &str) -> String {
    let behind = stanza.split(&format!(" {name}='")).nth(1).unwrap_or_else(|| panic!("no {name} in {stanza}"));
    behind.split('\'').next().unwrap().to_owned()
}
