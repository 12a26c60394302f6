//! Seeded runs of groups: commands by calls, markers and history by stanzas, with restarts, evictions and refused
//! commits; after each step answers, roles, unread rows, lists, reports and pages are those of the naive model.

use super::group_model::{Group, Kind, Status, Verdict};
use super::model::HELD_MS;
use super::{checks, setting, wire};
use jid::BareJid;
use minidom::Element;
use mixd::channel::Stamp;
use mixd::channel::group::{GroupCommand, Invitee};
use mixd::channel::{
    Actor, AnyCommand, ChannelName, Command, GroupWish, History, Limits, MediaKind, Rates, ServiceCommand,
};
use mixd::channel::{Membership, Message, Progress, Refusal};
use mixd::engine::channels::parking::Candidate;
use mixd::engine::{
    AddressBook, Addressee, Arrival, Call, CallResult, Engine, Inbound, Out, Pam, Parking, Query, ServiceSettings,
};
use mixd::runtime::callers::complete;
use mixd::runtime::load::{fetch, prepare};
use mixd::store::{CommitError, Failure, MemoryStore, Store};
use mixd::xep::Sealer;
use mixd::xmpp::Stanza;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

const KEY: [u8; 16] = [9; 16];
pub const PEOPLE: [&str; 6] = ["ann", "bob", "cat", "dan", "eve", "fay"];
const NAMES: [&str; 3] = ["lake", "hill", "moor"];
const PEOPLE_MAX: usize = 5;
const NOWHERE: &str = "nowhere";

pub struct World {
    pub seed: u64,
    pub step: u64,
    pub dice: StdRng,
    pub settings: ServiceSettings,
    pub engine: Engine,
    /// What waits for channels that are not in memory.
    pub parking: Parking,
    pub store: MemoryStore,
    pub book: AddressBook,
    pub sealer: Sealer,
    pub groups: BTreeMap<String, Group>,
    /// Names of groups that are no more: whose they are, and until when.
    pub held: BTreeMap<String, (Option<String>, u64)>,
    /// The tag of the group that a number was given to.
    pub gids: BTreeMap<u32, u64>,
    pub now: u64,
    pub token: u64,
    /// Rows that reached somebody.
    pub delivered: u64,
    /// What the last turn sent.
    pub sent: Vec<Element>,
    /// Whether the store refused the last turn.
    pub refused: bool,
    pub trace: Vec<String>,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let from = self.trace.len().saturating_sub(120);
            self.trace[from..].iter().for_each(|line| eprintln!("{line}"));
            eprintln!(
                "--- SEED={} fails at step {} of groups; SEED={} RUNS=1 repeats it",
                self.seed, self.step, self.seed
            );
        }
    }
}

pub fn jid(who: &str) -> BareJid {
    BareJid::new(&format!("{who}@far.example")).unwrap()
}

fn start(settings: &ServiceSettings, store: &MemoryStore, dice: &mut StdRng) -> Engine {
    Engine::new(settings.clone(), KEY, dice.random(), store.directory().unwrap(), store.whereabouts().unwrap())
}

fn say(text: &str, media: bool) -> Message {
    let media = media.then_some(MediaKind::Image);
    let payload = format!("<body>{text}</body>");
    Message { archived: true, echoed: true, counted: true, media, payload, ..Message::default() }
}

/// The result of a call, and queries.
type Told = (Option<Result<CallResult, Refusal>>, Vec<Query>);

