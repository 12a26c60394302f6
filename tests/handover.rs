//! The real `mixd`, replaced by another program while it runs, against a scripted host server.

#![allow(clippy::unwrap_used)]

#[path = "handover/meanwhile.rs"]
mod meanwhile;
mod scripted;

use mixd::runtime::handover::VERSION;
use scripted::{DOMAIN, Host, Mixd, Peer, SECRET};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const REAL: &str = env!("CARGO_BIN_EXE_mixd");
/// Has mixd look for nothing when a link comes up.
const QUIET: &str = "[hosts.'example.org']\nmulticast = 'off'";
const PATIENCE: Duration = Duration::from_secs(60);

/// A service whose program can be replaced.
struct Service {
    mixd: Mixd,
    peer: Peer,
    _host: Host,
    folder: tempfile::TempDir,
}

impl Service {
    fn start(settings: &str) -> Service {
        let (host, folder) = (Host::start(), tempfile::tempdir().unwrap());
        let program = folder.path().join("mixd");
        std::fs::copy(REAL, &program).unwrap();
        let called = format!("shift; exec {} \"$@\"", program.display());
        let mixd = Mixd::start_in(folder.path(), host.port(), settings, &["sh", "-c", &called, "sh"]);
        let mut peer = host.accept_authenticated();
        peer.check_alive("up");
        Service { mixd, peer, _host: host, folder }
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("mixd")
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("mixd.toml")
    }

    /// Puts a script in the place of the program, as an upgrade does.
    fn replace(&self, script: &str) {
        let new = self.folder.path().join("mixd.new");
        std::fs::write(&new, script).unwrap();
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(new, self.program()).unwrap();
    }

    fn restore(&self) {
        let new = self.folder.path().join("mixd.new");
        std::fs::copy(REAL, &new).unwrap();
        std::fs::rename(new, self.program()).unwrap();
    }

    /// Runs `mixd handover`, while the host server goes on reading. Returns what it said, and what the host server got.
    fn hand_over(&mut self) -> (Output, Vec<String>) {
        let (settings, store) = (self.settings(), self.folder.path().join("store"));
        let asking = std::thread::spawn(move || ask(&settings, &store));
        let mut got = Vec::new();
        while !asking.is_finished() {
            got.extend(self.peer.next_stanza_within(Duration::from_millis(20)));
        }
        (asking.join().unwrap(), got)
    }

    fn hand_over_well(&mut self) -> Vec<String> {
        let (output, got) = self.hand_over();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("handed over to mixd"), "{output:?}\n{}", self.mixd.log());
        got
    }

    /// It is refused, the reason is told and logged, and everything goes on.
    fn is_refused(&mut self, why: &str) {
        let links = self.mixd.log().matches("link up").count();
        let (output, _) = self.hand_over();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(told.contains("not handed over") && told.contains(why), "{why:?} is not told: {told}");
        self.mixd.wait_for_log(why, 1);
        assert!(self.mixd.log().contains("no handover, and this process goes on"), "{}", self.mixd.log());
        self.peer.check_alive("after a refusal");
        assert_eq!(self.mixd.log().matches("link up").count(), links);
    }
}

fn ask(settings: &Path, store: &Path) -> Output {
    let mut command = Command::new(REAL);
    command.args(["handover", "--config"]).arg(settings);
    command.env("MIXD_COMPONENT__SECRET", SECRET).env("MIXD_STORAGE__PATH", store).output().unwrap()
}

fn disco(id: &str) -> String {
    format!(
        "<iq type='get' id='{id}' from='a@example.org/r' to='{DOMAIN}'>\
         <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
    )
}

#[test]
fn the_stream_goes_on_in_another_program_of_the_same_process() {
    let mut service = Service::start(QUIET);
    for times in 1..=3 {
        service.hand_over_well();
        service.peer.check_alive(&format!("after {times}"));
    }
    let log = service.mixd.log();
    assert_eq!((log.matches("link up").count(), log.matches("taken over").count()), (1, 3), "{log}");
    assert!(!log.contains("link down") && !log.contains(" ERROR "), "{log}");
    // It still ends in order.
    service.mixd.terminate();
    service.peer.read_until("</stream:stream>", "");
    service.peer.send("</stream:stream>");
    assert!(service.mixd.wait().0.success());
}

