//! The engine, a store and a clock that stands still between steps: the worker's loop without a worker.
//!
//! After every turn memory is compared with the store, and every stanza that goes out must be well-formed, come from an
//! address of the service and have a recipient; every request has exactly one answer, and no turn takes more steps than it
//! may.

mod looks;

use super::answered::{Answered, Request};
use super::bound::within;
use super::names::Names;
use super::script::Script;
use super::{Unplayable, print};
use jid::{BareJid, DomainPart, Jid};
use minidom::Element;
use mixd::channel::group::Invitee;
use mixd::channel::{
    Actor, Channel, ChannelName, GroupWish, Limits, Membership, Rate, Registry, ServiceCommand, Stamp, Visibility,
};
use mixd::engine::{
    AddressBook, Addressee, Call, Engine, Inbound, Moment, Multicast, MulticastSettings, Out, Pacing, Pam,
    ServiceSettings,
};
use mixd::runtime::answer::answer;
use mixd::runtime::framer::{Frame, Framer};
use mixd::runtime::load::load_all;
use mixd::store::{CommitError, Failure, MemoryStore, Retention, Store};
use mixd::xmpp::{Condition, Kind, Stanza, StanzaError, Unreadable, ns};
use std::collections::{BTreeSet, HashMap};

const DOMAIN: &str = "mix.shakespeare.example";
const SEALING_KEY: [u8; 16] = [7; 16];
/// 2026-11-23T10:00:00Z.
const START: Stamp = Stamp(1_795_428_000_000);
/// Between two steps.
const STEP_MS: u64 = 1000;

const DAY_MS: u64 = 86_400_000;
const CENTURY_MS: u64 = 36_500 * DAY_MS;
/// How the host server opens its stream.
const STREAM: &str = "<stream:stream xmlns='jabber:component:accept'>";

/// Whether channels stay in memory between turns.
#[derive(Clone, Copy, PartialEq)]
pub enum Memory {
    Kept,
    Dropped,
}

/// See the module.
pub struct World {
    settings: ServiceSettings,
    store: MemoryStore,
    engine: Engine,
    pacing: Pacing,
    book: AddressBook,
    names: Names,
    /// The right time.
    now: Stamp,
    /// By how much the clock is ahead of it.
    ahead_ms: u64,
    starts: u8,
    /// Requests to participants, which those answer.
    passed_on: Vec<Request>,
    /// What came in for the turn, in bytes.
    asked: usize,
}

impl World {
    /// An empty service with the settings of a script.
    ///
    /// # Errors
    /// Where a setting is none.
    pub fn new(script: &Script, memory: Memory) -> Result<World, Unplayable> {
        let store = MemoryStore::new(SEALING_KEY);
        let settings = settings(script, memory)?;
        let engine = start(&settings, &store, 0);
        let (book, names) = (AddressBook::default(), Names::new(SEALING_KEY));
        let mut world = World {
            settings,
            store,
            engine,
            pacing: Pacing::new(1 << 20, Default::default()),
            book,
            names,
            now: START,
            ahead_ms: 0,
            starts: 0,
            passed_on: Vec::new(),
            asked: 0,
        };
        // Where a multicast service is looked for, the transcript shows how.
        if world.settings.multicast.is_empty() {
            assert!(world.link(true, "the start").stanzas.is_empty(), "a fresh service has nothing to say");
        }
        Ok(world)
    }

