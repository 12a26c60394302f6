//! A service that holds so much of everything, and what one stanza costs it.

use jid::BareJid;
use mixd::channel::{Actor, AnyCommand, ChannelName, Limits, Node, Rates, Stamp};
use mixd::engine::{Addressee, Call, Engine, Inbound, Out, ServiceSettings, Turn};
use mixd::runtime::load::load_all;
use mixd::store::{MemoryStore, Record, Store};
use mixd::xep::Sealer;
use mixd::xmpp::Stanza;

const SEALING_KEY: [u8; 16] = [7; 16];
const OPERATOR: &str = "op@h";
/// Stanzas of one batch while the service is filled.
const BATCH: usize = 256;

/// What is sent: a stanza, or a command by the other door.
#[allow(clippy::large_enum_variant)] // There is one at a time.
pub enum Sent {
    Stanza(String),
    Call(BareJid, Addressee, AnyCommand),
}

/// What one thing that was sent cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Steps, or instructions.
    pub steps: u64,
    /// What came in, in bytes.
    pub asked: usize,
    /// What was answered, told and kept, in bytes, each stanza once whoever gets it.
    pub answered: usize,
    /// Whether it was refused.
    pub is_refused: bool,
}

/// Counts what something costs.
pub type Meter<'a> = dyn Fn(&mut dyn FnMut()) -> u64 + 'a;

/// See the module.
pub struct World {
    pub engine: Engine,
    pub store: MemoryStore,
    pub sealer: Sealer,
    /// How much of everything there is.
    pub size: usize,
    /// How often something was measured: names that have to be new hold it.
    pub serial: usize,
    /// The row of the first message of `team`, which has as many as there is of everything.
    pub said: u64,
    now: u64,
}

impl World {
    /// A service with nothing in it yet.
    pub fn empty(size: usize) -> World {
        World::over(MemoryStore::new(SEALING_KEY), size)
    }

    /// The same service after a start, which knows what the store holds and nothing else.
    pub fn begun_anew(&self) -> World {
        World { now: self.now, said: self.said, ..World::over(self.store.clone(), self.size) }
    }

    fn over(store: MemoryStore, size: usize) -> World {
        let mut limits = Limits {
            rates: Rates::unlimited(),
            channels_per_creator_max: 1_000_000,
            guests_max: 1_000_000,
            invitations_max: 1_000_000,
            invitations_per_inviter_max: 1_000_000,
            ..Limits::default()
        };
        limits.groups.participants_max = 100_000;
        let settings = ServiceSettings {
            domain: "mix.h".parse().unwrap(),
            name: "Channels".into(),
            operators: vec![BareJid::new(OPERATOR).unwrap()],
            creators: vec!["*".into()],
            limits,
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: usize::MAX,
            pam: [("h".to_owned(), mixd::engine::Pam::Standard)].into(),
            multicast: Default::default(),
        };
        let (directory, whereabouts) = (store.directory().unwrap(), store.whereabouts().unwrap());
        let engine = Engine::new(settings, SEALING_KEY, [7; 32], directory, whereabouts);
        let sealer = Sealer::new(SEALING_KEY);
        World { engine, store, sealer, size, serial: 0, said: 0, now: 1_795_428_000_000 }
    }

    /// Sends what the service is filled with; what is refused is a mistake of the table.
    pub fn fill(&mut self, stanzas: impl IntoIterator<Item = String>) {
        let mut stanzas = stanzas.into_iter().peekable();
        while stanzas.peek().is_some() {
            let some: Vec<String> = stanzas.by_ref().take(BATCH).collect();
            let turn = self.turn(some.iter().map(|xml| parsed(xml)).collect());
            assert!(turn.refusals.is_empty(), "{:?} of {some:.300?}", turn.refusals);
            self.commit(&turn);
            assert!(self.go_on(turn), "what was put off was refused");
        }
    }

    /// Sends something; whether it is taken does not matter. What is sent of it at once.
    pub fn send(&mut self, sent: &Sent) -> Vec<Out> {
        let batch = vec![inbound(sent)];
        let mut turn = self.turn(batch);
        self.commit(&turn);
        let sent = std::mem::take(&mut turn.outbox);
        self.go_on(turn);
        sent
    }

    /// Sends something and counts: what has to be loaded for it, what it leads to, and that it is kept. Others are served
    /// between what goes on in later turns, so of all these turns it is the dearest that counts.
    pub fn measure(&mut self, sent: &Sent, meter: &Meter<'_>) -> (Cost, Turn) {
        let (mut steps, mut turn) = self.measured(vec![inbound(sent)], meter);
        let mut is_refused = !turn.refusals.is_empty();
        let mut next = std::mem::take(&mut turn.next);
        while !next.is_empty() {
            let (of_one, mut turn) = self.measured(vec![next.remove(0)], meter);
            steps = steps.max(of_one);
            is_refused |= !turn.refusals.is_empty();
            next.append(&mut turn.next);
        }
        let asked = match sent {
            Sent::Stanza(xml) => xml.len(),
            Sent::Call(_, _, AnyCommand::Channel(command)) => format!("{command:?}").len(),
            Sent::Call(_, _, AnyCommand::Service(command)) => format!("{command:?}").len(),
        };
        self.serial += 1;
        // What it put off does not count for the next one.
        let rest = self.turn(vec![Inbound::Tick]);
        self.commit(&rest);
        self.go_on(rest);
        (Cost { steps, asked, answered: answered(&turn), is_refused }, turn)
    }

