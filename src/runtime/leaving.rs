//! How the process ends: for good, or so that another program takes its place.

use super::admin::{Claim, Handing, UNDER_WAY};
use super::gate::Gate;
use super::handover::{Asker, Estate, Offer, Program, Role, StreamState, Taken, ask_program, program};
use super::http::Serving;
use super::link::KeptLink;
use super::outbox::{Confirmed, Outbox};
use super::signals::{Signalled, Signals};
use super::{Metrics, clock, inbox};
use crate::config::Config;
use crate::engine::Memory;
use crate::store::{Record, Store};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the last turns may take when the process is to end, and when another one goes on with them.
const DRAIN_PATIENCE: Duration = Duration::from_secs(3);
const LEAVE_PATIENCE: Duration = Duration::from_secs(30);
/// How long the last writes may take, likewise. The latter has the time for their confirmation in it.
const FLUSH_PATIENCE: Duration = Duration::from_secs(3);
const PASS_PATIENCE: Duration = Duration::from_secs(10);
/// A host server that owes an answer for longer is not asked to notice nothing, in milliseconds.
const OWED_MS_MAX: u64 = 5000;

/// How often it is looked whether a store is closed, and for how long.
const CLOSE_PAUSE: Duration = Duration::from_millis(20);
const CLOSE_PATIENCE: Duration = Duration::from_secs(10);

/// How it ended.
#[derive(Debug)]
pub enum Served {
    /// For good.
    Stopped,
    /// Another program is to go on with this.
    Leaving(Box<Taken>),
}

/// Everything that is to end.
pub(super) struct Ending<'a> {
    pub config: &'a Config,
    pub store: Arc<dyn Store>,
    pub metrics: Arc<Metrics>,
    pub inbox: Arc<inbox::Inbox>,
    pub outbox: Arc<Outbox>,
    pub confirmed: Arc<Confirmed>,
    pub gate: Arc<Gate>,
    pub working: std::thread::JoinHandle<Memory>,
    pub linking: JoinHandle<Option<KeptLink>>,
    pub http: Option<Serving>,
    /// Listening sockets besides that of the HTTP API.
    pub sockets: Vec<(Role, OwnedFd)>,
    /// Ends the HTTP API, and everything else.
    pub stops: (watch::Sender<bool>, watch::Sender<bool>),
}

/// Whether a handover may begin: asks the program on disk, and looks at what goes on here.
///
/// # Errors
/// Why not.
pub(super) async fn prepare(
    (config, program): (&Config, &Program),
    (asker, claim): (&Asker, &Claim),
    (handing, confirmed): (&Handing, &Confirmed),
) -> Result<(), String> {
    if handing.is_busy() {
        return Err("a backup or an export is being made: wait for its end".to_owned());
    }
    let offer = Offer::of(config).map_err(|error| format!("the store's folder is not where it was: {error}"))?;
    asker.step(&format!("{} is asked whether it takes over", program.path.display()));
    let asked = program.clone();
    let answer = tokio::task::spawn_blocking(move || ask_program(&asked, &offer)).await;
    let (name, notes) = answer.unwrap_or_else(|error| Err(error.to_string()))?;
    asker.step(&format!("{name} takes over"));
    notes.iter().for_each(|note| asker.step(note));
    let owed_ms = confirmed.waited_ms(clock::uptime_ms());
    if owed_ms > OWED_MS_MAX {
        return Err(format!("the host server has not said for {owed_ms} ms what it has; try again when it does"));
    }
    // From here on none begins.
    if !claim.leave() {
        return Err("a backup or an export began meanwhile: wait for its end".to_owned());
    }
    Ok(())
}

