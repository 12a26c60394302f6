//! Real clients talk through `mixd` behind real host servers.
//!
//! A test is a host server with one `mixd`; its scenarios share both, with
//! accounts and channels of their own.

#[path = "live/generations.rs"]
mod generations;
#[path = "live/going_on.rs"]
mod going_on;
#[path = "live/hosts.rs"]
mod hosts;
#[path = "live/module.rs"]
mod module;
#[path = "live/scenario.rs"]
mod scenario;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hosts::{Host, HostKind, MIX_DOMAIN, Mixd, MixdSettings, SECRET, Setup};
use scenario::{TERMINATE_MAX, play, play_with};

const MIXD: &str = env!("CARGO_BIN_EXE_mixd");

/// What mixd logs where many recipients share a stanza.
const MULTICAST_FOUND: &str = "one stanza for many recipients";

const WRONG_SECRET: MixdSettings<'_> = MixdSettings { domain: MIX_DOMAIN, secret: "not-the-one" };
const UNKNOWN_DOMAIN: MixdSettings<'_> = MixdSettings { domain: "nowhere.localhost", secret: SECRET };

#[test]
fn people_talk_through_prosody() {
    people_talk_through(HostKind::Prosody);
}

#[test]
fn people_talk_through_ejabberd() {
    people_talk_through(HostKind::Ejabberd);
}

#[test]
fn people_talk_through_prosody_with_mod_mixd() {
    people_talk_through(HostKind::ProsodyMixd);
}

// With a multicast service and without, and where our module delivers.
#[test]
fn clients_of_muc_enter_rooms() {
    for kind in [HostKind::Prosody, HostKind::Ejabberd, HostKind::ProsodyMixd] {
        let mut host = Host::start(kind);
        let mut mixd = Mixd::start(Path::new(MIXD), &host);
        play("clients_of_muc_enter_rooms", &mut host, &mut mixd);
        ends_in_order(&mut mixd);
    }
}

#[test]
fn owners_run_rooms_that_outlive_restarts() {
    for kind in [HostKind::Prosody, HostKind::Ejabberd, HostKind::ProsodyMixd] {
        let mut host = Host::start(kind);
        let mut mixd = Mixd::start(Path::new(MIXD), &host);
        play("owners_run_rooms", &mut host, &mut mixd);
        ends_in_order(&mut mixd);
    }
}

#[test]
fn xmpp_and_http_users_share_groups_behind_prosody_with_mod_mixd() {
    xmpp_and_http_users_share_groups(HostKind::ProsodyMixd);
}

// What is announced may still be refused, and what was refused reaches everybody all the same.
#[test]
fn people_talk_where_the_multicast_service_refuses_what_it_announced() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = fs::read_to_string(hosts::checkout("config/ejabberd.yml")).expect("the configuration");
    let allowed = "host: MULTICAST_DOMAIN\n    access: mix_component";
    assert!(config.contains(allowed), "the configuration lets the component use multicast");
    let refusing = folder.path().join("ejabberd.yml");
    fs::write(&refusing, config.replace(allowed, "host: MULTICAST_DOMAIN\n    access: none")).expect("it is written");
    let mut setup = Setup::of(HostKind::Ejabberd);
    setup.config = Some(refusing);
    let mut host = Host::start_as(setup);
    let mut mixd = Mixd::start(Path::new(MIXD), &host);
    mixd.wait_for_log("a multicast service", |log| log.contains(MULTICAST_FOUND));
    play("two_people_talk", &mut host, &mut mixd);
    let log = mixd.log();
    assert!(log.contains("the multicast service refuses a stanza"), "it was not refused:\n{}", mixd.log_tail());
    assert!(log.contains("refused are sent as copies"), "nothing was sent again:\n{}", mixd.log_tail());
    assert_eq!(mixd.links(), 1, "the link was lost:\n{}", mixd.log_tail());
    ends_in_order(&mut mixd);
}

