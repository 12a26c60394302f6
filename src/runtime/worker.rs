//! The loop: takes what has queued, decides, stores, and only then sends.
//!
//! Invariant: nothing in a turn's outbox leaves before its records are durable. The loop blocks when the outbox is
//! full. Then the inbox fills, and the reader refuses: no queue grows without bound.

use super::archive::{ArchiveThreads, Question};
use super::callers::Callers;
use super::clock;
use super::eraser;
use super::http::Superseded;
use super::inbox::Inbox;
use super::load::{load_all, prepare};
use super::loader::{Fetched, Loader, Missed};
use super::metrics::Metrics;
use super::outbox::{Confirmed, Outbox, Parcel};
use super::refuse::{Why, refuse_inbound};
use super::retention;
use super::vital::Vital;
use crate::channel::{Refusal, Stamp};
use crate::engine::channels::parking::{Candidate, Parted};
use crate::engine::{Dial, Engine, Inbound, Memory, Pacing, Parking, Reason, Step, Turn};
use crate::store::{CommitError, Record, Store, StoreError, Unsent, stay_near};
use crate::timers::Timers;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How many stanzas share one commit, and their total size, in bytes of memory.
const BATCH_ITEMS: usize = 1024;
const BATCH_BYTES: usize = 2 << 20;
/// How many people of loaded channels are taken into memory between two turns.
const PEOPLE_MAX: usize = 256;
/// How many turns of an earlier process are sent again in one batch.
const RESENT_TURNS: usize = 64;
/// How often the engine is told the time, in milliseconds.
const TICK_MS: u64 = 1000;
/// The shortest time between two reports that commits are refused, in milliseconds.
const TELL_PAUSE_MS: u64 = 10_000;
/// The exit code when it is unknown what the disk holds (EX_SOFTWARE).
pub const EXIT_STORE_FAILED: i32 = 70;

/// What the last turn left for the next one.
#[derive(Debug, Default)]
pub struct Ahead {
    /// The engine's own steps. They come behind what came in.
    next: Vec<Inbound>,
    /// What the turn put off. It comes before what came in since.
    deferred: Vec<Candidate<Inbound>>,
}

impl Ahead {
    fn is_empty(&self) -> bool {
        self.next.is_empty() && self.deferred.is_empty()
    }
}

/// The timers of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkerTimer {
    /// The engine is told the time.
    Tick,
    /// The log may say again that commits are refused.
    TellRefused,
}

/// The state of the loop.
pub struct Worker {
    /// Decides.
    pub engine: Engine,
    /// Stores.
    pub store: Arc<dyn Store>,
    /// What came in.
    pub inbox: Arc<Inbox>,
    /// What goes out.
    pub outbox: Arc<Outbox>,
    /// What came too fast and is held.
    pub pacing: Pacing,
    /// What waits for channels that are not in memory.
    pub parking: Parking,
    /// Loads those channels.
    pub loader: Loader,
    /// Answers queries.
    pub archive: ArchiveThreads,
    /// Who waits for the results of calls.
    pub callers: Arc<Callers>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// What the host server is known to have.
    pub confirmed: Arc<Confirmed>,
    /// The parcels of an earlier process, which are not known to have been sent.
    pub unsent: Vec<Unsent>,
    /// Whether rows of an earlier process are sent again. Their age does not matter: no clock is known to have gone on
    /// meanwhile, and people who were in the channel then have missed them.
    pub sends_rows_again: bool,
    /// The parcel up to which the store was told that the host server has all; 0 where the store may not have taken
    /// that.
    pub settled: u64,
    /// Is told of channels whose videos may have become useless.
    pub superseded: Arc<Superseded>,
    /// Wakes the sweep of old rows.
    pub sweeper: Arc<Notify>,
    /// Wakes the erasing of accounts that are out of every channel.
    pub eraser: Arc<Notify>,
    /// What the last turn left for the next one.
    pub ahead: Ahead,
    /// The timers of the loop, by `clock::uptime_ms`.
    pub timers: Timers<WorkerTimer>,
}

impl Worker {
    /// Sends the parcels of an earlier process again.
    fn resend(&mut self) {
        let unsent = std::mem::take(&mut self.unsent);
        if !unsent.is_empty() {
            tracing::info!(turns = unsent.len(), "what the host server may not have got of the last run is sent again");
        }
        // Their numbers are not given out again, whether or not they can be sent.
        self.engine.number_from(unsent.last().map_or(0, |unsent| unsent.number));
        let without_rows = |unsent: Vec<Unsent>| unsent.into_iter().map(Unsent::without_rows).collect();
        let unsent: Vec<Unsent> = if self.sends_rows_again { unsent } else { without_rows(unsent) };
        unsent.chunks(RESENT_TURNS).for_each(|some| self.resend_some(some));
    }

