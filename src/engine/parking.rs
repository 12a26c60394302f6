//! What waits for channels that are not in memory, or for what lies in old months of an archive: both are read beside the
//! turns, and everybody else goes on.
//!
//! Nothing of a channel changes while it is loaded or its archive is read, since whatever would change it waits here. Reads
//! begin between two turns, so that what is read is what the turn before left. What is for one channel goes on in the order
//! in which it came; what is for several ones goes on when they are all there.

use super::share::{Hit, OwnDomains};
use super::waiting_room::{NoRoom, WaitingRoom};
use super::{Arrival, Engine, Errand, Inbound, Loaded, Needs, Step};
use crate::channel::{ChannelName, Command};
use crate::xmpp::Parts;
use jid::BareJid;
use minidom::Element;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What something that waits takes beside its text, each of its elements, attributes and channels, in bytes.
const ITEM_BYTES: usize = 512;
const ELEMENT_BYTES: usize = 240;
const ATTRIBUTE_BYTES: usize = 100;
const NAME_BYTES: usize = 128;
/// What is known of a row that was read for it, roughly, in bytes.
const ROW_BYTES: usize = 512;

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
    /// The channels whose archives are read or are to be.
    reading: BTreeSet<ChannelName>,
    /// Those of them of which something in the batch that is parted now asked: what is ready came before that.
    fresh: BTreeSet<ChannelName>,
    /// What is to be read of those of them that nobody was told to read yet.
    errands: BTreeMap<ChannelName, Errand>,
    /// The channels for which nothing is read any more, and what waited for that was not freed yet.
    came: BTreeSet<ChannelName>,
    /// What was read for those that were freed last.
    brought: BTreeMap<ChannelName, Loaded>,
    /// The channels in which something was done in part when something else came for them.
    halted: BTreeSet<ChannelName>,
}

#[derive(Debug)]
struct Parked<T> {
    item: T,
    number: u64,
    /// Whose it is; the service's own things have nobody who could come again.
    holder: Option<BareJid>,
    bytes: usize,
    /// The channels that it waits for.
    lacks: BTreeSet<ChannelName>,
    /// All that it needs, where they are several.
    several: Vec<ChannelName>,
    /// The channel of whose archive something is read for it.
    asks: Option<ChannelName>,
    /// What was read, for it and for what follows it in its turn.
    brought: Option<(ChannelName, Loaded)>,
}

impl<T> Parked<T> {
    /// Takes what was read of a channel, where it waits for nothing else: then nothing changes the channel before its turn.
    fn take_along(&mut self, name: &ChannelName, loaded: &mut Option<Loaded>) {
        if self.lacks.iter().all(|lack| lack == name) && loaded.is_some() {
            self.brought = loaded.take().map(|loaded| (name.clone(), loaded));
        }
    }
}

/// What becomes of a batch.
#[derive(Debug)]
pub struct Parted<T> {
    /// What needs no channel that is not in memory, in order.
    pub ready: Vec<T>,
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
            reading: BTreeSet::new(),
            fresh: BTreeSet::new(),
            errands: BTreeMap::new(),
            came: BTreeSet::new(),
            brought: BTreeMap::new(),
            halted: BTreeSet::new(),
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

    /// Whether an archive is read, so that something may have to wait for a channel that is in memory.
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

    /// Keeps back what needs channels that are not in memory, and has those loaded; and what is for channels whose archives
    /// are read.
    pub fn part(&mut self, engine: &Engine, batch: Vec<T>) -> Parted<T> {
        self.hold(engine, &Needs::default(), batch)
    }

    /// The same, and keeps back what asks for something that is `far`, which is read then, and whatever comes behind that
    /// for the same channel. A batch may be parted several times over; [`Parking::end_batch`] tells that it was.
    pub fn hold(&mut self, engine: &Engine, far: &Needs, batch: Vec<T>) -> Parted<T> {
        let mut parted = Parted { ready: Vec::with_capacity(batch.len()), refused: Vec::new() };
        let mut begun = BTreeSet::new();
        for item in batch {
            let (mut lacks, several) = self.lacks(engine, item.as_ref());
            let errand = if far.is_empty() { None } else { engine.errand(item.as_ref(), far) };
            let asked = errand.as_ref().map_or(0, Errand::count);
            lacks.extend(errand.as_ref().map(|errand| errand.name.clone()));
            if lacks.is_empty() {
                parted.ready.push(item);
                continue;
            }
            let bytes = weight(item.as_ref()) + NAME_BYTES * (lacks.len() + several.len()) + ROW_BYTES * asked;
            let (number, holder) = (self.next, item.as_ref().holder());
            if let Some(holder) = &holder {
                match self.places.enter(holder, number, bytes) {
                    Ok(gone) => parted.refused.extend(gone.into_iter().filter_map(|number| self.let_go(number))),
                    Err(NoRoom) => {
                        parted.refused.push(item);
                        continue;
                    }
                }
            }
            self.next += 1;
            begun.extend(errand.iter().map(|errand| errand.name.clone()).filter(|name| !self.reading.contains(name)));
            let asks = errand.filter(|errand| self.ask(errand)).map(|errand| errand.name);
            self.have_loaded(engine, item.as_ref(), &lacks);
            self.halted.extend(lacks.iter().filter(|name| engine.is_unfinished(name)).cloned());
            self.bytes += bytes;
            let mut parked = Parked { item, number, holder, bytes, lacks, several, asks, brought: None };
            // The channel left memory while something was read for it.
            if let Some((name, loaded)) = parked.lacks.first().and_then(|name| self.brought.remove_entry(name)) {
                parked.take_along(&name, &mut Some(loaded));
            }
            self.parked.push_back(parked);
        }
        self.fresh.append(&mut begun);
        parted
    }

