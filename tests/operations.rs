//! What an operator does from the command line, with the real program.

#![allow(clippy::unwrap_used)]

#[path = "operations/account.rs"]
mod account;
#[path = "operations/compact.rs"]
mod compact;
#[path = "operations/container.rs"]
mod container;
#[allow(dead_code)]
#[path = "store/fixture.rs"]
mod fixture;
#[path = "operations/killed.rs"]
mod killed;
#[allow(dead_code)]
#[path = "store/samples.rs"]
mod samples;
mod scripted;
#[path = "operations/upgrade.rs"]
mod upgrade;

use fixture::{DAY_MS, NOON, Room, loaded};
use mixd::channel::{Node, Stamp};
use mixd::store::{Part, Record, SledOptions, SledStore, Store, Unsent};
use scripted::{DOMAIN, Host, Mixd, Peer};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn mixd_on(words: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mixd")).args(words).arg("--store").arg(folder).output().unwrap()
}

fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn build(folder: &Path) -> SledStore {
    let store = SledStore::open(SledOptions::at(folder)).unwrap();
    Room::chat(&store, "coven", 4, 60, 70);
    store
}

#[test]
fn a_channel_that_cannot_be_read_does_not_keep_others_from_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let (host, path) = (Host::start(), folder.path().join("store"));
    let open = || SledStore::open(SledOptions::at(&path)).unwrap();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    let mut ask = |id: &str, to: &str, payload: &str| {
        peer.send(&format!("<iq type='set' id='{id}' from='u@example.org' to='{to}{DOMAIN}'>{payload}</iq>"));
        assert!(peer.answer_to(id).contains("type='result'"));
    };
    let core = "xmlns='urn:xmpp:mix:core:1'";
    let group = "<group xmlns='urn:mixd:group:1'><name>Late</name></group>";
    ask("1", "", &format!("<create {core} channel='early'/>"));
    ask("2", "", &format!("<create {core} channel='late'>{group}</create>"));
    ask("3", "late@", &format!("<leave {core}/>"));
    mixd.terminate();
    mixd.wait();
    let damaged = open().directory().unwrap().listings.remove(0);
    assert_eq!(damaged.name.as_str(), "early");
    let state = (0..500).find_map(|_| {
        std::thread::sleep(Duration::from_millis(10));
        sled::open(path.join("state")).ok()
    });
    let item = [&b"i"[..], &damaged.tag.to_be_bytes(), &[Node::Info as u8]].concat();
    assert!(state.unwrap().remove(item).unwrap().is_some(), "the information of a channel is taken away");

    let mut mixd = Mixd::start_in(folder.path(), host.port(), "[groups]\ndeserted_s = 1", &[]);
    let mut peer = host.accept_authenticated();
    std::thread::sleep(Duration::from_secs(6));
    peer.check_alive("alive");
    mixd.terminate();
    mixd.wait();
    let listings = open().directory().unwrap().listings;
    assert_eq!(listings.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["early"], "{}", mixd.log());
}

#[test]
fn verify_tells_a_whole_store_from_a_damaged_one_and_from_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let output = mixd_on(&["verify"], &path);
    assert!(output.status.code() == Some(1) && told(&output).contains("there is no FORMAT file"), "{}", told(&output));
    assert!(!path.exists(), "looking makes nothing");

    let store = build(&path);
    let output = mixd_on(&["verify"], &path);
    assert!(output.status.code() == Some(1) && told(&output).contains("is locked by process"), "{}", told(&output));
    drop(store);

    let output = mixd_on(&["verify"], &path);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("1 channels, 4 members, 60 rows in 3 months: nothing is wrong"));
    assert!(output.stdout.is_empty());

    std::fs::remove_dir_all(path.join("archive/2026-11")).unwrap();
    let output = mixd_on(&["verify"], &path);
    assert_eq!(output.status.code(), Some(65), "{}", told(&output));
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(found, "rows: channel coven, month 2026-11: the month is not there, and holds rows\n");
}

#[test]
fn the_settings_say_where_the_store_is() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("store"), folder.path().join("mixd.toml"));
    drop(build(&path));
    let text = format!("[component]\ndomain='mix.example'\nsecret='x'\n[storage]\npath='{}'", path.display());
    std::fs::write(&file, text).unwrap();
    let run =
        |file: &Path| Command::new(env!("CARGO_BIN_EXE_mixd")).args(["verify", "--config"]).arg(file).output().unwrap();
    assert_eq!(run(&file).status.code(), Some(0), "{}", told(&run(&file)));
    assert_eq!(run(&folder.path().join("none")).status.code(), Some(78));
}

