//! What waits for channels that are not in memory, for what lies in old months of an archive, or for what is kept by
//! accounts: all of it is read beside the turns, and everybody else goes on.
//!
//! Nothing of a channel changes while it is loaded or its archive is read, since whatever would change it waits here. Reads
//! begin between two turns, so that what is read is what the turn before left. What is for one channel goes on in the order
//! in which it came; what is for several ones goes on when they are all there. While something is read for an account,
//! whatever else it sends waits behind that, and nobody else does: what others change of it meanwhile is laid over what is
//! read (`engine::channels::lately`).

mod coming;

use super::super::fairness::waiting_room::{NoRoom, WaitingRoom};
use super::super::fairness::weight::{NAME_BYTES, ROW_BYTES, weight};
use super::super::share::{Hit, OwnDomains};
use super::super::{Arrival, Engine, Errand, Inbound, Loaded, Needs, Source, Step};
pub use super::candidate::Candidate;
use crate::channel::ChannelName;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// See the module. `T` is what comes in, with whatever goes along.
#[derive(Debug)]
pub struct Parking<T = Inbound> {
    /// In the order in which it came.
    parked: VecDeque<Parked<T>>,
    /// Those of which every channel came, in the same order.
    freed: VecDeque<Parked<T>>,
    /// What both weigh, in bytes.
    bytes: usize,
    /// Who has how much of it.
    places: WaitingRoom,
    /// The number of the next one.
    next: u64,
    /// The channels that are being loaded or are to be.
    loading: BTreeSet<ChannelName>,
    /// Those of them that nobody was told to load yet.
    wanted: Vec<ChannelName>,
    /// Those that were loaded, on their way into memory.
    arrivals: VecDeque<Arrival>,
    /// The archives and accounts of which something is read or is to be, and the number of what asked for it first.
    reading: BTreeMap<Source, u64>,
    /// Those of them of which something in the batch that is parted now asked: what is ready came before that.
    fresh: BTreeSet<Source>,
    /// What is to be read of those of them that nobody was told to read yet.
    errands: BTreeMap<Source, Errand>,
    /// Those for which nothing is read any more, and what waited for that was not freed yet.
    came: BTreeSet<Source>,
    /// What was read for those that were freed last.
    brought: BTreeMap<ChannelName, Loaded>,
    /// The channels in which something was done in part when something else came for them.
    halted: BTreeSet<ChannelName>,
    /// Accounts of which something that waits for channels needs what is known, once more or no longer.
    held: Vec<(BareJid, bool)>,
}

#[derive(Debug)]
struct Parked<T> {
    item: T,
    number: u64,
    /// Whose it is; the service's own things have nobody who could come again.
    holder: Option<BareJid>,
    bytes: usize,
    /// What it waits for.
    lacks: BTreeSet<Source>,
    /// All channels that it needs, where they are several.
    several: Vec<ChannelName>,
    /// Of what something is read for it.
    asks: Option<Source>,
    /// The accounts of which it needs what is known when its channels are there.
    people: Vec<BareJid>,
    /// What was read, for it and for what follows it in its turn.
    brought: Option<(ChannelName, Loaded)>,
}

impl<T> Parked<T> {
    /// Takes what was read of a channel, where it waits for nothing else: then nothing changes the channel before its turn.
    fn take_along(&mut self, name: &ChannelName, loaded: &mut Option<Loaded>) {
        let is_it = |lack: &Source| matches!(lack, Source::Channel(lack) if lack == name);
        if self.lacks.iter().all(is_it) && loaded.is_some() {
            self.brought = loaded.take().map(|loaded| (name.clone(), loaded));
        }
    }
}

/// What becomes of a batch.
#[derive(Debug)]
pub struct Parted<T> {
    /// What waits for nothing, in order.
    pub ready: Vec<Candidate<T>>,
    /// What would have to wait and finds no room, and what waited and has to go for others.
    pub refused: Vec<T>,
}

impl<T: AsRef<Inbound>> Parking<T> {
    /// Room for so many things that wait, and for so many bytes of them, roughly as they lie in memory. Accounts and domains
    /// have shares of it.
    pub fn new(items_max: usize, bytes_max: usize, own_domains: OwnDomains) -> Parking<T> {
        Parking {
            parked: VecDeque::new(),
            freed: VecDeque::new(),
            bytes: 0,
            places: WaitingRoom::new("parked", (items_max, bytes_max), own_domains),
            next: 0,
            loading: BTreeSet::new(),
            wanted: Vec::new(),
            arrivals: VecDeque::new(),
            reading: BTreeMap::new(),
            fresh: BTreeSet::new(),
            errands: BTreeMap::new(),
            came: BTreeSet::new(),
            brought: BTreeMap::new(),
            halted: BTreeSet::new(),
            held: Vec::new(),
        }
    }