    fn measured(&mut self, batch: Vec<Inbound>, meter: &Meter<'_>) -> (u64, Turn) {
        let (mut batch, mut kept) = (Some(batch), None);
        let steps = meter(&mut || {
            let batch = batch.take().expect("it is measured once");
            let turn = self.turn(batch);
            self.commit(&turn);
            kept = Some(turn);
        });
        (steps, kept.expect("it was measured"))
    }

    /// What was put off goes on, and behind it what waited for that; whether all was taken.
    fn go_on(&mut self, mut turn: Turn) -> bool {
        let mut is_taken = turn.refusals.is_empty();
        let (mut next, mut waiting) = (std::mem::take(&mut turn.next), std::mem::take(&mut turn.deferred));
        while !next.is_empty() || !waiting.is_empty() {
            let batch = match next.is_empty() {
                true => std::mem::take(&mut waiting).into_iter().map(|(_, inbound)| inbound).collect(),
                false => vec![next.remove(0)],
            };
            let mut turn = self.turn(batch);
            is_taken &= turn.refusals.is_empty();
            self.commit(&turn);
            next.append(&mut turn.next);
            waiting.append(&mut turn.deferred);
        }
        is_taken
    }

    fn turn(&mut self, batch: Vec<Inbound>) -> Turn {
        self.now += 1000;
        load_all(&mut self.engine, &self.store, &batch).expect("the store can be read");
        self.engine.turn(Stamp(self.now), batch)
    }

    fn commit(&self, turn: &Turn) {
        let sent = turn.parcel.map(Record::Sent);
        self.store.commit(Stamp(self.now), &turn.records).expect("the store keeps it");
        self.store.commit(Stamp(self.now), sent.as_slice()).expect("the store keeps it");
    }

    /// The address of somebody in a channel.
    pub fn address(&self, channel: &str, who: &str) -> String {
        let name = ChannelName::new(channel).unwrap();
        let channel = self.engine.channels().find(|channel| *channel.name() == name).expect("there is the channel");
        let member = channel.member(&BareJid::new(who).unwrap()).expect("it is in the channel");
        format!("{}#{name}@mix.h", member.id)
    }

    /// The address that people of MIX know of somebody who passes by in a room.
    pub fn passing(&self, channel: &str, who: &str) -> String {
        let found = self.engine.channels().find(|it| it.name().as_str() == channel).expect("there is the channel");
        format!("{}#{channel}@mix.h", self.sealer.visitor(found.profile().tag, &BareJid::new(who).unwrap(), 0))
    }

    /// The token by which somebody was invited to a channel; something else where it was not.
    pub fn token(&self, channel: &str, who: &str) -> String {
        let (name, who) = (ChannelName::new(channel).unwrap(), BareJid::new(who).unwrap());
        let channel = self.engine.channels().find(|channel| *channel.name() == name).expect("there is the channel");
        let given = channel.kept().invitations.got_by(&who).next();
        given.map_or("x".to_owned(), |invitation| invitation.token.as_str().to_owned())
    }

    /// The id of what a node of a channel holds.
    pub fn item(&self, channel: &str, node: Node) -> String {
        let name = ChannelName::new(channel).unwrap();
        let channel = self.engine.channels().find(|channel| *channel.name() == name).expect("there is the channel");
        channel.item(node).map(|item| item.id.clone()).unwrap_or_default()
    }

    /// The number of the newest row of a channel.
    pub fn head(&self, channel: &str) -> u64 {
        let found = self.engine.channels().find(|it| it.name().as_str() == channel);
        found.expect("there is the channel").head().row
    }

    /// The id of a row of a channel.
    pub fn row(&self, channel: &str, row: u64) -> String {
        let found = self.engine.channels().find(|it| it.name().as_str() == channel);
        self.sealer.seal(found.expect("there is the channel").profile().tag, row)
    }
}

pub fn parsed(xml: &str) -> Inbound {
    Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap_or_else(|error| panic!("{error:?}: {xml:.300}")))
}

fn inbound(sent: &Sent) -> Inbound {
    match sent {
        Sent::Stanza(xml) => parsed(xml),
        Sent::Call(who, to, command) => {
            let actor = Actor { account: who.clone(), operator: who.as_str() == OPERATOR };
            Inbound::Call(Box::new(Call { token: 1, actor, to: to.clone(), command: command.clone() }))
        }
    }
}

/// What a turn says and keeps, in bytes.
fn answered(turn: &Turn) -> usize {
    let said = turn.outbox.iter().map(|out| match out {
        Out::Stanza(xml) | Out::Presence(xml) | Out::Question(xml) | Out::About { text: xml, .. } => xml.len(),
        Out::Fan(fan) => fan.head.len() + fan.tail.len(),
        Out::Book(_) => 64,
    });
    let results = turn.results.iter().map(|result| format!("{result:?}").len());
    let queries = turn.queries.iter().map(|query| format!("{query:?}").len());
    let queries = queries.chain(turn.lookups.iter().map(|lookup| format!("{lookup:?}").len()));
    said.chain(results).chain(queries).sum::<usize>() + turn.records.iter().map(kept).sum::<usize>()
}

/// What a record takes, roughly, in bytes.
fn kept(record: &Record) -> usize {
    // Of what is to be sent, it is put down to whom.
    if let Record::Unsent(_) = record { format!("{record:?}").len() } else { 256 }
}
