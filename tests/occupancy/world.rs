//! The engine, a store, and the clients.

use super::client::{Learned, View};
use jid::{BareJid, DomainPart};
use minidom::Element;
use mixd::channel::{ChannelName, Limits, Node, Rates, RoomLimits, RowKind, Stamp};
use mixd::engine::{AddressBook, Engine, Inbound, Moment, Pacing, ServiceSettings};
use mixd::runtime::answer::answer;
use mixd::runtime::load::load_all;
use mixd::store::{Failure, MemoryStore, Store};
use mixd::xep::Sealer;
use mixd::xmpp::{Stanza, ns};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub const DOMAIN: &str = "mix.example";
pub const OWNER: &str = "olga@a.example";
/// Accounts whose names are nowhere else.
pub const ACCOUNTS: [&str; 6] =
    ["qamy@a.example", "qbob@a.example", "qcat@b.example", "qdan@b.example", "qeve@b.example", OWNER];
/// Rooms, and whether they hide JIDs.
pub const ROOMS: [(&str, bool); 2] = [("open", false), ("veiled", true)];
const KEY: [u8; 16] = [5; 16];

/// What happened in a run.
#[derive(Debug, Default)]
pub struct Tally {
    pub entries: u64,
    pub messages: u64,
    pub refused_commits: u64,
    pub put_out: u64,
    pub restarts: u64,
    pub rounds: u64,
    pub held: u64,
    pub strays: u64,
}

pub struct World {
    seed: u64,
    pub dice: StdRng,
    settings: ServiceSettings,
    engine: Engine,
    store: MemoryStore,
    sealer: Sealer,
    book: AddressBook,
    pacing: Pacing,
    now: u64,
    serial: u64,
    /// By the client's full JID and the room.
    views: BTreeMap<(String, &'static str), View>,
    /// Clients that went without a word. What is sent to them comes back.
    pub gone: BTreeSet<String>,
    pub seen: Tally,
    /// What is to come in one turn.
    batch: Option<Vec<Inbound>>,
    /// The last rows of the rooms before the turn, if that ends with a message.
    before: Option<[(&'static str, u64); 2]>,
    /// Who was sent a message with the id of the last stanza.
    heard: BTreeSet<String>,
    trace: VecDeque<String>,
}

/// Whether something is said in a room.
fn is_said(inbound: &Inbound) -> bool {
    matches!(inbound, Inbound::Stanza(stanza) if stanza.type_ == "groupchat")
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.trace.iter().for_each(|line| eprintln!("{line}"));
            eprintln!("--- SEED={} RUNS=1 repeats it", self.seed);
        }
    }
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut dice = StdRng::seed_from_u64(seed);
        let store = MemoryStore::new(KEY);
        let settings = ServiceSettings {
            domain: DomainPart::new(DOMAIN).unwrap().into_owned(),
            name: "mix".into(),
            operators: Vec::new(),
            creators: vec!["a.example".into()],
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: if dice.random_bool(0.5) { 0 } else { 1 << 30 },
            pam: Default::default(),
            multicast: Default::default(),
            limits: Limits {
                rates: Rates::unlimited(),
                muc: RoomLimits { gathering_sessions_min: 0, ..RoomLimits::default() },
                ..Limits::default()
            },
        };
        let engine = start(&settings, &store);
        let mut world = World {
            seed,
            dice,
            settings,
            engine,
            store,
            sealer: Sealer::new(KEY),
            book: AddressBook::default(),
            pacing: Pacing::new(1 << 20, Default::default()),
            now: 1_795_428_000_000,
            serial: 0,
            views: BTreeMap::new(),
            gone: BTreeSet::new(),
            seen: Tally::default(),
            batch: None,
            before: None,
            heard: BTreeSet::new(),
            trace: VecDeque::new(),
        };
        world.turn(vec![Inbound::LinkUp]);
        for (room, hides) in ROOMS {
            let create = format!("<create xmlns='urn:xmpp:mix:core:1' channel='{room}'/>");
            world.send(&format!("<iq type='set' from='{OWNER}/mix' to='{DOMAIN}' id='$ID'>{create}</iq>"));
            let visibility = if hides { "jid-hidden" } else { "jid-mandatory-visible" };
            let form = format!(
                "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mix:admin:0</value></field>\
                 <field var='JID Visibility'><value>{visibility}</value></field></x>"
            );
            for deed in [
                format!("<publish node='urn:xmpp:mix:nodes:config'><item>{form}</item></publish>"),
                "<create node='urn:xmpp:mix:nodes:banned'/>".to_owned(),
            ] {
                world.send(&format!("<iq type='set' from='{OWNER}/mix' to='{room}@{DOMAIN}' id='$ID'><pubsub xmlns='http://jabber.org/protocol/pubsub'>{deed}</pubsub></iq>"));
            }
        }
        world
    }

