//! Parks items that need a channel that is not in memory, rows of old months, or what is kept by accounts. All of that
//! is read outside the turns, while other items go on.
//!
//! A channel does not change while it is loaded or its archive is read, because every item that would change it is
//! parked. Reads begin between two turns and see what the last turn left. Items for one channel keep their order; an
//! item for several channels waits for all of them. Items also wait, by the same shares, while a request in their channel is done
//! in parts, and those that enter a room while seats of it end. While an account's data is read, later items of this account wait
//! too. Changes that others make to it are laid over the result (`engine::channels::lately`).

mod coming;

use super::super::fairness::waiting_room::{NoRoom, WaitingRoom};
use super::super::fairness::weight::{NAME_BYTES, ROW_BYTES, weight};
use super::super::share::{Hit, OwnDomains};
use super::super::{Arrival, Engine, Errand, Inbound, Loaded, Needs, Source, Step};
pub use super::candidate::Candidate;
use crate::channel::ChannelName;
use jid::{BareJid, Jid};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Parked items. `T` is an [`Inbound`] and what belongs to it.
#[derive(Debug)]
pub struct Parking<T = Inbound> {
    /// Parked items, by number.
    parked: VecDeque<Parked<T>>,
    /// Items that wait for nothing any more, by number.
    freed: VecDeque<Parked<T>>,
    /// Bytes of both.
    bytes: usize,
    /// Shares of both.
    places: WaitingRoom,
    /// The next number.
    next: u64,
    /// Channels being loaded, or to be loaded.
    loading: BTreeSet<ChannelName>,
    /// Channels of `loading` that no thread was told of.
    wanted: Vec<ChannelName>,
    /// Loaded channels, on their way into memory.
    arrivals: VecDeque<Arrival>,
    /// Sources being read or to be read, with the number of the first item that asked.
    reading: BTreeMap<Source, u64>,
    /// Sources that an item of the current batch asked for first. Ready items of the batch came before it and do not
    /// wait.
    fresh: BTreeSet<Source>,
    /// Reads that no thread was told of.
    errands: BTreeMap<Source, Errand>,
    /// Sources that were read, whose items are still parked.
    came: BTreeSet<Source>,
    /// What was read for the items that were freed last.
    brought: BTreeMap<ChannelName, Loaded>,
    /// Channels in which something went on that items wait for, when one was parked.
    halted: BTreeSet<(ChannelName, Halt)>,
    /// Clients that wait for seats to end, with the channel, and how many of their items do.
    behind: BTreeMap<(Jid, ChannelName), usize>,
    /// Accounts that parked items need (`true`) or need no longer (`false`), since the last batch.
    held: Vec<(BareJid, bool)>,
}

#[derive(Debug)]
struct Parked<T> {
    item: T,
    number: u64,
    /// The account whose share it takes. `None` for the service's own steps, which nobody would repeat.
    holder: Option<BareJid>,
    bytes: usize,
    /// The sources it waits for.
    lacks: BTreeSet<Source>,
    /// All channels it needs, if several.
    several: Vec<ChannelName>,
    /// The read that it asked for.
    asks: Option<Source>,
    /// Accounts that it needs to be known when its channels are loaded.
    people: Vec<BareJid>,
    /// What was read for it, and for the next items of the same turn.
    brought: Option<(ChannelName, Loaded)>,
    /// Whose it is, and for which channel, if it waits for seats to end.
    seat: Option<(Jid, ChannelName)>,
}

/// What goes on in a channel for longer than a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Halt {
    /// A request is done in parts: everything waits.
    Part,
    /// Seats of the room end: whoever enters waits, and what it sends behind that.
    Seats,
}

impl Halt {
    /// Whether it goes on.
    fn goes_on(self, engine: &Engine, name: &ChannelName) -> bool {
        match self {
            Halt::Part => engine.is_unfinished(name),
            Halt::Seats => engine.ends_seats(name),
        }
    }
}

impl<T: AsRef<Inbound>> Parked<T> {
    /// What goes on in channels that it waits for.
    fn halts(&self, engine: &Engine) -> impl Iterator<Item = (ChannelName, Halt)> {
        let names = self.lacks.iter().filter_map(Source::channel);
        names.flat_map(|name| self.halts_in(engine, name).map(|halt| (name.clone(), halt)))
    }

