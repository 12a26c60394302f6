//! What monitoring sees of the real `mixd`: what happened is counted, what is wrong is told.

#![allow(clippy::unwrap_used)]

mod scripted;

use scripted::{DOMAIN, Host, Mixd, Peer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process with its pages, and the port that they are at.
struct World {
    mixd: Mixd,
    port: u16,
    folder: tempfile::TempDir,
}

impl World {
    /// Beside `host`, with further settings of `[component]`, of `[metrics]`, and other sections.
    fn start(host: &Host, component: &str, metrics: &str, wrapper: &[&str]) -> World {
        World::start_in(tempfile::tempdir().unwrap(), host, component, metrics, wrapper)
    }

    fn start_in(folder: tempfile::TempDir, host: &Host, component: &str, metrics: &str, wrapper: &[&str]) -> World {
        let settings = format!("{component}\n[metrics]\nlisten = '127.0.0.1:0'\n{metrics}");
        let mixd = Mixd::start_in(folder.path(), host.port(), &settings, wrapper);
        mixd.wait_for_log("metrics and health are served", 1);
        let log = mixd.log();
        let line = log.lines().find(|line| line.contains("metrics and health")).unwrap();
        let port = line.rsplit(':').next().unwrap().trim().parse().unwrap();
        World { mixd, port, folder }
    }

    fn request(&self, request: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    fn page(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.request(&format!("GET {path}"));
        (status, body)
    }

    /// The samples, by name and labels.
    fn samples(&self) -> BTreeMap<String, f64> {
        let (status, text) = self.page("/metrics");
        assert_eq!(status, 200, "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines.map(|line| line.rsplit_once(' ').unwrap()).map(|(n, v)| (n.to_owned(), v.parse().unwrap())).collect()
    }

    /// Waits until a page has this status, and returns what it says.
    #[track_caller]
    fn wait_for(&self, path: &str, status: u16) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let (found, text) = self.page(path);
            if found == status {
                return text;
            }
            assert!(Instant::now() < until, "{path} stays {found}: {text}\n{}", self.mixd.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a sample has at least this value.
    #[track_caller]
    fn wait_for_sample(&self, name: &str, least: f64) {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let samples = self.samples();
            if samples.get(name).is_some_and(|value| *value >= least) {
                return;
            }
            assert!(Instant::now() < until, "{name} is not {least} in {samples:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn request(peer: &mut Peer, id: &str, who: &str, to: &str, kind: &str, payload: &str) -> String {
    peer.send(&format!("<iq type='{kind}' id='{id}' from='{who}@example.org/r' to='{to}{DOMAIN}'>{payload}</iq>"));
    peer.answer_to(id)
}

fn create(peer: &mut Peer) -> String {
    let payload = "<create xmlns='urn:xmpp:mix:core:1' channel='coven'/>";
    request(peer, "create", "ann", "", "set", payload)
}

fn join(peer: &mut Peer, who: &str) {
    let payload = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
    let answer = request(peer, &format!("join-{who}"), who, "coven@", "set", payload);
    assert!(answer.contains("type='result'"), "{answer}");
}

fn say(peer: &mut Peer, who: &str, body: &str) {
    peer.send(&format!(
        "<message type='groupchat' id='x' from='{who}@example.org/r' to='coven@{DOMAIN}'><body>{body}</body></message>"
    ));
}

#[test]
fn what_happens_is_counted() {
    let host = Host::start();
    let world = World::start(&host, "", "", &[]);
    let mut peer = host.accept_authenticated();
    assert!(create(&mut peer).contains("type='result'"));
    join(&mut peer, "ann");
    join(&mut peer, "bob");
    for n in 0..3 {
        say(&mut peer, "ann", &format!("hello-{n}"));
        for _ in 0..2 {
            peer.read_until("<body>", &format!("hello-{n}</body>"));
        }
    }
    say(&mut peer, "eve", "I am not in here");
    peer.read_until("<not-acceptable", "</message>");
    peer.send(&format!("<message type='error' id='z' from='bob@example.org/r' to='coven@{DOMAIN}'><error/></message>"));
    peer.send(&format!("<message type='error' id='z' from='bob@example.org' to='coven@{DOMAIN}'><error/></message>"));
    peer.send(&format!(
        "<iq type='set' id='page' from='ann@example.org/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'/></iq>"
    ));
    peer.read_until("id='page'", "</iq>");
    peer.check_alive("last");

    world.wait_for_sample("mixd_deliveries_total", 6.0);
    let samples = world.samples();
    let is = |name: &str, value: f64| assert_eq!(samples.get(name), Some(&value), "{name} in {samples:#?}");
    is("mixd_rows_total", 3.0);
    is("mixd_refusals_total{reason=\"not-joined\",what=\"room\"}", 1.0);
    is("mixd_bounces_total{route=\"resource\"}", 1.0);
    is("mixd_bounces_total{route=\"bare\"}", 1.0);
    is("mixd_received_total{kind=\"message\"}", 6.0);
    is("mixd_query_seconds_count{kind=\"page\"}", 1.0);
    is("mixd_channels", 1.0);
    is("mixd_channels_in_memory", 1.0);
    is("mixd_participants_in_memory", 2.0);
    is("mixd_link_up", 1.0);
    is("mixd_links_total", 1.0);
    is("mixd_commits_failed_total", 0.0);
    is("mixd_store_months", 1.0);
    let above = |name: &str, least: f64| assert!(samples[name] > least, "{name} in {samples:#?}");
    above("mixd_turns_total", 5.0);
    above("mixd_turn_items_sum", 11.0);
    above("mixd_turn_seconds_count", 5.0);
    above("mixd_commit_seconds_count", 3.0);
    above("mixd_commit_seconds_sum", 0.0);
    above("mixd_sent_bytes_total", 600.0);
    above("mixd_store_bytes{part=\"state\"}", 1000.0);
    above("mixd_store_bytes{part=\"archive\"}", 1000.0);
    above("mixd_channels_memory_bytes", 100.0);
    let (_, text) = world.page("/metrics");
    assert!(!text.contains("ann@") && !text.contains("coven"), "an address is told:\n{text}");
}

#[test]
fn each_limit_is_counted_by_its_name() {
    let host = Host::start();
    let limits = "[limits]\nheld_s = 0\nmessages_backlog = 0\nmessages_per_s = 1\nmessages_burst = 3\nchannel_messages_per_s = 1\nchannel_messages_burst = 4\n\
                  requests_per_s = 1\nrequests_burst = 50\nchannels_per_creator_max = 1\nparticipants_max = 3\n\
                  payload_bytes_max = 2000";
    let world = World::start(&host, "", limits, &[]);
    let mut peer = host.accept_authenticated();
    assert!(create(&mut peer).contains("type='result'"));
    let second = request(&mut peer, "q", "ann", "", "set", "<create xmlns='urn:xmpp:mix:core:1' channel='heath'/>");
    assert!(second.contains("<resource-constraint"), "{second}");
    ["ann", "bob", "cy"].iter().for_each(|who| join(&mut peer, who));
    let full = request(&mut peer, "f", "dee", "coven@", "set", "<join xmlns='urn:xmpp:mix:core:1'/>");
    assert!(full.contains("<resource-constraint"), "{full}");
    say(&mut peer, "ann", &"x".repeat(2000));
    (0..20).for_each(|n| say(&mut peer, "ann", &format!("a{n}")));
    (0..20).for_each(|n| say(&mut peer, "bob", &format!("b{n}")));
    let ping = "<ping xmlns='urn:xmpp:ping'/>";
    let many: String = (0..60)
        .map(|n| format!("<iq type='get' id='m{n}' from='eve@example.org/r' to='{DOMAIN}'>{ping}</iq>"))
        .collect();
    peer.send(&many);
    peer.answer_to("m59");
    for (reason, what) in [
        ("too-many", "channels of one creator"),
        ("too-many", "participants"),
        ("too-long", "the message"),
        ("too-fast", "messages"),
        ("too-fast", "requests"),
    ] {
        world.wait_for_sample(&format!("mixd_refusals_total{{reason=\"{reason}\",what=\"{what}\"}}"), 1.0);
    }
}

#[test]
fn the_pace_of_a_channel_is_counted_by_its_name() {
    let host = Host::start();
    let limits = "[limits]\nheld_s = 0\nmessages_per_s = 0\nchannel_messages_per_s = 1\nchannel_messages_burst = 2";
    let world = World::start(&host, "", limits, &[]);
    let mut peer = host.accept_authenticated();
    assert!(create(&mut peer).contains("type='result'"));
    join(&mut peer, "ann");
    (0..50).for_each(|n| say(&mut peer, "ann", &format!("a{n}")));
    let sample = "mixd_refusals_total{reason=\"too-fast\",what=\"messages of this channel\"}";
    world.wait_for_sample(sample, 1.0);
}

#[test]
fn other_pages_and_methods_are_refused() {
    let host = Host::start();
    let world = World::start(&host, "", "", &[]);
    assert_eq!(world.page("/").0, 404);
    let (status, head, _) = world.request("POST /metrics");
    assert!(status == 405 && head.contains("allow: get, head"), "{head}");
    let (status, head, body) = world.request("HEAD /metrics");
    assert!(status == 200 && body.is_empty() && head.contains("application/openmetrics-text"), "{head}");
}

#[test]
fn a_link_that_is_cut_and_a_host_that_is_stopped_are_told() {
    let host = Host::start();
    let world = World::start(&host, "backoff_ms_max = 60", "", &[]);
    assert_eq!(world.wait_for("/health/ready", 503), "there is no link to the host server\n");
    let peer = host.accept_authenticated();
    world.wait_for("/health/ready", 200);
    drop(peer);
    assert_eq!(world.wait_for("/health/ready", 503), "there is no link to the host server\n");
    let peer = host.accept_authenticated();
    world.wait_for("/health/ready", 200);
    world.wait_for_sample("mixd_links_total", 2.0);
    drop((peer, host));
    world.wait_for("/health/ready", 503);
    world.mixd.wait_for_log("no connection", 1);
    assert_eq!(world.samples()["mixd_link_up"], 0.0);
    assert_eq!(world.page("/health/live"), (200, "ok\n".to_owned()));
}

#[test]
fn a_disk_that_hangs_is_told_until_it_moves_again() {
    let host = Host::start();
    let folder = tempfile::tempdir().unwrap();
    let month = this_month(folder.path());
    // The month's file is created with the first commit, and every sync of it hangs for a while.
    let file = month.join("db");
    let strace = ["strace", "-D", "-f", "-o", "/dev/null", "-P", file.to_str().unwrap()];
    let inject = ["-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_enter=2500000"];
    let wrapper = [&strace[..], &inject[..]].concat();
    let world = World::start_in(folder, &host, "write_timeout_s = 1", "stuck_s = 2", &wrapper);
    let mut peer = host.accept_authenticated();
    world.wait_for("/health/ready", 200);
    peer.send(&format!(
        "<iq type='set' id='create' from='ann@example.org/r' to='{DOMAIN}'>\
         <create xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>"
    ));
    let why = world.wait_for("/health/live", 503);
    assert!(why.starts_with("the worker has been at one step for"), "{why}");
    assert!(world.page("/health/ready").1.contains("the worker"));
    assert!(peer.answer_to("create").contains("type='result'"));
    world.wait_for("/health/live", 200);
    world.wait_for("/health/ready", 200);
}

#[test]
fn a_store_that_cannot_write_is_told_until_it_can() {
    let host = Host::start();
    let world = World::start(&host, "", "", &[]);
    let mut peer = host.accept_authenticated();
    world.wait_for("/health/ready", 200);
    // Something else lies where the month has to be made.
    let month = this_month(world.folder.path());
    std::fs::write(&month, "in the way").unwrap();
    assert!(create(&mut peer).contains("internal-server-error"));
    assert_eq!(world.wait_for("/health/ready", 503), "the store could not do what was last asked of it\n");
    assert_eq!(world.page("/health/live").0, 200);
    assert_eq!(world.samples()["mixd_commits_failed_total"], 1.0);
    assert_eq!(world.samples()["mixd_refusals_total{reason=\"internal\",what=\"\"}"], 1.0);
    std::fs::remove_file(&month).unwrap();
    assert!(create(&mut peer).contains("type='result'"));
    world.wait_for("/health/ready", 200);
}

fn this_month(folder: &Path) -> std::path::PathBuf {
    let now = jiff::Timestamp::now().to_string();
    folder.join("store/archive").join(&now[..7])
}

#[test]
fn the_documents_and_the_dashboard_know_the_metrics_there_are() {
    let host = Host::start();
    let world = World::start(&host, "", "", &[]);
    let mut peer = host.accept_authenticated();
    peer.check_alive("1");
    let (_, text) = world.page("/metrics");
    let types: BTreeMap<&str, &str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let told: BTreeSet<String> = types
        .iter()
        .map(|(name, kind)| if *kind == "counter" { format!("{name}_total") } else { (*name).to_owned() })
        .collect();
    assert!(told.len() > 20, "{told:?}");

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = std::fs::read_to_string(root.join("docs/metrics.md")).unwrap();
    let rows = manual.lines().filter_map(|line| line.strip_prefix("| `mixd_")?.split_once("` |"));
    let documented: BTreeMap<String, &str> = rows.map(|(name, rest)| (format!("mixd_{name}"), rest.trim())).collect();
    let names: BTreeSet<String> = documented.keys().cloned().collect();
    assert_eq!(names, told, "docs/metrics.md has to explain every metric there is, and no other");
    for (name, rest) in &documented {
        let kind = types[name.strip_suffix("_total").unwrap_or(name)];
        assert!(rest.starts_with(kind), "docs/metrics.md: {name} is a {kind}");
    }

    let dashboard = std::fs::read_to_string(root.join("config/grafana-dashboard.json")).unwrap();
    let used = used(&serde_json::from_str(&dashboard).unwrap());
    let samples: BTreeSet<String> =
        world.samples().into_keys().map(|it| it.split('{').next().unwrap().to_owned()).collect();
    assert_eq!(used.difference(&samples).collect::<Vec<_>>(), [""; 0], "the dashboard uses what is not told");
    let shown = |name: &String| used.iter().any(|used| used.starts_with(name.as_str()));
    let unseen: Vec<_> = told.iter().filter(|name| !shown(name)).collect();
    assert!(unseen.is_empty(), "the dashboard does not show {unseen:?}");
}

/// The metrics that the expressions of a dashboard name.
fn used(dashboard: &Value) -> BTreeSet<String> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let queries = variables.filter_map(|it| it["query"].as_str().map(str::to_owned));
    let texts: Vec<String> = targets.map(|it| it["expr"].as_str().unwrap().to_owned()).chain(queries).collect();
    assert!(texts.len() > 20, "{texts:?}");
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = texts.iter().flat_map(|text| text.split(move |c| !is_part(c)));
    words.filter(|word| word.starts_with("mixd_")).map(str::to_owned).collect()
}
