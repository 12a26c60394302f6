//! One run: clients, host servers, a link that breaks, a store that refuses, a clock that jumps, and the engine between.

use super::asks::{Ask, DOMAIN, Op, Paging, RowName, domain_of};
use super::clients::Scene;
use super::hosts::{ACCOUNTS, Client, DELEGATING, Hosts, Item, Note, RESOURCES};
use super::model::{Event, Expect, Model, NO_CREATORS, OPERATOR, Page};
use super::routes::Routes;
use super::{checks, wire};
use minidom::Element;
use mixd::channel::{Limits, Stamp};
use mixd::engine::{AddressBook, Engine, Inbound, Loaded, Out, Query, Settings, Turn};
use mixd::runtime::answer;
use mixd::store::{CommitError, Failure, MemoryStore, Store};
use mixd::xep::Sealer;
use mixd::xmpp::ns;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};

const KEY: [u8; 16] = [9; 16];
/// 2026-11-23T10:00:00Z, in milliseconds.
const START_MS: u64 = 1_795_428_000_000;
const TRACE_MAX: usize = 60;

/// Answers that are owed, oldest first.
type Owed = Vec<(Ask, Expect)>;

pub struct World {
    seed: u64,
    step: usize,
    dice: StdRng,
    settings: Settings,
    engine: Engine,
    store: MemoryStore,
    sealer: Sealer,
    /// It belongs to the writer of the link, which ends with the process.
    book: AddressBook,
    pub hosts: Hosts,
    pub model: Model,
    routes: Routes,
    /// Whose a participant id is, by channel.
    ids: BTreeMap<(String, String), String>,
    /// What every id of a row stands for.
    rows: BTreeMap<String, (String, String)>,
    inbox: VecDeque<Item>,
    archive: VecDeque<(Query, Ask, Expect)>,
    /// What clients did not get an answer to, and ask again.
    unanswered: Vec<Ask>,
    link: bool,
    /// How often the engine was started.
    life: u64,
    clock: u64,
    serial: u64,
    trace: VecDeque<String>,
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
            ..Limits::default()
        };
        let settings = Settings {
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
            limits,
        };
        let store = MemoryStore::new(KEY);
        let model = Model {
            rooms: BTreeMap::new(),
            nameless: Vec::new(),
            now: 0,
            participants_max: settings.limits.participants_max,
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
            rows: BTreeMap::new(),
            inbox: VecDeque::new(),
            archive: VecDeque::new(),
            unanswered: Vec::new(),
            link: false,
            life: 0,
            clock: START_MS,
            serial: 0,
            trace: VecDeque::new(),
            digest: 0,
        };
        world.link_up();
        world
    }

    fn note(&mut self, line: String) {
        self.trace.push_back(format!("[{}] {line}", self.step));
        if self.trace.len() > TRACE_MAX {
            self.trace.pop_front();
        }
    }

    /// One step: something happens, and mostly a turn follows.
    pub fn step(&mut self) {
        self.step += 1;
        match self.dice.random_range(0..100) {
            0..12 => self.come_or_go(),
            12..15 if self.link => self.link_down(),
            12..20 if !self.link => self.link_up(),
            20 => self.restart("stopped"),
            21..25 => self.jump(),
            25..29 => self.inbox.push_back(Item::event(Inbound::Tick)),
            29..31 => self.walk(),
            31..35 => self.retry(),
            _ => {
                for _ in 0..self.dice.random_range(1..4) {
                    self.act();
                }
            }
        }
        self.clock += self.dice.random_range(0..1500);
        if self.dice.random_bool(0.7) {
            let size = self.dice.random_range(1..8);
            let trouble = match self.dice.random_range(0..60) {
                0..4 => Some(Failure::Refused),
                4 => Some(*[Failure::UnknownKept, Failure::UnknownLost].choose(&mut self.dice).unwrap()),
                _ => None,
            };
            self.turn(size, trouble);
        }
        if self.dice.random_bool(0.5) {
            self.answer_from_archive();
        }
    }

    fn act(&mut self) {
        self.serial += 1;
        let scene = Scene {
            hosts: &self.hosts,
            model: &self.model,
            sealer: &self.sealer,
            clock: self.clock,
            serial: self.serial,
            dice: &mut self.dice,
        };
        match { scene }.act() {
            Some(ask) => self.ask(ask),
            None => self.come_or_go(),
        }
    }

    fn ask(&mut self, ask: Ask) {
        if !self.link {
            return;
        }
        if let (Op::Leave { channel }, None) = (&ask.op, &ask.resource) {
            if let Some(user) = self.hosts.users.get_mut(&ask.account) {
                user.channels.remove(&format!("{channel}@{DOMAIN}"));
            }
        }
        self.inbox.push_back(Item::asking(ask));
    }

    fn retry(&mut self) {
        for ask in std::mem::take(&mut self.unanswered) {
            if ask.resource.as_ref().is_none_or(|resource| self.hosts.is_online(&ask.account, resource)) {
                self.ask(ask);
            }
        }
    }

    fn come_or_go(&mut self) {
        let account = (*ACCOUNTS.choose(&mut self.dice).unwrap()).to_owned();
        let resource = (*RESOURCES.choose(&mut self.dice).unwrap()).to_owned();
        let online = self.hosts.is_online(&account, &resource);
        let user = self.hosts.users.get_mut(&account).unwrap();
        if online {
            user.online.remove(&resource);
        } else {
            let client = Client {
                capable: self.dice.random_bool(0.7),
                answers: self.dice.random_bool(0.8),
                ..Client::default()
            };
            user.online.insert(resource.clone(), client);
        }
        self.note(format!("{account}/{resource} is {}", if online { "gone" } else { "there" }));
        let told = self.link && (!online || self.dice.random_bool(0.7));
        if told {
            self.inbox.extend(self.hosts.presence(&account, &resource, !online));
        }
    }

    fn link_down(&mut self) {
        self.note("link down".into());
        self.link = false;
        // What the reader took stays; what was on the way is lost.
        let kept = self.dice.random_range(0..=self.inbox.len());
        let lost: Vec<Ask> = self.inbox.drain(kept..).filter_map(|item| item.ask).collect();
        self.unanswered.extend(lost);
        self.inbox.push_back(Item::event(Inbound::LinkDown));
    }

    pub fn link_up(&mut self) {
        self.note("link up".into());
        self.link = true;
        self.inbox.push_back(Item::event(Inbound::LinkUp));
        self.inbox.extend(self.hosts.greet());
    }

    fn jump(&mut self) {
        let ms = *[10_000, 70_000, 3_600_000, 26 * 3_600_000, 40 * 86_400_000].choose(&mut self.dice).unwrap();
        let back = self.dice.random_bool(0.3);
        self.clock = if back { self.clock.saturating_sub(ms) } else { self.clock + ms };
        self.note(format!("the clock jumps {ms} ms {}", if back { "back" } else { "on" }));
    }

    fn restart(&mut self, why: &str) {
        self.note(format!("restart: {why}"));
        let lost: Vec<Ask> = self.inbox.drain(..).filter_map(|item| item.ask).collect();
        self.unanswered.extend(lost);
        self.unanswered.extend(self.archive.drain(..).map(|(_, ask, _)| ask));
        self.engine = start(&self.settings, &self.store, &mut self.dice);
        self.book = AddressBook::default();
        self.model.now = 0;
        self.routes.restart();
        self.life += 1;
        self.link_up();
    }

    fn learn(&mut self) {
        checks::memory_is_store(&self.engine, &self.store);
        checks::learn(&mut self.model, &self.store, &mut self.ids);
        if self.step % 50 == 0 {
            checks::forget_compared(&mut self.model);
            checks::memberships_agree(&self.model, &self.store);
        }
    }

    /// Takes a batch, and checks everything that it leads to.
    fn turn(&mut self, size: usize, trouble: Option<Failure>) {
        let size = size.min(self.inbox.len());
        let batch: Vec<Item> = self.inbox.drain(..size).collect();
        let inbound: Vec<Inbound> = batch.iter().map(|item| item.inbound.clone()).collect();
        let needs = self.engine.needs(&inbound);
        let channels = self.store.load(&needs.channels).unwrap();
        let memberships = needs.accounts.into_iter().map(|account| {
            let of = self.store.channels_of(&account).unwrap();
            (account, of)
        });
        let memberships = memberships.collect();
        self.engine.adopt(Loaded { channels: needs.channels.into_iter().zip(channels).collect(), memberships });
        let before = self.model.clone();
        self.model.now = self.model.now.max(self.clock);
        self.routes.begin();
        let (mut owed, mut events): (Owed, Vec<Event>) = Default::default();
        for item in batch {
            self.take_note(&item.note);
            let Some(ask) = item.ask else { continue };
            let (expect, shown) = self.model.take(&ask, &mut self.routes);
            self.note(format!("{:?} by {} as {} -> {expect:?}", ask.op, ask.from(), ask.id));
            owed.push((ask, expect));
            events.extend(shown);
        }
        let now = Stamp(self.clock);
        let turn = self.engine.turn(now, inbound);
        self.store.fail_next_commits(usize::from(trouble.is_some()), trouble.unwrap_or(Failure::Refused));
        match self.store.commit(now, &turn.records) {
            Ok(()) => {
                self.routes.save();
                self.finish(turn, owed, &events);
            }
            Err(CommitError::Refused(_)) => {
                self.note("the store refuses".into());
                self.model = Model { now: self.model.now, ..before };
                let out = self.engine.abandon(turn);
                self.learn();
                self.check_refused(out, owed);
            }
            Err(CommitError::Unknown(_)) => {
                let kept = trouble == Some(Failure::UnknownKept);
                if kept {
                    self.routes.save();
                } else {
                    self.model = before;
                }
                self.unanswered.extend(owed.into_iter().map(|(ask, _)| ask));
                self.restart(if kept { "unknown, kept" } else { "unknown, lost" });
                self.learn();
            }
        }
    }

    fn take_note(&mut self, note: &Note) {
        let split = |full: &str| {
            let (account, resource) = full.split_once('/').unwrap_or((full, ""));
            (account.to_owned(), resource.to_owned())
        };
        match note {
            Note::Nothing => {}
            Note::Online(full) => {
                let (account, resource) = split(full);
                self.routes.heard(&account, &resource);
            }
            Note::Offline(full) => {
                let (account, resource) = split(full);
                self.routes.gone(&account, &resource);
            }
            Note::Bounce { from, channel } if !from.contains('/') => {
                let room = self.model.rooms.get(channel);
                if room.is_some_and(|room| room.seat(from).is_some()) {
                    self.routes.bounced_at_bare(from);
                }
            }
            Note::Bounce { from, .. } => {
                let (account, resource) = split(from);
                self.routes.gone(&account, &resource);
            }
            Note::Told { full, takes, asked, life } => {
                let in_time = *life == self.life && self.model.now.saturating_sub(*asked) <= 60_000;
                let (account, resource) = split(full);
                self.routes.told(&account, &resource, *takes && in_time);
            }
        }
    }

    /// After a commit: what goes out is checked, and reaches the host servers.
    fn finish(&mut self, turn: Turn, owed: Owed, events: &[Event]) {
        self.learn();
        let (mut direct, mut asked): (Owed, Owed) = Default::default();
        for (ask, expect) in owed {
            let of_archive = matches!(expect, Expect::Page(_) | Expect::Bounds(_) | Expect::Repeat(_));
            if of_archive { asked.push((ask, expect)) } else { direct.push((ask, expect)) }
        }
        let link = self.link;
        let stanzas = self.send(turn.outbox);
        if !link {
            self.unanswered.extend(direct.into_iter().chain(asked).map(|(ask, _)| ask));
            return;
        }
        let mut got: BTreeMap<String, Vec<wire::Seen>> = BTreeMap::new();
        for stanza in &stanzas {
            if self.take_answer(stanza, &mut direct) || is_question(stanza) {
                continue;
            }
            let seen = wire::see(stanza);
            self.check_id(&seen);
            got.entry(stanza.attr("to").unwrap_or_default().to_owned()).or_default().push(seen);
        }
        let left: Vec<_> = direct.iter().filter(|(_, expect)| !matches!(expect, Expect::Silence)).collect();
        assert!(left.is_empty(), "nobody answers {left:?}");
        wire::check_delivery(events, &got, &self.routes, &self.ids);
        for query in turn.queries {
            let key = (query.reply.to.to_string(), query.reply.id.clone().unwrap_or_default());
            let place = asked.iter().position(|(ask, _)| ask.key() == key);
            let Some(n) = place else { panic!("a query that nobody made: {query:?}") };
            let (ask, expect) = asked.remove(n);
            self.archive.push_back((query, ask, expect));
        }
        assert!(asked.is_empty(), "no query for {asked:?}");
        self.reach_hosts(&stanzas);
    }

    fn check_refused(&mut self, out: Vec<Out>, mut owed: Owed) {
        for (ask, expect) in &mut owed {
            let silent = matches!(&ask.op, Op::Garbage { conditions, .. } if conditions.is_empty());
            match expect {
                _ if silent => {}
                Expect::Error(conditions) if matches!(ask.op, Op::Garbage { .. }) => {
                    conditions.push("internal-server-error")
                }
                _ => *expect = Expect::Error(vec!["internal-server-error"]),
            }
        }
        let link = self.link;
        let stanzas = self.send(out);
        self.unanswered.extend(owed.iter().map(|(ask, _)| ask.clone()));
        if !link {
            return;
        }
        for stanza in &stanzas {
            assert!(
                self.take_answer(stanza, &mut owed) || is_question(stanza),
                "a refused turn leaves a trace: {stanza:?}"
            );
        }
        let left: Vec<_> = owed.iter().filter(|(_, expect)| !matches!(expect, Expect::Silence)).collect();
        assert!(left.is_empty(), "nobody hears of the refusal: {left:?}");
        self.reach_hosts(&stanzas);
    }

    /// The address book learns, and the rest is read back as it crosses the link.
    fn send(&mut self, out: Vec<Out>) -> Vec<Element> {
        let mut text = String::new();
        for out in out {
            match out {
                Out::Book(delta) => self.book.apply(delta),
                Out::Stanza(stanza) => text.push_str(&stanza),
                Out::Fan(fan) => {
                    let (mut cursor, size) =
                        (Default::default(), *[1, 2000, usize::MAX].choose(&mut self.dice).unwrap());
                    loop {
                        let mut block = Vec::new();
                        let done = self.book.write(&fan, &mut cursor, size, &mut block);
                        text.push_str(std::str::from_utf8(&block).unwrap());
                        if done {
                            break;
                        }
                    }
                }
            }
        }
        for byte in text.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.link { wire::read(&text) } else { Vec::new() }
    }

    /// Whether a stanza is an answer; it is then owed, and right.
    fn take_answer(&self, stanza: &Element, owed: &mut Owed) -> bool {
        if !matches!(stanza.attr("type"), Some("result" | "error")) {
            return false;
        }
        let text = |name| stanza.attr(name).unwrap_or_default().to_owned();
        let key = (text("to"), text("id"));
        let place = owed.iter().position(|(ask, expect)| ask.key() == key && !matches!(expect, Expect::Silence));
        let Some(n) = place else { panic!("an answer that nobody is owed: {stanza:?}, but {owed:?}") };
        let (ask, expect) = owed.remove(n);
        wire::check_answer(&ask, &expect, stanza);
        true
    }

    /// A row is in the archive before anybody gets it, with the same content, under an id of its own.
    fn check_id(&mut self, seen: &wire::Seen) {
        let wire::Seen::Row { channel, token, id, stanza } = seen else { return };
        let meaning = self.rows.entry(id.clone()).or_insert_with(|| (channel.clone(), token.clone()));
        assert_eq!(*meaning, (channel.clone(), token.clone()), "one id for two rows");
        let Some(room) = self.model.rooms.get(channel) else { return };
        let Some(n) = room.rows.iter().rposition(|row| row.token == *token) else { return };
        let tag = room.tag.unwrap_or_default();
        if room.rows.iter().filter(|row| row.token == *token).count() > 1 || self.sealer.open(tag, id).is_none() {
            return;
        }
        wire::check_row(stanza, n as u64 + 1, &room.rows[n], tag, &self.sealer);
    }

    fn reach_hosts(&mut self, stanzas: &[Element]) {
        for stanza in stanzas {
            match self.hosts.deliver(stanza, self.model.now, self.life, &mut self.dice) {
                Ok(items) => self.inbox.extend(items),
                Err(problem) => panic!("{problem}"),
            }
        }
    }

    /// The archive answers some of what waits for it.
    fn answer_from_archive(&mut self) {
        for _ in 0..self.dice.random_range(0..=self.archive.len()) {
            let Some((query, ask, expect)) = self.archive.pop_front() else { return };
            self.answer_query(&query, &ask, &expect);
        }
    }

    fn answer_query(&mut self, query: &Query, ask: &Ask, expect: &Expect) -> [Option<String>; 2] {
        let stanzas = wire::read(&answer::answer(query, &self.store).concat());
        let channel = query.channel.split('@').next().unwrap_or_default();
        let room = self.model.rooms.get(channel).filter(|room| room.tag == Some(query.tag));
        let Some(room) = room else {
            // The archive went with its channel; only the form of the answer is owed.
            let ends = stanzas.iter().filter(|stanza| stanza.name() == "iq").count();
            assert_eq!(ends, usize::from(!matches!(expect, Expect::Repeat(_))), "{ask:?} gets {stanzas:?}");
            return [None, None];
        };
        match expect {
            Expect::Page(page) => return wire::check_page(ask, page, query.tag, &self.sealer, &stanzas),
            Expect::Bounds(ends) => {
                let [answer] = &stanzas[..] else { panic!("not one answer to {ask:?}") };
                let bounds: Vec<_> =
                    answer.children().flat_map(Element::children).filter_map(|end| end.attr("id")).collect();
                let owed = ends.map(|(first, last)| [first, last].map(|row| self.sealer.seal(query.tag, row)));
                assert_eq!(bounds, owed.iter().flatten().collect::<Vec<_>>(), "{ask:?}");
            }
            Expect::Repeat(row) => {
                let [again] = &stanzas[..] else { panic!("not one reflection for {ask:?}: {stanzas:?}") };
                assert_eq!(again.attr("to"), Some(&*ask.from()));
                wire::check_row(again, *row, &room.rows[*row as usize - 1], query.tag, &self.sealer);
            }
            _ => panic!("{ask:?} is owed {expect:?}"),
        }
        [None, None]
    }

    /// Pages through a whole archive: the pages make up the archive, whatever their size and direction.
    fn walk(&mut self) {
        if !self.link {
            return;
        }
        let rooms: Vec<String> =
            self.model.rooms.iter().filter(|(_, room)| room.tag.is_some()).map(|(name, _)| name.clone()).collect();
        let Some(channel) = rooms.choose(&mut self.dice).cloned() else { return };
        while !self.inbox.is_empty() {
            self.turn(8, None);
        }
        while let Some((query, ask, expect)) = self.archive.pop_front() {
            self.answer_query(&query, &ask, &expect);
        }
        let Some(room) = self.model.rooms.get(&channel) else { return };
        let (rows, tag) = (room.rows.len() as u64, room.tag.unwrap_or_default());
        let (backward, max) = (self.dice.random_bool(0.5), self.dice.random_range(1..9));
        let mut found: Vec<u64> = Vec::new();
        let mut anchor: Option<String> = None;
        loop {
            let name = anchor.clone().map(|id| RowName { row: self.sealer.open(tag, &id).map(|row| (tag, row)), id });
            let paging = match backward {
                true => Paging { max: Some(max), before: Some(name), ..Paging::default() },
                false => Paging { max: Some(max), after: name, ..Paging::default() },
            };
            let (page, ends) = self.read_page(&channel, paging);
            let complete = page.complete;
            if backward {
                found.splice(0..0, page.rows)
            } else {
                found.splice(found.len().., page.rows)
            };
            anchor = if backward { ends[0].clone() } else { ends[1].clone() };
            if complete {
                break;
            }
        }
        assert_eq!(found, (1..=rows).collect::<Vec<_>>(), "the pages of {channel} are not its archive");
    }

    fn read_page(&mut self, channel: &str, paging: Paging) -> (Page, [Option<String>; 2]) {
        self.serial += 1;
        let op = Op::History { channel: channel.to_owned(), paging };
        let (account, id) = (OPERATOR.to_owned(), format!("q{}", self.serial));
        let ask = Ask { account, resource: Some("walk".into()), id, wrapped: false, op };
        self.inbox.push_front(Item::asking(ask));
        self.turn(1, None);
        let Some((query, ask, expect)) = self.archive.pop_back() else { panic!("no query") };
        let ends = self.answer_query(&query, &ask, &expect);
        let Expect::Page(page) = expect else { panic!("no page is owed to the operator: {expect:?}") };
        (*page, ends)
    }

    /// The end of a run: the link breaks once more and comes back, everybody answers, and everybody is reached.
    pub fn recover(&mut self) {
        if !self.link {
            self.link_up();
        }
        // Whoever is asked and does not answer is asked again on the next link.
        let accounts = ACCOUNTS.iter().filter(|account| domain_of(account) == DELEGATING);
        for (n, account) in accounts.enumerate() {
            let client = Client { capable: true, ..Client::default() };
            self.hosts.users.get_mut(*account).unwrap().online.insert(RESOURCES[0].into(), client);
            self.inbox.extend(self.hosts.presence(account, RESOURCES[0], true));
            let size = self.inbox.len();
            self.turn(size, (n == 0).then_some(Failure::Refused));
        }
        self.link_down();
        self.drain();
        self.clock = self.clock.max(self.model.now);
        for user in self.hosts.users.values_mut() {
            user.online.clear();
            let client = Client { capable: true, answers: true, ..Client::default() };
            user.online.insert(RESOURCES[0].into(), client);
        }
        self.link_up();
        self.drain();
        let channels: Vec<String> = self.model.rooms.keys().cloned().collect();
        for channel in channels {
            self.serial += 1;
            let nick = None;
            let op = Op::Join { channel: channel.clone(), nick, nodes: 1 };
            let sender = self.model.rooms[&channel].seats.iter().find(|(_, seat)| seat.joined);
            let Some((account, _)) = sender.filter(|(account, _)| domain_of(account) == DELEGATING) else { continue };
            let account = account.clone();
            let (resource, id) = (Some(RESOURCES[0].to_owned()), format!("q{}", self.serial));
            let ask = Ask { account, resource, id, wrapped: false, op };
            self.inbox.push_back(Item::asking(ask.clone()));
            self.drain();
            let (token, said) = (format!("last-{channel}"), super::asks::Said::Body);
            let op = Op::Say { channel: channel.clone(), token, origin: None, said };
            self.inbox.push_back(Item::asking(Ask { op, id: format!("{}-said", ask.id), ..ask }));
            self.drain();
            self.all_reached(&channel);
        }
    }

    fn drain(&mut self) {
        while !self.inbox.is_empty() {
            self.turn(8, None);
        }
    }

    /// Whoever subscribes and lives where presence is told got the newest row.
    fn all_reached(&mut self, channel: &str) {
        let room = &self.model.rooms[channel];
        let id = self.sealer.seal(room.tag.unwrap_or_default(), room.rows.len() as u64);
        let there = room
            .seats
            .iter()
            .filter(|(account, seat)| seat.joined && seat.nodes & 1 != 0 && domain_of(account) == DELEGATING);
        for (account, _) in there {
            let got = self.hosts.users[account].online[RESOURCES[0]].seen.contains(&id);
            assert!(got, "{account} was not found again after the link came back, and misses a message of {channel}");
        }
    }
}

fn is_question(stanza: &Element) -> bool {
    stanza.name() == "iq"
        && matches!(stanza.attr("type"), Some("get" | "set"))
        && (stanza.has_child("query", ns::DISCO_INFO) || stanza.has_child("query", ns::ROSTER))
}

fn start(settings: &Settings, store: &MemoryStore, dice: &mut StdRng) -> Engine {
    let (directory, whereabouts) = (store.directory().unwrap(), store.whereabouts().unwrap());
    Engine::new(settings.clone(), KEY, dice.random(), directory, whereabouts)
}
