//! All I/O: the link to the host server, the loop around the engine, the clock, the end.
//!
//! Invariant: every queue between these is bounded, and waiting goes in no circle: the reader waits for nobody, the
//! worker for the writer, the writer for the host server alone.

pub mod admin;
pub mod answer;
mod archive;
pub mod backlog;
mod beside;
pub mod callers;
pub mod clock;
mod component;
pub mod dossier;
mod echo;
mod eraser;
#[cfg(test)]
mod flood_tests;
pub mod framer;
pub mod http;
mod inbox;
mod keep_alive;
mod line;
mod link;
pub mod load;
mod loader;
mod metrics;
mod outbox;
mod padding;
mod queue;
mod reader;
mod refuse;
mod retention;
mod timepiece;
mod vital;
mod worker;
mod writer;

pub use inbox::Inbox;
pub use metrics::Metrics;
pub use refuse::Refuser;
pub use timepiece::Timepiece;
pub use vital::log_panics;
pub use worker::EXIT_STORE_FAILED;

use crate::channel::Stamp;
use crate::config::{Config, Secret};
use crate::engine::share::OwnDomains;
use crate::engine::{self, Engine};
use crate::store::{Record, Store};
use crate::timers::Timers;
use crate::xmpp::address;
use anyhow::Context;
use archive::ArchiveThreads;
use jid::BareJid;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long the last turns may take when the process is to end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(3);
/// How long the last writes may take when the process is to end.
const FLUSH_PATIENCE: Duration = Duration::from_secs(3);
/// The stack of the thread that walks trees of stanzas, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// Serves until SIGTERM or SIGINT, and ends within seconds then, whatever the host server does.
///
/// # Errors
/// It cannot start: the store cannot be read, or the system refuses a thread or a signal.
pub fn serve(config: &Config, secret: Secret, store: Box<dyn Store>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(run(config, secret, Arc::from(store)));
    runtime.shutdown_background();
    served
}

async fn run(config: &Config, secret: Secret, store: Arc<dyn Store>) -> anyhow::Result<()> {
    let signals = Signals::listen()?;
    let outbox = Arc::new(outbox::Outbox::new(usize::MAX, config.limits.outbox_bytes_max));
    let (callers, superseded) = (Arc::<callers::Callers>::default(), Arc::<http::Superseded>::default());
    let (woken, erasing) = (Arc::<Notify>::default(), Arc::<Notify>::default());
    let (confirmed, metrics) = (Arc::<outbox::Confirmed>::default(), Arc::<metrics::Metrics>::default());
    let (stop, stopping) = watch::channel(false);
    let (engine, pacing) = engine(config, &*store, &metrics)?;
    let (threads, own) = (config.archive.query_threads, engine.own_domains().clone());
    let refuser = Refuser { callers: callers.clone(), metrics: metrics.clone(), ..Refuser::default() };
    let (inbox, parking) = waiting_rooms(config, &own, &refuser);
    let loader = loader::Loader::start(&store, &inbox)?;
    let archive = ArchiveThreads::start(threads, own, &store, &outbox, (&callers, loader.returns()), &metrics)?;
    let watched = metrics::Watched {
        metrics: metrics.clone(),
        inbox: inbox.clone(),
        outbox: outbox.clone(),
        urgent: refuser.urgent.clone(),
        questions: archive.questions().clone(),
        store: store.clone(),
        files: http::files_folder(config),
    };
    let worker = worker::Worker {
        engine,
        store: store.clone(),
        inbox: inbox.clone(),
        outbox: outbox.clone(),
        pacing,
        parking,
        loader,
        archive,
        callers: callers.clone(),
        metrics: metrics.clone(),
        confirmed: confirmed.clone(),
        unsent: store.unsent().context("what is still to be sent")?,
        sends_rows_again: config.component.resend_s > 0,
        settled: 0,
        superseded: superseded.clone(),
        sweeper: woken.clone(),
        eraser: erasing.clone(),
        ahead: worker::Ahead::default(),
        timers: Timers::default(),
    };
    let working =
        std::thread::Builder::new().name("worker".to_owned()).stack_size(STACK_BYTES).spawn(move || worker.run())?;
    metrics::start(config, watched, stopping.clone()).await?;
    // What an earlier process left unsent may fill the outbox. Then nothing goes on until a link takes it.
    tokio::select! {
        _ = sweep(config, &store, (&inbox, &metrics), woken, &stopping) => {}
        () = outbox.wait_crowded() => {}
    }
    let serving = http::start(config, &store, &inbox, &callers, &metrics, superseded, stopping.clone()).await?;
    serve_operator(config, &store, (&inbox, callers), (&metrics, erasing), &stop);
    let seen = metrics.clone();
    let ends = Ends { inbox: inbox.clone(), outbox: outbox.clone(), refuser, confirmed: confirmed.clone() };
    let mut linking = tokio::spawn(keep_linked(link(config, secret, ends, stopping)?));

    signals.end().await;
    tracing::info!("stopping");
    stop.send_replace(true);
    // Requests over HTTP that are under way still get their results.
    if let Some(serving) = serving {
        let _ = serving.await;
    }
    drain(&inbox, working).await;
    flush(&outbox, &mut linking).await;
    keep(&confirmed, &*store, seen.health.time.dial().due);
    tracing::info!("stopped");
    Ok(())
}