    pub fn step(&mut self) {
        self.now += 200;
        self.deed();
        if self.dice.random_bool(0.1) {
            self.settle();
        }
    }

    /// Time passes until nothing more happens; then all is compared.
    pub fn settle(&mut self) {
        for _ in 0..12 {
            self.pass_ms(2000);
        }
        for _ in 0..3 {
            let gone = self.views.keys().filter(|(client, _)| self.gone.contains(client));
            for (client, room) in gone.cloned().collect::<Vec<_>>() {
                self.come_back(&client, room);
            }
            self.pass_ms(300_000);
            self.pass_ms(2000);
        }
        // Clients that lost an answer find out by asking.
        let asked: Vec<(String, &str)> = self.views.keys().cloned().collect();
        for (client, room) in asked.into_iter().filter(|(client, _)| !self.gone.contains(client)).collect::<Vec<_>>() {
            self.ping(&client, room);
        }
        for _ in 0..12 {
            self.pass_ms(2000);
        }
        self.compare();
    }

    /// The service ends while all is quiet, and starts again, or another program goes on with the link. No client is told of
    /// it.
    pub fn restart(&mut self, keeps_link: bool) {
        self.settle();
        self.note(if keeps_link { "another program goes on" } else { "the service starts again" }.into());
        let before = (self.seen.entries, self.seen.put_out, self.views.len());
        let known = postcard::to_allocvec(&self.engine.memory()).unwrap();
        self.engine = start(&self.settings, &self.store);
        self.book = AddressBook::default();
        self.pacing = Pacing::new(1 << 20, Default::default());
        self.turn(vec![match keeps_link {
            true => Inbound::LinkKept(Box::new(postcard::from_bytes(&known).unwrap())),
            false => Inbound::LinkUp,
        }]);
        let (memory, same) = (self.engine.memory(), postcard::from_bytes(&known).unwrap());
        assert!(!keeps_link || memory == same, "what was handed over is known: {memory:?}, {same:?}");
        self.settle();
        assert_eq!(before, (self.seen.entries, self.seen.put_out, self.views.len()), "a client was told of it");
        self.seen.restarts += 1;
    }

    pub fn pass_ms(&mut self, ms: u64) {
        self.now += ms;
        self.turn(vec![Inbound::Tick]);
    }

    pub fn refuse_next(&mut self) {
        self.store.fail_next_commits(1, Failure::Refused);
    }

    pub fn is_in(&self, client: &str, room: &str) -> bool {
        self.nick_of(client, room).is_some()
    }

    pub fn nick_of(&self, client: &str, room: &str) -> Option<String> {
        let view = self.views.iter().find(|((full, at), _)| full == client && *at == room);
        view.filter(|(_, view)| view.is_in && !self.gone.contains(client))?.1.nick.clone()
    }

    /// Whether a client wants to enter a room and was not answered yet.
    pub fn is_waiting(&self, client: &str, room: &str) -> bool {
        self.views.iter().any(|((full, at), view)| full == client && *at == room && !view.is_in)
    }

    /// Whether a client that is in no room is told so if it speaks: nothing says that it might be one of MIX.
    pub fn is_sure_to_be_told(&self, client: &str, room: &str) -> bool {
        let account = BareJid::new(client.split_once('/').unwrap().0).unwrap();
        let channel = self.channel(room);
        let takes_mix = channel.participant(&account).is_some_and(|member| !member.subscriptions.is_empty());
        !takes_mix && self.batch.is_none() && !self.is_waiting(client, room) && !self.gone.contains(client)
    }

    /// XEP-0045 §7.4: whoever speaks hears what it said, or why it did not.
    pub fn check_heard(&mut self, client: &str) {
        if self.batch.is_none() && self.pacing.depth().0 == 0 {
            assert!(self.heard.contains(client), "{client} spoke and was told nothing");
        }
    }