// Modules that keep strangers from people have to let through what channels send.
#[test]
fn people_talk_where_the_host_lets_no_strangers_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let exempt = "# mod_block_strangers: {access: mix_component}";
    let page = fs::read_to_string(hosts::checkout("docs/ejabberd.md")).expect("the page");
    assert!(page.contains(&exempt.replace("# ", "  ")), "the page says the same as the configuration");
    let modules = "modules_enabled = { \"mixd\", \"privilege\" }";
    for (kind, file, line, with) in [
        (HostKind::Ejabberd, "ejabberd.yml", exempt, exempt.replace("# ", "")),
        (HostKind::EjabberdMixPam, "ejabberd-mix-pam.yml", exempt, exempt.replace("# ", "")),
        (HostKind::ProsodyMixd, "prosody-mixd.cfg.lua", modules, modules.replace(" }", ", \"block_strangers\" }")),
    ] {
        let config = fs::read_to_string(hosts::checkout(&format!("config/{file}"))).expect("the configuration");
        assert!(config.contains(line), "{file} has {line}");
        let guarded = folder.path().join(file);
        fs::write(&guarded, config.replace(line, &with)).expect("it is written");
        if kind == HostKind::ProsodyMixd {
            fs::copy(hosts::checkout("config/prosody.cfg.lua"), folder.path().join("prosody.cfg.lua")).expect("copied");
        }
        let mut setup = Setup::of(kind);
        setup.config = Some(guarded);
        let mut host = Host::start_as(setup);
        let mut mixd = Mixd::start(Path::new(MIXD), &host);
        match kind {
            HostKind::EjabberdMixPam => play("mod_mix_pam_of_ejabberd_works", &mut host, &mut mixd),
            _ => play("a_blocked_channel_silences_no_other", &mut host, &mut mixd),
        }
        assert!(!mixd.log().contains("a module against strangers"), "nothing comes back:\n{}", mixd.log_tail());
        ends_in_order(&mut mixd);
    }
}

#[test]
fn xmpp_and_http_users_share_groups_behind_prosody() {
    xmpp_and_http_users_share_groups(HostKind::Prosody);
}

#[test]
fn xmpp_and_http_users_share_groups_behind_ejabberd() {
    xmpp_and_http_users_share_groups(HostKind::Ejabberd);
}

#[test]
fn operators_and_owners_use_commands_behind_prosody_and_ejabberd() {
    for kind in [HostKind::Prosody, HostKind::Ejabberd] {
        let mut host = Host::start(kind);
        let settings = format!(
            "[service]\nadmins = ['alice@{}']\n[component]\ndomain = '{MIX_DOMAIN}'\nsecret = '{SECRET}'\n",
            host.setup.domain,
        );
        let mut mixd = Mixd::launch_with(Path::new(MIXD), &settings, host.setup.component_port);
        mixd.wait_for_links(1);
        play("commands", &mut host, &mut mixd);
        ends_in_order(&mut mixd);
    }
}

#[test]
fn channels_of_another_service_are_joined_through_prosody() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = fs::read_to_string(hosts::checkout("config/prosody.cfg.lua")).expect("the configuration");
    let other = "Component(\"mix2.localhost\")\n  component_secret = ENV_MIX_SECRET\n";
    let two = folder.path().join("prosody.cfg.lua");
    fs::write(&two, config + "\n" + other).expect("it is written");
    let mut setup = Setup::of(HostKind::Prosody);
    setup.config = Some(two);
    let mut host = Host::start_as(setup);
    let mut mixd = Mixd::start(Path::new(MIXD), &host);
    let other = MixdSettings { domain: "mix2.localhost", secret: SECRET };
    let mut other = Mixd::launch(Path::new(MIXD), host.setup.component_port, &other);
    other.wait_for_links(1);
    play("channels_of_another_service", &mut host, &mut mixd);
    ends_in_order(&mut mixd);
    ends_in_order(&mut other);
}