    /// Nothing of the batch is parted any more.
    pub fn end_batch(&mut self) {
        self.fresh.clear();
    }

    /// Has channels loaded that something lacks.
    fn have_loaded(&mut self, engine: &Engine, inbound: &Inbound, lacks: &BTreeSet<ChannelName>) {
        let is_after = matches!(inbound, Inbound::Expired(_) | Inbound::Erased(..));
        for name in lacks.iter().filter(|name| !is_after && engine.is_cold(name)) {
            if self.loading.insert(name.clone()) {
                self.wanted.push(name.clone());
            }
        }
    }

    /// Has an archive read; whether this is part of what is read for it next. Where the read began already, or asks for
    /// enough, it is asked again when that is through.
    fn ask(&mut self, errand: &Errand) -> bool {
        if self.reading.insert(errand.name.clone()) {
            self.errands.insert(errand.name.clone(), errand.clone());
            return true;
        }
        self.errands.get_mut(&errand.name).is_some_and(|begun| begun.join(errand))
    }

    /// The channels that something has to wait for, and all that it needs where they are several.
    fn lacks(&self, engine: &Engine, inbound: &Inbound) -> (BTreeSet<ChannelName>, Vec<ChannelName>) {
        let is_awaited = |name: &&ChannelName| self.loading.contains(*name) || self.holds(name);
        match inbound {
            // These change what is not in memory, too.
            Inbound::Expired(outdated) => {
                let names = outdated.iter().map(|outdated| &outdated.name);
                return (names.filter(is_awaited).cloned().collect(), Vec::new());
            }
            Inbound::Erased(_, names) => return (names.iter().filter(is_awaited).cloned().collect(), Vec::new()),
            _ => {}
        }
        let names = engine.channels_for(inbound);
        let is_rest = is_rest(inbound);
        let has_to_wait =
            |name: &&ChannelName| engine.is_cold(name) || self.holds(name) || (!is_rest && engine.is_unfinished(name));
        let lacks = names.iter().filter(has_to_wait).cloned().collect();
        (lacks, if names.len() > 1 { names } else { Vec::new() })
    }

    /// Whether what comes for a channel waits for what is read of its archive.
    fn holds(&self, name: &ChannelName) -> bool {
        self.reading.contains(name) && !self.fresh.contains(name)
    }

    fn is_awaited(&self, name: &ChannelName) -> bool {
        self.loading.contains(name) || self.reading.contains(name)
    }

    /// The channels that are to be loaded: to be asked for after a turn is committed, and before the next one is taken.
    pub fn wanted(&mut self) -> Vec<ChannelName> {
        std::mem::take(&mut self.wanted)
    }

