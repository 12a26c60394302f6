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
pub mod eraser;
#[cfg(test)]
mod flood_tests;
pub mod framer;
mod gate;
pub mod handover;
pub mod http;
mod inbox;
mod keep_alive;
mod leaving;
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
mod signals;
mod timepiece;
mod vital;
mod worker;
mod writer;

pub use inbox::Inbox;
pub use leaving::{Served, close};
pub use metrics::Metrics;
pub use refuse::Refuser;
pub use signals::{hold_signals, outlive_broken_pipes};
pub use timepiece::Timepiece;
pub use vital::log_panics;
pub use worker::EXIT_STORE_FAILED;

use crate::config::{Config, Secret};
use crate::engine::share::OwnDomains;
use crate::engine::{self, Engine, Memory};
use crate::store::Store;
use crate::timers::Timers;
use crate::xmpp::address;
use anyhow::Context;
use archive::ArchiveThreads;
use handover::{Program, Role, Taken};
use jid::BareJid;
use leaving::{Ending, Endings};
use signals::Signals;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};

/// The stack of the thread that walks trees of stanzas, in bytes.
const STACK_BYTES: usize = 8 << 20;

/// How a process begins.
#[derive(Debug)]
pub struct Start {
    /// What an earlier program of this process left, if it goes on.
    pub taken: Option<Taken>,
    /// The program that is to go on after a handover.
    pub program: Program,
    /// Why a handover failed so that this program had to take its own place. There is none any more then.
    pub failed: Option<String>,
}

/// Serves until SIGTERM or SIGINT, and ends within seconds then, whatever the host server does; or until another program is
/// to take the place of this one.
///
/// # Errors
/// It cannot start: the store cannot be read, or the system refuses a thread or a signal.
pub fn serve(config: &Config, secret: Secret, store: Arc<dyn Store>, start: Start) -> anyhow::Result<Served> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(run(config, secret, store, start));
    runtime.shutdown_background();
    served
}

async fn run(config: &Config, secret: Secret, store: Arc<dyn Store>, start: Start) -> anyhow::Result<Served> {
    let signals = Signals::listen()?;
    let Start { taken, program, failed } = start;
    let goes_on = taken.is_some();
    let mut taken = taken.unwrap_or_default();
    let ways = Ways::new(config);
    let (stop, stopping) = watch::channel(false);
    let Working { inbox, refuser, watched, working } = work(config, &store, &ways)?;
    let Ways { outbox, callers, superseded, sweeper, eraser, confirmed, metrics } = ways;
    let pages = metrics::start(config, watched, stopping.clone(), &mut taken).await?;
    let swept = sweep(config, &store, (&inbox, &metrics), sweeper, &stopping);
    if !goes_on {
        // What an earlier process left unsent may fill the outbox. Then nothing goes on until a link takes it.
        tokio::select! {
            _ = swept => {}
            () = outbox.wait_crowded() => {}
        }
    }
    let (stop_http, stopping_http) = watch::channel(false);
    let shared = (&inbox, &callers, &metrics);
    let http = http::start(config, &store, shared, superseded, stopping_http, &mut taken).await?;
    let (handing, requests) = admin::Handing::new();
    let door = serve_operator(config, &store, (&inbox, callers), (&metrics, eraser), (&stop, &handing, &mut taken));
    let gate = Arc::<gate::Gate>::default();
    let ends = Ends { inbox: inbox.clone(), outbox: outbox.clone(), refuser, confirmed: confirmed.clone() };
    let pings = taken.estate.stream.as_ref().map(|stream| stream.pings.0.clone());
    let (passing, passed) = oneshot::channel();
    let earlier = goes_on.then(|| resume(config, taken, passing));
    let linking = tokio::spawn(keep_linked(link(config, secret, ends, stopping, (gate.clone(), earlier, pings))?));

    // What an earlier process held is served even if the process is to end at once. The sender says nothing, and is gone then.
    let _ = passed.await;
    let mut endings = Endings { signals, requests };
    let asker = endings.next((config, &program), (&handing, &confirmed), failed.as_deref()).await;
    let sockets = pages.into_iter().chain(door).collect();
    let stops = (stop_http, stop);
    let ending =
        Ending { config, store, metrics, inbox, outbox, confirmed, gate, working, linking, http, sockets, stops };
    match asker {
        // The claim is held to the end.
        Some((asker, _claim)) => Ok(ending.leave(asker, &mut endings.signals).await),
        None => {
            ending.stop().await;
            Ok(Served::Stopped)
        }
    }
}

/// What the parts of the process share.
struct Ways {
    outbox: Arc<outbox::Outbox>,
    callers: Arc<callers::Callers>,
    superseded: Arc<http::Superseded>,
    sweeper: Arc<Notify>,
    eraser: Arc<Notify>,
    confirmed: Arc<outbox::Confirmed>,
    metrics: Arc<Metrics>,
}

impl Ways {
    fn new(config: &Config) -> Ways {
        let outbox = Arc::new(outbox::Outbox::new(usize::MAX, config.limits.outbox_bytes_max));
        let (callers, superseded, sweeper, eraser, confirmed, metrics) = Default::default();
        Ways { outbox, callers, superseded, sweeper, eraser, confirmed, metrics }
    }
}

