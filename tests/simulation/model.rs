//! A naive model of the service: what every request must lead to, worked out the slow and plain way.

use super::asks::{Ask, DOMAIN, Nodes, Op, Paging, RowName, Said, domain_of};
use super::routes::Routes;
use mixd::channel::Stamp;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Nicks as they are asked for, with the form that is shown and the one that is compared (RFC 8266).
pub const NICKS: [(&str, Option<(&str, &str)>); 10] = [
    ("Third Witch", Some(("Third Witch", "third witch"))),
    ("  third   witch ", Some(("third witch", "third witch"))),
    ("\u{FF37}itch", Some(("Witch", "witch"))),
    ("WITCH", Some(("WITCH", "witch"))),
    ("Zo\u{EB}", Some(("Zo\u{EB}", "zo\u{EB}"))),
    ("ZOE\u{308}", Some(("ZO\u{CB}", "zo\u{EB}"))),
    ("bob", Some(("bob", "bob"))),
    ("\u{1F600}\u{A0}<fox>&", Some(("\u{1F600} <fox>&", "\u{1F600} <fox>&"))),
    ("no\u{200B}nick", None),
    ("   ", Some(("", ""))),
];
/// Names for channels as they are asked for, with what they become.
pub const NAMES: [(&str, Option<&str>); 6] = [
    ("coven", Some("coven")),
    ("COVEN", Some("coven")),
    ("heath", Some("heath")),
    ("M\u{FC}hle", Some("m\u{FC}hle")),
    ("a'b", None),
    ("moor#1", None),
];
/// The account with an operator's rights.
pub const OPERATOR: &str = "root@del.example";
/// The domain whose users may not create channels.
pub const NO_CREATORS: &str = "far.example";
const DAY_MS: u64 = 24 * 3600 * 1000;

#[derive(Clone, Debug)]
pub struct Row {
    pub author: String,
    pub nick: String,
    pub token: String,
    pub stamp: u64,
    pub sent_id: String,
    pub origin: Option<String>,
    pub counted: bool,
}

#[derive(Clone, Debug)]
pub struct Seat {
    /// Learned, and the same ever after.
    pub id: Option<String>,
    pub nick: String,
    pub key: String,
    pub joined: bool,
    pub nodes: Nodes,
}

#[derive(Clone, Debug)]
pub struct Room {
    /// Learned, and the same ever after.
    pub tag: Option<u64>,
    pub owner: String,
    pub listed: bool,
    pub info: (String, Option<String>),
    pub seats: BTreeMap<String, Seat>,
    pub rows: Vec<Rc<Row>>,
    /// Which rows were compared with the store's.
    pub compared: usize,
}

/// What is delivered to many, by what it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Row(String, String),
    Relay(String, String),
    Entered { channel: String, account: String, nick: String },
    Gone { channel: String, account: String },
    Info(String, String),
    Deleted(String),
}

/// Something that is shown, and who must see it where.
#[derive(Clone, Debug)]
pub struct Event {
    pub key: Key,
    /// The accounts, each with the addresses that must get a copy.
    pub audience: BTreeMap<String, BTreeSet<String>>,
}