impl Ending<'_> {
    /// Ends for good.
    pub async fn stop(self) {
        tracing::info!("stopping");
        drop(self.sockets);
        let http = self.http.map(|http| http.serving);
        self.stops.0.send_replace(true);
        self.stops.1.send_replace(true);
        super::admin::remove(&self.config.storage.path);
        // Requests over HTTP that are under way still get their results.
        if let Some(serving) = http {
            let _ = serving.await;
        }
        drain(&self.inbox, self.working, DRAIN_PATIENCE).await;
        flush(&self.outbox, self.linking, FLUSH_PATIENCE).await;
        keep(&self.confirmed, &*self.store, &self.metrics);
        tracing::info!("stopped");
    }

    /// Ends so that another program goes on. Requests over HTTP end first, while people are served. If the process is to end
    /// meanwhile, it does; a signal that comes later waits for the next program.
    pub async fn leave(mut self, asker: Asker, signals: &mut Signals) -> Served {
        if let Some(Serving { server, mut serving, socket }) = self.http.take() {
            asker.step("requests over HTTP end, and new ones wait");
            server.relieve();
            self.stops.0.send_replace(true);
            let is_to_end = tokio::select! {
                biased;
                () = signals.end() => true,
                _ = &mut serving => false,
            };
            if is_to_end {
                asker.end();
                self.http = Some(Serving { server, serving, socket });
                self.stop().await;
                return Served::Stopped;
            }
            self.sockets.push(socket);
        }
        asker.step("what comes in from here on is for the next program");
        let since_ms = clock::moment().steady_ms;
        self.gate.close();
        self.stops.1.send_replace(true);
        let memory = drain(&self.inbox, self.working, LEAVE_PATIENCE).await;
        let kept = flush(&self.outbox, self.linking, PASS_PATIENCE).await;
        keep(&self.confirmed, &*self.store, &self.metrics);
        let (held, half_read) = self.gate.take();
        // On a link that stays, the host server says nothing of itself anew. So where that was not noted, the next program
        // connects for itself.
        let kept = kept.filter(|_| memory.is_some());
        let estate =
            Estate { program: program(), since_ms, held, memory: memory.unwrap_or_default(), ..Estate::default() };
        let mut taken = Taken { estate, descriptors: Vec::new() };
        if let (Some(kept), Some(half_read)) = (kept, half_read) {
            taken.estate.stream = Some(StreamState { half_read, answers_pings: kept.answers_pings, pings: kept.pings });
            taken.add(Role::Link, kept.connection);
        }
        self.sockets.into_iter().for_each(|(role, socket)| taken.add(role, socket));
        self.store.lock().into_iter().for_each(|lock| taken.add(Role::Lock, lock.into()));
        asker.0.into_iter().for_each(|asker| taken.add(Role::Asker, asker.into()));
        let took_ms = clock::moment().steady_ms.saturating_sub(since_ms);
        tracing::info!(took_ms, held = taken.estate.held.len(), "handover: everything is stored and sent");
        if signals.take_handovers() {
            tracing::warn!("SIGUSR2: {UNDER_WAY}");
        }
        Served::Leaving(Box::new(taken))
    }
}

/// Waits for the last turns, with a bound.
async fn drain(inbox: &inbox::Inbox, working: std::thread::JoinHandle<Memory>, patience: Duration) -> Option<Memory> {
    inbox.close();
    let worked = timeout(patience, tokio::task::spawn_blocking(move || working.join())).await;
    if worked.is_err() {
        tracing::warn!("the last turns take too long; what was not stored yet is left unanswered");
    }
    worked.ok()?.ok()?.ok()
}

/// Waits for the last writes, with a bound. Returns the link, if another process may take it.
async fn flush(outbox: &Outbox, mut linking: JoinHandle<Option<KeptLink>>, patience: Duration) -> Option<KeptLink> {
    outbox.close();
    let linked = timeout(patience, &mut linking).await;
    if linked.is_err() {
        tracing::warn!("the host server does not read what is sent to it; the rest is dropped");
        linking.abort();
    }
    linked.ok()?.ok()?
}

/// What is known to have arrived is not sent again by the next start.
fn keep(confirmed: &Confirmed, store: &dyn Store, metrics: &Metrics) {
    let now = metrics.health.time.dial().due;
    if let Err(error) = store.commit(now, &[Record::Sent(confirmed.settled())]).and_then(|()| store.finish(now)) {
        tracing::warn!("{error}");
    }
}

/// What may end the process.
pub(super) struct Endings {
    pub signals: Signals,
    pub requests: mpsc::Receiver<(Asker, Claim)>,
}

impl Endings {
    /// Waits until the process is to end, or another program has agreed to take its place: for whoever is returned.
    pub async fn next(
        &mut self,
        of: (&Config, &Program),
        (handing, confirmed): (&Handing, &Confirmed),
        refused: Option<&str>,
    ) -> Option<(Asker, Claim)> {
        loop {
            let (asker, claim) = tokio::select! {
                signalled = self.signals.next() => match signalled {
                    Signalled::End => return None,
                    Signalled::Handover => (Asker::default(), handing.claim()),
                },
                Some((asker, claim)) = self.requests.recv() => (asker, Some(claim)),
            };
            // Without one, a request has it that is received next.
            let Some(claim) = claim else { continue };
            let prepared = async {
                match refused {
                    Some(why) => Err(format!("an earlier one failed: {why}; restart the service")),
                    None => prepare(of, (&asker, &claim), (handing, confirmed)).await,
                }
            };
            match self.unless_ended(prepared).await {
                Some(Ok(())) => return Some((asker, claim)),
                Some(Err(why)) => {
                    // Whoever is told may ask again at once.
                    drop(claim);
                    asker.refuse(&why);
                }
                None => {
                    asker.end();
                    return None;
                }
            }
        }
    }

    /// What is waited for; `None`: the process is to end.
    async fn unless_ended<T>(&mut self, waited: impl Future<Output = T>) -> Option<T> {
        let mut waited = std::pin::pin!(waited);
        loop {
            tokio::select! {
                signalled = self.signals.next() => match signalled {
                    Signalled::End => return None,
                    Signalled::Handover => tracing::warn!("SIGUSR2: {UNDER_WAY}"),
                },
                done = &mut waited => return Some(done),
            }
        }
    }
}

/// Closes a store, which what ended just now may still hold for moments.
pub fn close(store: Arc<dyn Store>) {
    for _ in 0..CLOSE_PATIENCE.as_millis() / CLOSE_PAUSE.as_millis() {
        if Arc::strong_count(&store) == 1 {
            return;
        }
        std::thread::sleep(CLOSE_PAUSE);
    }
}