    /// Sends some of them. Nobody waits yet, and nothing may come before them.
    fn resend_some(&mut self, some: &[Unsent]) {
        let batch = vec![Inbound::Resend(some.to_vec())];
        match load_all(&mut self.engine, &*self.store, &batch) {
            Ok(()) => self.turn(batch.into_iter().map(Candidate::from).collect()),
            // One that cannot be read does not hold back the others.
            Err(_) if some.len() > 1 => some.iter().for_each(|one| self.resend_some(std::slice::from_ref(one))),
            Err(error) => self.unreadable(&error, &batch),
        }
    }

    /// How much the host server has of what was sent, if that changed.
    fn sent(&mut self) -> Option<Record> {
        let settled = self.confirmed.settled();
        let is_news = std::mem::replace(&mut self.settled, settled) < settled;
        is_news.then_some(Record::Sent(settled))
    }

    /// Runs until the inbox is closed and empty and everything that was taken is answered.
    /// Returns what the engine knows beyond the store.
    pub fn run(mut self) -> Memory {
        let _vital = Vital("the worker");
        self.resend();
        // Nobody waited so far. From here on the loop reads no older month.
        stay_near();
        self.timers.start(WorkerTimer::Tick, clock::uptime_ms(), TICK_MS);
        self.metrics.set_census(&self.engine.census());
        loop {
            let is_busy = self.parking.is_moving() || self.parking.has_resumed(&self.engine) || !self.ahead.is_empty();
            let patience =
                if is_busy { 0 } else { self.pacing.next_in_ms(&self.engine).unwrap_or(TICK_MS).min(TICK_MS) };
            let taken = self.inbox.take_in_thread((BATCH_ITEMS, BATCH_BYTES), Duration::from_millis(patience));
            let Some(mut batch) = taken else { break };
            if !self.timers.is_running(WorkerTimer::Tick, clock::uptime_ms()) {
                self.timers.start(WorkerTimer::Tick, clock::uptime_ms(), TICK_MS);
                batch.push(Inbound::Tick);
                self.idle();
            }
            self.engine.relieve(&self.confirmed.take_relieved());
            let batch = self.pacing.pass(&mut self.engine, clock::moment(), batch);
            self.metrics.set_held(self.pacing.depth());
            let hits = self.pacing.hits().chain(self.parking.hits()).chain(self.inbox.hits());
            self.metrics.count_hits(hits, clock::uptime_ms());
            self.step(batch);
            self.metrics.set_census(&self.engine.census());
            self.metrics.health.worker.rest();
        }
        // What is held is not lost when the process ends.
        self.engine.rest();
        let held = self.pacing.finish();
        self.step(held);
        while !self.parking.is_empty() || !self.ahead.is_empty() {
            // What is done in parts may take long. Its askers are told to ask again.
            self.engine.give_parts_up().iter().for_each(|inbound| self.refuse(inbound, Why::Busy));
            if !self.parking.is_moving() && self.ahead.is_empty() && !self.parking.has_resumed(&self.engine) {
                let fetched = self.loader.take();
                self.arrive(fetched);
            }
            self.step(Vec::new());
            self.metrics.health.worker.rest();
        }
        self.loader.finish();
        self.archive.finish();
        self.engine.memory()
    }

    /// Takes a part of what was loaded into memory, then what waited for it, then what came in.
    fn step(&mut self, batch: Vec<Inbound>) {
        if !self.parking.is_moving() {
            let fetched = self.loader.take_now();
            self.arrive(fetched);
        }
        let is_news = self.parking.advance(&mut self.engine, PEOPLE_MAX);
        let mut first = self.freed();
        while self.parking.has_freed() {
            self.work(first);
            first = self.freed();
        }
        if !first.is_empty() && first.len() + batch.len() > BATCH_ITEMS {
            self.work(std::mem::take(&mut first));
            first = std::mem::take(&mut self.ahead.deferred);
        }
        let next = std::mem::take(&mut self.ahead.next);
        first.extend(batch.into_iter().chain(next).map(Candidate::from));
        // The address book is told of what was loaded even where nobody waited for it.
        if !first.is_empty() || is_news {
            self.work(first);
        }
        self.loader.want(self.parking.wanted());
        let errands = self.parking.errands(&mut self.engine).into_iter();
        errands.for_each(|errand| self.archive.take(Question::Loop(Box::new(errand))));
        self.engine.pin(self.parking.pins());
        self.metrics.set_parked(self.parking.depth());
    }