/// What an asker is owed.
#[derive(Clone, Debug)]
pub enum Expect {
    Silence,
    Error(Vec<&'static str>),
    Created(Option<String>),
    Destroyed,
    Joined {
        nick: String,
        nodes: Nodes,
    },
    /// The home server gets a result or the error that ejabberd needs.
    Left {
        at_bare: bool,
    },
    Nick(String),
    Updated(Nodes, Nodes),
    InfoSet(String),
    Participants(BTreeSet<(String, String)>),
    Info(String, Option<String>),
    Empty,
    Page(Box<Page>),
    Bounds(Option<(u64, u64)>),
    List(BTreeSet<String>),
    Described(String),
    Repeat(u64),
}

/// A page that is owed.
#[derive(Clone, Debug)]
pub struct Page {
    /// Row numbers, oldest first, of what is on the page.
    pub rows: Vec<u64>,
    pub records: Vec<Rc<Row>>,
    pub complete: bool,
    pub flip: bool,
    /// How many rows match within the bounds of the page, and how many of them come before it.
    pub counted: (u64, u64),
}

#[derive(Clone, Debug)]
pub struct Model {
    pub rooms: BTreeMap<String, Room>,
    /// Ad hoc channels whose names are not learned yet, by creator and time.
    pub nameless: Vec<(String, u64)>,
    /// The engine's time, which never goes back while it lives.
    pub now: u64,
    pub participants_max: usize,
    pub channels_max: usize,
    pub page_default: usize,
    pub page_max: usize,
}

type Taken = (Expect, Vec<Event>);

fn refuse(condition: &'static str) -> Taken {
    (Expect::Error(vec![condition]), Vec::new())
}

impl Room {
    pub fn new(owner: &str, name: Option<&str>, now: u64) -> Room {
        let info = (Stamp(now).to_xmpp(), name.map(str::to_owned));
        let (seats, rows) = (BTreeMap::new(), Vec::new());
        Room { tag: None, owner: owner.to_owned(), listed: name.is_some(), info, seats, rows, compared: 0 }
    }

    pub fn seat(&self, account: &str) -> Option<&Seat> {
        self.seats.get(account).filter(|seat| seat.joined)
    }

    fn may_read(&self, account: &str) -> bool {
        self.seat(account).is_some() || self.owner == account || account == OPERATOR
    }

    fn is_free(&self, key: &str, account: &str) -> bool {
        self.seats.iter().all(|(other, seat)| !seat.joined || seat.key != key || other == account)
    }

    /// The nick asked for, or one that the channel chooses.
    fn nick(&self, account: &str, asked: Option<&str>) -> Result<(String, String), &'static str> {
        let asked = asked.filter(|nick| !nick.trim().is_empty());
        let Some(asked) = asked else {
            let local = account.split('@').next().unwrap_or_default();
            let (shown, key) = match self.seats.get(account) {
                Some(seat) => (seat.nick.clone(), seat.key.clone()),
                None => (local.to_owned(), local.to_owned()),
            };
            if self.is_free(&key, account) {
                return Ok((shown, key));
            }
            let n = (2..).find(|n| self.is_free(&format!("{key} {n}"), account)).unwrap_or(0);
            return Ok((format!("{shown} {n}"), format!("{key} {n}")));
        };
        if asked.len() > 128 {
            return Err("not-acceptable");
        }
        let known = NICKS.iter().find(|(text, _)| *text == asked).and_then(|(_, forms)| *forms);
        let (shown, key) = known.ok_or("bad-request")?;
        if !self.is_free(key, account) {
            return Err("conflict");
        }
        Ok((shown.to_owned(), key.to_owned()))
    }

    fn event(&self, key: Key, node: Nodes, routes: &Routes) -> Event {
        let subscribed = self.seats.iter().filter(|(_, seat)| seat.joined && seat.nodes & node != 0);
        let audience = subscribed.map(|(account, _)| (account.clone(), routes.sure(account))).collect();
        Event { key, audience }
    }
}

