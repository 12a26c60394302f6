//! The host servers of another Debian than the system's: whoever upgrades that goes on talking.
//!
//! `scripts/long` plays all live tests behind each of them.

use crate::hosts::{Host, HostKind, Mixd, Setup};
use crate::scenario::play;
use crate::{MIXD, MULTICAST_FOUND, ends_in_order};
use std::path::Path;

const KINDS: [HostKind; 4] = [HostKind::Prosody, HostKind::ProsodyMixd, HostKind::Ejabberd, HostKind::EjabberdMixPam];

fn host_of(kind: HostKind, debian: Option<&'static str>) -> Host {
    Host::start_as(Setup { debian, ..Setup::of(kind) })
}

#[test]
fn people_talk_through_the_hosts_of_debian_13() {
    for kind in KINDS {
        let mut host = host_of(kind, Some("13"));
        let mut mixd = Mixd::start(Path::new(MIXD), &host);
        if kind == HostKind::EjabberdMixPam {
            play("mod_mix_pam_of_ejabberd_works", &mut host, &mut mixd);
        } else {
            if kind != HostKind::Prosody {
                mixd.wait_for_log("a multicast service", |log| log.contains(MULTICAST_FOUND));
            }
            for scenario in ["two_people_talk", "plugins_speak_mix", "people_see_each_other"] {
                play(scenario, &mut host, &mut mixd);
            }
            assert!(!mixd.log().contains("link down"), "the link was lost:\n{}", mixd.log_tail());
        }
        ends_in_order(&mut mixd);
    }
}

#[test]
fn sample_configurations_load_without_a_warning() {
    for kind in KINDS {
        for debian in [None, Some("13")] {
            let host = host_of(kind, debian);
            let _mixd = Mixd::start(Path::new(MIXD), &host);
            let log = host.log();
            let levels = ["warn\t", "error\t", "[warning]", "[error]", "[critical]"];
            // The certificate is one of a test, and 24.12 says that of captchas whatever its file holds.
            let blameless = ["self-signed certificate", "captcha_cmd is not configured"];
            let is_complaint = |line: &&str| {
                levels.iter().any(|level| line.contains(level)) && !blameless.iter().any(|it| line.contains(it))
            };
            let complaints: Vec<&str> = log.lines().filter(is_complaint).collect();
            assert!(complaints.is_empty(), "{} of {debian:?} complains:\n{}", kind.name(), complaints.join("\n"));
        }
    }
}
