//! A naive model of the service: what every request must lead to, worked out the slow and plain way.

use super::asks::{Ask, DOMAIN, Nodes, Op, domain_of};
use super::routes::Routes;
use mixd::store::{Outdated, Record};
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
    ("no\u{200B}nick\u{FE0F}", Some(("nonick", "nonick"))),
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
    /// When it came or went.
    pub since: u64,
}

#[derive(Clone, Debug)]
pub struct Room {
    /// Learned, and the same ever after.
    pub tag: Option<u64>,
    pub owner: String,
    pub listed: bool,
    pub info: (String, Option<String>),
    pub seats: BTreeMap<String, Seat>,
    /// Who subscribes to which nodes without being in it.
    pub guests: BTreeMap<String, Nodes>,
    pub rows: Vec<Rc<Row>>,
    /// Days after which rows are too old; 0: never.
    pub retention_days: u64,
    /// Up to which number they were when it was looked last.
    pub gone: u64,
    /// Which rows were compared with the store's.
    pub compared: usize,
    /// The registered nicks, as of the last request.
    pub registered: Registered,
}

/// Whether a nick that one account registered is none for another one: those who may create channels are bound by their
/// like alone.
pub fn binds(holder: &str, account: &str) -> bool {
    domain_of(account) == NO_CREATORS || domain_of(holder) != NO_CREATORS
}

/// The nicks that accounts registered: the form that is shown, and the one that is compared.
pub type Registered = Rc<BTreeMap<String, (String, String)>>;

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
    /// Those of them who are guests, and reached at resources alone.
    pub guests: BTreeSet<String>,
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
    /// The nick that is registered from here on, if any.
    Registered(Option<String>),
    Updated(Nodes, Nodes),
    Subscribed(Nodes, bool),
    InfoSet(String),
    Settled,
    Participants(BTreeSet<(String, String)>),
    Info(String, Option<String>),
    Empty,
    Page(Box<Page>),
    Bounds(Option<(u64, u64)>),
    List(BTreeSet<String>),
    Described(String),
    Repeat(u64),
    /// Rows went in the same turn; whether there is an answer in any case.
    Overtaken(bool),
}

/// An account takes a nick that it registered.
#[derive(Clone, Debug, Default)]
pub struct Tour {
    /// Where it was heard since; what is lost with the process.
    pub heard: BTreeSet<String>,
    /// Where it chose another one since.
    chose: BTreeSet<String>,
}

impl Expect {
    /// Rows go before the archive is asked.
    pub fn overtake(&mut self) {
        match self {
            Expect::Page(_) | Expect::Bounds(_) => *self = Expect::Overtaken(true),
            Expect::Repeat(_) => *self = Expect::Overtaken(false),
            _ => {}
        }
    }
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
    /// The owners of destroyed channels, whose names are theirs for a while, and until when.
    pub held: BTreeMap<String, (String, u64)>,
    /// Ad hoc channels whose names are not learned yet, by creator and time.
    pub nameless: Vec<(String, u64)>,
    pub registered: Registered,
    /// Who registered a nick and has yet to take it in some channels.
    pub tours: BTreeMap<String, Tour>,
    /// The time of what happens, and by which things end.
    pub now: u64,
    pub due: u64,
    pub participants_max: usize,
    /// How many who left without a word stay known.
    pub silent_max: usize,
    pub channels_max: usize,
    pub page_default: usize,
    pub page_max: usize,
}

/// How long the name of a destroyed channel is its owner's, in milliseconds.
pub const HELD_MS: u64 = 30 * 24 * 3600 * 1000;

/// An answer, and what is shown to whom.
pub type Taken = (Expect, Vec<Event>);

pub fn refuse(condition: &'static str) -> Taken {
    (Expect::Error(vec![condition]), Vec::new())
}