/// The loop, what goes into it, and what monitoring looks at.
struct Working {
    inbox: Arc<inbox::Inbox>,
    refuser: Refuser,
    watched: metrics::Watched,
    working: std::thread::JoinHandle<Memory>,
}

/// Starts the loop, and the threads that read for it.
fn work(config: &Config, store: &Arc<dyn Store>, ways: &Ways) -> anyhow::Result<Working> {
    let Ways { outbox, callers, superseded, sweeper, eraser, confirmed, metrics } = ways;
    let (engine, pacing) = engine(config, &**store, metrics)?;
    let (threads, own) = (config.archive.query_threads, engine.own_domains().clone());
    let refuser = Refuser { callers: callers.clone(), metrics: metrics.clone(), ..Refuser::default() };
    let (inbox, parking) = waiting_rooms(config, &own, &refuser);
    let loader = loader::Loader::start(store, &inbox)?;
    let archive = ArchiveThreads::start(threads, own, store, outbox, (callers, loader.returns()), metrics)?;
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
        sweeper: sweeper.clone(),
        eraser: eraser.clone(),
        ahead: worker::Ahead::default(),
        timers: Timers::default(),
    };
    let working =
        std::thread::Builder::new().name("worker".to_owned()).stack_size(STACK_BYTES).spawn(move || worker.run())?;
    Ok(Working { inbox, refuser, watched, working })
}

/// The link that an earlier process left. What does not fit is as if there were none: the link is made anew.
fn resume(config: &Config, mut taken: Taken, passing: oneshot::Sender<()>) -> link::EarlierLink {
    let connection = taken.take(|role| *role == Role::Link).map(std::net::TcpStream::from);
    let askers = std::iter::from_fn(|| taken.take(|role| *role == Role::Asker));
    let askers = askers.map(|asker| handover::Asker(Some(asker.into()))).collect();
    let handover::Estate { stream, held, memory, since_ms, .. } = taken.estate;
    let stream = connection.zip(stream).and_then(|(connection, state)| {
        let framer = framer::Framer::resume(config.limits.of_stanzas(), state.half_read)?;
        connection.set_nonblocking(true).ok()?;
        let pings = (state.answers_pings, state.pings.1);
        Some((tokio::net::TcpStream::from_std(connection).ok()?, framer, pings))
    });
    link::EarlierLink { stream, held, memory, since_ms, askers, passing }
}

/// The inbox, and the room for what waits for channels that are not in memory.
fn waiting_rooms(config: &Config, own_domains: &OwnDomains, refuser: &Refuser) -> (Arc<inbox::Inbox>, engine::Parking) {
    let (items_max, bytes_max) = (config.limits.inbox_items_max, config.limits.inbox_bytes_max);
    let inbox = inbox::Inbox::new(items_max, bytes_max, own_domains.clone(), refuser.clone());
    (Arc::new(inbox), engine::Parking::new(items_max, bytes_max, own_domains.clone()))
}

/// Opens the admin socket, and erases accounts that it asks for. Returns the socket for the program that takes over.
fn serve_operator(
    config: &Config,
    store: &Arc<dyn Store>,
    (inbox, callers): (&Arc<inbox::Inbox>, Arc<callers::Callers>),
    (metrics, woken): (&Arc<metrics::Metrics>, Arc<Notify>),
    (stop, handing, earlier): (&watch::Sender<bool>, &admin::Handing, &mut Taken),
) -> Option<(Role, OwnedFd)> {
    let operator = BareJid::from_parts(None, config.component.domain.as_jid().domain());
    let turns = admin::Loop { inbox: inbox.clone(), callers, operator };
    let (inbox, stopping) = (inbox.clone(), stop.subscribe());
    tokio::spawn(eraser::Eraser { store: store.clone(), inbox, woken, stopping }.run());
    let door = admin::Door::new(store, turns, metrics, stop.subscribe(), handing.clone());
    let socket = admin::open(&config.storage.path, door, earlier.take(|role| *role == Role::Admin));
    socket.map(|socket| (Role::Admin, socket))
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

/// Keeps the link up until the process is to end.
async fn keep_linked(link: link::Link) -> Option<link::KeptLink> {
    let _vital = vital::Vital("the link");
    link.run().await
}

/// What the link shares with the other parts.
struct Ends {
    inbox: Arc<inbox::Inbox>,
    outbox: Arc<outbox::Outbox>,
    refuser: Refuser,
    confirmed: Arc<outbox::Confirmed>,
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

fn link(
    config: &Config,
    secret: Secret,
    ends: Ends,
    stop: watch::Receiver<bool>,
    (gate, earlier, pings): (Arc<gate::Gate>, Option<link::EarlierLink>, Option<String>),
) -> anyhow::Result<link::Link> {
    let component = &config.component;
    let Ends { inbox, outbox, refuser, confirmed } = ends;
    let Refuser { urgent, metrics, .. } = refuser.clone();
    let ms = Duration::from_millis;
    let keep_alive = keep_alive::KeepAlive {
        idle: Duration::from_secs(component.ping_idle_s),
        patience: Duration::from_secs(component.ping_timeout_s),
        from: component.domain.to_string(),
        to: address::at_resource(&component.ping_target()),
        id: pings.unwrap_or(format!("ping-{}", hex::encode(&clock::seed()?[..8]))),
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
        gate,
        earlier,
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