/// The inbox, and the room for what waits for channels that are not in memory.
fn waiting_rooms(config: &Config, own_domains: &OwnDomains, refuser: &Refuser) -> (Arc<inbox::Inbox>, engine::Parking) {
    let (items_max, bytes_max) = (config.limits.inbox_items_max, config.limits.inbox_bytes_max);
    let inbox = inbox::Inbox::new(items_max, bytes_max, own_domains.clone(), refuser.clone());
    (Arc::new(inbox), engine::Parking::new(items_max, bytes_max, own_domains.clone()))
}

/// Opens the admin socket, and erases accounts that it asks for.
fn serve_operator(
    config: &Config,
    store: &Arc<dyn Store>,
    (inbox, callers): (&Arc<inbox::Inbox>, Arc<callers::Callers>),
    (metrics, woken): (&Arc<metrics::Metrics>, Arc<Notify>),
    stop: &watch::Sender<bool>,
) {
    let operator = BareJid::from_parts(None, config.component.domain.as_jid().domain());
    let turns = admin::Loop { inbox: inbox.clone(), callers, operator };
    let (inbox, stopping) = (inbox.clone(), stop.subscribe());
    tokio::spawn(eraser::Eraser { store: store.clone(), inbox, woken, stopping }.run());
    admin::open(&config.storage.path, admin::Door::new(store, turns, metrics, stop.subscribe()));
}

/// The engine with the contents of the store, and what paces senders.
fn engine(config: &Config, store: &dyn Store, metrics: &Metrics) -> anyhow::Result<(Engine, engine::Pacing)> {
    let mut engine = Engine::new(
        engine_settings(config),
        store.sealing_key(),
        clock::seed()?,
        store.directory().context("the directory of channels")?,
        store.whereabouts().context("the whereabouts of accounts")?,
    );
    // Rows that became too old meanwhile are looked for before the first turn.
    metrics.note_time(engine.tell_time(clock::moment()));
    let pacing = engine::Pacing::new(config.limits.held_bytes_max, engine.own_domains().clone());
    Ok((engine, pacing))
}

/// What is known to have arrived is not sent again by the next start.
fn keep(confirmed: &outbox::Confirmed, store: &dyn Store, now: Stamp) {
    if let Err(error) = store.commit(now, &[Record::Sent(confirmed.settled())]).and_then(|()| store.finish(now)) {
        tracing::warn!("{error}");
    }
}

/// Keeps the link up until the process is to end.
async fn keep_linked(link: link::Link) {
    let _vital = vital::Vital("the link");
    link.run().await;
}

/// What the link shares with the other parts.
struct Ends {
    inbox: Arc<inbox::Inbox>,
    outbox: Arc<outbox::Outbox>,
    refuser: Refuser,
    confirmed: Arc<outbox::Confirmed>,
}

/// Waits for the last turns, with a bound.
async fn drain(inbox: &inbox::Inbox, working: std::thread::JoinHandle<()>) {
    inbox.close();
    let worked = tokio::task::spawn_blocking(move || working.join());
    if timeout(DRAIN_PATIENCE, worked).await.is_err() {
        tracing::warn!("the last turns take too long; what was not stored yet is left unanswered");
    }
}

/// Waits for the last writes, with a bound.
async fn flush(outbox: &outbox::Outbox, linking: &mut JoinHandle<()>) {
    outbox.close();
    if timeout(FLUSH_PATIENCE, &mut *linking).await.is_err() {
        tracing::warn!("the host server does not read what is sent to it; the rest is dropped");
        linking.abort();
    }
}

