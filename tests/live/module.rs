//! Our module for Prosody, without `mixd`.

use crate::hosts::{self, Host, HostKind, Setup};
use crate::scenario::play_alone;
use std::fs;

#[test]
fn mod_mixd_does_its_part_in_prosody() {
    let mut host = Host::start(HostKind::ProsodyMixd);
    play_alone("mod_mixd_alone", &mut host);
    let log = host.log();
    let complaints: Vec<&str> = log.lines().filter(|line| line.contains("warn") || line.contains("error")).collect();
    assert!(complaints.is_empty(), "Prosody complains:\n{}", complaints.join("\n"));
}

// Alone, and beside a module that has to see every presence.
#[test]
fn mod_mixd_hands_presence_to_many_as_to_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let modules = "modules_enabled = { \"mixd\", \"privilege\" }";
    let config = fs::read_to_string(hosts::checkout("config/prosody-mixd.cfg.lua")).expect("the configuration");
    assert!(config.contains(modules), "the modules of the host are named: {modules}");
    let included = hosts::checkout("config/prosody.cfg.lua");
    let config = config.replace("Include \"prosody.cfg.lua\"", &format!("Include \"{}\"", included.display()));
    for more in ["", ", \"privacy_lists\""] {
        let with = modules.replace(" }", &format!("{more} }}; smacks_hibernation_time = 2"));
        let away = "Component \"away.localhost\"\n  component_secret = \"of nobody\"\n";
        let file = folder.path().join("prosody.cfg.lua");
        fs::write(&file, config.replace(modules, &with) + away).expect("it is written");
        let mut setup = Setup::of(HostKind::ProsodyMixd);
        setup.config = Some(file);
        let mut host = Host::start_as(setup);
        play_alone("mod_mixd_presence", &mut host);
        let log = host.log();
        assert!(!log.contains("Traceback") && !log.contains("failed: "), "Prosody complains:\n{log}");
    }
}
