//! The worker over a store in memory, one turn after the other.

use super::*;
use crate::channel::{Change, ChannelName, Item, Limits, Node, Profile, Rights};
use crate::config::Config;
use crate::engine::Out;
use crate::runtime::{Refuser, engine, waiting_rooms};
use crate::store::{Failure, Halves, MemoryStore, Part};
use crate::xmpp::Stanza;
use jid::BareJid;

/// A worker that has to send again what the store holds.
fn worker(memory: &MemoryStore) -> Worker {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mixd.toml");
    std::fs::write(&file, "[component]\ndomain = 'mix.h'\nsecret = 'hush'\n").unwrap();
    let config = Config::read_with(&file, []).unwrap();
    let store: Arc<dyn Store> = Arc::new(memory.clone());
    let metrics = Arc::<Metrics>::default();
    let (engine, pacing) = engine(&config, &*store, &metrics).unwrap();
    let own = engine.own_domains().clone();
    let (inbox, parking) = waiting_rooms(&config, &own, &Refuser::default());
    let outbox = Arc::new(Outbox::new(usize::MAX, usize::MAX));
    let callers = Arc::<Callers>::default();
    let loader = Loader::start(&store, &inbox).unwrap();
    let archive = ArchiveThreads::start(1, own, &store, &outbox, (&callers, loader.returns()), &metrics).unwrap();
    Worker {
        engine,
        unsent: store.unsent().unwrap(),
        store,
        inbox,
        outbox,
        pacing,
        parking,
        loader,
        archive,
        callers,
        metrics,
        confirmed: Arc::default(),
        sends_rows_again: true,
        settled: 0,
        superseded: Arc::default(),
        sweeper: Arc::default(),
        eraser: Arc::default(),
        ahead: Ahead::default(),
        timers: Timers::default(),
    }
}

/// Commits a parcel of an earlier process.
fn leave_unsent(store: &MemoryStore, number: u64, part: Part) {
    let unsent = Unsent { number, stamp: Stamp(1000), parts: vec![part] };
    store.commit(Stamp(1000), &[Record::Unsent(unsent)]).unwrap();
}

fn numbers(store: &MemoryStore) -> Vec<u64> {
    store.unsent().unwrap().iter().map(|unsent| unsent.number).collect()
}

/// A batch that creates a channel.
fn create(channel: &str) -> Vec<Candidate<Inbound>> {
    let create = format!("<create xmlns='urn:xmpp:mix:core:1' channel='{channel}'/>");
    let stanza = format!("<iq type='set' id='{channel}' from='boss@h/r' to='mix.h'>{create}</iq>");
    vec![Candidate::from(Inbound::Stanza(Stanza::parse(stanza.as_bytes()).unwrap()))]
}

/// What the worker sent: the number of each parcel, and its stanzas.
fn sent(worker: &Worker) -> Vec<(Option<u64>, Vec<String>)> {
    let stanza = |out: Out| if let Out::Stanza(text) = out { Some(text) } else { None };
    let stanzas = |parcel: Parcel| (parcel.number, parcel.outs.into_iter().filter_map(stanza).collect());
    worker.outbox.take_now(usize::MAX).into_iter().map(stanzas).collect()
}

#[test]
fn a_refused_commit_that_said_how_far_the_host_server_is_has_the_next_one_say_it_again() {
    let store = MemoryStore::new([1; 16]);
    leave_unsent(&store, 1, Part::Stanza("<iq id='1'/>".into()));
    let mut worker = worker(&store);
    worker.resend();
    worker.confirmed.settle(1);
    store.fail_next_commits(1, Failure::Refused);
    worker.turn(create("a"));
    assert_eq!((numbers(&store), store.directory().unwrap().listings.len()), (vec![1], 0));
    worker.turn(create("b"));
    assert_eq!((numbers(&store).contains(&1), store.directory().unwrap().listings.len()), (false, 1));
}

#[test]
fn the_same_goes_for_a_commit_when_there_is_nothing_to_do() {
    let store = MemoryStore::new([1; 16]);
    leave_unsent(&store, 1, Part::Stanza("<iq id='1'/>".into()));
    let mut worker = worker(&store);
    worker.confirmed.settle(1);
    store.fail_next_commits(1, Failure::Refused);
    worker.idle();
    assert_eq!(numbers(&store), [1]);
    worker.idle();
    assert_eq!(numbers(&store), [] as [u64; 0]);
}

#[test]
fn a_parcel_that_cannot_be_read_does_not_hold_back_the_others() {
    const TAG: u64 = 7;
    let store = MemoryStore::new([1; 16]);
    let name = ChannelName::new("coven").unwrap();
    let creator = BareJid::new("boss@h").unwrap();
    let change = Change::Created {
        profile: Profile { tag: TAG, created: Stamp(1000), creator, gid: 1, listed: true },
        settings: Limits::default().group_settings(),
        rights: Rights::default(),
        info: Item::default(),
    };
    store.commit(Stamp(1000), &[Record::Channel { name: name.clone(), tag: TAG, change }]).unwrap();
    let stanza = Halves { head: "<message".into(), tail: "/>".into(), groupchat: true };
    leave_unsent(&store, 1, Part::Stanza("<iq id='1'/>".into()));
    leave_unsent(&store, 2, Part::List { name, tag: TAG, node: Node::Participants, except: None, stanza });
    leave_unsent(&store, 3, Part::Stanza("<iq id='3'/>".into()));
    store.damage(TAG);
    let mut worker = worker(&store);
    worker.resend();
    let parcel = |number: u64| (Some(number), vec![format!("<iq id='{number}'/>")]);
    assert_eq!(sent(&worker), [parcel(1), parcel(3)]);
}