impl Model {
    /// What a request leads to.
    pub fn take(&mut self, ask: &Ask, routes: &mut Routes) -> Taken {
        let account = &ask.account;
        match &ask.op {
            Op::Create(name) => return self.create(account, *name),
            Op::Destroy(name) => return self.destroy(ask, name, routes),
            Op::Register(nick) => return self.register(account, nick),
            Op::Unregister => return self.unregister(account),
            Op::List => return (Expect::List(self.visible(account)), Vec::new()),
            Op::Garbage { channel, conditions, .. } => {
                // What is no request at all is not heard.
                let heard = channel.as_deref().filter(|_| *conditions != ["service-unavailable"]);
                let events = heard.map(|name| self.catch_up(account, name, routes)).unwrap_or_default();
                let missing = channel.as_ref().is_some_and(|name| !self.rooms.contains_key(name));
                return match (conditions.is_empty(), missing) {
                    (true, _) => (Expect::Silence, events),
                    (false, true) => (Expect::Error([conditions, &["item-not-found"][..]].concat()), events),
                    (false, false) => (Expect::Error(conditions.to_vec()), events),
                };
            }
            _ => {}
        }
        let limits = (self.participants_max, self.page_default, self.page_max, self.now);
        let silent_max = self.silent_max;
        let channel = ask.op.channel().unwrap_or_default().to_owned();
        let mut events = self.catch_up(account, &channel, routes);
        let past = self.nick_in(account, &channel);
        let out_already = |ask: &Ask| match (&ask.op, ask.wrapped || ask.resource.is_none()) {
            // Whoever leaves through its account what it is not in is where it wants to be.
            (Op::Leave { .. }, true) => Some((Expect::Left { at_bare: ask.resource.is_none() }, Vec::new())),
            _ => None,
        };
        let Some(room) = self.rooms.get_mut(&channel) else {
            return out_already(ask).unwrap_or_else(|| refuse("item-not-found"));
        };
        let was_guest = room.guests.contains_key(account);
        room.registered = Rc::clone(&self.registered);
        let taken = match &ask.op {
            Op::Join { nick, nodes, .. } => {
                room.join(ask, &channel, nick.as_deref(), *nodes, (limits.0, limits.3), routes)
            }
            Op::Leave { .. } => {
                let left = match room.seat(account) {
                    None => out_already(ask).unwrap_or_else(|| refuse("forbidden")),
                    Some(_) => room.leave(ask, &channel, limits.3, routes),
                };
                room.forget_silent(silent_max);
                left
            }
            Op::SetNick { nick, .. } => room.rename(account, &channel, nick.as_deref(), routes),
            Op::Update { add, remove, .. } => room.update(account, *add, *remove),
            Op::Subscribe { node, wanted, .. } => room.subscribe(account, *node, *wanted),
            Op::Say { .. } => room.say(ask, &channel, limits.3, routes),
            Op::SetInfo { name, .. } => room.set_info(account, &channel, name, limits.3, routes),
            Op::Retain { days, .. } => room.retain(account, *days),
            Op::Items { node, .. } => room.items(account, *node),
            Op::History { paging, .. } => room.page(account, &channel, paging, limits.1, limits.2),
            Op::Bounds { .. } if !room.may_read(account, 1) => refuse("forbidden"),
            Op::Bounds { .. } => {
                let newest = room.rows.len() as u64;
                let ends = (newest > room.gone).then_some((room.gone + 1, newest));
                (Expect::Bounds(ends), Vec::new())
            }
            _ => (Expect::Described(room.info.1.clone().unwrap_or_else(|| channel.clone())), Vec::new()),
        };
        let silent = matches!(ask.op, Op::Describe { .. } | Op::Leave { .. } | Op::Join { .. } | Op::Say { .. });
        let known = was_guest || room.seat(account).is_some() || room.guests.contains_key(account);
        if !silent && !matches!(taken.0, Expect::Error(_)) && known {
            routes.spoke(account, ask.resource.as_deref());
        }
        events.extend(taken.1);
        let next = self.nick_in(account, &channel);
        let registered = self.registered.get(account).map(|(shown, _)| shown.clone());
        if let Some(tour) = self.tours.get_mut(account)
            && next.is_some()
            && next != past
            && next != registered
        {
            tour.chose.insert(channel);
        }
        (taken.0, events)
    }

    /// Whoever took its registered nick in all of its channels.
    pub fn end_tours(&mut self, records: &[Record]) {
        let over = |record: &Record| match record {
            Record::Tour { account, tour: None, .. } => Some(account.to_string()),
            _ => None,
        };
        records.iter().filter_map(over).for_each(|account| drop(self.tours.remove(&account)));
    }

    /// By what somebody goes in a channel.
    fn nick_in(&self, account: &str, channel: &str) -> Option<String> {
        self.rooms.get(channel)?.seat(account).map(|seat| seat.nick.clone())
    }

    /// Whoever is heard in a channel goes by the nick that it registered.
    fn catch_up(&mut self, account: &str, channel: &str, routes: &Routes) -> Vec<Event> {
        let Some(tour) = self.tours.get_mut(account).filter(|_| self.rooms.contains_key(channel)) else {
            return Vec::new();
        };
        if !tour.heard.insert(channel.to_owned()) || tour.chose.contains(channel) {
            return Vec::new();
        }
        let room = &self.rooms[channel];
        let Some((shown, key)) = self.registered.get(account) else { return Vec::new() };
        let takes = room.seat(account).is_some_and(|seat| seat.nick != *shown);
        let held = |(other, it): (&String, &Seat)| it.joined && it.key == *key && other != account;
        match takes && !room.seats.iter().any(held) {
            true => self.take_registered(channel, account, routes),
            false => Vec::new(),
        }
    }