    /// Stanzas come in, cut out of the stream as the link does it.
    ///
    /// # Errors
    /// Where they name what there is not, or are nothing that a stream holds.
    pub fn send(&mut self, stanzas: &[String], place: &str) -> Result<Answered, Unplayable> {
        let at = |error| Unplayable(format!("{place}: {error}"));
        let mut framer = Framer::new(mixd::config::Limits::default().of_stanzas());
        let mut batch = Vec::new();
        for text in [STREAM].into_iter().chain(stanzas.iter().map(String::as_str)) {
            let text = self.names.read(text).map_err(|error| at(error.0))?;
            let fed = framer.feed(text.as_bytes(), |frame| batch.extend(inbound(frame)));
            fed.map_err(|error| at(error.to_string()))?;
        }
        self.now.0 += STEP_MS;
        for inbound in &batch {
            if let Inbound::Stanza(stanza) = inbound {
                self.names.learn_sender(stanza.sender());
            }
        }
        let (owed, passed_on) = owed(&batch);
        self.asked = stanzas.iter().map(String::len).sum();
        let answered = self.turn(batch, place);
        self.asked = 0;
        // What one participant asks another is answered by that one, in its time.
        let at_once = |answers: &[Request]| -> Vec<Request> {
            let mut rest = answers.to_vec();
            rest.retain(|request| !passed_on.contains(request) && !self.passed_on.contains(request));
            // ejabberd's own requests are answered at a resource, where they came from none.
            let asked_there = |to: &str, id: &str| id.starts_with("rr-") && to.ends_with("/mixd");
            for (to, _) in rest.iter_mut().filter(|(to, id)| asked_there(to, id)) {
                to.truncate(to.len() - "/mixd".len());
            }
            rest
        };
        assert_eq!(at_once(&answered.answers), owed, "{place}: a request has exactly one answer");
        self.passed_on.extend(passed_on);
        Ok(answered)
    }

    /// Somebody makes a group over the HTTP API, in words such as `hag66 makes weekend with hecate cat`.
    ///
    /// # Errors
    /// Where the words are others.
    pub fn make_over_http(&mut self, words: &str, place: &str) -> Result<Answered, Unplayable> {
        let wrong = || Unplayable(format!("{place}: '{words}' is not 'WHO makes CHANNEL with WHOM …'"));
        let account = |name: &str| BareJid::new(&format!("{name}@shakespeare.example")).map_err(|_| wrong());
        let (who, wish) = words.split_once(" makes ").ok_or_else(wrong)?;
        let (name, people) = wish.split_once(" with ").ok_or_else(wrong)?;
        let invitee = |name: &str| account(name).map(|jid| Invitee { jid, nick: None });
        let wish = GroupWish {
            name: Some(ChannelName::new(name).ok_or_else(wrong)?),
            subject: name.to_owned(),
            members: people.split_whitespace().map(invitee).collect::<Result<_, _>>()?,
            membership: Some(Membership::Invite),
            notices: true,
            ..GroupWish::default()
        };
        let (actor, to) = (Actor { account: account(who)?, operator: false }, Addressee::Service);
        self.now.0 += STEP_MS;
        let call = Call { token: 1, actor, to, command: ServiceCommand::CreateGroup(wish).into() };
        Ok(self.turn(vec![Inbound::Call(Box::new(call))], place))
    }

    /// Time passes; the worker ticks at its end.
    ///
    /// # Errors
    /// Where it is no time, or more than a century.
    pub fn pass(&mut self, time: &str, place: &str) -> Result<Answered, Unplayable> {
        let passed_ms = span_ms(time, place)?;
        if self.now.0 + passed_ms > START.0 + CENTURY_MS {
            return Err(Unplayable(format!("{place}: a century is over")));
        }
        self.now.0 += passed_ms;
        Ok(self.turn(vec![Inbound::Tick], place))
    }

    /// Somebody sets the clock (`ahead 60 days`, `right`), or the operator says that it is right (`confirm`).
    ///
    /// # Errors
    /// Where it is something else.
    pub fn clock(&mut self, change: &str, place: &str) -> Result<Answered, Unplayable> {
        match change.split_once(' ').unwrap_or((change, "")) {
            ("ahead", time) => self.ahead_ms = span_ms(time, place)?,
            ("right", "") => self.ahead_ms = 0,
            ("confirm", "") => return Ok(self.turn(vec![Inbound::ClockConfirmed], place)),
            _ => return Err(Unplayable(format!("{place}: the clock is 'ahead TIME', or 'right', or to 'confirm'"))),
        }
        Ok(Answered::default())
    }

    fn moment(&self) -> Moment {
        Moment { wall: Stamp(self.now.0 + self.ahead_ms), steady_ms: self.now.0 }
    }