// ejabberd 23.01 has no such privilege, and 24.12 hands what is asked for an account back: it is played where `scripts/long` runs
// the one of Debian 13's backports.
#[test]
fn bookmarks_follow_groups_where_the_host_lets_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "iq = { [\"urn:xmpp:mix:core:1\"] = \"set\" }";
    let with = "iq = { [\"urn:xmpp:mix:core:1\"] = \"set\", [\"http://jabber.org/protocol/pubsub\"] = \"both\" }";
    let prosody = (HostKind::Prosody, None, "prosody.cfg.lua", line, with.to_owned());
    let line = "    presence: {managed_entity: mix_component}";
    let with = format!("{line}\n    iq: {{\"http://jabber.org/protocol/pubsub\": {{both: mix_component}}}}");
    let ejabberd = (HostKind::Ejabberd, None, "ejabberd.yml", line, with);
    let hosts = match std::env::var("HOST_DEBIAN").as_deref() {
        Ok("13-backports") => vec![prosody, ejabberd],
        Ok("13") => vec![prosody],
        _ => vec![prosody.clone(), (HostKind::Prosody, Some("13"), prosody.2, prosody.3, prosody.4.clone())],
    };
    for (kind, debian, file, line, with) in hosts {
        let config = fs::read_to_string(hosts::checkout(&format!("config/{file}"))).expect("the configuration");
        assert!(config.contains(line), "{file} has {line}");
        let granting = folder.path().join(file);
        fs::write(&granting, config.replace(line, &with)).expect("it is written");
        let mut host = Host::start_as(Setup { config: Some(granting), debian, ..Setup::of(kind) });
        let component = format!("[component]\ndomain = '{MIX_DOMAIN}'\nsecret = '{SECRET}'\n");
        let settings = format!("[muc]\nbookmarks = true\n{component}");
        let mut mixd = Mixd::launch_with(Path::new(MIXD), &settings, host.setup.component_port);
        mixd.wait_for_links(1);
        mixd.wait_for_log("the privilege", |log| log.contains("bookmarks=true"));
        play("bookmarks_follow_groups", &mut host, &mut mixd);
        ends_in_order(&mut mixd);
    }
}

#[test]
fn mod_mix_pam_of_ejabberd_works() {
    let mut host = Host::start(HostKind::EjabberdMixPam);
    let mut mixd = Mixd::start(Path::new(MIXD), &host);
    play("mod_mix_pam_of_ejabberd_works", &mut host, &mut mixd);
    ends_in_order(&mut mixd);
}

// With the module alone beside delegation, and with all of mod_mixd.
#[test]
fn an_account_that_is_deleted_leaves_nothing_to_whoever_has_its_name_next() {
    let more = [
        (
            HostKind::Prosody,
            "\"delegation\", \"privilege\" }\n  -- mixd: lets",
            "\"delegation\", \"privilege\", \"mixd_accounts\"",
        ),
        (HostKind::ProsodyMixd, "\"mixd\", \"privilege\" }", "\"mixd\", \"privilege\""),
    ];
    for (kind, modules, with) in more {
        let folder = tempfile::tempdir().expect("a folder");
        let name = if kind == HostKind::Prosody { "prosody" } else { "prosody-mixd" };
        let config = fs::read_to_string(hosts::checkout(&format!("config/{name}.cfg.lua"))).expect("the configuration");
        assert!(config.contains(modules), "the modules of the host are named: {modules}");
        let settings = "  mixd_component = \"mix.localhost\"; mixd_retry = 1; allow_registration = true\n";
        let rest = modules.split_once('}').expect("a list that ends").1;
        let config = config.replace(modules, &format!("{with}, \"register\" }}\n{settings}{rest}"));
        let included = hosts::checkout("config/prosody.cfg.lua");
        let config = config.replace("Include \"prosody.cfg.lua\"", &format!("Include \"{}\"", included.display()));
        let registering = folder.path().join("prosody.cfg.lua");
        let plugins = "plugin_paths = { ENV_HOST_PLUGINS }\n";
        fs::write(&registering, format!("{plugins}{config}")).expect("it is written");
        let mut setup = Setup::of(kind);
        setup.config = Some(registering);
        let mut host = Host::start_as(setup);
        let mut mixd = Mixd::start(Path::new(MIXD), &host);
        play("account_goes", &mut host, &mut mixd);
        ends_in_order(&mut mixd);
    }
}

