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
    // One script, as whoever reads it pastes it; the address alone is another one.
    let begin = |n: usize| format!("step {n}:");
    let script: String =
        steps.iter().enumerate().map(|(n, (commands, _))| format!("echo '{}'\n{commands}", begin(n))).collect();
    let script = script.replacen("127.0.0.1:5290", &format!("127.0.0.1:{}", api.port), 1);
    let run = Command::new("sh").args(["-c", &script]).current_dir(api.folder.path()).output().unwrap();
    let printed = timeless(&String::from_utf8_lossy(&run.stdout));
    let id =
        printed.split("{\"id\":").nth(1).and_then(|rest| rest.split('}').next()).unwrap_or_else(|| panic!("{printed}"));
    let printed = printed.replace(&format!("\"id\":{id}"), "\"id\":84278");
    for (n, (commands, expected)) in steps.iter().enumerate() {
        let shown = printed.split(&begin(n)).nth(1).unwrap_or_default().split(&begin(n + 1)).next().unwrap_or_default();
        // Answers end without a line break; where one stands matters to nobody.
        assert_eq!(shown.replace('\n', ""), expected.replace('\n', ""), "{commands}\n{}", api.log());
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
fn the_tour_shows_every_method() {
    let tour: String = tour().into_iter().map(|(commands, _)| commands).collect();
    let document = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(tour.contains(path.rsplit('/').next().unwrap()), "{path} is not in the tour");
    }
    // The other spelling of confMessage is no method of its own.
    for gm in document["components"]["schemas"]["Method"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|gm| *gm != "conf Message")
    {
        let gm = gm.as_str().unwrap();
        assert!(tour.contains(&format!(" {gm} ")) || tour.contains(&format!("gm={gm} ")), "{gm} is not in the tour");
    }
}