impl Model {
    /// What a request leads to.
    pub fn take(&mut self, ask: &Ask, routes: &mut Routes) -> Taken {
        let account = &ask.account;
        match &ask.op {
            Op::Create(name) => return self.create(account, *name),
            Op::Destroy(name) => return self.destroy(account, name, routes),
            Op::List => return (Expect::List(self.visible(account)), Vec::new()),
            Op::Garbage { channel, conditions, .. } => {
                let missing = channel.as_ref().is_some_and(|name| !self.rooms.contains_key(name));
                return match (conditions.is_empty(), missing) {
                    (true, _) => (Expect::Silence, Vec::new()),
                    (false, true) => (Expect::Error([conditions, &["item-not-found"][..]].concat()), Vec::new()),
                    (false, false) => (Expect::Error(conditions.to_vec()), Vec::new()),
                };
            }
            _ => {}
        }
        let limits = (self.participants_max, self.page_default, self.page_max, self.now);
        let channel = ask.op.channel().unwrap_or_default().to_owned();
        let Some(room) = self.rooms.get_mut(&channel) else { return refuse("item-not-found") };
        let taken = match &ask.op {
            Op::Join { nick, nodes, .. } => room.join(ask, &channel, nick.as_deref(), *nodes, limits.0, routes),
            Op::Leave { .. } => room.leave(ask, &channel, routes),
            Op::SetNick { nick, .. } => room.rename(account, &channel, nick.as_deref(), routes),
            Op::Update { add, remove, .. } => room.update(account, *add, *remove),
            Op::Say { .. } => room.say(ask, &channel, limits.3, routes),
            Op::SetInfo { name, .. } => room.set_info(account, &channel, name, limits.3, routes),
            Op::Items { node, .. } => room.items(account, *node),
            Op::History { paging, .. } => room.page(account, &channel, paging, limits.1, limits.2),
            Op::Bounds { .. } if !room.may_read(account) => refuse("forbidden"),
            Op::Bounds { .. } => {
                let ends = (!room.rows.is_empty()).then_some((1, room.rows.len() as u64));
                (Expect::Bounds(ends), Vec::new())
            }
            _ => (Expect::Described(room.info.1.clone().unwrap_or_else(|| channel.clone())), Vec::new()),
        };
        let silent = matches!(ask.op, Op::Describe { .. } | Op::Leave { .. } | Op::Join { .. } | Op::Say { .. });
        if !silent && !matches!(taken.0, Expect::Error(_)) && room.seat(account).is_some() {
            routes.spoke(account, ask.resource.as_deref());
        }
        taken
    }

    fn create(&mut self, account: &str, name: Option<&'static str>) -> Taken {
        let known = name.map(|text| NAMES.iter().find(|(wire, _)| *wire == text).and_then(|(_, name)| *name));
        if known == Some(None) {
            return refuse("bad-request");
        }
        let known = known.flatten();
        if domain_of(account) == NO_CREATORS {
            return refuse("not-allowed");
        }
        if known.is_some_and(|name| self.rooms.contains_key(name)) {
            return refuse("conflict");
        }
        if self.rooms.len() + self.nameless.len() >= self.channels_max {
            return refuse("resource-constraint");
        }
        match known {
            Some(name) => {
                self.rooms.insert(name.to_owned(), Room::new(account, Some(name), self.now));
            }
            None => self.nameless.push((account.to_owned(), self.now)),
        }
        (Expect::Created(known.map(str::to_owned)), Vec::new())
    }

    fn destroy(&mut self, account: &str, name: &str, routes: &Routes) -> Taken {
        let Some(room) = self.rooms.get(name) else { return refuse("item-not-found") };
        if room.owner != account && account != OPERATOR {
            return refuse("not-allowed");
        }
        let event = room.event(Key::Deleted(name.to_owned()), 2, routes);
        self.rooms.remove(name);
        (Expect::Destroyed, vec![event])
    }

    fn visible(&self, account: &str) -> BTreeSet<String> {
        let seen = self.rooms.iter().filter(|(_, room)| room.listed || room.seat(account).is_some());
        seen.map(|(name, _)| format!("{name}@{DOMAIN}")).collect()
    }
}

impl Room {
    fn join(
        &mut self,
        ask: &Ask,
        channel: &str,
        nick: Option<&str>,
        nodes: Nodes,
        participants_max: usize,
        routes: &mut Routes,
    ) -> Taken {
        let account = &ask.account;
        if nodes == 8 {
            return refuse("item-not-found");
        }
        let nodes = nodes & 7;
        let given = nick.is_some_and(|nick| !nick.trim().is_empty());
        let past = self.seats.get(account).cloned();
        let seated = past.as_ref().is_some_and(|seat| seat.joined);
        let count = self.seats.values().filter(|seat| seat.joined).count();
        let nick = match &past {
            Some(seat) if seated && !given => Ok((seat.nick.clone(), seat.key.clone())),
            _ => self.nick(account, nick),
        };
        if !seated && count >= participants_max && nick != Err("bad-request") {
            return refuse("resource-constraint");
        }
        let (nick, key) = match nick {
            Ok(nick) => nick,
            Err(condition) => return refuse(condition),
        };
        let shown = past.as_ref().filter(|_| seated).map(|seat| seat.nick.clone());
        let held = past.as_ref().filter(|_| seated).map_or(0, |seat| seat.nodes);
        let id = past.and_then(|seat| seat.id);
        let seat = Seat { id, nick: nick.clone(), key, joined: true, nodes: held | nodes };
        self.seats.insert(account.clone(), seat);
        routes.joined(account, ask.resource.is_none());
        routes.spoke(account, ask.resource.as_deref());
        let entered = Key::Entered { channel: channel.to_owned(), account: account.clone(), nick: nick.clone() };
        let changed = shown.as_ref() != Some(&nick);
        let events = changed.then(|| self.event(entered, 2, routes)).into_iter().collect();
        (Expect::Joined { nick, nodes }, events)
    }