impl World {
    fn new(seed: u64) -> World {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut limits = Limits { rates: Rates::unlimited(), ..Limits::default() };
        limits.groups.participants_max = PEOPLE_MAX;
        limits.part_max = *[1, 2, 64].choose(&mut dice).unwrap();
        limits.former_silent_max = *[0, 1, 2, 1000].choose(&mut dice).unwrap();
        let settings = ServiceSettings {
            domain: jid::DomainPart::new("mix.example").unwrap().into_owned(),
            name: "mix".into(),
            operators: Vec::new(),
            creators: vec!["far.example".into()],
            page_default: 1000,
            page_max: 1000,
            channels_memory_bytes_max: *[0, 3000, 1 << 30].choose(&mut dice).unwrap(),
            // Everybody's home server does MIX-PAM, so that all are reached from the start, wherever they are added.
            pam: [("far.example".to_owned(), Pam::Standard)].into(),
            multicast: Default::default(),
            limits,
        };
        let store = MemoryStore::new(KEY);
        let engine = start(&settings, &store, &mut dice);
        let (book, sealer) = (AddressBook::default(), Sealer::new(KEY));
        let mut world = World {
            seed,
            step: 0,
            dice,
            settings,
            engine,
            parking: Parking::new(9, usize::MAX, Default::default()),
            store,
            book,
            sealer,
            groups: BTreeMap::new(),
            held: BTreeMap::new(),
            gids: BTreeMap::new(),
            now: 1_795_428_000_000,
            token: 0,
            delivered: 0,
            sent: Vec::new(),
            refused: false,
            trace: Vec::new(),
        };
        world.turn(Inbound::LinkUp, false);
        world
    }

    /// Takes one thing in; returns the result of a call, and queries.
    fn turn(&mut self, inbound: Inbound, refused: bool) -> Told {
        let (mut told, mut next) = self.turn_once(inbound, refused);
        // What the service goes on with by itself.
        let (refused, mut sent) = (self.refused, std::mem::take(&mut self.sent));
        while !next.is_empty() {
            let (later, more) = self.turn_once(next.remove(0), false);
            // What was done in parts is answered with the last of them.
            told.0 = told.0.or(later.0);
            next.extend(more);
            sent.append(&mut self.sent);
        }
        (self.refused, self.sent) = (refused, sent);
        told
    }

    fn turn_once(&mut self, inbound: Inbound, refused: bool) -> (Told, Vec<Inbound>) {
        self.refused = false;
        let batch = self.ready(inbound);
        let mut turn = self.engine.turn(Stamp(self.now), batch);
        self.store.fail_next_commits(usize::from(refused), Failure::Refused);
        let next = std::mem::take(&mut turn.next);
        let committed = self.store.commit(Stamp(self.now), &turn.records);
        checks::numbers_are_given_once(&self.store, &mut self.gids);
        let told = match committed {
            Ok(()) => {
                checks::memory_is_store(&self.engine, &self.store);
                self.store.fail_next_commits(0, Failure::Refused);
                let out = std::mem::take(&mut turn.outbox);
                let looked_up = turn.lookups.drain(..).map(|lookup| complete(lookup, &self.store));
                let result = turn.results.into_iter().chain(looked_up).next().map(|(_, result)| result);
                self.write(out);
                (result, turn.queries)
            }
            Err(CommitError::Refused(_)) => {
                let result = turn.refused().pop().map(|(_, result)| result);
                let out = self.engine.abandon(turn);
                checks::memory_is_store(&self.engine, &self.store);
                self.write(out);
                self.refused = true;
                (result, Vec::new())
            }
            Err(error) => panic!("{error}"),
        };
        (told, next)
    }

