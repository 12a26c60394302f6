//! What has to be true when everything is over: nothing lost, nothing twice, nothing out of order, nothing stuck.

use crate::host::Seen;
use crate::scripted::DOMAIN;
use crate::world::{PEOPLE, World};
use mixd::channel::{ChannelName, Row};
use mixd::store::{PagePlan, SledOptions, SledStore, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

/// What was found.
#[derive(Debug, Default)]
pub struct Outcome {
    pub sent: usize,
    pub rows: usize,
    pub deliveries: usize,
    /// Deliveries of what somebody had already.
    pub repeats: usize,
    pub guests: usize,
}

/// Checks everything, the process first and then what it left.
pub fn check(mut world: World) -> Outcome {
    world.say_the_last_word();
    let paged = page_through(&world);
    world.mixd.terminate();
    let (status, _) = world.mixd.wait();
    assert!(status.success(), "it does not end well: {status}\n{}", world.mixd.log());
    verify(&world);
    let seen = world.host.seen();
    assert!(seen.wrong.is_empty(), "{:?}", &seen.wrong[..seen.wrong.len().min(5)]);
    let rows = rows(&world, &seen);
    let names: Vec<&str> = rows.iter().map(|row| row.origin_id.as_deref().unwrap()).collect();
    assert_eq!(paged, names, "the archive as a client pages it is not what the store holds");
    kept(&world, &names);
    delivered(&seen, &names);
    let of_people = || PEOPLE.iter().filter_map(|who| seen.messages.get(*who)).flat_map(BTreeMap::values);
    Outcome {
        sent: world.sent.len(),
        rows: rows.len(),
        deliveries: of_people().map(|got| got.times).sum(),
        repeats: of_people().map(|got| got.times - 1).sum(),
        guests: world.guests,
    }
}

/// Every row of the archive by its name, as a client reads it.
fn page_through(world: &World) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut after = String::new();
    for page in 0.. {
        let (reader, id) = (format!("reader{page}@example.org"), format!("page-{page}"));
        // What a page holds comes as messages to whoever asks, who is somebody else each time.
        join(world, &reader);
        let ask = format!(
            "<iq type='set' id='{id}' from='{reader}/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>100</max>{after}</set></query></iq>"
        );
        wait_for(world, &id, &ask);
        let seen = world.host.seen();
        let mut results = seen.results.get(&reader).cloned().unwrap_or_default();
        let Some((last, _)) = results.last() else { return names };
        after = format!("<after>{last}</after>");
        names.extend(results.drain(..).map(|(_, name)| name));
    }
    names
}

fn join(world: &World, who: &str) {
    let id = format!("join-{who}");
    let ask = format!(
        "<iq type='set' id='{id}' from='{who}' to='coven@{DOMAIN}'><join xmlns='urn:xmpp:mix:core:1'><nick></nick>\
         <subscribe node='urn:xmpp:mix:nodes:info'/></join></iq>"
    );
    wait_for(world, &id, &ask);
}

fn wait_for(world: &World, id: &str, request: &str) {
    let until = Instant::now() + Duration::from_secs(60);
    assert!(world.host.send(request), "the link is gone again");
    while !world.host.seen().done.contains(id) {
        assert!(Instant::now() < until, "{id} is never answered:\n{}", world.mixd.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The store's own check of itself.
fn verify(world: &World) {
    let told =
        Command::new(env!("CARGO_BIN_EXE_mixd")).args(["verify", "--store"]).arg(world.store()).output().unwrap();
    let text = String::from_utf8_lossy(&[told.stdout, told.stderr].concat()).into_owned();
    assert!(told.status.success(), "the store is not whole:\n{text}");
}

/// The rows of the store: without gaps, at times that there were; and everybody who was told so is in.
fn rows(world: &World, seen: &Seen) -> Vec<Row> {
    let store = SledStore::open(SledOptions::at(world.store())).unwrap();
    let channel = store.load(&[ChannelName::new("coven").unwrap()]).unwrap().remove(0).unwrap();
    let head = channel.head();
    let plan = PagePlan {
        tag: channel.profile().tag,
        first: 1,
        last: u64::MAX,
        start: None,
        end: None,
        author: None,
        max: usize::MAX,
        from_end: false,
        narrow: Default::default(),
    };
    let rows = store.page(&plan).unwrap().rows;
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), (1..=head.row).collect::<Vec<_>>());
    // However the clock jumped, no stamp is further off than it was.
    let (now_ms, off_ms) = (mixd::runtime::clock::now().0, 61 * 86_400_000);
    let stray = rows.iter().find(|row| row.stamp.0.abs_diff(now_ms) > off_ms);
    assert_eq!(stray, None, "a stamp that no clock said");
    for guest in seen.done.iter().filter(|id| id.starts_with("guest")) {
        assert!(channel.participant(&format!("{guest}@example.org").parse().unwrap()).is_some(), "{guest} is not in");
    }
    rows
}

/// Every message is there once: all of them were reflected in the end.
fn kept(world: &World, names: &[&str]) {
    let unique: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len(), "a message has two rows");
    let lost: Vec<&String> = world.sent.iter().filter(|name| !unique.contains(name.as_str())).collect();
    assert!(lost.is_empty(), "{} lost: {lost:?}", lost.len());
}

/// Everybody got every row, and the first times in the order of rows.
fn delivered(seen: &Seen, names: &[&str]) {
    for who in PEOPLE {
        let missing: Vec<&&str> = names.iter().filter(|name| seen.got(who, name).is_none()).collect();
        let some = &missing[..missing.len().min(9)];
        assert!(missing.is_empty(), "{who} misses {} of {}: {some:?}", missing.len(), names.len());
        let places: Vec<usize> = names.iter().filter_map(|name| Some(seen.got(who, name)?.place)).collect();
        // A repeat of one's own message is reflected when it comes.
        assert!(who == PEOPLE[0] || places.is_sorted(), "{who} got messages out of order");
    }
}
