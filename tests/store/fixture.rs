//! Channels with people and rows as the engine makes them, kept in step with a store.

use jid::BareJid;
use mixd::channel::{
    Access, Actor, Change, Channel, ChannelName, Command, Context, Facts, Head, Item, Limits, LiveState, Message,
    NodeAccess, NodeSet, Profile, Rest, Rights, Row, RowKind, Settings, Stamp, Tombstone,
};
use mixd::store::{CommitError, PagePlan, Record, RowPage, Store, StoreCensus, VerifyEvent};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::collections::BTreeMap;

/// 2026-11-23T10:00:00Z.
pub const NOON: Stamp = Stamp(1_795_428_000_000);
pub const DAY_MS: u64 = 24 * 3600 * 1000;

pub fn jid(name: &str) -> BareJid {
    BareJid::new(&format!("{name}@host.example")).unwrap()
}

pub fn name(text: &str) -> ChannelName {
    ChannelName::new(text).unwrap()
}

/// One channel in memory, every row it ever got, and what is left of those that were retracted.
pub struct Room {
    pub channel: Channel,
    pub rows: Vec<Row>,
    pub tombstones: BTreeMap<u64, Tombstone>,
    pub now: Stamp,
    pub dice: StdRng,
    limits: Limits,
    /// What commands may name.
    facts: BTreeMap<u64, Facts>,
}

impl Room {
    /// A channel that the store does not know yet, and the record that makes it known.
    pub fn draft(text: &str, seed: u64) -> (Room, Record) {
        let mut dice = StdRng::seed_from_u64(seed);
        let profile =
            Profile { tag: dice.random(), created: NOON, creator: jid("owner"), gid: seed as u32, listed: true };
        let info =
            Item { id: "1".into(), payload: format!("<x>{seed}</x>"), label: Some(text.to_owned()), stamp: NOON };
        let (settings, rights) = (
            Settings {
                access: NodeAccess::of_guests(Access::Allowed, Access::Owners),
                ..Limits::default().plain_settings()
            },
            Rights { owners: vec![jid("owner")].into(), ..Rights::default() },
        );
        let channel = Channel::create(name(text), profile.clone(), settings.clone(), rights.clone(), info.clone());
        let room = Room {
            channel,
            rows: Vec::new(),
            tombstones: BTreeMap::new(),
            now: NOON,
            dice,
            limits: Limits::default(),
            facts: BTreeMap::new(),
        };
        let record = room.record(Change::Created { profile, settings, rights, info });
        (room, record)
    }

    /// A channel as a store has it, to go on with.
    pub fn resume(channel: Channel, seed: u64) -> Room {
        let dice = StdRng::seed_from_u64(seed);
        Room {
            channel,
            rows: Vec::new(),
            tombstones: BTreeMap::new(),
            now: NOON,
            dice,
            limits: Limits::default(),
            facts: BTreeMap::new(),
        }
    }

    pub fn create(store: &dyn Store, text: &str, seed: u64) -> Room {
        let (room, record) = Room::draft(text, seed);
        store.commit(room.now, &[record]).unwrap();
        room
    }

    pub fn tag(&self) -> u64 {
        self.channel.profile().tag
    }

    pub fn record(&self, change: Change) -> Record {
        Record::Channel { name: self.channel.name().clone(), tag: self.tag(), change }
    }

    /// The rows up to one are too old.
    pub fn expired(&self, base: Head) -> Change {
        let next = self.rows.iter().find(|row| row.number > base.row);
        Change::Expired { base, rest: next.map_or(Rest::Unknown, |row| Rest::From(row.stamp)) }
    }

    /// What a command changes, as records, made so in memory.
    pub fn decide(&mut self, account: &BareJid, command: Command) -> Vec<Record> {
        let actor = Actor { account: account.clone(), operator: false };
        let mut context = Context {
            live: LiveState::at(self.now),
            dice: &mut self.dice,
            limits: &self.limits,
            registry: &Default::default(),
            own_domains: &Default::default(),
            operators: &[],
            past: &Default::default(),
            facts: &self.facts,
            gist_of: &|_| None,
            id_of: &|_| None,
            rename: mixd::xep::information::renamed,
        };
        let decision = self.channel.decide(&actor, command, &mut context).unwrap();
        self.apply(decision.changes)
    }

    /// Has commands name these rows.
    pub fn know(&mut self, store: &dyn Store, rows: &[u64]) {
        let facts = store.facts(self.tag(), rows).unwrap().into_iter().flatten();
        self.facts = facts.map(|facts| (facts.row.number, facts)).collect();
    }

    /// Changes as records, made so in memory.
    pub fn apply(&mut self, changes: Vec<Change>) -> Vec<Record> {
        for change in &changes {
            self.channel.apply(change);
            match change {
                Change::Published(row) => self.rows.push(row.clone()),
                Change::Expired { base, .. } => self.rows.retain(|row| row.number > base.row),
                Change::Entombed(tombstone) => drop(self.tombstones.insert(tombstone.row, tombstone.clone())),
                _ => {}
            }
        }
        changes.into_iter().map(|change| self.record(change)).collect()
    }

    pub fn run(&mut self, store: &dyn Store, who: &str, command: Command) {
        let records = self.decide(&jid(who), command);
        store.commit(self.now, &records).unwrap();
    }

    pub fn join(&mut self, store: &dyn Store, who: &str) {
        self.run(store, who, Command::Join(mixd::channel::JoinWish { subscribe: NodeSet::ALL, ..Default::default() }));
    }

    pub fn leave(&mut self, store: &dyn Store, who: &str) {
        self.run(store, who, Command::Leave);
    }

