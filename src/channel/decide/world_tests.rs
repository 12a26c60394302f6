//! A group for tests, with what a store would know of its rows, and a clock.

use crate::channel::command::HistoryQuery;
use crate::channel::group::{Facts, GroupWish, Invitee};
use crate::channel::*;
use crate::share::OwnDomains;
use jid::BareJid;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;

/// A group for tests.
pub struct World {
    pub channel: Channel,
    pub facts: BTreeMap<u64, Facts>,
    /// What a store keeps of records that were given up.
    pub past: BTreeMap<BareJid, Option<Member>>,
    pub limits: Limits,
    pub registry: Registry,
    pub dice: StdRng,
    pub now: Stamp,
    /// The members as a store keeps them.
    pub kept: BTreeMap<ParticipantId, Member>,
    /// The changes of the last decision.
    pub last: Vec<Change>,
    /// The changes of the last command, part by part.
    pub parts: Vec<Vec<Change>>,
}

pub fn jid(name: &str) -> BareJid {
    BareJid::new(&if name.contains('@') { name.to_owned() } else { format!("{name}@example.org") }).unwrap()
}

pub fn actor(name: &str) -> Actor {
    Actor { account: jid(name), operator: name == "root" }
}

pub fn people(names: &[&str]) -> Vec<Invitee> {
    names.iter().map(|name| Invitee { jid: jid(name), nick: None }).collect()
}

pub fn text(body: &str) -> Message {
    Message {
        archived: true,
        echoed: true,
        counted: true,
        origin_id: Some(format!("o-{body}")),
        payload: format!("<body>{body}</body>"),
        ..Message::default()
    }
}

impl World {
    /// A group of `ann` and these others.
    pub fn group(membership: Membership, others: &[&str]) -> World {
        World::wish(GroupWish { membership: Some(membership), ..wish(others) }, Limits::default()).unwrap()
    }

    pub fn wish(wish: GroupWish, limits: Limits) -> Result<World, Refusal> {
        let mut dice = StdRng::seed_from_u64(5);
        let now = Stamp(1_000_000);
        let facts = BTreeMap::new();
        let mut context = Context {
            live: LiveState::at(now),
            dice: &mut dice,
            limits: &limits,
            registry: &Registry::default(),
            own_domains: &OwnDomains::new(["example.org".to_owned()]),
            operators: &[],
            past: &Default::default(),
            facts: &facts,
            gist_of: &|_| None,
            id_of: &|_| None,
            rename,
        };
        let plan = group_create::plan(&wish, &actor("ann"), &mut context)?;
        let profile = Profile { tag: 1, created: now, creator: jid("ann"), gid: 1, listed: false };
        let info = Item { label: Some(plan.subject), ..Item::default() };
        let name = ChannelName::new("g").unwrap();
        let channel = Channel::create(name, profile, plan.settings, plan.rights, info);
        let mut world = World {
            channel,
            facts,
            past: BTreeMap::new(),
            limits,
            registry: Registry::default(),
            dice,
            now,
            kept: BTreeMap::new(),
            last: Vec::new(),
            parts: Vec::new(),
        };
        world.apply(plan.changes);
        Ok(world)
    }

    pub fn plain() -> World {
        let mut world = World::group(Membership::Auto, &[]);
        let profile = Profile { listed: true, ..world.channel.profile().clone() };
        let (settings, rights) = (world.limits.plain_settings(), world.channel.rights().clone());
        world.channel = Channel::create(world.channel.name().clone(), profile, settings, rights, Item::default());
        world.facts.clear();
        world.kept.clear();
        world
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in &changes {
            self.channel.apply(change);
            match change {
                Change::Published(row) => {
                    let facts = Facts { row: row.clone(), entombed: false };
                    self.facts.insert(row.number, facts);
                }
                Change::Entombed(tombstone) => {
                    let is_it = |row: &Row| row.number == tombstone.row || row.corrected() == Some(tombstone.row);
                    self.facts.values_mut().filter(|it| is_it(&it.row)).for_each(|it| it.entombed = true);
                }
                Change::Joined(member)
                | Change::Left(member)
                | Change::Renamed(member)
                | Change::Subscribed(member)
                | Change::Invited(member)
                | Change::Removed(member)
                | Change::Noted(member) => {
                    self.kept.insert(member.id.clone(), member.clone());
                }
                Change::Struck(member) => drop(self.kept.remove(&member.id)),
                Change::Faded(member) => {
                    self.kept.remove(&member.id);
                    let left = Member { windows: Vec::new(), ..member.clone() };
                    self.past.insert(member.jid.clone(), Some(left));
                }
                Change::Reported(report) => self.kept.get_mut(&report.member).unwrap().own.take(report),
                _ => {}
            }
        }
        self.channel.assert_tallies(|row| self.facts.get(&row).is_some_and(|it| it.row.kind == RowKind::Message));
        self.last = changes;
        self.assert_loads_the_same();
    }