    /// Rows that are too old go: those of channels that say so, and those that the service keeps for so many days.
    ///
    /// # Errors
    /// Where it is no number of days.
    pub fn sweep(&mut self, days: &str, place: &str) -> Result<Answered, Unplayable> {
        let keep_days = days.parse().map_err(|_| Unplayable(format!("{place}: '{days}' is no number of days")))?;
        let dial = self.engine.tell_time(self.moment());
        if dial.held {
            return Ok(Answered::default());
        }
        let retention = Retention { now: dial.kept, keep_days };
        let swept = self.store.sweep(&retention, &[], usize::MAX).expect("the store can be read");
        let answered = self.turn(vec![Inbound::Expired(swept.outdated)], place);
        self.store.drop_months(&retention).expect("months can be dropped");
        self.compare_with_store(place);
        Ok(answered)
    }

    /// The process ends and starts again.
    pub fn restart(&mut self, place: &str) -> Answered {
        self.starts = self.starts.wrapping_add(1);
        self.engine = start(&self.settings, &self.store, self.starts);
        self.pacing = Pacing::new(1 << 20, self.engine.own_domains().clone());
        self.book = AddressBook::default();
        self.link(true, place)
    }

    /// Another program takes the place of this one, on the same link.
    pub fn handover(&mut self, place: &str) -> Answered {
        let known = postcard::to_allocvec(&self.engine.memory()).expect("it is written");
        let known = postcard::from_bytes(&known).expect("it is read");
        self.starts = self.starts.wrapping_add(1);
        self.engine = start(&self.settings, &self.store, self.starts);
        self.pacing = Pacing::new(1 << 20, self.engine.own_domains().clone());
        self.book = AddressBook::default();
        self.turn(vec![Inbound::LinkKept(Box::new(known))], place)
    }

    /// The process dies and takes along what the last turns were about to send; the next one sends it again.
    ///
    /// # Errors
    /// Where so many turns are not unsent.
    pub fn crash(&mut self, turns: &str, place: &str) -> Result<Answered, Unplayable> {
        let unsent = self.store.unsent().expect("the store can be read");
        let first = turns.parse().ok().and_then(|turns| unsent.len().checked_sub(turns));
        let lost = first.map(|first| unsent[first..].to_vec());
        let lost = lost.ok_or_else(|| Unplayable(format!("{place}: '{turns}' is not how many turns are unsent")))?;
        let mut answered = self.restart(place);
        answered.stanzas.extend(self.turn(vec![Inbound::Resend(lost)], place).stanzas);
        Ok(answered)
    }

    pub fn link(&mut self, up: bool, place: &str) -> Answered {
        self.turn(vec![if up { Inbound::LinkUp } else { Inbound::LinkDown }], place)
    }

    pub fn refuse_next_commit(&mut self) -> Answered {
        self.store.fail_next_commits(1, Failure::Refused);
        Answered::default()
    }

    fn turn(&mut self, batch: Vec<Inbound>, place: &str) -> Answered {
        let (mut answered, mut next) = self.turn_once(batch, place);
        // What goes on over several turns does so before anything else comes in.
        while !next.is_empty() {
            let (more, later) = self.turn_once(vec![next.remove(0)], place);
            answered.stanzas.extend(more.stanzas);
            next.extend(later);
        }
        answered
    }

    fn turn_once(&mut self, batch: Vec<Inbound>, place: &str) -> (Answered, Vec<Inbound>) {
        let moment = self.moment();
        let batch = self.pacing.pass(&mut self.engine, moment, batch);
        let mut turn = within(self.asked, || {
            load_all(&mut self.engine, &self.store, &batch).expect("the store can be read");
            self.engine.turn(moment, batch)
        });
        let next = std::mem::take(&mut turn.next);
        assert!(turn.deferred.is_empty(), "{place}: one comes after the other");
        let xml = match self.store.commit(self.engine.dial().due, &turn.records) {
            Ok(()) => {
                let mut xml = self.expand(std::mem::take(&mut turn.outbox));
                turn.queries.iter().for_each(|query| answer(query, &self.store).iter().for_each(|s| xml.push_str(s)));
                xml
            }
            Err(CommitError::Refused(_)) => {
                let out = self.engine.abandon(turn);
                self.expand(out)
            }
            Err(error) => panic!("{place}: {error}"),
        };
        self.compare_with_store(place);
        (self.write_down(&xml, place), next)
    }
}

