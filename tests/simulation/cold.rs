//! Channels that are not in memory, rows of old months and what is kept by accounts: reads begin between turns, read at any time and end in any
//! order, or fail; what needs them waits, and what is for one channel is taken in the order in which it came.

use super::hosts::Item;
use super::world::World;
use jid::BareJid;
use mixd::channel::{Channel, ChannelName};
use mixd::engine::channels::parking::Candidate;
use mixd::engine::{Arrival, Errand, Inbound, Loaded, Parking, Source};
use mixd::runtime::load::{fetch, prepare};
use mixd::store::{MemoryStore, Store};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// A channel that is being loaded.
pub struct Load {
    name: ChannelName,
    /// What was read of it, where that is done.
    read: Option<Option<Channel>>,
}

/// An archive or an account of which something is read.
pub struct Read {
    errand: Errand,
    loaded: Option<Loaded>,
}

/// What waits, and what is being read for it.
pub struct Cold {
    pub parking: Parking<Item>,
    loads: Vec<Load>,
    reads: Vec<Read>,
    /// How many reads were begun, of archives and of what is kept by accounts.
    pub errands: (u64, u64),
    /// Every channel that was ever asked for.
    asked: BTreeSet<ChannelName>,
    /// The newest item of each account taken for each channel, by its place among all that came in: whoever waits for what
    /// is kept of its own account holds up nobody else.
    taken: BTreeMap<(BareJid, String), u64>,
    came: u64,
    /// Whether loads may fail.
    pub fails: bool,
    /// How often something waited, and how often it was refused.
    pub waited: (u64, u64),
    /// Of its own, so that how loads end changes nothing else of a run.
    dice: StdRng,
}

impl Cold {
    pub fn new(seed: u64) -> Cold {
        let mut dice = StdRng::seed_from_u64(seed);
        let (items, bytes) = (*[2, 1000].choose(&mut dice).unwrap(), *[8000, 1 << 20].choose(&mut dice).unwrap());
        let parking = Parking::new(items, bytes, Default::default());
        let (loads, reads, asked, taken) = Default::default();
        Cold { parking, loads, reads, errands: (0, 0), asked, taken, came: 0, fails: true, waited: (0, 0), dice }
    }
}

fn read(store: &MemoryStore, name: &ChannelName) -> Option<Channel> {
    store.load(std::slice::from_ref(name)).unwrap().remove(0)
}

impl World {
    /// What a turn takes of those who waited and of `size` that came in.
    pub fn ready(&mut self, size: usize) -> Vec<Item> {
        self.go_on_reading();
        self.go_on_loading();
        let freed = self.cold.parking.freed((1000, usize::MAX));
        let (own, mut batch): (Vec<_>, Vec<_>) =
            freed.into_iter().partition(|candidate| matches!(candidate.item.inbound, Inbound::GoOn(_)));
        let next = std::mem::take(&mut self.next).into_iter().map(Item::event).map(Candidate::from);
        self.go_on(next.chain(own).collect());
        // What comes behind the word of the operator has another time.
        let is_word = |item: &Item| matches!(item.inbound, Inbound::ClockConfirmed);
        let size = self.inbox.iter().take(size).position(is_word).map_or(size, |place| place + 1);
        let cold = &mut self.cold;
        for mut item in self.inbox.drain(..size) {
            cold.came += 1;
            item.place = cold.came;
            batch.push(Candidate::from(item));
        }
        let before = batch.len() + cold.parking.depth().0;
        let (parted, read) = prepare(&mut self.engine, &mut cold.parking, &self.store, batch);
        read.unwrap();
        let waited = cold.parking.depth().0;
        assert_eq!(before, parted.ready.len() + parted.refused.len() + waited, "something is lost");
        cold.waited.0 += waited as u64;
        cold.waited.1 += parted.refused.len() as u64;
        // Whoever is told that the service is busy asks again.
        self.unanswered.extend(parted.refused.into_iter().filter_map(|item| item.ask));
        let ready: Vec<Item> = parted.ready.into_iter().map(|candidate| candidate.item).collect();
        for item in &ready {
            let Inbound::Stanza(stanza) = &item.inbound else { continue };
            let Some(channel) = stanza.to.node().filter(|_| stanza.to.is_bare()) else { continue };
            let newest = self.cold.taken.insert((stanza.sender(), channel.to_string()), item.place);
            assert!(newest.is_none_or(|newest| newest < item.place), "overtaken on the way to {channel}: {stanza:?}");
        }
        ready
    }

