//! The tour of docs/http-api.md.

use crate::api::Api;
use crate::hosts::{Host, HostKind};
use std::path::Path;
use std::process::Command;

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