#[test]
fn whoever_stops_reading_ends_no_command() {
    let folder = tempfile::tempdir().unwrap();
    let (path, file) = (folder.path().join("store"), folder.path().join("mixd.toml"));
    drop(build(&path));
    std::fs::remove_dir_all(path.join("archive/2026-11")).unwrap();
    let text = format!("[component]\ndomain='mix.example'\nsecret='x'\n[storage]\npath='{}'", path.display());
    std::fs::write(&file, text).unwrap();
    for (command, code) in [("check-config", 0), ("verify", 65), ("backup", 0)] {
        let mut mixd = Command::new(env!("CARGO_BIN_EXE_mixd"));
        mixd.arg(command).arg("--config").arg(&file);
        if command == "backup" {
            mixd.arg(folder.path().join("copy"));
        }
        let (unread, written) = std::io::pipe().unwrap();
        drop(unread);
        let status = mixd.stdout(written.try_clone().unwrap()).stderr(written).status().unwrap();
        assert_eq!(status.code(), Some(code), "{command}");
    }
}

#[test]
fn variables_of_others_that_look_like_settings_are_named_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mixd.toml");
    std::fs::write(&file, "[component]\ndomain='mix.example'\nsecret='x'\n").unwrap();
    let check = |name: &str| {
        let mut mixd = Command::new(env!("CARGO_BIN_EXE_mixd"));
        mixd.args(["check-config", "--config"]).arg(&file).env(name, "tcp://10.0.0.7:5347").output().unwrap()
    };
    let output = check("MIXD_PORT");
    assert!(output.status.success() && told(&output).contains("# MIXD_PORT is no setting"), "{}", told(&output));
    let output = check("MIXD_COMPONENT__PROT");
    assert!(output.status.code() == Some(78) && told(&output).contains("component.prot"), "{}", told(&output));
    let output = check("MIXD_LOG__LEVEL");
    assert!(output.status.code() == Some(78) && told(&output).contains("log.level"), "{}", told(&output));
}

#[test]
fn a_start_with_much_unsent_and_much_too_old_does_not_wait_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(SledOptions::at(folder.path().join("store"))).unwrap();
    for n in 0..600 {
        let mut room = Room::create(&store, &format!("c{n}"), n);
        room.join(&store, "ann");
        room.say(&store, "ann", "long ago");
    }
    for number in 1..=40 {
        let parts = vec![Part::Stanza(format!("<iq id='{}'/>", "x".repeat(5000)))];
        store.commit(NOON, &[Record::Unsent(Unsent { number, stamp: NOON, parts })]).unwrap();
    }
    drop(store);
    // Neither the queue out nor the one in takes all of it.
    let host = Host::start();
    let settings = "[archive]\nkeep_days = 1\n[limits]\noutbox_bytes_max = 20000\ninbox_items_max = 1";
    let mut mixd = Mixd::start_in(folder.path(), host.port(), settings, &[]);
    let mut peer = host.accept_authenticated();
    peer.read_until("<iq id='x", "");
    mixd.terminate();
    assert!(mixd.wait().0.success(), "{}", mixd.log());
}

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mixd")).args(words).output().unwrap()
}

fn ask(peer: &mut Peer, id: &str, to: &str, kind: &str, payload: &str) -> String {
    peer.send(&format!("<iq type='{kind}' id='{id}' from='ann@example.org/r' to='{to}'>{payload}</iq>"));
    peer.answer_to(id)
}

/// A channel with somebody in it.
fn create(peer: &mut Peer) {
    let channel = format!("coven@{DOMAIN}");
    let create = "<create xmlns='urn:xmpp:mix:core:1' channel='coven'/>";
    assert!(ask(peer, "create", DOMAIN, "set", create).contains("type='result'"));
    let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
    assert!(ask(peer, "join", &channel, "set", join).contains("type='result'"));
}