    pub fn begin(&mut self, client: &str, room: &'static str) {
        let last = self.head(room);
        self.views.insert((client.to_owned(), room), View { last, ..View::default() });
    }

    /// Sends a stanza, and takes what it leads to. What is being gathered goes in one batch.
    pub fn send(&mut self, xml: &str) {
        self.serial += 1;
        let xml = xml.replace("$ID", &format!("q{}", self.serial));
        self.heard.clear();
        self.note(format!("> {xml}"));
        let stanza = Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
        match &mut self.batch {
            Some(batch) => batch.push(stanza),
            None => self.turn(vec![stanza]),
        }
        self.forget_unanswered();
    }

    /// From here on, what is sent comes in one turn.
    pub fn gather(&mut self) {
        self.batch = Some(Vec::new());
    }

    /// What was gathered comes in. A message may be the last of it.
    pub fn send_all(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        self.seen.rounds += 1;
        self.turn(batch);
        self.forget_unanswered();
    }

    /// Whoever was not let in, or had no answer, tries again some day.
    fn forget_unanswered(&mut self) {
        if self.batch.is_none() && self.pacing.depth().0 == 0 {
            self.views.retain(|_, view| view.is_in);
        }
    }

    fn turn(&mut self, batch: Vec<Inbound>) {
        let moment = Moment { wall: Stamp(self.now), steady_ms: self.now };
        let ready = self.pacing.pass(&mut self.engine, moment, batch);
        self.seen.held += self.pacing.depth().0 as u64;
        // What was held may be a message in front of others: each turn ends with one.
        let mut next = VecDeque::new();
        let mut ready = ready.into_iter().peekable();
        loop {
            let mut some = Vec::new();
            for inbound in ready.by_ref() {
                some.push(inbound);
                if some.last().is_some_and(is_said) {
                    break;
                }
            }
            next.extend(self.turn_once(some));
            if ready.peek().is_none() {
                break;
            }
        }
        while let Some(inbound) = next.pop_front() {
            next.extend(self.turn_once(vec![inbound]));
        }
    }

    fn turn_once(&mut self, batch: Vec<Inbound>) -> Vec<Inbound> {
        let moment = Moment { wall: Stamp(self.now), steady_ms: self.now };
        load_all(&mut self.engine, &self.store, &batch).unwrap();
        // Whoever enters before a message of the turn is sent that.
        self.before = batch.last().is_some_and(is_said).then(|| ROOMS.map(|(room, _)| (room, self.head(room))));
        let mut turn = self.engine.turn(moment, batch);
        let deferred = std::mem::take(&mut turn.deferred);
        let next = std::mem::take(&mut turn.next);
        let next: Vec<Inbound> = next.into_iter().chain(deferred.into_iter().map(|(_, inbound)| inbound)).collect();
        let mut bytes = Vec::new();
        let outbox = match self.store.commit(self.engine.dial().due, &turn.records) {
            Ok(()) => {
                let outbox = std::mem::take(&mut turn.outbox);
                turn.queries
                    .iter()
                    .flat_map(|query| answer(query, &self.store))
                    .for_each(|xml| bytes.extend(xml.bytes()));
                outbox
            }
            Err(_) => {
                self.seen.refused_commits += 1;
                self.note("the store refuses".into());
                self.engine.abandon(turn)
            }
        };
        outbox.into_iter().for_each(|out| self.book.pass(out, &mut bytes));
        let wrapped = format!("<stream xmlns='jabber:client'>{}</stream>", String::from_utf8(bytes).unwrap());
        let stream: Element = wrapped.parse().unwrap();
        stream.children().for_each(|stanza| self.deliver(stanza));
        next
    }