    /// What goes on in a channel that it waits for.
    fn halts_in(&self, engine: &Engine, name: &ChannelName) -> impl Iterator<Item = Halt> + use<T> {
        let waits_for_parts = !is_rest(self.item.as_ref());
        let halts = [(Halt::Part, waits_for_parts), (Halt::Seats, self.seat.is_some())];
        let halts = halts.map(|(halt, is_awaited)| (is_awaited && halt.goes_on(engine, name)).then_some(halt));
        halts.into_iter().flatten()
    }
}

impl<T> Parked<T> {
    /// Takes what was read of a channel, if the item waits for nothing else. Then the channel does not change before
    /// its turn.
    fn take_along(&mut self, name: &ChannelName, loaded: &mut Option<Loaded>) {
        let is_it = |lack: &Source| matches!(lack, Source::Channel(lack) if lack == name);
        if self.lacks.iter().all(is_it) && loaded.is_some() {
            self.brought = loaded.take().map(|loaded| (name.clone(), loaded));
        }
    }
}

/// A batch, divided.
#[derive(Debug)]
pub struct Parted<T> {
    /// Items that wait for nothing, in order.
    pub ready: Vec<Candidate<T>>,
    /// Items without room: new ones, and parked ones that gave way.
    pub refused: Vec<T>,
}