    /// How many wait, and what they weigh, in bytes.
    pub fn depth(&self) -> (usize, usize) {
        (self.parked.len() + self.freed.len(), self.bytes)
    }

    /// Whether nothing waits and nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.loading.is_empty() && self.reading.is_empty() && self.parked.is_empty() && self.freed.is_empty()
    }

    /// Whether something is read, so that what needs no more than is in memory may have to wait.
    pub fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// Whether a channel is on its way into memory, so that [`Parking::advance`] has something to do.
    pub fn is_moving(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Whether what was done in part is done, and something waits for that.
    pub fn has_resumed(&self, engine: &Engine) -> bool {
        self.halted.iter().any(|name| !engine.is_unfinished(name))
    }

    /// Numbers what came in, in order.
    pub fn number(&mut self, batch: &mut [Candidate<T>]) {
        for candidate in batch.iter_mut().filter(|candidate| candidate.number.is_none()) {
            candidate.number = Some(self.next);
            self.next += 1;
        }
    }

    /// Keeps back what needs channels that are not in memory, and has those loaded; and what is for channels whose archives
    /// are read, or comes from accounts for which something is.
    pub fn part(&mut self, engine: &Engine, batch: Vec<Candidate<T>>) -> Parted<T> {
        self.hold(engine, &Needs::default(), batch)
    }

    /// The same, and keeps back what asks for something that is `far`, which is read then, and whatever comes behind that
    /// for the same channel, or from the same account. A batch may be parted several times over; [`Parking::end_batch`]
    /// tells that it was.
    pub fn hold(&mut self, engine: &Engine, far: &Needs, batch: Vec<Candidate<T>>) -> Parted<T> {
        let mut parted = Parted { ready: Vec::with_capacity(batch.len()), refused: Vec::new() };
        let mut begun = BTreeSet::new();
        for Candidate { item, number: past } in batch {
            let needs = engine.needs_of(item.as_ref());
            let errand = if far.is_empty() { None } else { engine.errand(item.as_ref(), &needs, far) };
            let mut lacks = self.lacks(engine, item.as_ref(), &needs, past);
            let asked = errand.as_ref().map_or(0, |errand| errand.wants.count());
            lacks.extend(errand.as_ref().map(|errand| errand.source.clone()));
            if lacks.is_empty() {
                parted.ready.push(Candidate { item, number: past });
                continue;
            }
            // What is read of accounts is there as long as nothing else is waited for.
            let is_of_channels = lacks.iter().all(|lack| matches!(lack, Source::Channel(_)));
            let people: Vec<BareJid> = needs.people().filter(|_| is_of_channels).cloned().collect();
            let several = if needs.channels.len() > 1 { needs.channels } else { Vec::new() };
            let names = lacks.len() + several.len() + people.len();
            let bytes = weight(item.as_ref()) + NAME_BYTES * names + ROW_BYTES * asked;
            let (number, holder) = (past.unwrap_or(self.next), item.as_ref().holder());
            if let Some(holder) = &holder {
                match self.places.enter(holder, number, bytes) {
                    Ok(gone) => parted.refused.extend(gone.into_iter().filter_map(|number| self.let_go(number))),
                    Err(NoRoom) => {
                        parted.refused.push(item);
                        continue;
                    }
                }
            }
            self.next = self.next.max(number + 1);
            let source = errand.as_ref().map(|errand| errand.source.clone());
            begun.extend(source.clone().filter(|source| !self.reading.contains_key(source)));
            let asks = source.filter(|_| errand.is_some_and(|errand| self.ask(errand, number)));
            self.have_loaded(engine, item.as_ref(), &lacks);
            let halted = lacks.iter().filter_map(Source::channel).filter(|name| engine.is_unfinished(name));
            self.halted.extend(halted.cloned());
            self.bytes += bytes;
            self.held.extend(people.iter().map(|jid| (jid.clone(), true)));
            let mut parked = Parked { item, number, holder, bytes, lacks, several, asks, people, brought: None };
            // The channel left memory while something was read for it.
            if let Some(Source::Channel(name)) = parked.lacks.first()
                && let Some((name, loaded)) = self.brought.remove_entry(name)
            {
                parked.take_along(&name, &mut Some(loaded));
            }
            let place = self.parked.partition_point(|other| other.number < number);
            self.parked.insert(place, parked);
        }
        self.fresh.append(&mut begun);
        parted
    }

    /// Nothing of the batch is parted any more. What the service asks itself is asked for, unless it is already; and what is
    /// known of accounts stays for what waits.
    pub fn end_batch(&mut self, engine: &mut Engine, own: Option<Errand>) {
        self.fresh.clear();
        if let Some(errand) = own {
            self.ask(errand, u64::MAX);
        }
        engine.hold(std::mem::take(&mut self.held));
    }

    /// Has channels loaded that something lacks.
    fn have_loaded(&mut self, engine: &Engine, inbound: &Inbound, lacks: &BTreeSet<Source>) {
        let is_after = matches!(inbound, Inbound::Expired(_) | Inbound::Erased(..));
        for name in lacks.iter().filter_map(Source::channel).filter(|name| !is_after && engine.is_cold(name)) {
            if self.loading.insert(name.clone()) {
                self.wanted.push(name.clone());
            }
        }
    }

    /// Has something read; whether this is part of what is read next. Where the read began already, or asks for enough, it
    /// is asked again when that is through.
    fn ask(&mut self, errand: Errand, number: u64) -> bool {
        let is_new = !self.reading.contains_key(&errand.source);
        let first = self.reading.entry(errand.source.clone()).or_insert(number);
        *first = number.min(*first);
        if is_new {
            self.errands.insert(errand.source.clone(), errand);
            return true;
        }
        self.errands.get_mut(&errand.source).is_some_and(|begun| begun.join(&errand))
    }

    /// What something has to wait for that needs this; `past` is its number, where it was here already.
    fn lacks(&self, engine: &Engine, inbound: &Inbound, needs: &Needs, past: Option<u64>) -> BTreeSet<Source> {
        let source = |name: &ChannelName| Source::Channel(name.clone());
        let is_awaited = |source: &Source| self.is_loading(source) || self.holds(source);
        match inbound {
            // These change what is not in memory, too.
            Inbound::Expired(outdated) => {
                return outdated.iter().map(|outdated| source(&outdated.name)).filter(is_awaited).collect();
            }
            Inbound::Erased(_, names) => return names.iter().map(source).filter(is_awaited).collect(),
            _ => {}
        }
        let is_rest = is_rest(inbound);
        let has_to_wait = |name: &&ChannelName| {
            engine.is_cold(name) || self.holds(&source(name)) || (!is_rest && engine.is_unfinished(name))
        };
        let mut lacks: BTreeSet<Source> = needs.channels.iter().filter(has_to_wait).map(source).collect();
        if matches!(inbound, Inbound::Stanza(_) | Inbound::Call(_)) && self.is_reading() {
            // What came before the one that asked does not wait for that.
            let account = Source::Account(engine.asker(inbound));
            let is_behind = self.reading.get(&account).is_some_and(|asked| past.is_none_or(|past| past > *asked));
            lacks.extend(Some(account).filter(|account| is_behind && self.holds(account)));
        }
        lacks
    }

    /// Whether what comes for a channel, or from an account, waits for what is read of it.
    fn holds(&self, source: &Source) -> bool {
        self.reading.contains_key(source) && !self.fresh.contains(source)
    }

    fn is_loading(&self, source: &Source) -> bool {
        matches!(source, Source::Channel(name) if self.loading.contains(name))
    }

    fn is_awaited(&self, source: &Source) -> bool {
        self.is_loading(source) || self.reading.contains_key(source)
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<T> {
        self.places.hits()
    }

    /// Takes out what has to go for others.
    fn let_go(&mut self, number: u64) -> Option<T> {
        let found = |among: &VecDeque<Parked<T>>| among.iter().rposition(|parked| parked.number == number);
        let parked = match found(&self.parked) {
            Some(place) => self.parked.remove(place),
            None => found(&self.freed).and_then(|place| self.freed.remove(place)),
        };
        parked.map(|parked| self.unpark(parked))
    }

    fn unpark(&mut self, parked: Parked<T>) -> T {
        self.bytes -= parked.bytes;
        self.held.extend(parked.people.into_iter().map(|jid| (jid, false)));
        if let Some(holder) = &parked.holder {
            self.places.leave(holder, parked.number);
        }
        parked.item
    }

    /// The channels to be kept in memory until the turns of those that were freed are over: of those that need several
    /// ones, what the first one needs. So it gets them all together, whatever the others need meanwhile.
    pub fn pins(&self) -> BTreeSet<ChannelName> {
        let first = self.freed.iter().chain(&self.parked).find(|parked| !parked.several.is_empty());
        first.map(|parked| parked.several.iter().cloned().collect()).unwrap_or_default()
    }
}

/// Whether it is the rest of what was done in part: everything else in the channel waits for it.
fn is_rest(inbound: &Inbound) -> bool {
    matches!(inbound, Inbound::GoOn(Step::Finish(..)))
}

impl AsRef<Inbound> for Inbound {
    fn as_ref(&self) -> &Inbound {
        self
    }
}

#[cfg(test)]
#[path = "parking_tests.rs"]
mod tests;
