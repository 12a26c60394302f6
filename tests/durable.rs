//! What a sender saw reflected is on disk: the real `mixd`, traced and killed.

#![allow(clippy::unwrap_used)]

mod scripted;

use mixd::channel::ChannelName;
use mixd::store::{PagePlan, SledOptions, SledStore, Store};
use rand::{Rng, SeedableRng, rngs::StdRng};
use scripted::{DOMAIN, Host, Mixd, Peer};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

const KILLS: usize = 30;

fn create(peer: &mut Peer) {
    peer.send(&format!(
        "<iq type='set' id='create' from='ann@example.org/r' to='{DOMAIN}'>\
         <create xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>"
    ));
    assert!(peer.answer_to("create").contains("type='result'"));
}

fn join(peer: &mut Peer, who: &str) {
    peer.send(&join_request(who));
    assert!(peer.answer_to(&format!("join-{who}")).contains("type='result'"));
}

fn join_request(who: &str) -> String {
    format!(
        "<iq type='set' id='join-{who}' from='{who}@example.org' to='coven@{DOMAIN}'><join xmlns='urn:xmpp:mix:core:1'>\
         <nick>{who}</nick><subscribe node='urn:xmpp:mix:nodes:messages'/></join></iq>"
    )
}

fn message(origin_id: &str) -> String {
    format!(
        "<message type='groupchat' id='x' from='ann@example.org/r' to='coven@{DOMAIN}'><body>{origin_id}</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='{origin_id}'/></message>"
    )
}

#[test]
fn a_reflection_leaves_after_the_sync_of_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let host = Host::start();
    let calls = "trace=fdatasync,fsync,read,recvfrom,readv,write,sendto,writev";
    // -D: the tracer is not the parent, so the process that is stopped in the end is mixd.
    let strace = ["strace", "-D", "-f", "-s", "1000000", "-e", calls, "-o", trace.to_str().unwrap()];
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &strace);
    let mut peer = host.accept_authenticated();
    create(&mut peer);
    join(&mut peer, "ann");
    for n in 0..5 {
        peer.send(&message(&format!("durable-{n}")));
        peer.read_until("<body>", &format!("durable-{n}</body>"));
    }
    mixd.terminate();
    mixd.wait();
    let text = complete(&trace);
    let lines: Vec<&str> = text.lines().collect();
    for n in 0..5 {
        let body = format!("<body>durable-{n}</body>");
        let received = lines.iter().position(|line| line.contains(&body)).expect("the message comes in");
        assert!(lines[received].contains("read") || lines[received].contains("recv"), "{}", lines[received]);
        let of_sending = |line: &&str| line.contains(&body) && (line.contains("write") || line.contains("send"));
        let sent = received + lines[received..].iter().position(of_sending).expect("the reflection goes out");
        let between = &lines[received..sent];
        let begun = between.iter().position(|line| line.contains("fdatasync("));
        let done = between.iter().rposition(|line| line.contains("fdatasync") && line.ends_with("= 0"));
        assert!(begun.is_some() && done >= begun, "no sync between message and reflection:\n{}", between.join("\n"));
    }
}

#[test]
fn what_a_killed_process_left_is_synced_before_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    create(&mut peer);
    // Long enough for sled to hand the state to the kernel, and not for the state to be synced.
    std::thread::sleep(Duration::from_millis(500));
    mixd.kill();
    let strace = ["strace", "-D", "-f", "-y", "-e", "trace=fdatasync,sendto,write", "-o", trace.to_str().unwrap()];
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &strace);
    drop(host.accept_authenticated());
    mixd.terminate();
    mixd.wait();
    let text = complete(&trace);
    let connected = text.lines().take_while(|line| !line.contains("<?xml")).collect::<Vec<_>>();
    assert!(connected.len() < text.lines().count(), "it never connected:\n{text}");
    for part in ["/state/db", "/archive/"] {
        let synced = connected.iter().any(|line| line.contains("fdatasync(") && line.contains(part));
        assert!(synced, "{part} is not synced:\n{}", connected.join("\n"));
    }
}