#[test]
fn a_signal_does_the_same() {
    let mut service = Service::start(QUIET);
    service.mixd.signal("-USR2");
    let until = Instant::now() + PATIENCE;
    while !service.mixd.log().contains("taken over") {
        assert!(Instant::now() < until, "{}", service.mixd.log());
        service.peer.next_stanza_within(Duration::from_millis(20));
    }
    service.peer.check_alive("after");
}

#[test]
fn a_stanza_that_is_cut_anywhere_is_served_by_the_next_program() {
    let mut service = Service::start(QUIET);
    for (n, cut) in [1, 40, 110].into_iter().enumerate() {
        let id = format!("cut-{n}");
        let stanza = disco(&id);
        // What answers a ping does not come within a stanza.
        service.peer.answers_pings = false;
        service.peer.send(&stanza[..cut]);
        service.hand_over_well();
        service.peer.send(&stanza[cut..]);
        service.peer.answers_pings = true;
        service.peer.answer_to(&id);
    }
}

#[test]
fn what_comes_meanwhile_is_answered_once_and_in_order() {
    let mut service = Service::start(QUIET);
    let mut writing = service.peer.stream.try_clone().unwrap();
    let (count, rounds) = (3000, 3);
    let sender = std::thread::spawn(move || {
        for n in 0..count {
            writing.write_all(disco(&format!("n-{n}")).as_bytes()).unwrap();
            std::thread::sleep(Duration::from_micros(500));
        }
    });
    let mut got = Vec::new();
    for _ in 0..rounds {
        got.extend(service.hand_over_well());
    }
    while !got.last().is_some_and(|stanza| stanza.contains(&format!("id='n-{}'", count - 1))) {
        got.push(service.peer.next_stanza());
    }
    sender.join().unwrap();
    let id = |stanza: &String| stanza.split_once(" id='n-")?.1.split('\'').next()?.parse::<u32>().ok();
    let ids: Vec<u32> = got.iter().filter_map(id).collect();
    assert_eq!(ids, (0..count).collect::<Vec<u32>>());
    let refused: Vec<&String> = got.iter().filter(|stanza| stanza.contains("type='error'")).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn requests_over_http_are_served_by_the_one_or_the_other() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut service = Service::start(&format!("[metrics]\nlisten = {port}\n{QUIET}"));
    let asking = std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(3);
        let mut asked = 0;
        while Instant::now() < until {
            let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
            tcp.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            tcp.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "request {asked}: {answer:?}");
            asked += 1;
        }
        asked
    });
    (0..3).for_each(|_| drop(service.hand_over_well()));
    assert!(asking.join().unwrap() > 10);
}

#[test]
fn settings_that_are_wrong_or_of_another_service_change_nothing() {
    let mut service = Service::start(QUIET);
    let right = std::fs::read_to_string(service.settings()).unwrap();
    for (from, to, why) in [
        ("backoff_ms_min = 50", "backoff_ms_min = 'soon'", "the settings are wrong"),
        (DOMAIN, "rooms.example.org", "component.domain is rooms.example.org in the settings"),
        ("backoff_ms_min = 50", "backoff_ms_min = 50\nhost = 'far.example'", "component.host is far.example"),
    ] {
        std::fs::write(service.settings(), right.replace(from, to)).unwrap();
        // The command finds the store itself.
        service.mixd.signal("-USR2");
        service.mixd.wait_for_log(why, 1);
        service.peer.check_alive(&format!("after {}", why.len()));
    }
    std::fs::write(service.settings(), right.replace("ms_min = 50", "ms_min = 60")).unwrap();
    service.hand_over_well();
    service.peer.check_alive("with other settings");
}

#[test]
fn a_program_that_cannot_take_over_changes_nothing() {
    let mut service = Service::start(QUIET);
    for (script, why) in [
        ("#!/bin/sh\nexit 0\n", "is no mixd that can take over, or does not start"),
        ("#!/bin/sh\necho no such argument >&2\nexit 2\n", "no such argument"),
        ("#!/bin/sh\nkill -SEGV $$\n", "signal: 11"),
        ("#!/nowhere/sh\n", "cannot be run"),
        ("\u{0}\u{1}", "cannot be run"),
        ("#!/bin/sh\nhead -c 300000 /dev/zero\n", "is no mixd that can take over"),
        (
            "#!/bin/sh\necho '{\"mixd-handover\":\"refused\",\"why\":\"it is of version 7\"}'\nexit 1\n",
            "it is of version 7",
        ),
        (
            "#!/bin/sh\necho '{\"mixd-handover\":\"accepted\",\"program\":\"x\",\"notes\":[]}'\nexit 1\n",
            "does not start",
        ),
    ] {
        service.replace(script);
        service.is_refused(why);
    }
    std::fs::remove_file(service.program()).unwrap();
    service.is_refused("cannot be run");
    service.restore();
    service.hand_over_well();
    service.peer.check_alive("at last");
}

