//! `mixd serve`: the service, and how one program of it follows another.

use crate::commands;
use clap::Args;
use mixd::config::{Config, LogFormat};
use mixd::runtime::handover::{Offer, Program, Role, Taken, Verdict, receive};
use mixd::runtime::{self, Served, Start};
use mixd::store::{Aged, SledOptions, SledStore, Store, StoreError, UPGRADED_AT_START_BYTES_MAX, VerifyEvent};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

/// The exit code when the service cannot start: because of the store, a thread or a signal.
const EXIT_CANNOT_START: u8 = 1;

/// What `mixd serve` takes.
#[derive(Args)]
pub struct From {
    /// The file with the settings, in TOML
    #[arg(long, value_name = "FILE", default_value = "/etc/mixd/mixd.toml")]
    pub config: PathBuf,
    /// Take over what the program before left on standard input
    #[arg(long, hide = true)]
    take_over: bool,
    /// Say whether this program would take over what is offered
    #[arg(long, value_name = "OFFER", hide = true)]
    would_take_over: Option<String>,
}

/// Serves, or says whether it would take over from a process that does.
pub fn serve(from: &From) -> ExitCode {
    let config = Config::read(&from.config).and_then(|config| Ok((config.secret()?, config)));
    let (secret, config) = match config {
        Ok(read) => read,
        Err(error) => {
            if from.would_take_over.is_some() {
                tell(&Verdict::Refused { why: format!("the settings are wrong: {error}") });
            }
            commands::note(&error);
            return ExitCode::from(commands::EXIT_CONFIG);
        }
    };
    if let Some(offer) = &from.would_take_over {
        return judge(offer, &config);
    }
    start_log(&config);
    runtime::log_panics();
    let (mut start, mut lock) = match begin(from) {
        Ok(begun) => begun,
        Err(error) => return cannot_start(&error),
    };
    loop {
        let program = start.program.clone();
        let store = match open_store(&config, lock) {
            Ok(store) => store,
            Err(error) => return cannot_start(&error),
        };
        let mut taken = match runtime::serve(&config, secret.clone(), store.clone(), start) {
            Ok(Served::Stopped) => return ExitCode::SUCCESS,
            Ok(Served::Leaving(taken)) => *taken,
            Err(error) => return cannot_start(&format_args!("{error:#}")),
        };
        let error = program.become_it(&taken);
        let why = format!("{} cannot be executed ({error})", program.path.display());
        taken.refuse(&why);
        if let Err(error) = runtime::outlive_broken_pipes() {
            return cannot_start(&error);
        }
        runtime::close(store);
        lock = lock_of(&mut taken);
        start = Start { taken: Some(taken), program, failed: Some(why) };
    }
}

fn cannot_start(error: &dyn std::fmt::Display) -> ExitCode {
    tracing::error!("cannot start: {error}");
    ExitCode::from(EXIT_CANNOT_START)
}

/// How the process begins. What cannot be taken over is lost, as in a crash: the store has what counts.
fn begin(from: &From) -> std::io::Result<(Start, Option<Arc<File>>)> {
    runtime::hold_signals()?;
    let program = Program::of_this_process()?;
    let mut taken = None;
    if from.take_over {
        match receive() {
            Ok(received) => taken = Some(received),
            Err(error) => tracing::error!("{error}; the service starts as after a crash"),
        }
    }
    let lock = taken.as_mut().and_then(lock_of);
    Ok((Start { taken, program, failed: None }, lock))
}

fn lock_of(taken: &mut Taken) -> Option<Arc<File>> {
    taken.take(|role| *role == Role::Lock).map(|lock| Arc::new(lock.into()))
}

/// Says whether this program would take over what is offered.
fn judge(offer: &str, config: &Config) -> ExitCode {
    let verdict = match serde_json::from_str::<Offer>(offer) {
        Ok(offer) => offer.judge(config),
        Err(error) => Verdict::Refused { why: format!("what is offered is not understood: {error}") },
    };
    tell(&verdict);
    match verdict {
        Verdict::Accepted { .. } => ExitCode::SUCCESS,
        Verdict::Refused { .. } => ExitCode::from(EXIT_CANNOT_START),
    }
}

fn tell(verdict: &Verdict) {
    if let Ok(line) = serde_json::to_string(verdict) {
        commands::say(&line);
    }
}

fn open_store(config: &Config, lock: Option<Arc<File>>) -> Result<Arc<dyn Store>, StoreError> {
    let storage = &config.storage;
    let (cache_bytes, reserve_bytes) = (storage.cache_bytes, storage.reserve_bytes);
    let options = SledOptions { cache_bytes, reserve_bytes, lock, ..SledOptions::at(&storage.path) };
    if let Some(aged) = SledStore::outdated(&storage.path)? {
        upgrade_quickly(&options, aged)?;
    }
    let store = SledStore::open(options)?;
    tracing::info!(path = %config.storage.path.display(), replayed = store.replayed(), "the store is open");
    Ok(Arc::new(store))
}

/// Upgrades a store of an earlier format if that takes some seconds at most. Otherwise says what to run.
fn upgrade_quickly(options: &SledOptions, aged: Aged) -> Result<(), StoreError> {
    let (path, from, bytes) = (options.path.display(), aged.format, aged.bytes);
    if bytes > UPGRADED_AT_START_BYTES_MAX {
        return Err(StoreError(format!(
            "{path} is of format {from} and takes {bytes} bytes, so that it takes a while to upgrade: run mixd upgrade \
             --store {path}, which keeps a way back, then start again"
        )));
    }
    let mut wrong = Vec::new();
    let mut sight = |sighting| {
        if let VerifyEvent::Wrong(finding) = sighting {
            wrong.push(finding.to_string());
        }
    };
    let upgraded = SledStore::upgrade(options.clone(), &mut |_| ControlFlow::Continue(()), &mut sight)?;
    if upgraded.census.wrong > 0 {
        return Err(StoreError(format!(
            "{path} is of format {from} and left so, since something is wrong with it: {}",
            wrong.join("; ")
        )));
    }
    tracing::info!(from, to = upgraded.to, "the store is upgraded; mixd upgrade --back goes back, for seven days");
    Ok(())
}

fn start_log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log.level).unwrap_or_default();
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    match config.log.format {
        LogFormat::Text => log.with_ansi(config.log.colour).init(),
        LogFormat::Json => log.json().init(),
    }
}