    /// Has it wait until all channels that it needs are in memory, whatever their number and the order in which they come.
    fn ready(&mut self, inbound: Inbound) -> Vec<Inbound> {
        let mut batch = vec![Candidate::from(inbound)];
        for _ in 0..9 {
            let (parted, read) = prepare(&mut self.engine, &mut self.parking, &self.store, batch);
            read.unwrap();
            assert!(parted.refused.is_empty(), "something is refused, and nothing else waits");
            if !parted.ready.is_empty() {
                return parted.ready.into_iter().map(|candidate| candidate.item).collect();
            }
            let mut loads = self.parking.wanted();
            self.engine.pin(self.parking.pins());
            loads.shuffle(&mut self.dice);
            for name in loads {
                // Turns go on meanwhile, and may put out of memory what came just before.
                let turn = self.engine.turn(Stamp(self.now), Vec::new());
                self.store.commit(Stamp(self.now), &turn.records).unwrap();
                self.write(turn.outbox);
                let channel = self.store.load(std::slice::from_ref(&name)).unwrap().remove(0);
                self.parking.arrive(Arrival::new(name, channel));
                while self.parking.is_moving() {
                    self.parking.advance(&mut self.engine, self.dice.random_range(1..4));
                }
            }
            for errand in self.parking.errands(&mut self.engine) {
                self.parking.bring(&mut self.engine, &errand, fetch(&self.store, &errand).unwrap());
                self.parking.advance(&mut self.engine, 1);
            }
            batch = self.parking.freed((1, usize::MAX));
        }
        panic!("it never gets all that it needs")
    }

    fn write(&mut self, out: Vec<Out>) {
        let mut block = Vec::new();
        out.into_iter().for_each(|out| self.book.pass(out, &mut block));
        self.sent = wire::read(std::str::from_utf8(&block).unwrap());
    }

    pub fn call(
        &mut self,
        who: &str,
        to: Addressee,
        command: impl Into<AnyCommand>,
        refused: bool,
    ) -> Result<CallResult, Refusal> {
        self.token += 1;
        let actor = Actor { account: jid(who), operator: false };
        let call = Call { token: self.token, actor, to, command: command.into() };
        let (result, _) = self.turn(Inbound::Call(Box::new(call)), refused);
        result.unwrap()
    }

    pub fn stanza(&mut self, xml: &str) -> Vec<Query> {
        let Ok(stanza) = Stanza::parse(xml.as_bytes()) else { panic!("{xml}") };
        self.turn(Inbound::Stanza(stanza), false).1
    }

    fn step(&mut self) {
        self.step += 1;
        self.now += self.dice.random_range(0..3000);
        if self.dice.random_bool(0.03) {
            self.trace.push("restart".into());
            self.engine = start(&self.settings, &self.store, &mut self.dice);
            self.book = AddressBook::default();
            self.turn(Inbound::LinkUp, false);
        }
        let name = *NAMES.choose(&mut self.dice).unwrap();
        let who = *PEOPLE.choose(&mut self.dice).unwrap();
        let joined: Vec<String> = self.groups.get(name).into_iter().flat_map(Group::joined).collect();
        // Most of it is asked by those who are in.
        let insider = joined.choose(&mut self.dice).filter(|_| !self.step.is_multiple_of(4)).cloned();
        let who = insider.as_deref().unwrap_or(who);
        if !self.groups.contains_key(name) {
            self.create(name, who);
        } else if joined.is_empty() && self.dice.random_bool(0.3) {
            self.desert(name);
        } else if self.dice.random_bool(0.1) {
            self.mark(name, who);
        } else {
            self.act(name, who);
        }
        self.check(name);
        let reader = *PEOPLE.choose(&mut self.dice).unwrap();
        self.check_pages(name, reader);
        self.check_list(reader);
    }