/// A time in words, in milliseconds.
fn span_ms(time: &str, place: &str) -> Result<u64, Unplayable> {
    let (count, unit) = time.split_once(' ').unwrap_or((time, ""));
    let unit_ms = match unit {
        "s" => 1000,
        "h" => 3_600_000,
        "days" => DAY_MS,
        _ => return Err(Unplayable(format!("{place}: '{unit}' is no unit of time (s, h, days)"))),
    };
    let ms = count.parse().ok().and_then(|count: u64| count.checked_mul(unit_ms)).filter(|&ms| ms <= CENTURY_MS);
    ms.ok_or_else(|| Unplayable(format!("{place}: '{count}' is no number of {unit}")))
}

fn start(settings: &ServiceSettings, store: &MemoryStore, starts: u8) -> Engine {
    let directory = store.directory().expect("the store can be read");
    let whereabouts = store.whereabouts().expect("the store can be read");
    Engine::new(settings.clone(), store.sealing_key(), [starts; 32], directory, whereabouts)
}

fn settings(script: &Script, memory: Memory) -> Result<ServiceSettings, Unplayable> {
    let mut settings = ServiceSettings {
        domain: DomainPart::new(DOMAIN).expect("a domain").into_owned(),
        name: "Shakespearean Chat Service".into(),
        operators: Vec::new(),
        creators: vec!["shakespeare.example".into()],
        limits: Limits::default(),
        page_default: 20,
        page_max: 100,
        channels_memory_bytes_max: if memory == Memory::Kept { usize::MAX } else { 0 },
        pam: HashMap::new(),
        multicast: Default::default(),
    };
    for (name, value) in script.settings()? {
        let wrong = |expected: &str| Unplayable(format!("'--! set {name} {value}' is no setting; expected {expected}"));
        let number = || value.parse().ok().filter(|&n: &usize| n > 0).ok_or_else(|| wrong("a number above 0"));
        let paced = || rate(&value).ok_or_else(|| wrong("a rate"));
        let opened = || mixd::xep::group_tags::access_of(&value).ok_or_else(|| wrong("an access"));
        match &*name {
            "operator" => settings.operators.push(BareJid::new(&value).map_err(|_| wrong("an account"))?),
            "creators" => settings.creators = value.split_whitespace().map(str::to_owned).collect(),
            "guests_max" => settings.limits.guests_max = number()?,
            "registered_nicks_max" => settings.limits.registered_nicks_max = number()?,
            "invitations_max" => settings.limits.invitations_max = number()?,
            "invitations_per_inviter_max" => settings.limits.invitations_per_inviter_max = number()?,
            "invitation_s" => settings.limits.invitation_s = number()? as u64,
            "occupants_max" => settings.limits.muc.occupants_max = number()?,
            "bookmarks" => settings.limits.muc.bookmarks = value == "true",
            "participants_max" => settings.limits.participants_max = number()?,
            "presence_participants_max" => settings.limits.presence_participants_max = number()?,
            "former_max" => settings.limits.former_max = number()?,
            "former_silent_max" => settings.limits.former_silent_max = number()?,
            "channels_max" => settings.limits.channels_max = number()?,
            "channel_name_bytes_max" => settings.limits.channel_name_bytes_max = number()?,
            "nick_bytes_max" => settings.limits.nick_bytes_max = number()?,
            "payload_bytes_max" => settings.limits.payload_bytes_max = number()?,
            "id_bytes_max" => settings.limits.id_bytes_max = number()?,
            "info_bytes_max" => settings.limits.info_bytes_max = number()?,
            "channels_per_creator_max" => settings.limits.channels_per_creator_max = number()?,
            "messages" => settings.limits.rates.messages = paced()?,
            "messages_backlog" => settings.limits.rates.messages_backlog = number()? as u64,
            "held_s" => settings.limits.rates.held_s = number()? as u64,
            "nick_domains" => settings.limits.nick_domains = value.split_whitespace().map(str::to_owned).collect(),
            "search_all_domains" => {
                settings.limits.search_all_domains = value.split_whitespace().map(str::to_owned).collect();
            }
            "channel_messages" => settings.limits.rates.channel_messages = paced()?,
            "requests" => settings.limits.rates.requests = paced()?,
            "channels_guests" => settings.limits.channels.guests = opened()?,
            "channels_moderation" => settings.limits.channels.moderation = opened()?,
            "groups_participants_max" => settings.limits.groups.participants_max = number()?,
            "groups_deserted_s" => settings.limits.groups.deserted_s = number()? as u64,
            "groups_avatar_bytes_max" => settings.limits.groups.avatar_bytes_max = number()?,
            "without" => {
                let features = &mut settings.limits.features;
                match &*value {
                    "groups" => features.groups = false,
                    "rooms" => settings.limits.muc.enabled = false,
                    "image" => features.image = false,
                    "audio" => features.audio = false,
                    "video" => features.video = false,
                    "file" => features.file = false,
                    "media" => features.media = false,
                    "receipts" => features.receipts = false,
                    "states" => features.states = false,
                    "retraction" => features.retraction = false,
                    "nick_registration" => features.nick_registration = false,
                    _ => return Err(wrong("a feature")),
                }
            }
            "page_default" => settings.page_default = number()?,
            "page_max" => settings.page_max = number()?,
            "pam" => {
                let (domain, kind) = value.split_once(' ').ok_or_else(|| wrong("a domain and a kind"))?;
                let kind = match kind {
                    "standard" => Pam::Standard,
                    "ejabberd" => Pam::Ejabberd,
                    "none" => Pam::None,
                    _ => Pam::Auto,
                };
                settings.pam.insert(domain.to_owned(), kind);
            }
            "multicast" => {
                let wanted = || wrong("DOMAIN and auto, off or a domain");
                let (domain, service) = value.split_once(' ').ok_or_else(wanted)?;
                let service = Multicast::try_from(service.to_owned()).map_err(|_| wanted())?;
                settings.multicast.insert(domain.to_owned(), MulticastSettings { service, addresses_max: None });
            }
            _ => return Err(wrong("another name")),
        }
    }
    Ok(settings)
}

