//! The real `mixd` on a link that is up and not sound: the scripted host server stalls, or has another link of the same domain.

#![allow(clippy::unwrap_used)]

mod scripted;

use scripted::{DOMAIN, Host, Mixd};
use std::io::Write;
use std::time::Duration;

/// Has mixd look for nothing when a link comes up.
const QUIET: &str = "[hosts.'example.org']\nmulticast = 'off'";

/// A host server that answered pings, takes more, talks on and answers no longer has a broken link: what it was sent comes
/// again on the next one, and is not taken for delivered. Anybody else's answer to the ping says nothing.
#[test]
fn a_host_that_stops_to_answer_pings_is_left_and_nothing_is_lost() {
    let host = Host::start();
    let mixd = Mixd::start(&host, &format!("ping_timeout_s = 1\n{QUIET}"));
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
    std::thread::sleep(Duration::from_millis(200));
    first.check_alive("1");
    first.answers_pings = false;
    first.send(&format!("<message type='groupchat' id='m' {ann}><body>stalled</body></message>"));
    assert!(first.read_until("<message", "</message>").contains("stalled</body>"));
    first.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut talking = first.stream.try_clone().unwrap();
    let talk = std::thread::spawn(move || {
        while talking
            .write_all(b" <iq type='result' id='ping-0-1' from='eve@example.org/r' to='mix.example.org'/>")
            .is_ok()
        {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let mut second = host.accept_authenticated();
    mixd.wait_for_log("no longer answers pings", 1);
    assert!(second.read_until("<message", "</message>").contains("stalled</body>"));
    second.check_alive("2");
    drop(first);
    talk.join().unwrap();
}

/// A host server whose parser puts off long tags sees that they have ended when as much again has come (hosts.md, J.1).
#[test]
fn behind_a_long_start_tag_comes_as_much_white_space_and_a_longer_one_is_refused() {
    let host = Host::start();
    let _mixd = Mixd::start(&host, QUIET);
    let mut peer = host.accept_authenticated();
    let ann = format!("from='ann@example.org/r' to='coven@{DOMAIN}'");
    peer.send(&format!(
        "<iq type='set' id='c' from='ann@example.org/r' to='{DOMAIN}'><create xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>"
    ));
    peer.answer_to("c");
    peer.send(&format!(
        "<iq type='set' id='j' {ann}><join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join></iq>"
    ));
    peer.answer_to("j");
    let say = |bytes: usize| {
        let value = "v".repeat(bytes);
        format!("<message type='groupchat' id='{bytes}' {ann}><x xmlns='urn:x' a='{value}' b='{value}'/></message>")
    };
    peer.send(&say(8000));
    let message = peer.read_until("<message", "</message>");
    let tag = message.split('<').find(|tag| tag.starts_with("x xmlns")).unwrap().len() + 1;
    let behind = message.len() - message.find("<x xmlns").unwrap() - tag;
    peer.check_alive("1");
    peer.send(&say(8000));
    peer.read_until("<message", "</message>");
    assert!(tag > 16_000 && behind < 500, "{behind} bytes behind {tag}");
    peer.read_until(&" ".repeat(tag - behind), "");
    peer.send(&say(8190));
    let refused = peer.answer_to("8190");
    assert!(
        refused.contains("policy-violation") && refused.contains("a start tag of the stanza is too long"),
        "{refused}"
    );
    peer.check_alive("2");
}

/// A host server that has several links of one domain gives each stanza to any of them (hosts.md, J.3).
#[test]
fn another_link_of_the_same_domain_is_told_of() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let host = Host::start();
    let settings = format!("ping_idle_s = 1\nping_timeout_s = 1\n{QUIET}\n[metrics]\nlisten = {port}");
    let mixd = Mixd::start(&host, &settings);
    let mut peer = host.accept_authenticated();
    peer.returns_echoes = false;
    // The link is never silent.
    let mut talking = peer.stream.try_clone().unwrap();
    let talk = std::thread::spawn(move || {
        while talking.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let ready = || {
        let mut page = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        page.write_all(b"GET /health/ready HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut page, &mut text).unwrap();
        text
    };
    // It comes back as it was sent.
    let echo = peer.read_until("<iq type='get' id='echo-", "</iq>");
    assert!(echo.contains(&format!("from='{DOMAIN}' to='{DOMAIN}/echo'")), "{echo}");
    peer.send(&echo);
    peer.check_alive("1");
    assert!(ready().contains(" 200 ") && !mixd.log().contains("another link"), "{}", mixd.log());
    // The next goes to the other process, which answers it.
    let echo = peer.read_until("<iq type='get' id='echo-", "</iq>");
    let id = echo.split(" id='").nth(1).unwrap().split('\'').next().unwrap();
    peer.send(&format!("<iq type='result' id='{id}' from='{DOMAIN}/echo' to='{DOMAIN}'/>"));
    mixd.wait_for_log("another link serves mix.example.org", 1);
    assert!(ready().contains(" 503 ") && ready().contains("another link serves this domain"), "{}", ready());
    drop(mixd);
    drop(peer);
    talk.join().unwrap();
}