#[test]
fn a_wrong_secret_and_an_unknown_domain_are_told_apart() {
    let host = Host::start(HostKind::Prosody);
    let wrong_secret = refusal_logged(&host, &WRONG_SECRET);
    let unknown_domain = refusal_logged(&host, &UNKNOWN_DOMAIN);
    assert!(wrong_secret.contains("secret"), "no word of the secret: {wrong_secret}");
    assert!(unknown_domain.contains("nowhere.localhost"), "the domain is not named: {unknown_domain}");
    assert!(!unknown_domain.contains("secret"), "the secret is blamed for the domain: {unknown_domain}");
}

// ejabberd 23.01 answers not-authorized to both.
#[test]
fn where_the_host_does_not_tell_why_both_reasons_are_named() {
    let host = Host::start(HostKind::Ejabberd);
    for (settings, domain) in [(WRONG_SECRET, MIX_DOMAIN), (UNKNOWN_DOMAIN, "nowhere.localhost")] {
        let reason = refusal_logged(&host, &settings);
        assert!(reason.contains("secret") && reason.contains(domain), "not both reasons: {reason}");
    }
}

/// What `mixd` first warns of when the host server refuses it.
fn refusal_logged(host: &Host, settings: &MixdSettings<'_>) -> String {
    let mut mixd = Mixd::launch(Path::new(MIXD), host.setup.component_port, settings);
    let is_warning = |line: &&str| line.contains("ERROR") || line.contains("WARN");
    mixd.wait_for_log("why the host server refuses it", |log| log.lines().any(|line| is_warning(&line)));
    let log = mixd.log();
    assert_eq!(mixd.links(), 0, "mixd believes to be linked:\n{log}");
    assert!(!log.contains(SECRET) && !log.contains("not-the-one"), "a secret is in the log");
    log.lines().find(is_warning).expect("the line waited for").to_owned()
}

fn people_talk_through(kind: HostKind) {
    let mut host = Host::start(kind);
    let mut mixd = Mixd::start(Path::new(MIXD), &host);
    if kind != HostKind::Prosody {
        mixd.wait_for_log("a multicast service", |log| log.contains(MULTICAST_FOUND));
    }
    play("two_people_talk", &mut host, &mut mixd);
    play("plugins_speak_mix", &mut host, &mut mixd);
    play("a_blocked_channel_silences_no_other", &mut host, &mut mixd);
    play("hostile_stanzas_do_not_end_the_link", &mut host, &mut mixd);
    assert!(mixd.runs(), "mixd ended:\n{}", mixd.log_tail());
    assert_eq!(mixd.links(), 1, "the link was lost:\n{}", mixd.log_tail());
    play("every_mix_resource_gets_the_traffic", &mut host, &mut mixd);
    play("an_invitation_lets_somebody_in", &mut host, &mut mixd);
    play("mixd_comes_back", &mut host, &mut mixd);
    play("people_talk_while_the_host_restarts", &mut host, &mut mixd);
    ends_in_order(&mut mixd);
}

fn xmpp_and_http_users_share_groups(kind: HostKind) {
    let mut host = Host::start(kind);
    let address = format!("127.0.0.1:{}", hosts::free_port());
    let settings = format!(
        "[http]\nlisten = '{address}'\ncheck_port = {}\n[component]\ndomain = '{MIX_DOMAIN}'\nsecret = '{SECRET}'\n",
        host.c2s_port,
    );
    let mut mixd = Mixd::launch_with(Path::new(MIXD), &settings, host.setup.component_port);
    mixd.wait_for_log("link and HTTP API", |log| log.contains("link up") && log.contains("the HTTP API listens"));
    let api = format!("http://{address}/gch.ashx");
    play_with("xmpp_and_http_in_one_group", &["--api", &api], &mut host, &mut mixd);
    let log = mixd.log();
    assert!(!log.contains("pw-"), "a password is in the log");
    assert!(!log.contains("ERROR"), "mixd logged an error:\n{}", mixd.log_tail());
    ends_in_order(&mut mixd);
}

#[test]
fn people_see_each_other() {
    for kind in [HostKind::Prosody, HostKind::ProsodyMixd, HostKind::Ejabberd] {
        let mut host = Host::start(kind);
        let mut mixd = Mixd::start(Path::new(MIXD), &host);
        play("people_see_each_other", &mut host, &mut mixd);
        ends_in_order(&mut mixd);
    }
}