    fn create(&mut self, name: &str, who: &str) {
        let count = self.dice.random_range(0..4);
        let others: Vec<&str> = PEOPLE.choose_multiple(&mut self.dice, count).copied().filter(|p| *p != who).collect();
        let (invites, full) = (self.dice.random_bool(0.5), self.dice.random_bool(0.4));
        let wish = GroupWish {
            name: ChannelName::new(name),
            subject: name.into(),
            members: others.iter().map(|who| Invitee { jid: jid(who), nick: None }).collect(),
            membership: Some(if invites { Membership::Invite } else { Membership::Auto }),
            history: Some(if full { History::Full } else { History::Joined }),
            ..GroupWish::default()
        };
        self.trace.push(format!("{who} creates {name} with {others:?}, invites: {invites}, full: {full}"));
        let made = self.call(who, Addressee::Service, ServiceCommand::CreateGroup(wish), false);
        let holder = self.held.get(name).filter(|(_, until)| self.now < *until).map(|(owner, _)| owner.clone());
        if holder.is_some_and(|owner| owner.as_deref() != Some(who)) {
            return assert_eq!(made.unwrap_err(), Refusal::NameTaken, "{name} is somebody else's");
        }
        self.held.remove(name);
        let made = made.unwrap();
        let mut group = Group {
            name: name.into(),
            tag: made.group.unwrap().tag,
            invites,
            full,
            subject: name.into(),
            people: BTreeMap::new(),
            owner: Some(who.into()),
            admins: Default::default(),
            rows: Vec::new(),
            silent_max: self.settings.limits.former_silent_max,
        };
        group.seat(who, Status::Joined, self.now);
        let status = if invites { Status::Waiting } else { Status::Joined };
        others.iter().for_each(|other| group.seat(other, status, self.now));
        group.row(who, Kind::Event, None);
        self.groups.insert(name.into(), group);
        self.check_sent(name, 0);
    }

    /// A marker, which is a message and is answered only where it is refused.
    fn mark(&mut self, name: &str, who: &str) {
        let row = self.any_row(name);
        let group = self.groups.get_mut(name).unwrap();
        let verdict = group.report(who, row, true, false, self.now);
        let id = self.sealer.seal(group.tag, row);
        self.trace.push(format!("{who} marks {row} of {name}: {verdict:?}"));
        self.stanza(&format!(
            "<message type='groupchat' from='{who}@far.example/desk' to='{name}@mix.example' id='d'>\
             <displayed xmlns='urn:xmpp:chat-markers:0' id='{id}'/></message>"
        ));
        let refused = self.sent.iter().any(|stanza| stanza.attr("type") == Some("error"));
        assert_eq!(refused, verdict.is_err());
    }

    fn any_row(&mut self, name: &str) -> u64 {
        let rows = self.groups[name].rows.len() as u64;
        if self.dice.random_bool(0.5) {
            rows.saturating_sub(self.dice.random_range(0..4))
        } else {
            self.dice.random_range(0..rows + 3)
        }
    }