/// What the link makes of a piece of the stream.
fn inbound(frame: Frame<'_>) -> Option<Inbound> {
    match frame {
        Frame::Stanza(bytes) => Some(match Stanza::parse(bytes) {
            Ok(stanza) => Inbound::Stanza(stanza),
            Err(unreadable) => Inbound::Unreadable(*unreadable),
        }),
        Frame::Oversize(head, _) => {
            let error = StanzaError::new(Condition::PolicyViolation, "");
            Some(Inbound::Unreadable(Unreadable::from_head(head, error)))
        }
        _ => None,
    }
}

/// The requests of a batch that have to be answered, sorted, and those that are for a participant of a channel.
fn owed(batch: &[Inbound]) -> (Vec<Request>, Vec<Request>) {
    let mut owed: Vec<(bool, Request)> = batch.iter().filter_map(request).collect();
    owed.sort();
    let (passed_on, owed): (Vec<_>, Vec<_>) = owed.into_iter().partition(|(passed_on, _)| *passed_on);
    let requests = |of: Vec<(bool, Request)>| of.into_iter().map(|(_, request)| request).collect();
    (requests(owed), requests(passed_on))
}

fn request(inbound: &Inbound) -> Option<(bool, Request)> {
    // What goes on to a channel of another service is answered once that answered.
    let is_foreign = |it: &Stanza| it.payload().is_some_and(|payload| String::from(payload).contains("@mix2."));
    let is_foreign = matches!(inbound, Inbound::Stanza(it) if is_foreign(it));
    let (kind, from, to, id, answerable) = match inbound {
        Inbound::Stanza(it) => (it.kind, &it.from, &it.to, it.id.as_ref()?, !it.is_answer()),
        Inbound::Unreadable(it) => (it.kind?, it.from.as_ref()?, it.to.as_ref()?, it.id.as_ref()?, it.answerable),
        _ => return None,
    };
    let is_owed = kind == Kind::Iq && answerable && to.domain().as_str() == DOMAIN;
    let is_of_occupant = to.node().is_some_and(|node| node.as_str().contains('#') || to.is_full());
    let is_passed_on = is_foreign || is_of_occupant;
    is_owed.then(|| (is_passed_on, (from.to_string(), id.clone())))
}

/// `N N`: so many a second, and so many at once.
fn rate(text: &str) -> Option<Rate> {
    let (per_s, burst) = text.split_once(' ')?;
    Some(Rate { per_s: per_s.parse().ok()?, burst: burst.parse().ok()? })
}
