//! Runs a scenario of `tests/live/` as real clients, and does what it asks for.
//!
//! A scenario asks with a line `please: …` and waits for the line `done`, so
//! that the processes belong to the test alone.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::hosts::{Host, Mixd, SECRET, checkout};

/// Time that an orderly end may take (SIGTERM).
pub const TERMINATE_MAX: Duration = Duration::from_secs(5);

/// Plays `tests/live/NAME.py` on `host`; panics with its output and mixd's log unless all its claims hold.
pub fn play(name: &str, host: &mut Host, mixd: &mut Mixd) {
    play_with(name, &[], host, mixd);
}

/// Like [`play`], with further arguments for the scenario.
pub fn play_with(name: &str, arguments: &[&str], host: &mut Host, mixd: &mut Mixd) {
    play_on(&format!("tests/live/{name}.py"), arguments, host, Some(mixd));
}

/// Plays `tests/clients/NAME.py`, in which that client is driven; panics like [`play`].
#[allow(dead_code)]
pub fn play_client(name: &str, host: &mut Host, mixd: &mut Mixd) {
    let port = host.http_port.to_string();
    play_on(&format!("tests/clients/{name}.py"), &["--http-port", &port], host, Some(mixd));
}

/// Like [`play`], for a scenario that is the component itself.
#[allow(dead_code)]
pub fn play_alone(name: &str, host: &mut Host) {
    let port = host.setup.component_port.to_string();
    play_on(&format!("tests/live/{name}.py"), &["--component-port", &port, "--secret", SECRET], host, None);
}

fn play_on(script: &str, arguments: &[&str], host: &mut Host, mut mixd: Option<&mut Mixd>) {
    let mut child = Command::new(checkout("target/venv/bin/python"))
        .arg(checkout(script))
        .args(["--kind", host.setup.kind.name(), "--c2s-port", &host.c2s_port.to_string()])
        .args(["--domain", host.setup.domain, "--service", host.setup.service])
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", checkout("tests/live"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the scenario starts");
    let mut orders = child.stdin.take().expect("its stdin");
    let mut complaints = child.stderr.take().expect("its stderr");
    let complaints = thread::spawn(move || {
        let mut text = String::new();
        let _ = complaints.read_to_string(&mut text);
        text
    });
    let mut steps = String::new();
    for line in BufReader::new(child.stdout.take().expect("its stdout")).lines() {
        let line = line.expect("text from the scenario");
        steps = steps + &line + "\n";
        if let Some(wish) = line.strip_prefix("please: ") {
            fulfil(wish, host, mixd.as_deref_mut());
            // A scenario that has given up in the meantime tells why on stderr.
            let _ = writeln!(orders, "done");
        }
    }
    let status = child.wait().expect("the scenario ends");
    let complaints = complaints.join().expect("its stderr is read");
    assert!(
        status.success(),
        "{script} on {}:\n{steps}{complaints}\nthe end of mixd's log:\n{}",
        host.setup.kind.name(),
        mixd.map(|mixd| mixd.log_tail()).unwrap_or_default(),
    );
    println!("{script} on {}:\n{steps}", host.setup.kind.name());
}

fn fulfil(wish: &str, host: &mut Host, mixd: Option<&mut Mixd>) {
    match (wish, mixd) {
        ("stop mixd", Some(mixd)) => {
            let status = mixd.terminate(TERMINATE_MAX);
            assert!(status.success(), "mixd ended with {status} after SIGTERM:\n{}", mixd.log_tail());
        }
        ("kill mixd", Some(mixd)) => mixd.kill(),
        ("hand over", Some(mixd)) => mixd.hand_over(),
        ("be refused a handover", Some(mixd)) => mixd.is_refused_a_handover(),
        ("start mixd", Some(mixd)) => mixd.start_again(),
        ("restart host", None) | ("restart host alone", _) => host.restart(),
        ("restart host", Some(mixd)) => {
            let links = mixd.links();
            host.restart();
            mixd.wait_for_links(links + 1);
        }
        _ => panic!("no scenario may ask for: {wish}"),
    }
}