    /// What is to be read of archives: to be asked for when [`Parking::wanted`] is.
    pub fn errands(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.errands).into_values().collect()
    }

    /// Learns what was read of a channel's archive, before [`Parking::advance`]. It is for those that go on in one turn with
    /// the first of those who asked: what that turn changes the others have to ask for anew.
    pub fn bring(&mut self, name: &ChannelName, loaded: Loaded) {
        self.reading.remove(name);
        let mut loaded = Some(loaded);
        for parked in self.parked.iter_mut().filter(|parked| parked.asks.as_ref() == Some(name)) {
            parked.asks = None;
            parked.take_along(name, &mut loaded);
        }
        self.came.insert(name.clone());
    }

    /// Learns that an archive cannot be read; what asked for it, where it is of an account only that of this one. The others
    /// go on, and ask anew.
    pub fn fail_to_bring(&mut self, engine: &Engine, name: &ChannelName, account: Option<&BareJid>) -> Vec<T> {
        self.reading.remove(name);
        let mut failed = Vec::new();
        for mut parked in std::mem::take(&mut self.parked) {
            let asked = parked.asks.take_if(|asks| asks == name).is_some();
            if asked && account.is_none_or(|account| engine.asker(parked.item.as_ref()) == *account) {
                failed.push(self.unpark(parked));
            } else {
                self.parked.push_back(parked);
            }
        }
        self.came.insert(name.clone());
        failed
    }

    /// What was read for those that [`Parking::freed`] told last, but for what is loaded once more.
    pub fn brought(&mut self) -> Vec<Loaded> {
        std::mem::take(&mut self.brought).into_values().collect()
    }

    /// Learns that a channel was loaded.
    pub fn arrive(&mut self, arrival: Arrival) {
        self.arrivals.push_back(arrival);
    }

    /// Learns that a channel cannot be loaded; what waited for it.
    pub fn fail(&mut self, name: &ChannelName) -> Vec<T> {
        self.loading.remove(name);
        let (failed, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.parked).into_iter().partition(|parked| parked.lacks.contains(name));
        self.parked = kept.into();
        failed.into_iter().map(|parked| self.unpark(parked)).collect()
    }

    /// Takes some of what was loaded into memory, up to so many people, and has what waited for it go on, and what waited for
    /// what was read; whether anything was loaded.
    pub fn advance(&mut self, engine: &mut Engine, people_max: usize) -> bool {
        let (mut left, mut here) = (people_max, std::mem::take(&mut self.came));
        let is_moving = self.is_moving();
        while let Some(arrival) = self.arrivals.front_mut().filter(|_| left > 0) {
            if !engine.take_in(arrival, &mut left) {
                break;
            }
            self.loading.remove(arrival.name());
            here.insert(arrival.name().clone());
            self.arrivals.pop_front();
        }
        here.extend(self.halted.iter().filter(|name| !engine.is_unfinished(name)).cloned());
        self.halted.retain(|name| engine.is_unfinished(name));
        self.free(engine, here);
        is_moving
    }

    /// Has what waited for channels go on, as far as nothing else of them is waited for.
    fn free(&mut self, engine: &Engine, mut names: BTreeSet<ChannelName>) {
        names.retain(|name| !self.is_awaited(name));
        if names.is_empty() {
            return;
        }
        for mut parked in std::mem::take(&mut self.parked) {
            let is_rest = is_rest(parked.item.as_ref());
            parked.lacks.retain(|name| !names.contains(name) || (!is_rest && engine.is_unfinished(name)));
            let to = if parked.lacks.is_empty() { &mut self.freed } else { &mut self.parked };
            to.push_back(parked);
        }
    }

    /// Whether something waits no longer and was not taken yet.
    pub fn has_freed(&self) -> bool {
        !self.freed.is_empty()
    }

    /// Up to so many of those that wait no longer, of so many bytes, one at least where there is any; it comes before
    /// everything that came in since, in turns without a pause.
    pub fn freed(&mut self, (items_max, bytes_max): (usize, usize)) -> Vec<T> {
        self.brought.clear();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(parked) = self.freed.front() {
            bytes += parked.bytes;
            if !batch.is_empty() && (batch.len() >= items_max || bytes > bytes_max) {
                break;
            }
            let Some(mut parked) = self.freed.pop_front() else { break };
            self.brought.extend(parked.brought.take());
            batch.push(self.unpark(parked));
        }
        batch
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
    matches!(inbound, Inbound::GoOn(Step::Finish(_)))
}

impl AsRef<Inbound> for Inbound {
    fn as_ref(&self) -> &Inbound {
        self
    }
}

/// Roughly what it takes in memory, in bytes. What calls carry beside messages has a bound at the door they came by.
pub(super) fn weight(inbound: &Inbound) -> usize {
    match inbound {
        Inbound::Stanza(stanza) => ITEM_BYTES + weight_of(&stanza.element),
        Inbound::Call(call) => {
            ITEM_BYTES + if let Command::Publish(message) = &call.command { message.payload.len() } else { 0 }
        }
        Inbound::Expired(outdated) => ITEM_BYTES + NAME_BYTES * outdated.len(),
        Inbound::Erased(_, names) => ITEM_BYTES + NAME_BYTES * names.len(),
        _ => ITEM_BYTES,
    }
}

fn weight_of(element: &Element) -> usize {
    let attributes: usize = element.attrs().iter().map(|(_, value)| ATTRIBUTE_BYTES + value.len()).sum();
    let inner: usize = element.parts().map(weight_of).sum();
    ELEMENT_BYTES + attributes + element.texts().map(str::len).sum::<usize>() + inner
}

#[cfg(test)]
#[path = "parking_tests.rs"]
mod tests;