#[test]
fn a_store_of_another_format_changes_nothing() {
    let mut service = Service::start(QUIET);
    let format = service.folder.path().join("store/FORMAT");
    let right = std::fs::read_to_string(&format).unwrap();
    let words = right.trim_end().trim_end_matches(|c: char| c.is_ascii_digit());
    std::fs::write(&format, format!("{words}99\n")).unwrap();
    service.is_refused("says version 99, and this program reads version");
    std::fs::write(&format, "something else\n").unwrap();
    service.is_refused("does not say which version it is");
    std::fs::write(&format, right).unwrap();
    service.hand_over_well();
}

#[test]
fn a_handover_of_another_version_is_refused_by_the_program_that_is_asked() {
    let service = Service::start(QUIET);
    let offer = |version: u32| {
        let store = service.folder.path().join("store").canonicalize().unwrap();
        let port = service._host.port();
        format!(
            "{{\"version\":{version},\"domain\":\"{DOMAIN}\",\"host\":\"127.0.0.1\",\"port\":{port},\
             \"pinged\":\"{}\",\"store\":\"{}\",\"http\":null,\"metrics\":null}}",
            DOMAIN.split_once('.').unwrap().1,
            store.display()
        )
    };
    let judge = |offer: &str| {
        let mut command = Command::new(REAL);
        command.args(["serve", "--config"]).arg(service.settings()).args(["--would-take-over", offer]);
        let store = service.folder.path().join("store");
        command.env("MIXD_COMPONENT__SECRET", SECRET).env("MIXD_STORAGE__PATH", store).output().unwrap()
    };
    let accepted = judge(&offer(VERSION));
    assert!(accepted.status.success(), "{accepted:?}");
    for (offer, why) in [(offer(1), "hands over in version 1"), ("{\"version\":2}".to_owned(), "is not understood")] {
        let refused = judge(&offer);
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stdout).contains(why), "{refused:?}");
    }
}

#[test]
fn a_program_that_vanishes_at_the_last_moment_leaves_the_old_one_serving() {
    let mut service = Service::start(QUIET);
    // It says yes and is gone.
    let script = format!("#!/bin/sh\n{REAL} \"$@\"\ncode=$?\nrm -- \"$0\"\nexit $code\n");
    service.replace(&script);
    service.peer.answers_pings = false;
    service.peer.send(&disco("half")[..30]);
    let (output, _) = service.hand_over();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("cannot be executed"), "{told}");
    service.peer.send(&disco("half")[30..]);
    service.peer.answers_pings = true;
    service.peer.answer_to("half");
    let log = service.mixd.log();
    assert_eq!((log.matches("link up").count(), log.matches("link down").count()), (1, 0), "{log}");
    // Another one is not begun.
    service.restore();
    service.is_refused("restart the service");
    service.mixd.terminate();
    service.peer.read_until("</stream:stream>", "");
    service.peer.send("</stream:stream>");
    assert!(service.mixd.wait().0.success());
}

#[test]
fn without_a_link_the_next_program_makes_one() {
    let service = Service::start(QUIET);
    let Service { mixd, peer, _host: host, folder } = service;
    drop(peer);
    mixd.wait_for_log("link down", 1);
    mixd.signal("-USR2");
    let mut peer = host.accept_authenticated();
    mixd.wait_for_log("taken over", 1);
    if peer.next_stanza_within(Duration::from_millis(10)).is_none() {
        peer.send(" ");
    }
    drop(peer);
    let mut peer = host.accept_authenticated();
    peer.check_alive("again");
    drop(folder);
}

#[test]
fn nobody_else_gets_the_store_and_without_a_service_there_is_nothing_to_hand_over() {
    let mut service = Service::start(QUIET);
    let store = service.folder.path().join("store");
    let running = store.clone();
    let trying = std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            let verify = Command::new(REAL).args(["verify", "--store"]).arg(&running).output().unwrap();
            let told = String::from_utf8_lossy(&verify.stderr);
            assert!(told.contains("is locked by process"), "{told}");
        }
    });
    (0..2).for_each(|_| drop(service.hand_over_well()));
    trying.join().unwrap();
    let settings = service.settings();
    drop(service.mixd);
    let output = ask(&settings, &store);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no service runs"), "{output:?}");
}
