//! What waits goes on: with the channels that come into memory, and with what was read beside the loop.

use super::super::super::{Arrival, Engine, Errand, Inbound, Loaded, Source};
use super::*;
use crate::channel::ChannelName;
use jid::BareJid;
use std::collections::BTreeSet;

impl<T: AsRef<Inbound>> Parking<T> {
    /// The channels that are to be loaded: to be asked for after a turn is committed, and before the next one is taken.
    pub fn wanted(&mut self) -> Vec<ChannelName> {
        std::mem::take(&mut self.wanted)
    }

    /// What is to be read of archives and accounts: to be asked for when [`Parking::wanted`] is.
    pub fn errands(&mut self, engine: &mut Engine) -> Vec<Errand> {
        let mut errands: Vec<Errand> = std::mem::take(&mut self.errands).into_values().collect();
        errands.iter_mut().for_each(|errand| engine.begin_read(errand));
        errands
    }

    /// Learns what was read, before [`Parking::advance`]. What is of a channel's archive is for those that go on in one turn
    /// with the first of those who waited: what that turn changes the others have to ask for anew. What is of accounts the
    /// engine knows from here on.
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

    /// Learns that something cannot be read; what asked for it, where it is of an account only that of this one. The others
    /// go on, and ask anew.
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
        let source = Source::Channel(name.clone());
        let (failed, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.parked).into_iter().partition(|parked| parked.lacks.contains(&source));
        self.parked = kept.into();
        failed.into_iter().map(|parked| self.unpark(parked)).collect()
    }

    /// Takes some of what was loaded into memory, up to so many people, and has what waited for it go on, and what waited for
    /// what was read; whether the engine learned anything.
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
        let resumed = self.halted.iter().filter(|name| !engine.is_unfinished(name)).cloned();
        here.extend(resumed.map(Source::Channel));
        self.halted.retain(|name| engine.is_unfinished(name));
        self.free(engine, here);
        is_news
    }

    /// Has what waited for these go on, as far as nothing else of them is waited for.
    pub(super) fn free(&mut self, engine: &Engine, mut names: BTreeSet<Source>) {
        names.retain(|source| !self.is_awaited(source));
        if names.is_empty() {
            return;
        }
        for mut parked in std::mem::take(&mut self.parked) {
            let is_rest = is_rest(parked.item.as_ref());
            let is_halted = |source: &Source| match source {
                Source::Channel(name) => !is_rest && engine.is_unfinished(name),
                Source::Account(_) => false,
            };
            // What waits for a channel that is done in part by now waits for that.
            let halted = parked.lacks.iter().filter(|source| is_halted(source));
            self.halted.extend(halted.filter_map(Source::channel).cloned());
            parked.lacks.retain(|source| !names.contains(source) || is_halted(source));
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