#[test]
fn health_follows_the_host_server() {
    for kind in [HostKind::Prosody, HostKind::Ejabberd] {
        let mut host = Host::start(kind);
        let address = format!("127.0.0.1:{}", hosts::free_port());
        let settings = format!(
            "[metrics]\nlisten = '{address}'\n[component]\ndomain = '{MIX_DOMAIN}'\nsecret = '{SECRET}'\n\
             backoff_ms_max = 500\n",
        );
        let mut mixd = Mixd::launch_with(Path::new(MIXD), &settings, host.setup.component_port);
        wait_for_status(&address, "/health/ready", "200");
        host.restart();
        mixd.wait_for_links(2);
        wait_for_status(&address, "/health/ready", "200");
        drop(host);
        wait_for_status(&address, "/health/ready", "503");
        wait_for_status(&address, "/health/live", "200");
        ends_in_order(&mut mixd);
    }
}

/// Waits until a page of `mixd` has this status.
fn wait_for_status(address: &str, path: &str, status: &str) {
    let mut found = String::new();
    for _ in 0..600 {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("a request can be written");
            found.clear();
            stream.read_to_string(&mut found).expect("a page can be read");
            if found.split(' ').nth(1) == Some(status) {
                return;
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{path} never has the status {status}: {found}");
}

fn ends_in_order(mixd: &mut Mixd) {
    let status = mixd.terminate(TERMINATE_MAX);
    assert!(status.success(), "mixd ended with {status} after SIGTERM:\n{}", mixd.log_tail());
}

#[test]
fn the_demo_plays_its_conversation() {
    for host in ["prosody", "ejabberd"] {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new(hosts::checkout("scripts/demo"))
            .args(["--once", "--host", host, "--mixd", MIXD, "--folder"])
            .arg(folder.path())
            .output()
            .expect("scripts/demo starts");
        let story = String::from_utf8_lossy(&output.stdout);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{host}: {story}\n{complaint}");
        assert!(
            story.contains("sees alice typing") && story.contains("has it by MUC") && story.contains("5 rows"),
            "{host}: {story}"
        );
    }
}

#[test]
fn a_second_demo_leaves_the_first_one_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkout = folder.path();
    for linked in ["target", "tests"] {
        std::os::unix::fs::symlink(hosts::checkout(linked), checkout.join(linked)).expect("a link");
    }
    fs::create_dir(checkout.join("scripts")).expect("a folder");
    // Copied by another process: what a test of this process starts meanwhile would hold the file open for writing, and
    // the system starts no such file.
    let scripts = ["debian", "demo", "demo.py", "host", "packages"].map(|name| hosts::checkout("scripts").join(name));
    let folders = ["config", "prosody"].map(hosts::checkout);
    for (what, to) in [(&scripts[..], checkout.join("scripts")), (&folders, checkout.to_owned())] {
        let copied = Command::new("cp").arg("-r").args(what).arg(to).status().expect("cp starts");
        assert!(copied.success());
    }
    let demo = |words: &[&str]| {
        let mut demo = Command::new(checkout.join("scripts/demo"));
        demo.args(["--mixd", MIXD]).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        demo
    };
    let mut first = demo(&[]).spawn().expect("scripts/demo starts");
    let mut story = BufReader::new(first.stdout.take().expect("its story")).lines();
    let is_up = story.by_ref().any(|line| line.is_ok_and(|line| line.contains("Everything is up")));
    assert!(is_up, "the first one is not up");
    let second = demo(&["--once"]).output().expect("scripts/demo starts");
    let told = String::from_utf8_lossy(&second.stdout);
    assert!(second.status.success() && told.contains("another demonstration runs in .demo"), "{told}");
    let third = demo(&["--once", "--folder", ".demo"]).current_dir(checkout).output().expect("scripts/demo starts");
    let told = String::from_utf8_lossy(&third.stderr);
    assert!(!third.status.success() && told.contains("another demonstration runs in .demo"), "{told}");
    assert!(checkout.join(".demo/store/FORMAT").exists() && checkout.join(".demo-2/store/FORMAT").exists());
    let stopped = Command::new("kill").args(["-INT", &first.id().to_string()]).status().expect("kill runs");
    assert!(stopped.success() && first.wait().expect("it ends").success());
}
