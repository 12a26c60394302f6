//! Another program takes the place of a running one.

use crate::hosts::{self, Host, HostKind, MIX_DOMAIN, Mixd, SECRET};
use crate::scenario::play_with;
use crate::{MIXD, ends_in_order};
use std::path::Path;

// The last one delivers by our module.
#[test]
fn another_program_goes_on_while_people_talk() {
    for kind in [HostKind::Prosody, HostKind::Ejabberd, HostKind::ProsodyMixd] {
        let mut host = Host::start(kind);
        let address = format!("127.0.0.1:{}", hosts::free_port());
        let settings = format!(
            "[http]\nlisten = '{address}'\ncheck_port = {}\n[limits]\nmessages_per_s = 0\nchannel_messages_per_s = 0\n\
             [component]\ndomain = '{MIX_DOMAIN}'\nsecret = '{SECRET}'\n",
            host.c2s_port,
        );
        let mut mixd = Mixd::launch_with(Path::new(MIXD), &settings, host.setup.component_port);
        mixd.wait_for_log("link and HTTP API", |log| log.contains("link up") && log.contains("the HTTP API listens"));
        let before = links_seen_by(&host);
        let api = format!("http://{address}/gch.ashx");
        play_with("another_program_goes_on", &["--api", &api], &mut host, &mut mixd);
        let log = mixd.log();
        assert_eq!((mixd.links(), log.matches("link down").count()), (1, 0), "{}", mixd.log_tail());
        assert_eq!(log.matches("taken over, and the link goes on").count(), 4, "{}", mixd.log_tail());
        // The host server saw one link all the time.
        assert!(before.0 == 1 && links_seen_by(&host) == before, "{before:?}, then\n{}", host.log());
        ends_in_order(&mut mixd);
    }
}

/// How often a component authenticated, and how often one was lost, as the host server logs it.
fn links_seen_by(host: &Host) -> (usize, usize) {
    let log = host.log();
    let count = |words: &[&str]| words.iter().map(|word| log.matches(word).count()).sum();
    let came = ["xternal component successfully authenticated", "external component handshake authentication for"];
    (count(&came), count(&["omponent disconnected", "omponent connection failed", "omponent closed"]))
}
