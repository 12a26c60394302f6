//! Frees parked items, as channels come into memory and reads complete.

use super::super::super::{Arrival, Engine, Errand, Inbound, Loaded, Source};
use super::*;
use crate::channel::ChannelName;
use jid::BareJid;
use std::collections::BTreeSet;

impl<T: AsRef<Inbound>> Parking<T> {
    /// Channels to load. Take them after a turn is committed and before the next one.
    pub fn wanted(&mut self) -> Vec<ChannelName> {
        std::mem::take(&mut self.wanted)
    }

    /// Reads to start, at the same time as [`Parking::wanted`].
    pub fn errands(&mut self, engine: &mut Engine) -> Vec<Errand> {
        let mut errands: Vec<Errand> = std::mem::take(&mut self.errands).into_values().collect();
        errands.iter_mut().for_each(|errand| engine.begin_read(errand));
        errands
    }

    /// Takes the result of a read, before [`Parking::advance`]. Rows and heads of a channel are for one turn, that of
    /// the oldest parked item; later turns ask again, since that turn changes the channel. What is kept by accounts
    /// goes to the engine.
    pub fn bring(&mut self, engine: &mut Engine, errand: &Errand, loaded: Loaded) {
        self.reading.remove(&errand.source);
        let mut loaded = Some(loaded);
        if let Source::Account(_) = errand.source {
            engine.end_read(errand, loaded.take());
        }
        for parked in self.parked.iter_mut().filter(|parked| parked.lacks.contains(&errand.source)) {
            parked.asks.take_if(|asks| *asks == errand.source);
            if let Source::Channel(name) = &errand.source {
                parked.take_along(name, &mut loaded);
            }
        }
        self.came.insert(errand.source.clone());
    }

    /// Handles a failed read. Returns the items that asked for it, or for an account's read only those of `account`.
    /// The others ask again.
    pub fn fail_to_bring(&mut self, engine: &mut Engine, errand: &Errand, account: Option<&BareJid>) -> Vec<T> {
        self.reading.remove(&errand.source);
        if let Source::Account(_) = errand.source {
            engine.end_read(errand, None);
        }
        let mut failed = Vec::new();
        for mut parked in std::mem::take(&mut self.parked) {
            let asked = parked.asks.take_if(|asks| *asks == errand.source).is_some();
            if asked && account.is_none_or(|account| engine.asker(parked.item.as_ref()) == *account) {
                failed.push(self.unpark(parked));
            } else {
                self.parked.push_back(parked);
            }
        }
        self.came.insert(errand.source.clone());
        failed
    }

    /// What was read for the items of the last [`Parking::freed`], unless their channel is being loaded again.
    pub fn brought(&mut self) -> Vec<Loaded> {
        std::mem::take(&mut self.brought).into_values().collect()
    }

    /// Takes a loaded channel.
    pub fn arrive(&mut self, arrival: Arrival) {
        self.arrivals.push_back(arrival);
    }

    /// Handles a channel that cannot be loaded. Returns the items that waited for it.
    pub fn fail(&mut self, name: &ChannelName) -> Vec<T> {
        self.loading.remove(name);
        let source = Source::Channel(name.clone());
        let (failed, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.parked).into_iter().partition(|parked| parked.lacks.contains(&source));
        self.parked = kept.into();
        failed.into_iter().map(|parked| self.unpark(parked)).collect()
    }

    /// Takes up to `people_max` people of loaded channels into memory, and frees items that wait for nothing any more.
    /// Returns whether the engine changed.
    pub fn advance(&mut self, engine: &mut Engine, people_max: usize) -> bool {
        let (mut left, mut here) = (people_max, std::mem::take(&mut self.came));
        let is_news = self.is_moving() || here.iter().any(|source| matches!(source, Source::Account(_)));
        while let Some(arrival) = self.arrivals.front_mut().filter(|_| left > 0) {
            if !engine.take_in(arrival, &mut left) {
                break;
            }
            self.loading.remove(arrival.name());
            here.insert(Source::Channel(arrival.name().clone()));
            self.arrivals.pop_front();
        }
        let resumed = self.halted.iter().filter(|(name, halt)| !halt.goes_on(engine, name));
        here.extend(resumed.map(|(name, _)| Source::Channel(name.clone())));
        self.halted.retain(|(name, halt)| halt.goes_on(engine, name));
        self.free(engine, here);
        is_news
    }

    /// Frees items that waited only for these sources.
    pub(super) fn free(&mut self, engine: &Engine, mut names: BTreeSet<Source>) {
        names.retain(|source| !self.is_awaited(source));
        if names.is_empty() {
            return;
        }
        for mut parked in std::mem::take(&mut self.parked) {
            // An item may now wait for a request in parts, or still wait for seats to end.
            let halts: Vec<_> = parked.halts(engine).collect();
            let is_halted = |source: &Source| halts.iter().any(|(name, _)| source.channel() == Some(name));
            parked.lacks.retain(|source| !names.contains(source) || is_halted(source));
            self.halted.extend(halts);
            let to = if parked.lacks.is_empty() { &mut self.freed } else { &mut self.parked };
            to.push_back(parked);
        }
    }

    /// Whether freed items are left to take.
    pub fn has_freed(&self) -> bool {
        !self.freed.is_empty()
    }

    /// Takes freed items, up to a number and bytes, at least one. They come before all newer items, in turns without a
    /// pause.
    pub fn freed(&mut self, (items_max, bytes_max): (usize, usize)) -> Vec<Candidate<T>> {
        self.brought.clear();
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(parked) = self.freed.front() {
            bytes += parked.bytes;
            if !batch.is_empty() && (batch.len() >= items_max || bytes > bytes_max) {
                break;
            }
            let Some(mut parked) = self.freed.pop_front() else { break };
            self.brought.extend(parked.brought.take());
            let number = Some(parked.number);
            batch.push(Candidate { item: self.unpark(parked), number });
        }
        batch
    }
}