    /// What the last turn put off, followed by some of what waits no longer. The former came in earlier.
    fn freed(&mut self) -> Vec<Candidate<Inbound>> {
        let mut first = std::mem::take(&mut self.ahead.deferred);
        first.append(&mut self.parking.freed((BATCH_ITEMS, BATCH_BYTES)));
        first
    }

    fn arrive(&mut self, fetched: Vec<Fetched>) {
        for fetched in fetched {
            match fetched {
                Fetched::Channel(Ok(arrival)) => self.parking.arrive(arrival),
                Fetched::Channel(Err((name, error))) => {
                    let failed = self.parking.fail(&name);
                    self.engine.note_unreadable(name);
                    self.unreadable(&error, &failed);
                }
                Fetched::Errand(errand, Ok(loaded)) => self.parking.bring(&mut self.engine, &errand, *loaded),
                Fetched::Errand(errand, Err(Missed::Unreadable(error))) => {
                    let failed = self.parking.fail_to_bring(&mut self.engine, &errand, None);
                    self.unreadable(&error, &failed);
                }
                Fetched::Errand(errand, Err(Missed::Busy)) => {
                    let failed = self.parking.fail_to_bring(&mut self.engine, &errand, Some(&errand.account));
                    failed.iter().for_each(|inbound| match inbound {
                        Inbound::GoOn(step @ (Step::In(_) | Step::Through(..))) => self.engine.put_off(step),
                        other => self.give_back(other, Why::Busy),
                    });
                }
            }
        }
    }

    fn work(&mut self, batch: Vec<Candidate<Inbound>>) {
        self.metrics.health.worker.beat();
        self.engine.relieve(&self.confirmed.take_relieved());
        let (Parted { ready, refused }, read) = prepare(&mut self.engine, &mut self.parking, &*self.store, batch);
        refused.iter().for_each(|inbound| self.refuse(inbound, Why::Busy));
        match read {
            Ok(()) => self.turn(ready),
            // One that cannot be read is no reason to refuse the others.
            Err(_) if ready.len() > 1 => ready.into_iter().for_each(|candidate| self.work(vec![candidate])),
            Err(error) => {
                ready.iter().for_each(|candidate| self.unreadable(&error, std::slice::from_ref(&candidate.item)))
            }
        }
    }

    fn unreadable(&mut self, error: &StoreError, batch: &[Inbound]) {
        tracing::error!("the store cannot be read: {error}");
        self.metrics.health.note_store(false);
        batch.iter().for_each(|inbound| self.give_back(inbound, Why::StoreFailed));
    }

    /// Refuses what waited in vain.
    fn give_back(&mut self, inbound: &Inbound, why: Why) {
        let ended = if let Inbound::GoOn(step) = inbound { self.engine.pass_over(step) } else { None };
        self.refuse(ended.as_ref().unwrap_or(inbound), why);
    }

    fn turn(&mut self, batch: Vec<Candidate<Inbound>>) {
        let (numbers, batch) = Candidate::apart(batch);
        self.metrics.count_batch(&batch);
        let traced = traced(&batch);
        let begun = clock::uptime();
        let mut turn = self.engine.turn(clock::moment(), batch);
        self.ahead.next.append(&mut turn.next);
        self.ahead.deferred.extend(Candidate::deferred(std::mem::take(&mut turn.deferred), &numbers));
        let dial = self.engine.dial();
        self.metrics.count_turn(&turn, clock::uptime() - begun);
        self.note_time(dial);
        self.metrics.count_hits(std::mem::take(&mut turn.hits), clock::uptime_ms());
        self.metrics.health.worker.beat();
        if !turn.records.is_empty() {
            turn.records.extend(self.sent());
        }
        match self.commit(dial.due, &turn) {
            Ok(()) => {
                traced.iter().for_each(|id| tracing::debug!(id, records = turn.records.len(), "committed"));
                self.send(Parcel { number: turn.parcel, outs: turn.outbox });
                self.superseded.note(turn.videos);
                if retention::is_concerned(&turn.records) {
                    self.sweeper.notify_one();
                }
                if eraser::is_concerned(&turn.records) {
                    self.eraser.notify_one();
                }
                turn.results.into_iter().for_each(|called| self.callers.tell(called));
                turn.queries.into_iter().for_each(|query| self.archive.take(Question::Stanza(Box::new(query))));
                turn.lookups.into_iter().for_each(|lookup| self.archive.take(Question::Call(Box::new(lookup))));
            }
            Err(error @ CommitError::Refused(_)) => {
                self.settled = 0;
                self.tell_refused(&error);
                traced.iter().for_each(|id| tracing::debug!(id, "not committed"));
                (0..turn.asked()).for_each(|_| self.metrics.count_refusal(&Reason::STORE_FAILED));
                turn.refused().into_iter().for_each(|called| self.callers.tell(called));
                let outs = self.engine.abandon(turn);
                self.send(Parcel { number: None, outs });
            }
            Err(error @ (CommitError::Unknown(_) | CommitError::Fenced { .. })) => give_up(&error),
        }
    }

