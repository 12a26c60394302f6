//! What users can send through a host server and what ends other components: here it costs its sender an error.

#![allow(clippy::unwrap_used)]

mod scripted;

use scripted::{DOMAIN, Host, Mixd};
use std::io::Write;

const FROM: &str = "from='a@example.org/r' to='coven@mix.example.org'";

/// What is sent, and whether an error is owed for it (RFC 6120 §8.2.3, §8.3.1).
fn inputs() -> Vec<(String, bool)> {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let iq = |id: &str, inner: &str| format!("<iq type='get' id='{id}' {FROM}>{inner}</iq>");
    vec![
        (format!("<message type='foo' id='foo' {FROM}><body>x</body></message>"), false),
        (format!("<presence {FROM}><show>online</show></presence>"), false),
        (iq("long-attribute", &format!("<a b='{}'/>", "x".repeat(9000))), true),
        (iq("longest-attribute", &format!("<a b='{}'/>", "x".repeat(8192))), true),
        (format!("<iq type='get' id='{}' {FROM}><a/></iq>", "x".repeat(9000)), false),
        (format!("<iq type='get' {FROM}><ping xmlns='urn:xmpp:ping'/></iq>"), false),
        (format!("<iq type='get' id='no-payload' {FROM}/>"), true),
        (format!("<iq type='foo' id='bad-type' {FROM}><a xmlns='b'/></iq>"), true),
        (format!("<iq id='no-type' {FROM}><a xmlns='b'/></iq>"), true),
        (iq("two-payloads", "<a xmlns='b'/><c xmlns='d'/>"), true),
        (format!("<message type='error' id='e' {FROM}><error type='odd'><unheard-of/></error></message>"), false),
        (format!("<message id='bad-from' from='@' to='{DOMAIN}'><body>x</body></message>"), false),
        (format!("<message id='bad-to' from='a@example.org' to='a b@{DOMAIN}'><body>x</body></message>"), false),
        (format!("<message {FROM}><thread>1</thread><thread>2</thread></message>"), false),
        (iq("comment", "<a xmlns='b'/><!-- c -->"), true),
        (iq("instruction", "<?a b?><a xmlns='b'/>"), true),
        (iq("control", "<a xmlns='b'>&#1;</a>"), true),
        (iq("raw-control", "<a xmlns='b'>\u{1}</a>"), true),
        (iq("entity", "<a xmlns='b'>&unheard;</a>"), true),
        (iq("prefix", "<p:a/>"), true),
        (iq("mismatch", "<a xmlns='b'></c>"), true),
        (iq("twice", "<a xmlns='b' c='1' c='2'/>"), true),
        (iq("wide", &"<a/>".repeat(20_000)), true),
        (iq("many-attributes", &format!("<a {}/>", (0..500).map(|n| format!("b{n}=''")).collect::<String>())), true),
        (iq("nested-64", &nested(63)), true),
        (iq("nested-65", &nested(64)), true),
        (iq("nested-3430", &nested(3430)), true),
        (iq("nested-37000", &nested(37_000)), true),
        ("<stream:features/>".to_owned(), false),
        ("<a/><message/><iq/><presence/>".to_owned(), false),
    ]
}

#[test]
fn nothing_a_user_sends_ends_the_link_and_errors_are_answered() {
    let host = Host::start();
    let mixd = Mixd::start(&host, "");
    let mut peer = host.accept_authenticated();
    for (n, (input, owed)) in inputs().into_iter().enumerate() {
        peer.send(&input);
        if owed {
            let id = input.split("id='").nth(1).unwrap().split('\'').next().unwrap();
            let answer = peer.answer_to(id);
            assert!(answer.starts_with("<iq") && answer.contains("type='error'"), "{answer}");
            assert!(
                answer.contains(" to='a@example.org/r'") && answer.contains(" from='coven@mix.example.org'"),
                "{answer}"
            );
        }
        peer.check_alive(&format!("alive-{n}"));
    }
    assert_eq!(mixd.log().matches("link down").count(), 0, "{}", mixd.log());
}

#[test]
fn what_is_over_a_limit_is_a_policy_violation() {
    let host = Host::start();
    let _mixd = Mixd::start(&host, "[limits]\nstanza_bytes_max = 200000");
    let mut peer = host.accept_authenticated();
    peer.send(&format!("<message id='large' {FROM}><body>{}</body></message>", "x".repeat(300_000)));
    let answer = peer.answer_to("large");
    assert!(answer.starts_with("<message") && answer.contains("<policy-violation"), "{answer}");
}

#[test]
fn no_stanza_is_large_or_deep_enough_to_fill_the_memory() {
    let host = Host::start();
    let mixd = Mixd::start(&host, "");
    let mut peer = host.accept_authenticated();
    peer.check_alive("before");
    let (_, before) = mixd.memory();
    peer.check_alive("before");
    let block = vec![b'x'; 1 << 20];
    peer.send(&format!("<message id='huge' {FROM}><body>"));
    for _ in 0..200 {
        peer.stream.write_all(&block).unwrap();
    }
    peer.send("</body></message>");
    assert!(peer.answer_to("huge").contains("<policy-violation"));
    peer.send(&format!("<message id='huge-head' {FROM} x='"));
    for _ in 0..20 {
        peer.stream.write_all(&block).unwrap();
    }
    peer.send("'/>");
    assert!(peer.answer_to("huge-head").contains("<policy-violation"));
    for _ in 0..20 {
        peer.send(&format!("<message id='deep' {FROM}>{}{}</message>", "<a>".repeat(37_000), "</a>".repeat(37_000)));
        assert!(peer.answer_to("deep").contains("<policy-violation"));
    }
    peer.check_alive("after");
    let (_, peak) = mixd.memory();
    // What the process takes at rest is its allocator's and its build's; what a peer adds to it is what counts.
    assert!(peak < before + (16 << 20), "{before} bytes before, a peak of {peak}");
}