    /// Asserts that a channel loaded from a store is the same.
    fn assert_loads_the_same(&self) {
        let from = self.channel.head().row.saturating_sub(dedup::REPEATS_MAX as u64);
        let newest: Vec<Row> = self.facts.range(from + 1..).map(|(_, facts)| facts.row.clone()).collect();
        let retracted = self.facts.iter().filter(|(_, facts)| facts.entombed).map(|(row, _)| *row);
        let (name, kept) = (self.channel.name().clone(), self.channel.kept().clone());
        let loaded = Channel::restore(name, kept, self.kept.values().cloned(), self.channel.head(), &newest, retracted);
        for member in self.channel.members() {
            assert_eq!(loaded.member_of(&member.id), Some(member));
        }
        assert!(loaded.tail == self.channel.tail && loaded.recent == self.channel.recent);
        assert_eq!((loaded.joined, loaded.waiting), (self.channel.joined, self.channel.waiting));
    }

    pub fn ask(&mut self, name: &str, command: Command) -> Result<Answer, Refusal> {
        self.parts.clear();
        loop {
            assert!(self.parts.len() < 100, "this ends never");
            if let Some(answer) = self.ask_once(name, command.clone())? {
                return Ok(answer);
            }
        }
    }

    /// Does the command, or a part of it. Returns the answer once it is done.
    fn ask_once(&mut self, name: &str, command: Command) -> Result<Option<Answer>, Refusal> {
        self.channel.note_time(self.now);
        let mut context = Context {
            live: LiveState::at(self.now),
            dice: &mut self.dice,
            limits: &self.limits,
            registry: &self.registry,
            own_domains: &OwnDomains::new(["example.org".to_owned()]),
            operators: &[jid("root")],
            past: &self.past,
            facts: &self.facts,
            gist_of: &|_| None,
            id_of: &|_| None,
            rename,
        };
        let decision = self.channel.decide(&actor(name), command, &mut context)?;
        self.parts.push(decision.changes.clone());
        self.apply(decision.changes);
        Ok((!decision.is_part).then_some(decision.answer))
    }

    pub fn group_ask(&mut self, name: &str, command: GroupCommand) -> Result<Answer, Refusal> {
        self.ask(name, Command::Group(command))
    }

    /// Sends a message. Returns the number of its row.
    pub fn say(&mut self, name: &str, body: &str) -> u64 {
        self.now.0 += 1;
        self.ask(name, Command::Publish(text(body))).unwrap();
        self.channel.head().row
    }

    pub fn add(&mut self, by: &str, names: &[&str]) -> Result<Answer, Refusal> {
        self.group_ask(by, GroupCommand::EditMembers { add: people(names), remove: Vec::new() })
    }

    pub fn remove(&mut self, by: &str, names: &[&str]) -> Result<Answer, Refusal> {
        let remove = names.iter().map(|name| jid(name)).collect();
        self.group_ask(by, GroupCommand::EditMembers { add: Vec::new(), remove })
    }

    pub fn promote(&mut self, by: &str, name: &str) -> Result<Answer, Refusal> {
        self.group_ask(by, GroupCommand::EditAdmins { add: vec![jid(name)], remove: Vec::new() })
    }

    pub fn join(&mut self, name: &str) -> Result<Answer, Refusal> {
        self.ask(name, Command::Join(Default::default()))
    }

    pub fn history(&mut self, name: &str, query: HistoryQuery) -> Result<HistoryQuery, Refusal> {
        match self.ask(name, Command::ReadHistory(query))? {
            Answer::History { query, .. } => Ok(query),
            other => panic!("{other:?}"),
        }
    }

    /// The rows that somebody sees.
    pub fn shown(&mut self, name: &str) -> Vec<u64> {
        let query = self.history(name, HistoryQuery { max: 100, ..HistoryQuery::default() }).unwrap();
        let within = |row: &u64| {
            let windows = query.windows.as_ref();
            windows.is_none_or(|windows| windows.iter().any(|&(first, last)| first <= *row && *row <= last))
        };
        (1..=self.channel.head().row).filter(within).filter(|row| !query.hidden.contains(row)).collect()
    }

    pub fn unread(&self, name: &str) -> u64 {
        self.channel.unread_of(self.channel.member(&jid(name)).unwrap())
    }

    pub fn status(&self, name: &str) -> Option<Status> {
        self.channel.member(&jid(name)).map(|member| member.status)
    }

    /// The events of the last decision: kind, whom, detail.
    pub fn events(&self) -> Vec<(EventKind, Option<String>, Option<String>)> {
        let rows = self.last.iter().filter_map(|change| match change {
            Change::Published(Row { kind: RowKind::Event(event), .. }) => Some(event),
            _ => None,
        });
        let name = |whom: &Named| whom.jid.node().unwrap().to_string();
        rows.map(|event| (event.kind, event.whom.as_ref().map(name), event.detail.clone())).collect()
    }
}

pub fn wish(others: &[&str]) -> GroupWish {
    GroupWish { subject: "Weekend".into(), members: people(others), ..GroupWish::default() }
}

fn rename(_: &Item, label: &str) -> String {
    format!("<name>{label}</name>")
}