/// Sweeps out rows that became too old while nothing ran, and goes on beside the loop. The returned receiver is ready
/// when the first sweep is done.
fn sweep(
    config: &Config,
    store: &Arc<dyn Store>,
    (inbox, metrics): (&Arc<inbox::Inbox>, &Arc<Metrics>),
    woken: Arc<Notify>,
    stopping: &watch::Receiver<bool>,
) -> oneshot::Receiver<()> {
    let (keep_days, store, inbox, stopping) =
        (config.archive.keep_days, store.clone(), inbox.clone(), stopping.clone());
    let mut sweeper = retention::Sweeper { keep_days, store, inbox, metrics: metrics.clone(), woken, stopping };
    let (tell, begun) = oneshot::channel();
    tokio::spawn(async move {
        sweeper.begin().await;
        // The receiver may be gone.
        let _ = tell.send(());
        sweeper.run().await;
    });
    begun
}

fn link(config: &Config, secret: Secret, ends: Ends, stop: watch::Receiver<bool>) -> anyhow::Result<link::Link> {
    let component = &config.component;
    let Ends { inbox, outbox, refuser, confirmed } = ends;
    let Refuser { urgent, metrics, .. } = refuser.clone();
    let ms = Duration::from_millis;
    let keep_alive = keep_alive::KeepAlive {
        idle: Duration::from_secs(component.ping_idle_s),
        patience: Duration::from_secs(component.ping_timeout_s),
        from: component.domain.to_string(),
        to: address::at_resource(&component.ping_target()),
        id: format!("ping-{}", hex::encode(&clock::seed()?[..8])),
    };
    let writer_limits = writer::WriterLimits {
        write_timeout: Duration::from_secs(component.write_timeout_s),
        line_bytes_max: config.limits.outbox_bytes_max,
        horizon_ms: component.resend_s.saturating_mul(1000),
    };
    let echo = Arc::new(echo::Echo::new(&keep_alive, metrics.clone()));
    Ok(link::Link {
        address: component::Address::new(config, secret),
        name: format!("{} at {}:{}", component.domain, component.host, component.port),
        limits: config.limits.of_stanzas(),
        keep_alive: keep_alive.clone(),
        echo,
        backoff: link::Backoff::new(ms(component.backoff_ms_min), ms(component.backoff_ms_max), clock::seed()?),
        inbox,
        refuser,
        metrics: metrics.clone(),
        writer: writer::Writer::new(outbox, urgent, confirmed.clone(), metrics, keep_alive.clone(), writer_limits),
        confirmed,
        stop,
    })
}

fn engine_settings(config: &Config) -> engine::ServiceSettings {
    engine::ServiceSettings {
        domain: config.component.domain.as_jid().domain().to_owned(),
        name: config.service.name.clone(),
        operators: config.service.admins.clone(),
        creators: match (&config.service.creators[..], config.component.domain.parent()) {
            ([], Some(parent)) => vec![parent.to_string()],
            (creators, _) => creators.to_vec(),
        },
        limits: config.of_channels(),
        channels_memory_bytes_max: config.limits.channels_memory_bytes_max,
        page_default: config.archive.page_default,
        page_max: config.archive.page_max,
        pam: config.hosts.iter().map(|(domain, host)| (domain.to_string(), host.pam)).collect(),
        multicast: multicast_settings(config),
    }
}

/// The settings of multicast. A service is looked for at the host server's own domain even if it is not named.
fn multicast_settings(config: &Config) -> HashMap<String, engine::MulticastSettings> {
    let parent = config.component.domain.parent().map(|parent| (parent.to_string(), Default::default()));
    let named = config.hosts.iter().map(|(domain, host)| {
        let addresses_max = host.multicast_addresses_max.map(NonZeroUsize::get);
        (domain.to_string(), engine::MulticastSettings { service: host.multicast.clone(), addresses_max })
    });
    parent.into_iter().chain(named).collect()
}

/// The signals that the process gets.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal that ends the process. SIGHUP does not: it comes from a closed terminal or a tool that
    /// rotates logs.
    async fn end(mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => tracing::warn!(
                    "SIGHUP: the service goes on; settings are read at a start alone, so restart to apply them"
                ),
            }
        }
    }
}
