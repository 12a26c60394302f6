//! Seeded runs of groups: commands by calls, markers and history by stanzas, with restarts, evictions and refused
//! commits; after each step answers, roles, unread rows, lists, reports and pages are those of the naive model.

use super::group_model::{Group, Kind, Person, Status, Verdict};
use super::{setting, wire};
use jid::BareJid;
use minidom::Element;
use mixd::channel::Stamp;
use mixd::channel::command::Slice;
use mixd::channel::group::{GroupCommand, Invitee};
use mixd::channel::{Actor, Answer, ChannelName, Command, GroupAnswer, GroupWish, History, Limits, MediaKind};
use mixd::channel::{Membership, Message, Progress, Refusal, Standing, Status as Told};
use mixd::engine::{AddressBook, Addressee, Call, CallResult, Engine, Inbound, Out, Query, Settings};
use mixd::runtime::answer;
use mixd::runtime::callers::complete;
use mixd::runtime::load::load_all;
use mixd::store::{CommitError, Failure, MemoryStore, Store};
use mixd::xep::Sealer;
use mixd::xmpp::Stanza;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;

const KEY: [u8; 16] = [9; 16];
const PEOPLE: [&str; 6] = ["ann", "bob", "cat", "dan", "eve", "fay"];
const NAMES: [&str; 3] = ["lake", "hill", "moor"];
const PEOPLE_MAX: usize = 5;
const NOWHERE: &str = "nowhere";