/// Says something, and returns the id that the channel gave it.
fn say(peer: &mut Peer, text: &str) -> String {
    peer.send(&format!(
        "<message type='groupchat' id='{text}' from='ann@example.org/r' to='coven@{DOMAIN}'><body>{text}</body></message>"
    ));
    let stanza = peer.read_until("<message ", &format!("<body>{text}</body>"));
    peer.read_until("", "</message>");
    stanza.rsplit_once(" id='").unwrap().1.split('\'').next().unwrap().to_owned()
}

/// The answer to a query for what came after a row, with the messages before it.
fn page_after(peer: &mut Peer, after: &str) -> String {
    peer.send(&format!(
        "<iq type='set' id='page' from='ann@example.org/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'>\
         <set xmlns='http://jabber.org/protocol/rsm'><after>{after}</after></set></query></iq>"
    ));
    // The service asks things of its own in between.
    let mut read = String::new();
    while !read.contains(" id='page'") {
        read += &peer.read_until("", "</iq>");
    }
    read
}

#[test]
fn a_backup_of_a_running_service_is_restored_and_no_id_means_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let (store, saved) = (folder.path().join("store"), folder.path().join("saved"));
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    create(&mut peer);
    let kept: Vec<String> = (0..3).map(|n| say(&mut peer, &format!("kept-{n}"))).collect();
    let output = run(&["backup", saved.to_str().unwrap(), "--store", store.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("1 channels at"), "{}", told(&output));
    mixd.wait_for_log("the backup is complete", 1);
    let lost = say(&mut peer, "lost");
    // A second one does not go over the first.
    let again = run(&["backup", saved.to_str().unwrap(), "--store", store.to_str().unwrap()]);
    assert!(again.status.code() == Some(1) && told(&again).contains("is not empty"), "{}", told(&again));
    let restored = run(&["restore", saved.to_str().unwrap(), "--store", store.to_str().unwrap()]);
    assert!(restored.status.code() == Some(1) && told(&restored).contains("is a store already"));
    peer.check_alive("still");
    mixd.terminate();
    mixd.wait();
    assert!(!store.join("admin.sock").exists());

    std::fs::rename(&store, folder.path().join("old")).unwrap();
    let restored = run(&["restore", saved.to_str().unwrap(), "--store", store.to_str().unwrap()]);
    assert_eq!(restored.status.code(), Some(0), "{}", told(&restored));
    assert!(told(&restored).contains("nothing is wrong"), "{}", told(&restored));
    drop(peer);
    let _mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    // A client that saw what was lost is told that the id is not known, and one that did not goes on.
    assert!(page_after(&mut peer, &lost).contains("item-not-found"));
    let new: Vec<String> = (0..2).map(|n| say(&mut peer, &format!("new-{n}"))).collect();
    assert!(!new.contains(&lost) && !new.iter().any(|id| kept.contains(id)));
    assert!(page_after(&mut peer, &lost).contains("item-not-found"));
    let page = page_after(&mut peer, &kept[1]);
    let bodies: Vec<&str> = page.split("<body>").skip(1).map(|rest| rest.split('<').next().unwrap()).collect();
    assert_eq!(bodies, ["kept-2", "new-0", "new-1"]);
    assert!(page.contains("complete='true'") && page.contains(&new[1]), "{page}");
}

#[test]
fn a_store_that_nobody_has_open_is_copied_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (store, saved) = (folder.path().join("store"), folder.path().join("saved"));
    drop(build(&store));
    // What a killed service leaves.
    std::os::unix::net::UnixListener::bind(store.join("admin.sock")).unwrap();
    let relative = Command::new(env!("CARGO_BIN_EXE_mixd"))
        .args(["backup", "saved", "--store", "store"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(relative.status.code(), Some(0), "{}", told(&relative));
    assert!(saved.join("MANIFEST.json").exists());
    let output = run(&["backup", saved.to_str().unwrap(), "--store", folder.path().join("none").to_str().unwrap()]);
    assert!(output.status.code() == Some(1) && told(&output).contains("no FORMAT file"), "{}", told(&output));
}

#[test]
fn the_socket_is_its_owners_alone_and_bad_requests_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    let path = folder.path().join("store/admin.sock");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let request = |text: &str| {
        let mut stream = UnixStream::connect(&path).unwrap();
        writeln!(stream, "{text}").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    };
    for bad in ["", "{", "{\"command\":\"destroy\"}", "[]", "{\"command\":\"backup\"}", "\u{0}\u{1}"] {
        assert!(request(bad).contains("the request is not understood"), "{bad}: {}", request(bad));
    }
    assert!(request("{\"command\":\"backup\",\"to\":\"here\"}").contains("from the root on"));
    // Those who connect and say nothing keep nobody out for long, and the service goes on.
    let silent: Vec<UnixStream> = (0..3).map(|_| UnixStream::connect(&path).unwrap()).collect();
    assert!(request("{").contains("not understood"));
    drop(silent);
    peer.check_alive("1");
    mixd.kill();
    // The next one takes the place of what was left.
    let _next = Mixd::start_in(folder.path(), host.port(), "", &[]);
    host.accept_authenticated().check_alive("2");
    assert!(request("{").contains("not understood"));
}