    fn deliver(&mut self, stanza: &Element) {
        let to = stanza.attr("to").unwrap().to_owned();
        let from = stanza.attr("from").unwrap();
        let (name, resource) = to.split_once('/').unwrap_or((&to, ""));
        let text = String::from(stanza);
        self.note(format!("  < {}", text.replace(" xmlns='jabber:client'", "")));
        if stanza.name() == "message" && stanza.attr("id") == Some(&format!("q{}", self.serial)) {
            self.heard.insert(to.clone());
        }
        if self.gone.contains(&to) {
            return self.answer_for_gone(stanza, &to);
        }
        let Some((room, hides)) = ROOMS.into_iter().find(|(room, _)| from.starts_with(&format!("{room}@"))) else {
            return;
        };
        let named = ACCOUNTS.iter().find(|account| **account != name && text.contains(**account));
        assert!(!hides || name == OWNER || named.is_none(), "{to} is told of {named:?}: {text}");
        if !resource.starts_with("muc-") {
            return;
        }
        assert!(!text.contains(ns::MIX_CORE), "MIX's form for a client of rooms: {text}");
        if stanza.name() == "iq" && stanza.attr("type") == Some("error") && text.contains("not-acceptable") {
            // XEP-0410 §3: the client is not in the room any more.
            self.views.remove(&(to, room));
            return;
        }
        let tag = self.tag(room);
        let (store, sealer) = (&self.store, &self.sealer);
        let Some(view) = self.views.get_mut(&(to.clone(), room)) else { return };
        let learned = view.take(stanza, (sealer, tag), |from, to| shown(store, tag, from, to));
        match learned {
            Learned::Nothing => {}
            Learned::In => {
                let before = self.before.and_then(|all| all.into_iter().find(|(other, _)| *other == room));
                let now =
                    || self.store.load(&[ChannelName::new(room).unwrap()]).unwrap()[0].as_ref().unwrap().head().row;
                view.last = before.map_or_else(now, |(_, row)| row);
                self.seen.entries += 1;
            }
            Learned::Row => self.seen.messages += 1,
            Learned::Out { put_out } => {
                self.seen.put_out += u64::from(put_out);
                self.views.remove(&(to, room));
            }
        }
    }

    /// The host answers for a client that is gone: what asks for an answer comes back.
    fn answer_for_gone(&mut self, stanza: &Element, to: &str) {
        let (Some("get"), Some(id)) = (stanza.attr("type"), stanza.attr("id")) else { return };
        let from = stanza.attr("from").unwrap();
        let error = "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>";
        let xml = format!("<iq type='error' from='{to}' to='{from}' id='{id}'>{error}</iq>");
        self.turn(vec![Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())]);
    }

    fn channel(&self, room: &str) -> mixd::channel::Channel {
        self.store.load(&[ChannelName::new(room).unwrap()]).unwrap().remove(0).expect("there is the room")
    }

    fn tag(&self, room: &str) -> u64 {
        self.channel(room).profile().tag
    }

    fn head(&self, room: &str) -> u64 {
        self.channel(room).head().row
    }

    /// All clients of a room know the same people, and those are the people who are there.
    fn compare(&mut self) {
        for (room, _) in ROOMS {
            let (channel, tag) = (self.channel(room), self.tag(room));
            let of_mix = |it: &&mixd::channel::Member| it.is_joined() && it.subscriptions.contains(Node::Messages);
            let mut there: BTreeSet<String> =
                channel.members().filter(of_mix).map(|member| member.nick.as_str().to_owned()).collect();
            let clients = self.views.iter().filter(|((full, at), _)| *at == room && !self.gone.contains(full));
            let clients: Vec<_> = clients.map(|((full, _), view)| (full, view)).collect();
            there.extend(clients.iter().filter_map(|(_, view)| view.nick.clone()));
            for (full, view) in &clients {
                let known: BTreeSet<String> = view.occupants.keys().cloned().collect();
                assert_eq!(known, there, "{full} in {room}");
                assert_eq!(view.occupants, clients[0].1.occupants, "{full} and {} in {room}", clients[0].0);
                let missed = shown(&self.store, tag, view.last + 1, self.head(room) + 1);
                assert!(missed.is_empty(), "{full} misses {missed:?} in {room}");
            }
        }
        self.views.retain(|(full, _), _| !self.gone.contains(full));
    }

    fn note(&mut self, line: String) {
        self.trace.push_back(line);
        if self.trace.len() > 200 {
            self.trace.pop_front();
        }
    }
}

fn start(settings: &ServiceSettings, store: &MemoryStore) -> Engine {
    let (directory, whereabouts) = (store.directory().unwrap(), store.whereabouts().unwrap());
    Engine::new(settings.clone(), KEY, [3; 32], directory, whereabouts)
}

/// The rows of a range, its end excluded, that rooms show.
fn shown(store: &MemoryStore, tag: u64, from: u64, to: u64) -> Vec<u64> {
    let numbers: Vec<u64> = (from..to).collect();
    let rows = store.rows(tag, &numbers).unwrap().into_iter().flatten();
    rows.filter(|row| !matches!(row.kind, RowKind::Event(_))).map(|row| row.number).collect()
}