struct World {
    seed: u64,
    step: u64,
    dice: StdRng,
    settings: Settings,
    engine: Engine,
    store: MemoryStore,
    book: AddressBook,
    sealer: Sealer,
    groups: BTreeMap<String, Group>,
    now: u64,
    token: u64,
    /// Rows that reached somebody.
    delivered: u64,
    /// What the last turn sent.
    sent: Vec<Element>,
    /// Whether the store refused the last turn.
    refused: bool,
    trace: Vec<String>,
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

fn jid(who: &str) -> BareJid {
    BareJid::new(&format!("{who}@far.example")).unwrap()
}

fn start(settings: &Settings, store: &MemoryStore, dice: &mut StdRng) -> Engine {
    Engine::new(settings.clone(), KEY, dice.random(), store.directory().unwrap(), store.whereabouts().unwrap())
}

fn say(text: &str, media: bool) -> Message {
    let media = media.then_some(MediaKind::Image);
    let payload = format!("<body>{text}</body>");
    Message { archived: true, echoed: true, counted: true, media, payload, ..Message::default() }
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut limits = Limits::default();
        limits.groups.participants_max = PEOPLE_MAX;
        let settings = Settings {
            domain: jid::DomainPart::new("mix.example").unwrap().into_owned(),
            name: "mix".into(),
            operators: Vec::new(),
            creators: vec!["far.example".into()],
            page_default: 1000,
            page_max: 1000,
            channels_memory_bytes_max: *[0, 3000, 1 << 30].choose(&mut dice).unwrap(),
            pam: Default::default(),
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
            store,
            book,
            sealer,
            groups: BTreeMap::new(),
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
    fn turn(&mut self, inbound: Inbound, refused: bool) -> (Option<Result<CallResult, Refusal>>, Vec<Query>) {
        self.refused = false;
        let batch = vec![inbound];
        load_all(&mut self.engine, &self.store, &batch).unwrap();
        let mut turn = self.engine.turn(Stamp(self.now), batch);
        self.store.fail_next_commits(usize::from(refused), Failure::Refused);
        match self.store.commit(Stamp(self.now), &turn.records) {
            Ok(()) => {
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
                self.write(out);
                self.refused = true;
                (result, Vec::new())
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn write(&mut self, out: Vec<Out>) {
        let mut block = Vec::new();
        out.into_iter().for_each(|out| self.book.pass(out, &mut block));
        self.sent = wire::read(std::str::from_utf8(&block).unwrap());
    }

    fn call(&mut self, who: &str, to: Addressee, command: Command, refused: bool) -> Result<CallResult, Refusal> {
        self.token += 1;
        let actor = Actor { account: jid(who), operator: false };
        let call = Call { token: self.token, actor, to, command };
        let (result, _) = self.turn(Inbound::Call(Box::new(call)), refused);
        result.unwrap()
    }

    fn stanza(&mut self, xml: &str) -> Vec<Query> {
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
        let made = self.call(who, Addressee::Service, Command::CreateGroup(wish), false).unwrap();
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
        };
        group.seat(who, Status::Joined, self.now);
        let status = if invites { Status::Waiting } else { Status::Joined };
        others.iter().for_each(|other| group.seat(other, status, self.now));
        group.row(who, Kind::Event, None);
        self.groups.insert(name.into(), group);
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
                let join = Command::Join { nick: None, subscribe: Default::default() };
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
        if told.is_ok() {
            self.groups.insert(name.into(), after);
        }
        self.check_sent(name);
    }

    fn destroy(&mut self, name: &str, who: &str) {
        let to = Addressee::Channel(ChannelName::new(name).unwrap());
        let told = self.call(who, to, Command::Destroy { name: ChannelName::new(name).unwrap() }, false);
        self.trace.push(format!("{who} destroys {name}: {told:?}"));
        assert_eq!(told.is_ok(), self.groups[name].owner.as_deref() == Some(who));
        if told.is_ok() {
            self.groups.remove(name);
        }
    }

    /// A day after the last one left, the group is gone, and so are all others that nobody is in.
    fn desert(&mut self, name: &str) {
        self.trace.push(format!("nobody comes back to {name}"));
        self.now += 25 * 3600 * 1000;
        (0..3).for_each(|_| drop(self.turn(Inbound::Tick, false)));
        self.groups.retain(|_, group| !group.joined().is_empty());
        let listed: Vec<String> =
            self.store.directory().unwrap().into_iter().map(|listing| listing.name.as_str().to_owned()).collect();
        let kept: Vec<&String> = self.groups.keys().collect();
        let mut listed: Vec<&String> = listed.iter().collect();
        listed.sort();
        assert_eq!(listed, kept);
    }

    /// No row reaches anybody but those who were in when it came.
    fn check_sent(&mut self, name: &str) {
        let group = &self.groups[name];
        for stanza in self.sent.iter().filter(|stanza| stanza.attr("type") == Some("groupchat")) {
            let sealed = stanza.children().find(|child| child.name() == "stanza-id").and_then(|id| id.attr("id"));
            let Some(row) = sealed.and_then(|id| self.sealer.open(group.tag, id)) else { continue };
            let to = stanza.attr("to").unwrap().split('@').next().unwrap();
            assert!(group.rows[row as usize - 1].audience.contains(to), "{to} gets row {row} of {name}");
            self.delivered += 1;
        }
    }

    /// The channel is what the model says, in memory or loaded anew.
    fn check(&mut self, name: &str) {
        let Some(group) = self.groups.get(name).cloned() else { return };
        let Some(who) =
            group.people.keys().find(|who| matches!(group.status(who), Some(Status::Joined | Status::Waiting)))
        else {
            return;
        };
        let to = || Addressee::Channel(ChannelName::new(name).unwrap());
        let told = self.call(who, to(), Command::Group(GroupCommand::ReadProfile), false).unwrap();
        let shown = told.group.unwrap();
        assert_eq!((shown.subject.as_deref(), shown.head.row), (Some(&*group.subject), group.rows.len() as u64));
        assert_eq!(shown.owner, group.owner.as_deref().map(jid));
        assert_eq!(shown.people.len(), group.people.len());
        for person in &shown.people {
            let who = person.jid.node().unwrap().to_string();
            let Person { status, since, .. } = group.people[&who];
            assert_eq!(
                (told_status(status), standing(&group, &who), since),
                (person.status, person.standing, person.since.0)
            );
        }
        let Some(who) = group.joined().into_iter().next() else { return };
        let seen: Vec<u64> = (1..=group.rows.len() as u64).filter(|row| group.sees(&who, *row)).collect();
        let Some(&row) = seen.choose(&mut self.dice) else { return };
        let info = self.call(&who, to(), Command::Group(GroupCommand::ReadMessageInfo { row }), false);
        if !matches!(group.rows[row as usize - 1].kind, Kind::Message | Kind::Media) {
            return assert_eq!(info, Err(Refusal::NoSuchItem));
        }
        check_info(&group, row, &info.unwrap());
    }

    /// What somebody is shown of the archive, by stanzas.
    fn check_pages(&mut self, name: &str, who: &str) {
        let (media, max) = (self.dice.random_bool(0.4), self.dice.random_range(1..9));
        let filter = "<field var='{urn:mixd:group:1}media'><value>image</value></field>";
        let queries = self.stanza(&format!(
            "<iq type='set' from='{who}@far.example/desk' to='{name}@mix.example' id='h'><query xmlns='urn:xmpp:mam:2'>\
             <x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>{}</x>\
             <set xmlns='http://jabber.org/protocol/rsm'><max>{max}</max><before/></set></query></iq>",
            if media { filter } else { "" }
        ));
        let group = self.groups.get(name);
        let may = group.is_some_and(|group| matches!(group.status(who), Some(Status::Joined | Status::Left)));
        assert_eq!(queries.len(), usize::from(may), "{who} reads {name}");
        let (Some(group), Some(query)) = (group, queries.first()) else { return };
        let stanzas = wire::read(&answer::answer(query, &self.store).concat());
        let ids = stanzas.iter().flat_map(Element::children).filter(|child| child.name() == "result");
        let rows: Vec<u64> = ids.filter_map(|result| self.sealer.open(group.tag, result.attr("id")?)).collect();
        let mut owed = group.shown(who, media);
        owed.drain(..owed.len().saturating_sub(max));
        if media {
            // Files come newest first (groups.md §1 rule 10).
            owed.reverse();
        }
        assert_eq!(rows, owed, "{who} reads {name}, media: {media}, at most {max}");
    }

    /// The list of somebody's groups, or of those in common with another.
    fn check_list(&mut self, who: &str) {
        let with = self.dice.random_bool(0.4).then(|| *PEOPLE.choose(&mut self.dice).unwrap());
        let command = Command::ListGroups { with: with.map(jid), slice: Slice::default() };
        let Answer::Groups(page) = self.call(who, Addressee::Service, command, false).unwrap().answer else { panic!() };
        let is_in = |group: &Group, who: &str| matches!(group.status(who), Some(Status::Joined | Status::Waiting));
        let fits = |group: &&Group| match with {
            Some(with) => is_in(group, who) && is_in(group, with),
            None => group.status(who).is_some(),
        };
        let owed = self.groups.values().filter(fits).map(|group| {
            (group.name.clone(), told_status(group.people[who].status), standing(group, who), group.unread(who))
        });
        let got = page
            .entries
            .iter()
            .map(|line| (line.group.name.as_str().to_owned(), line.status, line.standing, line.unread));
        assert_eq!(got.collect::<Vec<_>>(), owed.collect::<Vec<_>>(), "the groups of {who} with {with:?}");
    }
}

fn told_status(status: Status) -> Told {
    match status {
        Status::Joined => Told::Joined,
        Status::Waiting => Told::Waiting,
        Status::Left => Told::Left,
    }
}

fn standing(group: &Group, who: &str) -> Standing {
    match group.owner.as_deref() == Some(who) {
        true => Standing::Owner,
        false if group.is_admin(who) => Standing::Admin,
        false => Standing::Member,
    }
}

fn check_info(group: &Group, row: u64, info: &CallResult) {
    let owed = group.recipients(row);
    let Answer::Group(GroupAnswer::MessageInfo { aggregate, .. }) = &info.answer else { panic!("{info:?}") };
    let count = |read: bool| {
        let reached = |who: &&String| {
            let person = &group.people[*who];
            if read { person.read.contains_key(&row) } else { person.delivered.contains_key(&row) }
        };
        owed.iter().filter(reached).count()
    };
    assert_eq!((aggregate.recipients, aggregate.delivered, aggregate.read), (owed.len(), count(false), count(true)));
    let still: Vec<&Person> =
        owed.iter().map(|who| &group.people[who]).filter(|person| person.status == Status::Joined).collect();
    let all =
        |by: fn(&Person) -> &BTreeMap<u64, u64>| !still.is_empty() && still.iter().all(|p| by(p).contains_key(&row));
    let least = match (all(|person| &person.delivered), all(|person| &person.read)) {
        (_, true) => Some(Progress::Read),
        (true, false) => Some(Progress::Delivered),
        _ => None,
    };
    assert_eq!(aggregate.all, least);
    assert_eq!(info.recipients.len(), owed.len());
    for recipient in &info.recipients {
        let person = &group.people[&recipient.jid.node().unwrap().to_string()];
        let at = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.0);
        let owed = (person.delivered.get(&row).copied(), person.read.get(&row).copied());
        assert_eq!((at(recipient.delivered), at(recipient.read)), owed, "{} and row {row}", recipient.jid);
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