impl<T: AsRef<Inbound>> Parking<T> {
    /// Room for `items_max` items and about `bytes_max` bytes in memory, with shares for accounts and domains.
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
            behind: BTreeMap::new(),
            held: Vec::new(),
        }
    }

    /// How many items are parked or freed, and their bytes.
    pub fn depth(&self) -> (usize, usize) {
        (self.parked.len() + self.freed.len(), self.bytes)
    }

    /// Whether nothing is parked, freed, loading or being read.
    pub fn is_empty(&self) -> bool {
        self.loading.is_empty() && self.reading.is_empty() && self.parked.is_empty() && self.freed.is_empty()
    }

    /// Whether a read is in progress, so that even items that need nothing may have to wait.
    pub fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }

    /// Whether a loaded channel is on its way into memory, so that [`Parking::advance`] has work.
    pub fn is_moving(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Whether items wait for a request in parts, or for seats to end, and that is now complete.
    pub fn has_resumed(&self, engine: &Engine) -> bool {
        self.halted.iter().any(|(name, halt)| !halt.goes_on(engine, name))
    }

    /// Numbers new items, in order.
    pub fn number(&mut self, batch: &mut [Candidate<T>]) {
        for candidate in batch.iter_mut().filter(|candidate| candidate.number.is_none()) {
            candidate.number = Some(self.next);
            self.next += 1;
        }
    }

    /// Parks items that need channels not in memory, and loads those. Also parks items for a channel or from an account
    /// that is being read.
    pub fn part(&mut self, engine: &Engine, batch: Vec<Candidate<T>>) -> Parted<T> {
        self.hold(engine, &Needs::default(), batch)
    }

    /// Like [`Parking::part`], and also parks items that need something of `far`, and later ones for the same channel
    /// or from the same account. A batch may be divided several times, until [`Parking::end_batch`].
    pub fn hold(&mut self, engine: &Engine, far: &Needs, batch: Vec<Candidate<T>>) -> Parted<T> {
        let mut parted = Parted { ready: Vec::with_capacity(batch.len()), refused: Vec::new() };
        let mut begun = BTreeSet::new();
        for Candidate { item, number: past } in batch {
            let needs = engine.needs_of(item.as_ref());
            let errand = if far.is_empty() { None } else { engine.errand(item.as_ref(), &needs, far) };
            let mut lacks = self.lacks(engine, item.as_ref(), &needs, past);
            let seat = self.seat_of(engine, item.as_ref());
            lacks.extend(seat.as_ref().map(|(_, name)| Source::Channel(name.clone())));
            let asked = errand.as_ref().map_or(0, |errand| errand.wants.count());
            lacks.extend(errand.as_ref().map(|errand| errand.source.clone()));
            if lacks.is_empty() {
                parted.ready.push(Candidate { item, number: past });
                continue;
            }
            // What is known of accounts stays until the channels are loaded.
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
            let mut parked = Parked { item, number, holder, bytes, lacks, several, asks, people, brought: None, seat };
            self.halted.extend(parked.halts(engine));
            if let Some(key) = &parked.seat {
                *self.behind.entry(key.clone()).or_default() += 1;
            }
            self.bytes += bytes;
            self.held.extend(parked.people.iter().map(|jid| (jid.clone(), true)));
            // The channel left memory while its archive was read.
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

    /// The client and the channel of an item that waits for seats to end, or behind one that does.
    fn seat_of(&self, engine: &Engine, inbound: &Inbound) -> Option<(Jid, ChannelName)> {
        let Inbound::Stanza(stanza) = inbound else { return None };
        if let Some(name) = engine.waits_for_seats(inbound) {
            return Some((stanza.from.clone(), name));
        }
        let node = stanza.to.node().filter(|_| !self.behind.is_empty())?;
        let key = (stanza.from.clone(), ChannelName::of(node)?);
        self.behind.contains_key(&key).then_some(key)
    }

    /// Ends the dividing of a batch. Starts the service's own read, unless it runs, and keeps what parked items need.
    pub fn end_batch(&mut self, engine: &mut Engine, own: Option<Errand>) {
        self.fresh.clear();
        if let Some(errand) = own {
            self.ask(errand, u64::MAX);
        }
        engine.hold(std::mem::take(&mut self.held));
    }

    /// Has missing channels loaded.
    fn have_loaded(&mut self, engine: &Engine, inbound: &Inbound, lacks: &BTreeSet<Source>) {
        let is_after = matches!(inbound, Inbound::Expired(_) | Inbound::Erased(..));
        for name in lacks.iter().filter_map(Source::channel).filter(|name| !is_after && engine.is_cold(name)) {
            if self.loading.insert(name.clone()) {
                self.wanted.push(name.clone());
            }
        }
    }

    /// Adds a read. Returns whether it joined the next one; otherwise the item asks again when that is done, because it
    /// had begun or was full.
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

    /// The sources that an item has to wait for. `past` is its number, if it was parked before.
    fn lacks(&self, engine: &Engine, inbound: &Inbound, needs: &Needs, past: Option<u64>) -> BTreeSet<Source> {
        let source = |name: &ChannelName| Source::Channel(name.clone());
        let is_awaited = |source: &Source| self.is_loading(source) || self.holds(source);
        match inbound {
            // These change channels that are not in memory, too.
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
            // An item that came before the one that asked does not wait.
            let account = Source::Account(engine.asker(inbound));
            let is_behind = self.reading.get(&account).is_some_and(|asked| past.is_none_or(|past| past > *asked));
            lacks.extend(Some(account).filter(|account| is_behind && self.holds(account)));
        }
        lacks
    }

    /// Whether items for this channel, or from this account, wait for a read.
    fn holds(&self, source: &Source) -> bool {
        self.reading.contains_key(source) && !self.fresh.contains(source)
    }

    fn is_loading(&self, source: &Source) -> bool {
        matches!(source, Source::Channel(name) if self.loading.contains(name))
    }

    fn is_awaited(&self, source: &Source) -> bool {
        self.is_loading(source) || self.reading.contains_key(source)
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<T> {
        self.places.hits()
    }

    /// Removes an item that gives way.
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
        if let Some(Entry::Occupied(mut count)) = parked.seat.map(|key| self.behind.entry(key)) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
        parked.item
    }

    /// Channels to keep in memory: those of the oldest item that needs several. So it gets them all together, whatever
    /// the others need.
    pub fn pins(&self) -> BTreeSet<ChannelName> {
        let first = self.freed.iter().chain(&self.parked).find(|parked| !parked.several.is_empty());
        first.map(|parked| parked.several.iter().cloned().collect()).unwrap_or_default()
    }
}

/// Whether this continues a request in parts, for which every other item of the channel waits.
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