    fn act(&mut self, name: &str, who: &str) {
        let (now, row) = (self.now, self.any_row(name));
        let whom = *PEOPLE.choose(&mut self.dice).unwrap();
        let (coin, roll) = (self.dice.random_bool(0.5), self.dice.random_range(0..100));
        let mut after = self.groups[name].clone();
        let invitee = |who: &str| Invitee { jid: jid(who), nick: None };
        let group = Command::Group;
        let (command, verdict): (Command, Verdict) = match roll {
            0..25 => (Command::Publish(say(&format!("{}", self.step), coin)), after.say(who, coin)),
            25..33 => {
                let third = *PEOPLE.choose(&mut self.dice).unwrap();
                let add = vec![invitee(whom), invitee(third)];
                let edit = GroupCommand::EditMembers { add, remove: Vec::new() };
                (group(edit), after.add(who, &[whom, third], PEOPLE_MAX, now))
            }
            33..39 if who != whom => {
                let edit = GroupCommand::EditMembers { add: Vec::new(), remove: vec![jid(whom)] };
                (group(edit), after.remove(who, whom, now))
            }
            33..48 => {
                let join = Command::Join(Default::default());
                (join, after.join(who, now))
            }
            48..53 => (Command::Leave, after.leave(who, now)),
            53..55 => (group(GroupCommand::Forget), after.forget(who)),
            55..61 => {
                let (add, remove) = if coin { (vec![jid(whom)], vec![]) } else { (vec![], vec![jid(whom)]) };
                (group(GroupCommand::EditAdmins { add, remove }), after.promote(who, whom, coin))
            }
            61..64 => {
                let subject = format!("{name} {}", self.step % 3);
                (group(GroupCommand::SetSubject(subject.clone())), after.rename(who, &subject))
            }
            64..80 => {
                let (progress, exact) = (if coin { Progress::Read } else { Progress::Delivered }, roll % 2 == 0);
                (group(GroupCommand::Report { row, progress, exact }), after.report(who, row, coin, exact, now))
            }
            80..86 => (group(GroupCommand::Hide { rows: vec![row] }), after.hide(who, row)),
            86..89 => {
                let up_to = coin.then_some(row);
                (group(GroupCommand::Clear { up_to }), after.clear(who, up_to))
            }
            89..98 => (group(GroupCommand::Moderate { row, reason: None }), after.retract(who, row)),
            _ => return self.destroy(name, who),
        };
        let refused = self.dice.random_bool(0.05);
        self.trace.push(format!("{who} in {name}: {command:?}: {verdict:?}, refused: {refused}"));
        let to = Addressee::Channel(ChannelName::new(name).unwrap());
        let told = self.call(who, to, command.clone(), refused);
        if self.refused {
            assert_eq!(told, Err(Refusal::Internal));
            return assert!(self.sent.is_empty(), "a refused turn is told: {:?}", self.sent);
        }
        match (&told, verdict) {
            (Ok(_), Ok(())) => {}
            (Err(refusal), Err(owed)) => assert!(format!("{refusal:?}").starts_with(owed), "{refusal:?}, not {owed}"),
            _ => panic!("{told:?}, but {verdict:?} is owed"),
        }
        if self.groups[name].status(who).is_none() {
            let to = Addressee::Channel(ChannelName::new(NOWHERE).unwrap());
            let sent = std::mem::take(&mut self.sent);
            assert_eq!(self.call(who, to, command, false), told, "a stranger learns of {name}");
            self.sent = sent;
        }
        let before = self.groups[name].rows.len();
        if told.is_ok() {
            self.groups.insert(name.into(), after);
        }
        self.check_sent(name, before);
    }

    fn destroy(&mut self, name: &str, who: &str) {
        let to = Addressee::Channel(ChannelName::new(name).unwrap());
        let told = self.call(who, to, ServiceCommand::Destroy { name: ChannelName::new(name).unwrap() }, false);
        self.trace.push(format!("{who} destroys {name}: {told:?}"));
        assert_eq!(told.is_ok(), self.groups[name].owner.as_deref() == Some(who));
        if told.is_ok() {
            self.groups.remove(name);
            self.held.insert(name.into(), (Some(who.into()), self.now + HELD_MS));
        }
    }

    /// A day after the last one left, the group is gone, and so are all others that nobody is in.
    fn desert(&mut self, name: &str) {
        self.trace.push(format!("nobody comes back to {name}"));
        self.now += 25 * 3600 * 1000;
        (0..3).for_each(|_| drop(self.turn(Inbound::Tick, false)));
        let (ended, kept) = std::mem::take(&mut self.groups).into_iter().partition(|(_, it)| it.joined().is_empty());
        self.groups = kept;
        let ended: BTreeMap<String, Group> = ended;
        self.held.extend(ended.into_iter().map(|(name, group)| (name, (group.owner, self.now + HELD_MS))));
        let listings = self.store.directory().unwrap().listings;
        let listed: BTreeSet<&str> = listings.iter().map(|listing| listing.name.as_str()).collect();
        let kept: BTreeSet<&str> = self.groups.keys().map(String::as_str).collect();
        assert_eq!(listed, kept);
    }
}

#[test]
fn groups_are_what_a_naive_model_says() {
    let (first, runs) = (setting("SEED", 1), setting("RUNS", 15));
    let mut delivered = 0;
    for seed in first..first + runs {
        let mut world = World::new(seed);
        (0..setting("STEPS", 300)).for_each(|_| world.step());
        super::checks::store_is_whole(&world.store);
        delivered += world.delivered;
    }
    assert!(delivered > 0, "nobody got anything");
}
