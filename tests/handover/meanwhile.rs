//! What is asked of a service while another program takes over from it.

use super::*;

/// The steps of the log.
const ASKED: &str = "is asked whether it takes over";
const DRAINS: &str = "requests over HTTP end, and new ones wait";
const HOLDS: &str = "what comes in from here on is for the next program";

impl Service {
    /// Has it hand over, in a thread.
    fn begin_handover(&self) -> std::thread::JoinHandle<Output> {
        let (settings, store) = (self.settings(), self.folder.path().join("store"));
        std::thread::spawn(move || ask(&settings, &store))
    }

    /// The host server reads until the handover is over.
    fn read_until_over(&mut self, asking: std::thread::JoinHandle<Output>) -> (Output, Vec<String>) {
        let mut got = Vec::new();
        while !asking.is_finished() {
            got.extend(self.peer.next_stanza_within(Duration::from_millis(20)));
        }
        (asking.join().unwrap(), got)
    }

    fn ends_in_order(&mut self, when: &str) {
        self.peer.read_until("</stream:stream>", "");
        self.peer.send("</stream:stream>");
        let (ended, _) = self.mixd.wait();
        let log = self.mixd.log();
        assert!(ended.success() && log.contains("stopped"), "{when}: {ended} {log}");
    }

    fn back_up(&self, to: &str) -> Output {
        let (to, store) = (self.folder.path().join(to), self.folder.path().join("store"));
        Command::new(REAL).arg("backup").arg(to).arg("--store").arg(store).output().unwrap()
    }
}

/// A service with an HTTP API, and a request over it that never ends.
fn with_endless_request() -> (Service, TcpStream) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let service = Service::start(&format!("[http]\nlisten = {port}\ncheck_port = 1\n{QUIET}"));
    let mut request = TcpStream::connect(("127.0.0.1", port)).unwrap();
    request.write_all(b"GET /groups HTTP/1.1\r\nhost: x\r\n").unwrap();
    (service, request)
}

/// Whenever it comes: while the program on disk is asked, while this one leaves, as the other is executed, and as that starts.
#[test]
fn a_signal_to_end_that_comes_meanwhile_ends_the_service_in_order() {
    for after_ms in [0, 3, 10, 20, 40, 60, 80, 100, 150] {
        let mut service = Service::start(QUIET);
        service.mixd.signal("-USR2");
        std::thread::sleep(Duration::from_millis(after_ms));
        service.mixd.terminate();
        service.ends_in_order(&format!("after {after_ms} ms"));
    }
}

#[test]
fn one_handover_is_under_way_at_a_time() {
    let mut service = Service::start(QUIET);
    // It takes a while to say yes.
    service.replace(&format!("#!/bin/sh\ncase \"$*\" in *--would*) sleep 1;; esac\nexec {REAL} \"$@\"\n"));
    let first = service.begin_handover();
    service.mixd.wait_for_log(ASKED, 1);
    service.mixd.signal("-USR2");
    let second = ask(&service.settings(), &service.folder.path().join("store"));
    assert!(String::from_utf8_lossy(&second.stderr).contains("is under way already"), "{second:?}");
    assert!(service.read_until_over(first).0.status.success());
    service.peer.check_alive("after");
    let log = service.mixd.log();
    assert_eq!(
        (log.matches("SIGUSR2: a handover is under way already").count(), log.matches("taken over").count()),
        (1, 1)
    );
}

#[test]
fn a_service_that_is_told_to_end_as_its_requests_end_does_so_instead() {
    let (mut service, _request) = with_endless_request();
    let asking = service.begin_handover();
    service.mixd.wait_for_log(DRAINS, 1);
    service.mixd.terminate();
    let (output, _) = service.read_until_over(asking);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is told to end"), "{output:?}");
    service.ends_in_order("as requests end");
    assert!(!service.mixd.log().contains(HOLDS));
}

#[test]
fn a_backup_comes_before_a_handover_or_waits_for_its_end() {
    let (mut service, _request) = with_endless_request();
    let asking = service.begin_handover();
    service.mixd.wait_for_log(DRAINS, 1);
    let refused = service.back_up("saved");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("another program is taking over just now"),
        "{refused:?}"
    );
    assert!(!service.folder.path().join("saved").exists(), "nothing is begun");
    // What comes later is for the next program.
    service.peer.answers_pings = false;
    service.mixd.wait_for_log(HOLDS, 1);
    let later = service.back_up("later");
    assert!(later.status.success(), "{later:?}");
    service.peer.answers_pings = true;
    assert!(service.read_until_over(asking).0.status.success());
}

/// More than the inbox takes comes while nobody serves it.
#[test]
fn what_is_held_is_served_however_little_room_there_is() {
    let mut service = Service::start(&format!("[limits]\ninbox_items_max = 16\n{QUIET}"));
    // The host server is slow to say what it has.
    service.peer.answers_pings = false;
    let asking = service.begin_handover();
    service.mixd.wait_for_log(HOLDS, 1);
    let count = 3000;
    let all: String =
        (0..count).map(|n| disco(&format!("n-{n}")).replace("a@example.org", &format!("a{n}@example.org"))).collect();
    service.peer.send(&all);
    service.peer.answers_pings = true;
    let (output, mut got) = service.read_until_over(asking);
    assert!(output.status.success(), "{output:?}");
    let is_answer = |stanza: &&String| stanza.contains(" id='n-");
    while got.iter().filter(is_answer).count() < count {
        got.push(service.peer.next_stanza());
    }
    let refused: Vec<&String> = got.iter().filter(|stanza| stanza.contains("type='error'")).collect();
    assert!(refused.is_empty(), "{} are refused: {}", refused.len(), refused[0]);
}