#[test]
fn a_service_drops_months_that_are_too_old_when_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(SledOptions::at(folder.path().join("store"))).unwrap();
    let (mut room, created) = Room::draft("coven", 3);
    let now = mixd::runtime::clock::now();
    for days in [400, 300, 200, 20, 0] {
        room.now = Stamp(now.0 - days * DAY_MS);
        if days == 400 {
            store.commit(room.now, std::slice::from_ref(&created)).unwrap();
            room.join(&store, "ann");
        }
        room.say(&store, "ann", &format!("{days} days ago"));
    }
    drop(store);
    let archive = folder.path().join("store/archive");
    let months = || std::fs::read_dir(&archive).unwrap().count();
    let before = months();
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "[archive]\nkeep_days = 100", &[]);
    let mut peer = host.accept_authenticated();
    mixd.wait_for_log("months that are too old are gone", 1);
    assert_eq!(months(), before - 3);
    peer.check_alive("1");
    mixd.terminate();
    mixd.wait();
    let output = mixd_on(&["verify"], &folder.path().join("store"));
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let store = SledStore::open(SledOptions::at(folder.path().join("store"))).unwrap();
    let bounds = store.bounds(room.tag()).unwrap().unwrap();
    assert_eq!((bounds.oldest, bounds.newest), (4, 5));
    assert_eq!(loaded(&store, "coven").unwrap().head(), room.channel.head());
}

/// How old the messages of the channel say that they are.
fn days_said(peer: &mut Peer, id: &str) -> Vec<String> {
    peer.send(&format!(
        "<iq type='set' id='{id}' from='owner@host.example/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'/></iq>"
    ));
    let mut read = String::new();
    while !read.contains(&format!(" id='{id}'")) {
        read += &peer.read_until("", "</iq>");
    }
    read.split("<body>").skip(1).map(|rest| rest.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn what_a_channel_keeps_for_less_is_gone_at_once_and_before_anybody_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = SledStore::open(SledOptions::at(&path)).unwrap();
    let (mut room, created) = Room::draft("coven", 3);
    let now = mixd::runtime::clock::now();
    for days in [70, 50, 30, 10, 0] {
        room.now = Stamp(now.0 - days * DAY_MS);
        if days == 70 {
            store.commit(room.now, std::slice::from_ref(&created)).unwrap();
            room.join(&store, "owner");
        }
        room.say(&store, "owner", &format!("{days} days ago"));
    }
    let settings = mixd::channel::Settings { retention_days: 60, ..room.channel.settings().clone() };
    let records = room.apply(vec![mixd::channel::Change::Configured(settings)]);
    store.commit(room.now, &records).unwrap();
    drop(store);
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    // The first query there is.
    assert_eq!(days_said(&mut peer, "q"), ["70", "50", "30", "10", "0"][1..]);
    let settings = "<settings xmlns='urn:mixd:group:1' retention-days='20'/>";
    peer.send(&format!("<iq type='set' id='s' from='owner@host.example/r' to='coven@{DOMAIN}'>{settings}</iq>"));
    let tries = (0..200).find(|n| {
        std::thread::sleep(Duration::from_millis(100));
        days_said(&mut peer, &format!("q{n}")) == ["10", "0"]
    });
    assert!(tries.is_some(), "nothing goes");
    mixd.terminate();
    mixd.wait();
    let output = mixd_on(&["verify"], &path);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    // Compacted, nothing of them is left on the disk either.
    let output = mixd_on(&["compact"], &path);
    assert!(output.status.success() && told(&output).contains(" 2 rows in "), "{}", told(&output));
}