    fn leave(&mut self, ask: &Ask, channel: &str, routes: &Routes) -> Taken {
        let account = &ask.account;
        if self.seat(account).is_none() {
            return refuse("forbidden");
        }
        if let Some(seat) = self.seats.get_mut(account) {
            (seat.joined, seat.nodes) = (false, 0);
        }
        let key = Key::Gone { channel: channel.to_owned(), account: account.clone() };
        let told = Event { key: key.clone(), audience: BTreeMap::from([(account.clone(), routes.sure(account))]) };
        let at_bare = ask.resource.is_none();
        (Expect::Left { at_bare }, vec![self.event(key, 2, routes), told])
    }

    fn rename(&mut self, account: &str, channel: &str, nick: Option<&str>, routes: &mut Routes) -> Taken {
        let (nick, key) = match self.nick(account, nick) {
            Err("bad-request") => return refuse("bad-request"),
            _ if self.seat(account).is_none() => return refuse("forbidden"),
            Err(condition) => return refuse(condition),
            Ok(nick) => nick,
        };
        let Some(seat) = self.seats.get_mut(account) else { return refuse("forbidden") };
        let changed = seat.nick != nick;
        (seat.nick, seat.key) = (nick.clone(), key);
        let entered = Key::Entered { channel: channel.to_owned(), account: account.to_owned(), nick: nick.clone() };
        let events = changed.then(|| self.event(entered, 2, routes)).into_iter().collect();
        (Expect::Nick(nick), events)
    }

    fn update(&mut self, account: &str, add: Nodes, remove: Nodes) -> Taken {
        if add == 8 || remove == 8 {
            return refuse("item-not-found");
        }
        let Some(seat) = self.seats.get_mut(account).filter(|seat| seat.joined) else { return refuse("forbidden") };
        seat.nodes = (seat.nodes | (add & 7)) & !(remove & 7);
        (Expect::Updated(add & 7, remove & 7), Vec::new())
    }

    fn say(&mut self, ask: &Ask, channel: &str, now: u64, routes: &mut Routes) -> Taken {
        let Op::Say { token, origin, said, .. } = &ask.op else { return refuse("bad-request") };
        let account = &ask.account;
        if *said == Said::Empty {
            return refuse("bad-request");
        }
        let Some(seat) = self.seat(account).cloned() else { return refuse("forbidden") };
        routes.spoke(account, ask.resource.as_deref());
        if matches!(said, Said::State | Said::Marker | Said::NoStore) {
            let mut event = self.event(Key::Relay(channel.to_owned(), token.clone()), 1, routes);
            if *said == Said::State {
                event.audience.remove(account);
            }
            return (Expect::Silence, vec![event]);
        }
        // An archive's clock does not go back.
        let now = self.rows.last().map_or(now, |row| row.stamp.max(now));
        let mut earlier = self.rows.iter().enumerate().rev();
        let same = |row: &Rc<Row>| row.author == *account && origin.is_some() && row.origin == *origin;
        let repeated = earlier.find(|(_, row)| same(row)).filter(|(_, row)| now.saturating_sub(row.stamp) <= DAY_MS);
        if let Some((n, _)) = repeated {
            return (Expect::Repeat(n as u64 + 1), Vec::new());
        }
        self.rows.push(Rc::new(Row {
            author: account.clone(),
            nick: seat.nick,
            token: token.clone(),
            stamp: now,
            sent_id: ask.id.clone(),
            origin: origin.clone(),
            counted: *said == Said::Body,
        }));
        (Expect::Silence, vec![self.event(Key::Row(channel.to_owned(), token.clone()), 1, routes)])
    }