/// The trace, once the tracer has written its end.
fn complete(trace: &Path) -> String {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let text = String::from_utf8_lossy(&std::fs::read(trace).unwrap_or_default()).into_owned();
        if text.contains("+++ exited with 0 +++") || Instant::now() > until {
            return text;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What everybody saw before the process was killed.
#[derive(Default)]
struct Seen {
    /// Reflections by origin id, with the id of the row.
    reflected: BTreeMap<String, String>,
    /// Joins that were answered.
    joined: BTreeSet<String>,
}

impl Seen {
    /// Notes every whole stanza of `text`, and leaves the rest.
    fn note(&mut self, text: &mut String) {
        while let Some(end) = ["</message>", "</iq>"].iter().filter_map(|tag| Some(text.find(tag)? + tag.len())).min() {
            let stanza: String = text.drain(..end).collect();
            let within = |from: &str, to: &str| {
                let at = stanza.find(from)? + from.len();
                Some(stanza[at..at + stanza[at..].find(to)?].to_owned())
            };
            if let Some(body) = within("<body>", "</body>") {
                let id = within(" id='", "'").unwrap();
                let known = self.reflected.insert(body, id.clone());
                assert!(known.is_none_or(|known| known == id), "one message, two rows: {stanza}");
            } else if let Some(who) = within(" id='join-", "'") {
                self.joined.insert(who);
            }
        }
    }
}

#[test]
fn nothing_reflected_is_lost_when_it_is_killed_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = StdRng::seed_from_u64(20261123);
    let mut seen = Seen::default();
    let host = Host::start();
    for round in 0..KILLS {
        let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
        let mut peer = host.accept_authenticated();
        if round == 0 {
            create(&mut peer);
            join(&mut peer, "ann");
        }
        load_until_killed(&mut mixd, &mut peer, round, &mut dice, &mut seen);
    }
    assert!(seen.reflected.len() > 10 * KILLS, "too little load to mean anything: {}", seen.reflected.len());
    check_store(folder.path(), &seen);
    check_archive(folder.path(), &host, &seen);
    println!("{KILLS} kills, {} reflections and {} joins seen, none lost", seen.reflected.len(), seen.joined.len());
}

/// Sends as fast as answers come, with joins in between, and kills at a random moment.
fn load_until_killed(mixd: &mut Mixd, peer: &mut Peer, round: usize, dice: &mut StdRng, seen: &mut Seen) {
    let end = Instant::now() + Duration::from_micros(dice.random_range(2_000..250_000));
    let (mut n, mut text) = (0, String::new());
    peer.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    while Instant::now() < end {
        for _ in 0..dice.random_range(1..20) {
            peer.send(&message(&format!("r{round}-{n}")));
            n += 1;
        }
        if dice.random_ratio(1, 4) {
            peer.send(&join_request(&format!("p{round}-{n}")));
        }
        drain(peer, &mut text, seen);
    }
    mixd.kill();
    peer.stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    drain(peer, &mut text, seen);
}

/// Reads what is there.
fn drain(peer: &mut Peer, text: &mut String, seen: &mut Seen) {
    text.push_str(&peer.drain());
    seen.note(text);
}

/// The disk itself: rows without gaps, one a message, and everybody who was told so is in.
fn check_store(folder: &Path, seen: &Seen) {
    let store = SledStore::open(SledOptions::at(folder.join("store"))).unwrap();
    let channel = store.load(&[ChannelName::new("coven").unwrap()]).unwrap().remove(0).unwrap();
    let head = channel.head();
    let plan = PagePlan {
        tag: channel.profile().tag,
        first: 1,
        last: head.row,
        start: None,
        end: None,
        author: None,
        max: usize::MAX,
        from_end: false,
        narrow: Default::default(),
    };
    let rows = store.page(&plan).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), (1..=head.row).collect::<Vec<_>>());
    assert!(rows.is_sorted_by_key(|row| row.stamp));
    let kept: Vec<&str> = rows.iter().map(|row| row.origin_id.as_deref().unwrap()).collect();
    let unique: BTreeSet<&str> = kept.iter().copied().collect();
    assert_eq!(unique.len(), kept.len(), "a message has two rows");
    let lost: Vec<_> = seen.reflected.keys().filter(|id| !unique.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "reflected and lost: {lost:?}");
    for who in &seen.joined {
        assert!(channel.participant(&format!("{who}@example.org").parse().unwrap()).is_some(), "{who} is not in");
    }
}

/// The archive as a client reads it: every id that was seen still names its message.
fn check_archive(folder: &Path, host: &Host, seen: &Seen) {
    let _mixd = Mixd::start_in(folder, host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    for (n, (body, id)) in seen.reflected.iter().enumerate().step_by(seen.reflected.len() / 50 + 1) {
        peer.send(&format!(
            "<iq type='set' id='q{n}' from='ann@example.org/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'>\
             <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>\
             <field var='ids'><value>{id}</value></field></x></query></iq>"
        ));
        peer.read_until(&format!("<body>{body}"), "</body>");
        peer.read_until(&format!("id='q{n}'"), "</iq>");
    }
}

#[test]
fn what_the_host_is_not_known_to_have_is_sent_by_the_next_start_and_then_never_again() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    create(&mut peer);
    join(&mut peer, "ann");
    join(&mut peer, "bob");
    peer.answers_pings = false;
    peer.send(&message("kept"));
    let first = peer.read_until("<message", "</message>");
    mixd.kill();

    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    mixd.wait_for_log("is sent again", 1);
    let copies = [peer.read_until("<message", "kept</body>"), peer.read_until("<message", "kept</body>")];
    let id = first.split(" id='").nth(1).unwrap().split('\'').next().unwrap();
    assert!(copies.iter().all(|copy| copy.contains(&format!(" id='{id}'"))), "{id} {copies:?}");
    assert!(["ann@", "bob@"].iter().all(|who| copies.iter().any(|copy| copy.contains(&format!("to='{who}")))));
    peer.stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    peer.drain();
    mixd.terminate();
    peer.read_to_end();
    mixd.wait();

    let mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    peer.send(&message("after"));
    let next = peer.read_until("<message", "</body>");
    assert!(next.contains("after</body>"), "{next}");
    assert!(!mixd.log().contains("is sent again"), "{}", mixd.log());
}

#[test]
fn a_second_mixd_on_the_same_store_is_refused_and_the_first_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start();
    let _first = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    let mut second = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let (status, _) = second.wait();
    assert_eq!(status.code(), Some(1), "{}", second.log());
    second.wait_for_log("locked by process", 1);
    peer.check_alive("1");
}

#[test]
fn a_store_of_another_version_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    host.accept_authenticated();
    mixd.terminate();
    mixd.wait();
    let format = folder.path().join("store/FORMAT");
    let text = std::fs::read_to_string(&format).unwrap();
    let newer = text.replace(|c: char| c.is_ascii_digit(), "9");
    assert_ne!(text, newer);
    std::fs::write(&format, &newer).unwrap();
    let mut again = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let (status, _) = again.wait();
    assert_eq!(status.code(), Some(1), "{}", again.log());
    again.wait_for_log("version", 1);
    std::fs::write(&format, &text).unwrap();
    let _third = Mixd::start_in(folder.path(), host.port(), "", &[]);
    host.accept_authenticated().check_alive("1");
}
