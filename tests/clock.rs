//! The real process and a clock that jumps: nothing is deleted, nothing freezes, and the operator is told.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "store/fixture.rs"]
mod fixture;
mod scripted;

use fixture::{DAY_MS, Room};
use mixd::channel::Stamp;
use mixd::store::{SledOptions, SledStore, Store};
use scripted::faketime::Clock;
use scripted::{DOMAIN, Host, Mixd, Peer};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

const DAY_S: i64 = 86_400;

/// A service with its pages, by a clock of its own.
fn start(folder: &Path, host: &Host, clock: &Clock, settings: &str) -> Mixd {
    let wrapper = clock.wrapper();
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let settings = format!("{settings}\n[metrics]\nlisten = '127.0.0.1:0'");
    let mixd = Mixd::start_in(folder, host.port(), &settings, &wrapper);
    mixd.wait_for_log("metrics and health are served", 1);
    mixd
}

/// What the page says.
fn page(mixd: &Mixd, path: &str) -> String {
    let log = mixd.log();
    let line = log.lines().find(|line| line.contains("metrics and health")).unwrap();
    let port: u16 = line.rsplit(':').next().unwrap().trim().parse().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// `mixd clock …`, by the same clock.
fn mixd_clock(words: &[&str], store: &Path, clock: &Clock) -> (Option<i32>, String) {
    let wrapper = clock.wrapper();
    let mut line: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    line.extend([env!("CARGO_BIN_EXE_mixd"), "clock"]);
    line.extend(words);
    let Output { status, stdout, stderr } =
        Command::new(line[0]).args(&line[1..]).arg("--store").arg(store).output().unwrap();
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// The bodies of a channel's messages, each with its time.
fn history(peer: &mut Peer, id: &str) -> Vec<(String, Stamp)> {
    peer.send(&format!(
        "<iq type='set' id='{id}' from='owner@host.example/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'/></iq>"
    ));
    let mut read = String::new();
    while !read.contains(&format!(" id='{id}'")) {
        read += &peer.read_until("", "</iq>");
    }
    let between = |text: &str, begin: &str, end: char| {
        text.split_once(begin).map(|(_, rest)| rest.split(end).next().unwrap_or_default().to_owned())
    };
    let results = read.split("<result ").skip(1);
    let told = results.filter_map(|it| Some((between(it, "<body>", '<')?, between(it, " stamp='", '\'')?)));
    told.map(|(body, stamp)| (body, Stamp::from_xmpp(&stamp).unwrap())).collect()
}

#[test]
fn two_seconds_ten_years_ahead_freeze_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (host, clock) = (Host::start(), Clock::new(folder.path()));
    let mixd = start(folder.path(), &host, &clock, "");
    let mut peer = host.accept_authenticated();
    let from = "from='owner@host.example/r'";
    let core = "xmlns='urn:xmpp:mix:core:1'";
    peer.send(&format!(
        "<iq type='set' id='c' from='owner@example.org/r' to='{DOMAIN}'><create {core} channel='coven'/></iq>"
    ));
    assert!(peer.answer_to("c").contains("type='result'"));
    peer.send(&format!("<iq type='set' id='j' {from} to='coven@{DOMAIN}'><join {core}/></iq>"));
    assert!(peer.answer_to("j").contains("type='result'"));
    let say = |peer: &mut Peer, body: &str| {
        peer.send(&format!(
            "<message type='groupchat' id='{body}' {from} to='coven@{DOMAIN}'><body>{body}</body></message>"
        ));
        peer.check_alive(&format!("after-{body}"));
    };
    let ready = page(&mixd, "/health/ready");
    assert!(ready.contains("\r\n\r\nok\n") && !ready.contains("clock"), "{ready}");
    say(&mut peer, "before");
    clock.set(3650 * DAY_S);
    mixd.wait_for_log("further than it can be", 1);
    say(&mut peer, "meanwhile");
    let ready = page(&mixd, "/health/ready");
    assert!(ready.contains("200 OK") && ready.contains("ok\n") && ready.contains("mixd clock confirm"), "{ready}");
    let metrics = page(&mixd, "/metrics");
    for sample in
        ["mixd_clock_jumps_total 1", "mixd_clock_doubted{what=\"time\"} 1", "mixd_clock_doubted{what=\"retention\"} 1"]
    {
        assert!(metrics.contains(sample), "{sample}:\n{metrics}");
    }
    clock.set(0);
    mixd.wait_for_log("the clock is believed again", 1);
    say(&mut peer, "behind");
    let told = history(&mut peer, "q");
    assert_eq!(told.iter().map(|(body, _)| body.as_str()).collect::<Vec<_>>(), ["before", "meanwhile", "behind"]);
    let now = mixd::runtime::clock::now();
    assert!(told.iter().all(|(_, stamp)| now.0.abs_diff(stamp.0) < 600_000), "{told:?}");
    assert!(told.is_sorted_by_key(|(_, stamp)| *stamp) && told[2].1 > told[0].1, "{told:?}");
    let ready = page(&mixd, "/health/ready");
    assert!(!ready.contains("clock"), "{ready}");
    assert!(page(&mixd, "/metrics").contains("mixd_clock_doubted{what=\"retention\"} 0"));
}

/// A store with messages of 20 days ago and of today, and its months.
fn store_of_two_months(folder: &Path) -> usize {
    let store = SledStore::open(SledOptions::at(folder.join("store"))).unwrap();
    let (mut room, created) = Room::draft("coven", 3);
    let now = mixd::runtime::clock::now();
    for days in [40, 20, 0] {
        room.now = Stamp(now.0 - days * DAY_MS);
        if days == 40 {
            store.commit(room.now, std::slice::from_ref(&created)).unwrap();
            room.join(&store, "owner");
        }
        room.say(&store, "owner", &format!("{days} days ago"));
    }
    months(folder)
}

fn months(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("store/archive")).unwrap().count()
}