    fn set_info(&mut self, account: &str, channel: &str, name: &str, now: u64, routes: &mut Routes) -> Taken {
        if self.owner != account && account != OPERATOR {
            return refuse("forbidden");
        }
        self.info = (Stamp(now).to_xmpp(), Some(name.to_owned()));
        let event = self.event(Key::Info(channel.to_owned(), name.to_owned()), 4, routes);
        (Expect::InfoSet(self.info.0.clone()), vec![event])
    }

    fn items(&self, account: &str, node: Nodes) -> Taken {
        let expect = match node {
            8 => return refuse("item-not-found"),
            4 => Expect::Info(self.info.0.clone(), self.info.1.clone()),
            _ if !self.may_read(account) => return refuse("forbidden"),
            1 => Expect::Empty,
            _ => {
                let seated = self.seats.iter().filter(|(_, seat)| seat.joined);
                Expect::Participants(seated.map(|(jid, seat)| (jid.clone(), seat.nick.clone())).collect())
            }
        };
        (expect, Vec::new())
    }

    fn page(&self, account: &str, channel: &str, paging: &Paging, default: usize, most: usize) -> Taken {
        if !self.may_read(account) {
            return refuse("forbidden");
        }
        let Paging { after, before, after_id, before_id, ids, .. } = paging;
        let named = [after, after_id, before_id].into_iter().flatten().chain(before.iter().flatten()).chain(ids);
        let known = |name: &RowName| name.row.filter(|(tag, _)| Some(*tag) == self.tag).map(|(_, row)| row);
        if named.into_iter().any(|name| known(name).is_none()) {
            return refuse("item-not-found");
        }
        let row_of = |name: &Option<RowName>| name.as_ref().and_then(known);
        let from = row_of(after).max(row_of(after_id)).unwrap_or(0);
        let to = [row_of(before_id), before.as_ref().and_then(row_of)].into_iter().flatten().min().unwrap_or(u64::MAX);
        let whole = format!("{channel}@{DOMAIN}");
        let fits = |(n, row): &(u64, &Rc<Row>)| {
            *n > from
                && *n < to
                && paging.with.as_ref().is_none_or(|with| *with == whole || row.author == *with)
                && paging.start.is_none_or(|start| row.stamp >= start)
                && paging.end.is_none_or(|end| row.stamp <= end)
                && (ids.is_empty() || ids.iter().any(|name| known(name) == Some(*n)))
        };
        let numbered = self.rows.iter().enumerate().map(|(n, row)| (n as u64 + 1, row));
        let all: Vec<(u64, &Rc<Row>)> = numbered.filter(fits).collect();
        let size = paging.max.unwrap_or(default).min(most).min(all.len());
        let first = if before.is_some() { all.len() - size } else { 0 };
        let page = &all[first..first + size];
        let page = Page {
            rows: page.iter().map(|(n, _)| *n).collect(),
            records: page.iter().map(|(_, row)| Rc::clone(row)).collect(),
            complete: size == all.len(),
            flip: paging.flip,
            counted: (all.len() as u64, first as u64),
        };
        (Expect::Page(Box::new(page)), Vec::new())
    }
}

impl Op {
    /// The channel that it is sent to.
    pub fn channel(&self) -> Option<&str> {
        match self {
            Op::Join { channel, .. }
            | Op::Leave { channel }
            | Op::SetNick { channel, .. }
            | Op::Update { channel, .. }
            | Op::Say { channel, .. }
            | Op::SetInfo { channel, .. }
            | Op::Items { channel, .. }
            | Op::History { channel, .. }
            | Op::Bounds { channel }
            | Op::Describe { channel } => Some(channel),
            Op::Create(_) | Op::Destroy(_) | Op::List | Op::Garbage { .. } => None,
        }
    }
}