    pub fn say(&mut self, store: &dyn Store, who: &str, text: &str) {
        let message = self.message(text);
        self.run(store, who, Command::Publish(message));
    }

    pub fn message(&mut self, text: &str) -> Message {
        Message {
            stanza_id: Some(format!("s{}", self.rows.len())),
            origin_id: Some(format!("o{}-{}", self.rows.len(), self.dice.random::<u32>())),
            archived: true,
            echoed: true,
            counted: !self.rows.len().is_multiple_of(3),
            target: (self.rows.len() % 5 == 4).then_some(2),
            payload: format!("<body>{text}</body>"),
            ..Message::default()
        }
    }

    pub fn destroy(&mut self, store: &dyn Store) {
        store.commit(self.now, &[self.record(Change::Destroyed(Default::default()))]).unwrap();
    }

    /// A channel of `people` and `rows` rows, said by chance, `days` apart from first to last.
    pub fn chat(store: &dyn Store, text: &str, people: usize, rows: usize, days: u64) -> Room {
        let mut room = Room::create(store, text, 7);
        (0..people).for_each(|n| room.join(store, &format!("p{n}")));
        let mut records = Vec::new();
        for n in 0..rows {
            room.now = Stamp(NOON.0 + n as u64 * days * DAY_MS / rows as u64 / 7 * 7);
            // The first one is heard all the time, the last one hardly ever.
            let who = (room.dice.random::<f64>().powi(3) * people as f64) as usize;
            let message = room.message(&format!("row {n}"));
            let before = Stamp(room.now.0).month();
            records.extend(room.decide(&jid(&format!("p{who}")), Command::Publish(message)));
            let next = Stamp(NOON.0 + (n as u64 + 1) * days * DAY_MS / rows as u64 / 7 * 7).month();
            if records.len() >= 50 || n + 1 == rows || before != next {
                store.commit(room.now, &std::mem::take(&mut records)).unwrap();
            }
        }
        room
    }

    pub fn plan(&self) -> PagePlan {
        PagePlan {
            tag: self.tag(),
            first: 1,
            last: u64::MAX,
            start: None,
            end: None,
            author: None,
            max: 50,
            from_end: false,
            narrow: Default::default(),
        }
    }

    /// The page that a look at every row gives.
    pub fn naive(&self, plan: &PagePlan) -> RowPage {
        let narrow = &plan.narrow;
        let fits = |row: &&Row| {
            (plan.first..=plan.last).contains(&row.number)
                && plan.start.is_none_or(|start| row.stamp >= start)
                && plan.end.is_none_or(|end| row.stamp <= end)
                && plan.author.as_ref().is_none_or(|author| row.author == *author)
                && !narrow.hidden.contains(&row.number)
                && !(narrow.no_events && matches!(row.kind, RowKind::Event(_)))
                && narrow
                    .windows
                    .as_ref()
                    .is_none_or(|windows| windows.iter().any(|&(first, last)| (first..=last).contains(&row.number)))
                && narrow.media.as_ref().is_none_or(|kinds| {
                    row.media.is_some_and(|kind| kinds.contains(&kind)) && !self.tombstones.contains_key(&row.number)
                })
        };
        let all: Vec<Row> = self.rows.iter().filter(fits).cloned().collect();
        let taken = all.len().min(plan.max);
        let before = if plan.from_end { all.len() - taken } else { 0 };
        let rows = all[before..before + taken].to_vec();
        let entombed = rows.iter().filter_map(|row| self.tombstones.get(&row.number));
        let is_counted = plan.author.is_none() && narrow.media.is_none() && !narrow.no_events;
        RowPage {
            tombstones: entombed.map(|tombstone| (tombstone.row, tombstone.clone())).collect(),
            rows,
            cut: taken < all.len(),
            counted: is_counted.then_some((all.len() as u64, before as u64)),
        }
    }
}

/// The channel as the store has it.
pub fn loaded(store: &dyn Store, text: &str) -> Option<Channel> {
    store.load(&[name(text)]).unwrap().remove(0)
}

pub fn is_unknown(outcome: Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Unknown(_)))
}

/// What a look through a store finds wrong.
pub fn wrong(verify: impl FnOnce(&mut dyn FnMut(VerifyEvent)) -> StoreCensus) -> Vec<String> {
    let mut found = Vec::new();
    let census = verify(&mut |sighting| {
        if let VerifyEvent::Wrong(finding) = sighting {
            found.push(finding.to_string());
        }
    });
    assert_eq!(census.wrong, found.len() as u64);
    found
}

/// The channels that only those on a list may join and that admit an account, and those that it is banned from, by what the
/// lists say of it and of its domain.
pub fn found(store: &dyn Store, account: &BareJid) -> (Vec<ChannelName>, Vec<ChannelName>) {
    let mut mentions: BTreeMap<ChannelName, (bool, bool)> = BTreeMap::new();
    for jid in [account.clone(), BareJid::from_parts(None, account.domain())] {
        for (name, mention) in store.mentions_of(&jid).unwrap().by_channel {
            let (allowed, banned) = mentions.entry(name).or_default();
            *allowed |= mention.allowed;
            *banned |= mention.banned && !mention.spared.contains(account);
        }
    }
    let (barred, admitted): (Vec<_>, Vec<_>) = mentions.into_iter().partition(|(_, (_, banned))| *banned);
    let admitted = admitted.into_iter().filter(|(_, (allowed, _))| *allowed);
    (admitted.map(|(name, _)| name).collect(), barred.into_iter().map(|(name, _)| name).collect())
}
