//! One run: clients, host servers, a link that breaks, a store that refuses, a clock that jumps, and the engine between.

use super::asks::{Ask, DOMAIN, domain_of};
use super::checks;
use super::cold::Cold;
use super::hosts::{ACCOUNTS, Hosts, Item};
use super::model::{Expect, Model, NO_CREATORS, OPERATOR};
use super::routes::Routes;
use super::sense::Sense;
use mixd::channel::{Access, ChannelDefaults, Limits, Rates};
use mixd::engine::{AddressBook, Engine, Query, ServiceSettings};
use mixd::store::{MemoryStore, Store};
use mixd::xep::Sealer;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};

const KEY: [u8; 16] = [9; 16];
/// 2026-11-23T10:00:00Z, in milliseconds.
const START_MS: u64 = 1_795_428_000_000;
/// For how long the machine is on at the start, in milliseconds.
const ON_MS: u64 = 3_600_000;
/// What the right clock says when the machine starts.
pub const RIGHT_MS: u64 = START_MS - ON_MS;
const TRACE_MAX: usize = 60;

/// Answers that are owed, oldest first.
pub type Owed = Vec<(Ask, Expect)>;

/// What makes rows too old.
pub struct Late {
    /// Of its own, so that it changes nothing else of a run but the time.
    pub dice: StdRng,
    /// How often channels with such rows were found.
    pub expired: u64,
}

pub struct World {
    pub seed: u64,
    pub step: usize,
    pub dice: StdRng,
    pub settings: ServiceSettings,
    pub engine: Engine,
    pub store: MemoryStore,
    pub sealer: Sealer,
    /// It belongs to the writer of the link, which ends with the process.
    pub book: AddressBook,
    pub hosts: Hosts,
    pub model: Model,
    pub routes: Routes,
    /// Whose a participant id is, by channel.
    pub ids: BTreeMap<(String, String), String>,
    /// The tag of the channel that a number was given to.
    pub gids: BTreeMap<u32, u64>,
    /// What every id of a row stands for.
    pub rows: BTreeMap<String, (String, String)>,
    pub inbox: VecDeque<Item>,
    /// What the service goes on with by itself.
    pub next: Vec<mixd::engine::Inbound>,
    pub cold: Cold,
    pub archive: VecDeque<(Query, Ask, Expect)>,
    /// What clients did not get an answer to, and ask again.
    pub unanswered: Vec<Ask>,
    pub link: bool,
    /// How often the engine was started.
    /// Starts and links so far, as the engine knows of them.
    pub epoch: u64,
    /// What the clock says, and the time that goes on whatever happens to the clock.
    pub clock: u64,
    pub waited: u64,
    pub sense: Sense,
    pub serial: u64,
    pub trace: VecDeque<String>,
    pub late: Late,
    /// Everything that was sent, hashed: equal for equal seeds.
    pub digest: u64,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the last of it:");
            self.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!(
                "--- SEED={} fails at step {}; run it again with SEED={} RUNS=1",
                self.seed, self.step, self.seed
            );
        }
    }
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut dice = StdRng::seed_from_u64(seed);
        let limits = Limits {
            participants_max: *[4, 100].choose(&mut dice).unwrap(),
            channels_max: *[3, 100].choose(&mut dice).unwrap(),
            former_silent_max: *[0, 1, 1000].choose(&mut dice).unwrap(),
            // How fast somebody may ask is no rule of channels, and the model knows none.
            rates: Rates::unlimited(),
            nick_domains: vec!["*".into()],
            // Guests are a part of what is simulated.
            channels: ChannelDefaults { guests: Access::Allowed, ..ChannelDefaults::default() },
            ..Limits::default()
        };
        let settings = ServiceSettings {
            domain: jid::DomainPart::new(DOMAIN).unwrap().into_owned(),
            name: "mix".into(),
            operators: vec![jid::BareJid::new(OPERATOR).unwrap()],
            creators: ACCOUNTS
                .map(|account| domain_of(account).to_owned())
                .into_iter()
                .filter(|d| d != NO_CREATORS)
                .collect(),
            page_default: dice.random_range(1..20),
            page_max: dice.random_range(3..30),
            channels_memory_bytes_max: *[1500, 4000, 1 << 30].choose(&mut dice).unwrap(),
            pam: Default::default(),
            multicast: Default::default(),
            limits,
        };
        let store = MemoryStore::new(KEY);
        let model = Model {
            held: BTreeMap::new(),
            due: 0,
            rooms: BTreeMap::new(),
            nameless: Vec::new(),
            registered: Default::default(),
            tours: Default::default(),
            now: 0,
            participants_max: settings.limits.participants_max,
            silent_max: settings.limits.former_silent_max,
            channels_max: settings.limits.channels_max,
            page_default: settings.page_default,
            page_max: settings.page_max,
        };
        let engine = start(&settings, &store, &mut dice);
        let mut world = World {
            seed,
            step: 0,
            dice,
            settings,
            engine,
            store,
            sealer: Sealer::new(KEY),
            book: AddressBook::default(),
            hosts: Hosts::new(),
            model,
            routes: Routes::default(),
            ids: BTreeMap::new(),
            gids: BTreeMap::new(),
            rows: BTreeMap::new(),
            inbox: VecDeque::new(),
            next: Vec::new(),
            cold: Cold::new(seed),
            archive: VecDeque::new(),
            unanswered: Vec::new(),
            link: false,
            epoch: 0,
            clock: START_MS,
            waited: ON_MS,
            sense: Sense::default(),
            serial: 0,
            trace: VecDeque::new(),
            late: Late { dice: StdRng::seed_from_u64(!seed), expired: 0 },
            digest: 0,
        };
        world.link_up();
        world
    }

    pub fn note(&mut self, line: String) {
        self.trace.push_back(format!("[{}] {line}", self.step));
        if self.trace.len() > TRACE_MAX {
            self.trace.pop_front();
        }
    }

    pub fn restart(&mut self, why: &str) {
        self.note(format!("restart: {why}"));
        let lost: Vec<Ask> = self.inbox.drain(..).filter_map(|item| item.ask).collect();
        self.unanswered.extend(lost);
        self.lose_what_waits();
        self.unanswered.extend(self.archive.drain(..).map(|(_, ask, _)| ask));
        self.engine = start(&self.settings, &self.store, &mut self.dice);
        self.book = AddressBook::default();
        self.next.clear();
        self.model.tours.values_mut().for_each(|tour| tour.heard.clear());
        self.sense.restart(self.store.directory().unwrap().clock.reached);
        self.routes.restart();
        self.epoch += 1;
        // A process reads its clock when it starts.
        self.tell_time();
        self.link_up();
    }

    pub fn learn(&mut self) {
        checks::memory_is_store(&self.engine, &self.store);
        checks::numbers_are_given_once(&self.store, &mut self.gids);
        checks::learn(&mut self.model, &self.store, &mut self.ids);
        if self.step.is_multiple_of(50) {
            checks::forget_compared(&mut self.model);
            checks::memberships_agree(&self.model, &self.store);
            checks::store_is_whole(&self.store);
        }
    }
}

fn start(settings: &ServiceSettings, store: &MemoryStore, dice: &mut StdRng) -> Engine {
    let (directory, whereabouts) = (store.directory().unwrap(), store.whereabouts().unwrap());
    Engine::new(settings.clone(), KEY, dice.random(), directory, whereabouts)
}
