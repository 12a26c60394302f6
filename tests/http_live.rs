//! The HTTP API behind real host servers: logins, and the tour of docs/http-api.md as it stands there.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "live/hosts.rs"]
mod hosts;

use hosts::{Host, HostKind, MIX_DOMAIN, SECRET};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// `mixd` with its HTTP API, in a folder of its own; ended when it is dropped.
struct Api {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Api {
    fn start(host: &Host) -> Api {
        let (folder, port) = (tempfile::tempdir().unwrap(), hosts::free_port());
        let file = folder.path().join("mixd.toml");
        let settings = format!(
            "[component]\ndomain = '{MIX_DOMAIN}'\nport = {}\nsecret = '{SECRET}'\n[storage]\npath = '{}'\n\
             [http]\nlisten = '127.0.0.1:{port}'\ncheck_port = {}\nauth_cache_s = 0\n",
            host.setup.component_port,
            folder.path().join("store").display(),
            host.c2s_port,
        );
        std::fs::write(&file, settings).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_mixd"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let api = Api { child, port, folder };
        let until = Instant::now() + Duration::from_secs(30);
        while !(api.log().contains("link up") && api.log().contains("the HTTP API listens")) {
            assert!(Instant::now() < until, "{}", api.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        api
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The status that a login gets.
    fn login(&self, login: &str) -> String {
        let url = format!("http://127.0.0.1:{}/gch.ashx?gm=getCommonGroups&pm=%7B%22l%22%3A%22bob%22%7D", self.port);
        let asked =
            Command::new("curl").args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", login, &url]).output();
        String::from_utf8(asked.unwrap().stdout).unwrap()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The commands of the tour, and what they print.
fn tour() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/http-api.md")).unwrap();
    let tour = text.split("## A tour").nth(1).unwrap().split("## Methods").next().unwrap();
    let mut steps: Vec<(String, String)> = Vec::new();
    for block in tour.split("```").skip(1).step_by(2) {
        match block.split_once('\n').unwrap() {
            ("sh", commands) => steps.push((commands.to_owned(), String::new())),
            ("json", printed) => steps.last_mut().unwrap().1 = printed.to_owned(),
            (kind, _) => panic!("a block of {kind}"),
        }
    }
    steps
}

/// The text with every time as the same.
fn timeless(text: &str) -> String {
    let mut out = text.to_owned();
    let is_time = |bytes: &[u8]| {
        bytes
            .iter()
            .zip(b"0000-00-00T00:00:00")
            .all(|(b, like)| if *like == b'0' { b.is_ascii_digit() } else { b == like })
    };
    for at in 0..text.len().saturating_sub(18) {
        if text.is_char_boundary(at) && is_time(&text.as_bytes()[at..at + 19]) {
            out.replace_range(at..at + 19, "2026-11-23T10:00:00");
        }
    }
    out
}

fn play(kind: HostKind) {
    let host = Host::start(kind);
    let api = Api::start(&host);
    assert_eq!(api.login("alice:pw-alice"), "200", "{}", api.log());
    assert_eq!(api.login("alice@localhost:pw-alice"), "200");
    for wrong in ["alice:pw-bob", "alice:", "nobody:pw-nobody", "alice@example.org:pw-alice"] {
        assert_eq!(api.login(wrong), "401", "{wrong}\n{}", api.log());
    }
    let steps = tour();
    assert!(steps.len() > 8, "the tour was not found");
    let (mut id, mut before) = ("84278".to_owned(), String::new());
    for (n, (commands, expected)) in steps.iter().enumerate() {
        let commands = commands
            .replace("127.0.0.1:5290", &format!("127.0.0.1:{}", api.port))
            .replace("id=84278", &format!("id={id}"));
        let script = format!("{before}\n{commands}");
        let run = Command::new("sh").args(["-c", &script]).current_dir(api.folder.path()).output().unwrap();
        let printed = String::from_utf8_lossy(&run.stdout).into_owned();
        if n == 1 {
            id = printed.trim().trim_start_matches("{\"id\":").trim_end_matches('}').to_owned();
        }
        // Answers end without a line break; where one stands matters to nobody.
        let shown = timeless(&printed).replace(&format!("\"id\":{id}"), "\"id\":84278").replace('\n', "");
        assert_eq!(shown, expected.replace('\n', ""), "{commands}\n{}", api.log());
        // What a step settles for the next ones, without asking anything again.
        for line in commands
            .lines()
            .filter(|line| line.starts_with("api=") || line.starts_with("id=") || line.starts_with("call()"))
        {
            before.push_str(&format!("{line}\n"));
        }
        if commands.contains("mid=$(") {
            before.push_str("mid=3\n");
        }
    }
    assert!(!api.log().contains("pw-alice"), "a password is in the log");
}

#[test]
fn the_tour_goes_as_written_behind_prosody() {
    play(HostKind::Prosody);
}

#[test]
fn the_tour_goes_as_written_behind_ejabberd() {
    play(HostKind::Ejabberd);
}

#[test]
fn a_host_server_that_is_not_there_is_no_wrong_password() {
    let mut host = Host::start(HostKind::Prosody);
    let component_only = host.c2s_port;
    host.c2s_port = hosts::free_port();
    let api = Api::start(&host);
    host.c2s_port = component_only;
    for _ in 0..12 {
        assert_eq!(api.login("alice:pw-alice"), "500");
    }
    assert!(api.log().contains("a password cannot be checked"), "{}", api.log());
}