#[test]
fn a_start_sixty_days_ahead_deletes_nothing_until_it_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let before = store_of_two_months(folder.path());
    let (host, clock, store) = (Host::start(), Clock::new(folder.path()), folder.path().join("store"));
    clock.set(60 * DAY_S);
    let mut mixd = start(folder.path(), &host, &clock, "[archive]\nkeep_days = 30");
    let mut peer = host.accept_authenticated();
    mixd.wait_for_log("no old messages are removed until 'mixd clock confirm'", 1);
    // Months that are too old go within five seconds.
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(months(folder.path()), before);
    let bodies = |told: &[(String, Stamp)]| told.iter().map(|(body, _)| body[..2].to_owned()).collect::<Vec<_>>();
    assert_eq!(bodies(&history(&mut peer, "q1")), ["40", "20", "0 "]);
    let (code, told) = mixd_clock(&["show"], &store, &clock);
    assert!(code == Some(0) && told.contains("it is not believed") && told.contains("mixd clock confirm"), "{told}");
    let (code, told) = mixd_clock(&["confirm"], &store, &clock);
    assert!(code == Some(0) && told.contains("confirmed: everything goes by it"), "{told}");
    mixd.wait_for_log("months that are too old are gone", 1);
    assert!(months(folder.path()) < before);
    assert_eq!(bodies(&history(&mut peer, "q2")), [""; 0]);
    mixd.terminate();
    mixd.wait();
    // The next start knows.
    let mut mixd = start(folder.path(), &host, &clock, "");
    host.accept_authenticated().check_alive("1");
    assert!(!mixd.log().contains("mixd clock confirm"), "{}", mixd.log());
    mixd.terminate();
    mixd.wait();
    let verified = Command::new(env!("CARGO_BIN_EXE_mixd")).args(["verify", "--store"]).arg(&store).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_clock_is_confirmed_before_the_service_starts() {
    let folder = tempfile::tempdir().unwrap();
    store_of_two_months(folder.path());
    let (host, clock, store) = (Host::start(), Clock::new(folder.path()), folder.path().join("store"));
    let (code, told) = mixd_clock(&["show"], &store, &clock);
    assert!(code == Some(0) && told.contains("everything goes by it"), "{told}");
    clock.set(60 * DAY_S);
    let (code, told) = mixd_clock(&["show"], &store, &clock);
    assert!(code == Some(0) && told.contains("it is not believed") && told.contains("does not run"), "{told}");
    let (code, told) = mixd_clock(&["confirm"], &store, &clock);
    assert!(code == Some(0) && told.contains("confirmed"), "{told}");
    let mixd = start(folder.path(), &host, &clock, "[archive]\nkeep_days = 30");
    mixd.wait_for_log("months that are too old are gone", 1);
    assert!(!mixd.log().contains("mixd clock confirm"), "{}", mixd.log());
    // A clock that cannot be right is not confirmed.
    clock.set(-20_000 * DAY_S);
    mixd.wait_for_log("a time from before this program", 1);
    let (code, told) = mixd_clock(&["confirm"], &store, &clock);
    assert!(code == Some(1) && told.contains("set it"), "{told}");
    let (code, told) = mixd_clock(&["confirm"], &folder.path().join("none"), &clock);
    assert!(code == Some(1) && told.contains("no FORMAT file"), "{told}");
}

#[test]
fn the_command_teaches_what_to_look_at() {
    for words in [&["clock", "--help"][..], &["clock", "confirm", "--help"], &["help", "clock"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_mixd")).args(words).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        for word in ["mixd clock confirm", "(date)", "24 hours", "7 days", "Exit codes"] {
            assert!(told.contains(word), "{words:?}: {word}\n{told}");
        }
    }
}