    /// After a turn: loads begin, and what several of them are for stays in memory.
    pub fn begin_loads(&mut self) {
        let wanted = self.cold.parking.wanted();
        self.cold.asked.extend(wanted.iter().cloned());
        self.cold.loads.extend(wanted.into_iter().map(|name| Load { name, read: None }));
        let errands = self.cold.parking.errands(&mut self.engine);
        let of_people = errands.iter().filter(|errand| matches!(errand.source, Source::Account(_))).count() as u64;
        self.cold.errands.0 += errands.len() as u64 - of_people;
        self.cold.errands.1 += of_people;
        self.cold.reads.extend(errands.into_iter().map(|errand| Read { errand, loaded: None }));
        self.engine.pin(self.cold.parking.pins());
    }

    /// Some reads of archives read, some end, and some fail: for all, or for whom it is.
    fn go_on_reading(&mut self) {
        let Cold { parking, reads, fails, dice, .. } = &mut self.cold;
        reads.shuffle(dice);
        for mut read in std::mem::take(reads) {
            let fetched = |errand: &Errand| fetch(&self.store, errand).unwrap();
            match dice.random_range(0..8) {
                0..2 => reads.push(read),
                2..4 => {
                    read.loaded.get_or_insert_with(|| fetched(&read.errand));
                    reads.push(read);
                }
                4 if *fails => {
                    let of = dice.random_bool(0.5).then_some(&read.errand.account);
                    let failed = parking.fail_to_bring(&mut self.engine, &read.errand, of);
                    failed.iter().for_each(|item| {
                        if let Inbound::GoOn(step) = &item.inbound {
                            self.engine.pass_over(step);
                        }
                    });
                    self.unanswered.extend(failed.into_iter().filter_map(|item| item.ask));
                }
                _ => {
                    let loaded = read.loaded.unwrap_or_else(|| fetched(&read.errand));
                    parking.bring(&mut self.engine, &read.errand, loaded);
                }
            }
        }
    }

    /// Some loads read, some end, some fail, and some of what ended comes into memory.
    fn go_on_loading(&mut self) {
        let Cold { parking, loads, fails, dice, .. } = &mut self.cold;
        loads.shuffle(dice);
        for mut load in std::mem::take(loads) {
            match dice.random_range(0..12) {
                0..4 => loads.push(load),
                4..6 => {
                    load.read.get_or_insert_with(|| read(&self.store, &load.name));
                    loads.push(load);
                }
                6 if *fails => {
                    self.unanswered.extend(parking.fail(&load.name).into_iter().filter_map(|item| item.ask));
                    self.engine.note_unreadable(load.name);
                }
                _ => {
                    let channel = load.read.unwrap_or_else(|| read(&self.store, &load.name));
                    parking.arrive(Arrival::new(load.name, channel));
                }
            }
        }
        parking.advance(&mut self.engine, dice.random_range(1..6));
    }

    /// The process ends; what it did not answer is asked again.
    pub fn lose_what_waits(&mut self) {
        let Cold { parking, loads, reads, asked, .. } = &mut self.cold;
        asked.extend(parking.wanted());
        let begun = std::mem::take(reads).into_iter().map(|read| read.errand);
        let errands: Vec<Errand> = begun.chain(parking.errands(&mut self.engine)).collect();
        let mut lost: Vec<Item> = asked.iter().flat_map(|name| parking.fail(name)).collect();
        for errand in errands {
            lost.extend(parking.fail_to_bring(&mut self.engine, &errand, None));
        }
        parking.advance(&mut self.engine, 0);
        lost.extend(parking.freed((usize::MAX, usize::MAX)).into_iter().map(|candidate| candidate.item));
        loads.clear();
        self.unanswered.extend(lost.into_iter().filter_map(|item| item.ask));
        assert_eq!(parking.depth(), (0, 0), "something waits for nothing");
        let next = Cold::new(self.cold.dice.random());
        let before = std::mem::replace(&mut self.cold, next);
        (self.cold.waited, self.cold.errands) = (before.waited, before.errands);
    }
}
