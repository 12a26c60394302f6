//! What waits for channels that are not in memory: they are loaded beside the turns, and everybody else goes on.
//!
//! Nothing of a channel changes while it is loaded, since whatever would change it waits here. Loads begin between two
//! turns, so that what is read is what the turn before left. What is for one channel goes on in the order in which it
//! came; what is for several ones goes on when they are all there.

use super::share::{Hit, OwnDomains};
use super::waiting_room::{NoRoom, WaitingRoom};
use super::{Arrival, Engine, Inbound};
use crate::channel::{ChannelName, Command};
use crate::xmpp::Parts;
use jid::BareJid;
use minidom::Element;
use std::collections::{BTreeSet, VecDeque};

/// What something that waits takes beside its text, each of its elements, attributes and channels, in bytes.
const ITEM_BYTES: usize = 512;
const ELEMENT_BYTES: usize = 240;
const ATTRIBUTE_BYTES: usize = 100;
const NAME_BYTES: usize = 128;

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
        }
    }

    /// How many wait, and what they weigh, in bytes.
    pub fn depth(&self) -> (usize, usize) {
        (self.parked.len() + self.freed.len(), self.bytes)
    }

    /// Whether nothing waits and nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.loading.is_empty() && self.parked.is_empty() && self.freed.is_empty()
    }

    /// Whether a channel is on its way into memory, so that [`Parking::advance`] has something to do.
    pub fn is_moving(&self) -> bool {
        !self.arrivals.is_empty()
    }

    /// Keeps back what needs channels that are not in memory, and has those loaded.
    pub fn part(&mut self, engine: &Engine, batch: Vec<T>) -> Parted<T> {
        let mut parted = Parted { ready: Vec::with_capacity(batch.len()), refused: Vec::new() };
        for item in batch {
            let (lacks, several) = self.lacks(engine, item.as_ref());
            if lacks.is_empty() {
                parted.ready.push(item);
                continue;
            }
            let bytes = weight(item.as_ref()) + NAME_BYTES * (lacks.len() + several.len());
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
            let news = lacks.iter().filter(|name| !self.loading.contains(*name));
            self.wanted.extend(news.cloned());
            self.loading.extend(lacks.iter().cloned());
            self.bytes += bytes;
            self.parked.push_back(Parked { item, number, holder, bytes, lacks, several });
        }
        parted
    }

    /// The channels that something has to wait for, and all that it needs where they are several.
    fn lacks(&self, engine: &Engine, inbound: &Inbound) -> (BTreeSet<ChannelName>, Vec<ChannelName>) {
        // These change what is not in memory, too.
        let is_on_its_way = |name: &&ChannelName| self.loading.contains(*name);
        match inbound {
            Inbound::Expired(outdated) => {
                let names = outdated.iter().map(|outdated| &outdated.name);
                return (names.filter(is_on_its_way).cloned().collect(), Vec::new());
            }
            Inbound::Erased(_, names) => return (names.iter().filter(is_on_its_way).cloned().collect(), Vec::new()),
            _ => {}
        }
        let names = engine.channels_for(inbound);
        let lacks = names.iter().filter(|name| engine.is_cold(name)).cloned().collect();
        (lacks, if names.len() > 1 { names } else { Vec::new() })
    }

    /// The channels that are to be loaded: to be asked for after a turn is committed, and before the next one is taken.
    pub fn wanted(&mut self) -> Vec<ChannelName> {
        std::mem::take(&mut self.wanted)
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

    /// Takes some of what was loaded into memory, up to so many people; whether there was anything.
    pub fn advance(&mut self, engine: &mut Engine, people_max: usize) -> bool {
        let (mut left, mut here) = (people_max, BTreeSet::new());
        let is_moving = self.is_moving();
        while let Some(arrival) = self.arrivals.front_mut().filter(|_| left > 0) {
            if !engine.take_in(arrival, &mut left) {
                break;
            }
            self.loading.remove(arrival.name());
            here.insert(arrival.name().clone());
            self.arrivals.pop_front();
        }
        if !here.is_empty() {
            for mut parked in std::mem::take(&mut self.parked) {
                parked.lacks.retain(|name| !here.contains(name));
                let to = if parked.lacks.is_empty() { &mut self.freed } else { &mut self.parked };
                to.push_back(parked);
            }
        }
        is_moving
    }

    /// Up to so many of those that wait no longer, of so many bytes, one at least where there is any; it comes before
    /// everything that came in since, in turns without a pause.
    pub fn freed(&mut self, (items_max, bytes_max): (usize, usize)) -> Vec<T> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(parked) = self.freed.front() {
            bytes += parked.bytes;
            if !batch.is_empty() && (batch.len() >= items_max || bytes > bytes_max) {
                break;
            }
            let Some(parked) = self.freed.pop_front() else { break };
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