    /// An account takes the nick that it registered, in a channel where nobody else goes by it.
    pub fn take_registered(&mut self, channel: &str, account: &str, routes: &Routes) -> Vec<Event> {
        let Some(tour) = self.tours.get(account) else { panic!("{account} is renamed in {channel}") };
        assert!(!tour.chose.contains(channel), "{account} chose another nick in {channel}");
        let (shown, key) = self.registered[account].clone();
        let Some(room) = self.rooms.get_mut(channel) else { panic!("{account} is renamed in {channel}") };
        let held = |(other, it): (&String, &Seat)| it.joined && it.key == key && other != account;
        assert!(!room.seats.iter().any(held), "somebody else goes by {shown} in {channel}");
        let Some(seat) = room.seats.get_mut(account) else { panic!("{account} is not in {channel}") };
        assert!(seat.joined && seat.nick != shown, "{account} is not renamed in {channel}");
        (seat.nick, seat.key) = (shown.clone(), key);
        let (channel, account) = (channel.to_owned(), account.to_owned());
        vec![room.event(Key::Entered { channel, account, nick: shown }, 2, routes)]
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
        let of_others = |(owner, until): &(String, u64)| owner != account && self.due < *until;
        let is_held = |name| account != OPERATOR && self.held.get(name).is_some_and(of_others);
        if known.is_some_and(|name| self.rooms.contains_key(name) || is_held(name)) {
            return refuse("conflict");
        }
        if self.rooms.len() + self.nameless.len() >= self.channels_max {
            return refuse("resource-constraint");
        }
        match known {
            Some(name) => {
                self.held.remove(name);
                self.rooms.insert(name.to_owned(), Room::new(account, Some(name), self.now));
            }
            None => self.nameless.push((account.to_owned(), self.now)),
        }
        (Expect::Created(known.map(str::to_owned)), Vec::new())
    }

    fn destroy(&mut self, ask: &Ask, name: &str, routes: &mut Routes) -> Taken {
        let account = &ask.account;
        let Some(room) = self.rooms.get(name) else { return refuse("item-not-found") };
        if room.owner != *account && account != OPERATOR {
            return refuse("not-allowed");
        }
        // Whoever is in or a guest, and asks, speaks MIX, and hears of what it asked for.
        if room.seat(account).is_some() || room.guests.contains_key(account) {
            routes.spoke(account, ask.resource.as_deref());
        }
        let mut event = room.event(Key::Deleted(name.to_owned()), 2, routes);
        event.audience.extend(room.guests.keys().map(|guest| (guest.clone(), routes.sure_of_guest(guest))));
        event.guests.extend(room.guests.keys().cloned());
        self.held.insert(name.to_owned(), (room.owner.clone(), self.due + HELD_MS));
        self.rooms.remove(name);
        (Expect::Destroyed, vec![event])
    }

    /// It is the account's at once, and its account takes it in its channels afterwards.
    fn register(&mut self, account: &str, nick: &str) -> Taken {
        let known = NICKS.iter().find(|(text, _)| *text == nick).and_then(|(_, forms)| *forms);
        let cut = nick.get(..128).map(|begin| (begin, begin));
        let Some((shown, key)) = known.or(cut) else { return refuse("bad-request") };
        let is_same = |(other, (_, held)): &(&String, &(String, String))| *other != account && held == key;
        let is_others = |held: &(&String, &(String, String))| is_same(held) && binds(held.0, account);
        if self.registered.iter().any(|held| is_others(&held)) {
            return refuse("conflict");
        }
        let ended: Vec<String> = self.registered.iter().filter(is_same).map(|(other, _)| other.clone()).collect();
        ended.iter().for_each(|other| drop(Rc::make_mut(&mut self.registered).remove(other)));
        Rc::make_mut(&mut self.registered).insert(account.to_owned(), (shown.to_owned(), key.to_owned()));
        self.tours.insert(account.to_owned(), Tour::default());
        // What comes behind it comes later.
        self.now += 1;
        (Expect::Registered(Some(shown.to_owned())), Vec::new())
    }

    fn unregister(&mut self, account: &str) -> Taken {
        match Rc::make_mut(&mut self.registered).remove(account) {
            Some(_) => (Expect::Registered(None), Vec::new()),
            None => refuse("item-not-found"),
        }
    }

    /// Rows are gone.
    pub fn expire(&mut self, outdated: &[Outdated]) {
        for Outdated { name, base, .. } in outdated {
            if let Some(room) = self.rooms.get_mut(name.as_str()) {
                // What was found before may be taken later, where a channel was being loaded.
                room.gone = room.gone.max(base.row);
            }
        }
    }

    /// The channels with rows that are too old, each with the last of them.
    pub fn outdated(&self, clock: u64) -> BTreeMap<String, u64> {
        let last = self.rooms.iter().filter_map(|(name, room)| Some((name.clone(), room.outdated(clock)?)));
        last.collect()
    }

    fn visible(&self, account: &str) -> BTreeSet<String> {
        let seen = self.rooms.iter().filter(|(_, room)| room.listed || room.knows(account));
        seen.map(|(name, _)| format!("{name}@{DOMAIN}")).collect()
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
            | Op::Subscribe { channel, .. }
            | Op::Say { channel, .. }
            | Op::SetInfo { channel, .. }
            | Op::Items { channel, .. }
            | Op::History { channel, .. }
            | Op::Bounds { channel }
            | Op::Retain { channel, .. }
            | Op::Describe { channel } => Some(channel),
            Op::Create(_) | Op::Destroy(_) | Op::List | Op::Register(_) | Op::Unregister | Op::Garbage { .. } => None,
        }
    }
}
