//! Clients that people use talk through `mixd` behind real host servers, with a restart of both under them.
//!
//! The clients are installed by `scripts/packages clients`, which `scripts/long` runs. Each is driven by its script in
//! `tests/clients/`; what it is asked to do is `tests/clients/story.py`.

// Other tests need more of these than this one.
#[allow(dead_code)]
#[path = "live/hosts.rs"]
mod hosts;
#[allow(dead_code)]
#[path = "live/scenario.rs"]
mod scenario;

use std::path::Path;
use std::process::Command;
use std::sync::Once;

use hosts::{Host, HostKind, Mixd, checkout};
use scenario::{TERMINATE_MAX, play_client};

const MIXD: &str = env!("CARGO_BIN_EXE_mixd");

#[test]
fn profanity_behind_prosody() {
    plays("profanity", HostKind::Prosody);
}

#[test]
fn profanity_behind_ejabberd() {
    plays("profanity", HostKind::Ejabberd);
}

#[test]
fn poezio_behind_prosody() {
    plays("poezio", HostKind::Prosody);
}

#[test]
fn poezio_behind_ejabberd() {
    plays("poezio", HostKind::Ejabberd);
}

#[test]
fn stanza_behind_prosody() {
    plays("stanza", HostKind::Prosody);
}

#[test]
fn stanza_behind_ejabberd() {
    plays("stanza", HostKind::Ejabberd);
}

#[test]
fn converse_behind_prosody() {
    plays("converse", HostKind::Prosody);
}

#[test]
fn converse_behind_ejabberd() {
    plays("converse", HostKind::Ejabberd);
}

/// Plays the story with a client behind a host server.
fn plays(client: &str, kind: HostKind) {
    install_clients();
    let mut host = Host::start(kind);
    let mut mixd = Mixd::start(Path::new(MIXD), &host);
    play_client(client, &mut host, &mut mixd);
    assert!(!mixd.log().contains("ERROR"), "mixd logged an error:\n{}", mixd.log_tail());
    let status = mixd.terminate(TERMINATE_MAX);
    assert!(status.success(), "mixd ended with {status}:\n{}", mixd.log_tail());
}

/// Installs the clients, once a test run; panics with the reason if it cannot.
fn install_clients() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status =
            Command::new(checkout("scripts/packages")).arg("clients").status().expect("scripts/packages starts");
        assert!(status.success(), "scripts/packages could not install the clients (see above)");
    });
}
