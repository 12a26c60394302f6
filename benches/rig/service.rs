//! The service without its sockets, to fill a store with what a measurement needs.

use super::{DOMAIN, USERS};
use mixd::channel::{Limits, Rates, Stamp};
use mixd::engine::{Engine, Inbound, Pam, ServiceSettings};
use mixd::runtime::load::load_all;
use mixd::store::{Record, SledOptions, SledStore, Store};
use mixd::xmpp::Stanza;
use std::path::Path;

/// Requests that share a commit.
const BATCH: usize = 2000;
const BEGUN: u64 = 1_800_000_000_000;

/// An engine over a store on disk.
pub struct Service {
    engine: Engine,
    store: SledStore,
    now: u64,
}

impl Service {
    /// Makes a store in `folder`, where [`Mixd::start`](super::mixd::Mixd::start) looks for it.
    pub fn create(folder: &Path) -> Service {
        let store = SledStore::open(SledOptions::at(folder.join("store"))).unwrap();
        let settings = ServiceSettings {
            domain: DOMAIN.parse().unwrap(),
            name: "bench".into(),
            operators: Vec::new(),
            creators: vec!["*".into()],
            // How fast somebody may ask is not what is measured.
            limits: Limits { rates: Rates::unlimited(), ..Limits::default() },
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: 64 << 20,
            pam: [(USERS.to_owned(), Pam::Standard)].into(),
            multicast: Default::default(),
        };
        let engine = Engine::new(settings, store.sealing_key(), [7; 32], Default::default(), Vec::new());
        Service { engine, store, now: BEGUN }
    }

    /// Takes requests; what they lead to is stored and sent to nobody.
    pub fn take(&mut self, requests: impl Iterator<Item = String>) {
        let mut requests = requests.peekable();
        while requests.peek().is_some() {
            let parse = |xml: String| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
            let mut batch: Vec<Inbound> = requests.by_ref().take(BATCH).map(parse).collect();
            batch.push(Inbound::Tick);
            load_all(&mut self.engine, &self.store, &batch).unwrap();
            self.now += 1;
            let mut turn = self.engine.turn(Stamp(self.now), batch);
            assert!(turn.refusals.is_empty(), "{:?}", turn.refusals[0]);
            // Nobody waits for it, and the program that is started on the store need not send it again.
            turn.records.retain(|record| !matches!(record, Record::Unsent(_)));
            self.store.commit(Stamp(self.now), &turn.records).unwrap();
        }
    }
}