    /// Shows what the engine makes of the clock. Wakes the sweep of old rows if it waited for that.
    fn note_time(&self, dial: Dial) {
        let was_held = self.metrics.health.time.dial().held;
        self.metrics.note_time(dial);
        if was_held && !dial.held {
            self.sweeper.notify_one();
        }
    }

    fn commit(&self, now: Stamp, turn: &Turn) -> Result<(), CommitError> {
        if turn.records.is_empty() {
            return Ok(());
        }
        let begun = clock::uptime();
        let committed = self.store.commit(now, &turn.records);
        self.metrics.count_commit(&turn.records, clock::uptime() - begun, committed.is_ok());
        self.metrics.health.worker.beat();
        committed
    }

    /// Logs now and then why commits are refused: a full disk must not fill the log.
    fn tell_refused(&mut self, error: &CommitError) {
        let now_ms = clock::uptime_ms();
        if !self.timers.is_running(WorkerTimer::TellRefused, now_ms) {
            self.timers.start(WorkerTimer::TellRefused, now_ms, TELL_PAUSE_MS);
            tracing::error!("{error}; what comes in is answered with internal-server-error");
        }
    }

    /// Refuses what could not be taken.
    fn refuse(&mut self, inbound: &Inbound, why: Why) {
        let (reason, refusal) = match why {
            Why::Busy => (Reason::BUSY, Refusal::Busy),
            Why::StoreFailed => (Reason::STORE_FAILED, Refusal::Internal),
        };
        self.metrics.count_refusal(&reason);
        self.engine.settle(inbound);
        let asked = if let Inbound::Refused(refused) = inbound { &refused.0 } else { inbound };
        if let Inbound::Call(call) = asked {
            self.callers.tell((call.token, Err(refusal)));
        }
        if let Some(answer) = refuse_inbound(inbound, why) {
            self.send(Parcel::of_stanza(answer));
        }
    }

    /// Has the store do work that it put off.
    fn idle(&mut self) {
        self.metrics.health.worker.beat();
        let sent: Vec<Record> = self.sent().into_iter().collect();
        match self.store.commit(self.engine.dial().due, &sent).and_then(|()| self.store.idle(clock::now())) {
            Ok(()) => {}
            Err(error @ CommitError::Refused(_)) => {
                self.settled = 0;
                tracing::warn!("{error}; it is tried again");
                self.metrics.health.note_store(false);
            }
            Err(error @ (CommitError::Unknown(_) | CommitError::Fenced { .. })) => give_up(&error),
        }
    }

    fn send(&self, parcel: Parcel) {
        if !parcel.outs.is_empty() || parcel.number.is_some() {
            let weight = parcel.weight();
            // Whether the writer makes progress is shown by its own pulse.
            self.metrics.health.worker.rest();
            self.outbox.push(parcel, weight);
        }
    }
}

/// The ids of a batch's stanzas, if the log shows when each is stored.
fn traced(batch: &[Inbound]) -> Vec<String> {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return Vec::new();
    }
    let id = |inbound: &Inbound| match inbound {
        Inbound::Stanza(stanza) => stanza.id.clone(),
        _ => None,
    };
    batch.iter().filter_map(id).collect()
}

/// Ends the process: it is unknown what the disk holds, and the next start finds out.
fn give_up(error: &CommitError) -> ! {
    tracing::error!(
        "{error}; the process ends, and its next start takes up what the disk holds. \
         Check the disk's space and health before starting again"
    );
    std::process::exit(EXIT_STORE_FAILED);
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
