//! The admin socket: in the store's folder, for the user that the service runs as and for root.
//!
//! A store serves one process. So while the service runs, it does what an operator wants done to the store. Each
//! connection carries one request and one reply, each a line of JSON, and lines of progress in between.

mod account;
pub mod client;
mod clock_requests;
mod handing;
mod handover_requests;
mod way;
mod wire;

pub use handing::{Claim, Handing, UNDER_WAY};
pub use way::Loop;
pub use wire::{AccountAction, AdminReply, AdminRequest, say_now};

use super::vital::Vital;
use super::{Metrics, clock};
use crate::store::{Manifest, Store, StoreError, WorkProgress};
use handing::LEAVING;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

/// The longest request, in bytes.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;
/// How long a request may take to arrive, and a reply to be read.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at a time.
const CONNECTIONS_MAX: usize = 8;
/// How many reports of progress may wait for the client. Further ones are left out.
const STEPS_MAX: usize = 16;
/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// The path of a store's socket.
pub fn socket_of(store: &Path) -> PathBuf {
    store.join("admin.sock")
}

/// Opens the socket, or takes the one of an earlier program of this process. Where that is impossible, the reason is logged
/// and the service goes on without it. Returns the socket for the next program.
pub fn open(store_path: &Path, door: Door, earlier: Option<OwnedFd>) -> Option<OwnedFd> {
    let path = socket_of(store_path);
    match bind(&path, earlier) {
        Ok((listener, spare, owner)) => {
            tokio::spawn(Door { owner, ..door }.run(listener));
            Some(spare)
        }
        Err(error) => {
            tracing::warn!(
                path = %path.display(),
                "the socket for mixd backup, mixd clock, mixd account and mixd handover cannot be made ({error}); they need the \
                 service to be stopped"
            );
            None
        }
    }
}

/// Removes the socket. If this fails, the next start does it.
pub fn remove(store_path: &Path) {
    let _ = std::fs::remove_file(socket_of(store_path));
}

/// Creates the socket, for its owner alone. An existing one is left from a killed process, because the store is locked.
fn bind(path: &Path, earlier: Option<OwnedFd>) -> io::Result<(UnixListener, OwnedFd, u32)> {
    let listener = match earlier {
        Some(earlier) => std::os::unix::net::UnixListener::from(earlier),
        None => {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            std::os::unix::net::UnixListener::bind(path)?
        }
    };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    let spare = listener.try_clone()?.into();
    Ok((UnixListener::from_std(listener)?, spare, std::fs::metadata(path)?.uid()))
}

/// What requests are carried out with.
pub struct Door {
    store: Arc<dyn Store>,
    turns: Loop,
    metrics: Arc<Metrics>,
    /// The user that the process runs as.
    owner: u32,
    stopping: watch::Receiver<bool>,
    handing: Handing,
}

impl Door {
    /// The admin socket of a service.
    pub fn new(
        store: &Arc<dyn Store>,
        turns: Loop,
        metrics: &Arc<Metrics>,
        stopping: watch::Receiver<bool>,
        handing: Handing,
    ) -> Door {
        let (store, metrics) = (store.clone(), metrics.clone());
        Door { store, turns, metrics, owner: 0, stopping, handing }
    }

    async fn run(self, listener: UnixListener) {
        let _vital = Vital("the operator's door");
        let (door, places) = (Arc::new(self), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
        let mut stopping = door.stopping.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            let (Ok((stream, _)), Ok(place)) = (accepted, places.clone().acquire_owned().await) else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let door = door.clone();
            tokio::spawn(async move {
                if let Err(error) = door.serve(stream).await {
                    tracing::debug!("a connection of the operator ended: {error}");
                }
                drop(place);
            });
        }
    }

    async fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        let uid = stream.peer_cred()?.uid();
        if uid != self.owner && uid != 0 {
            tracing::warn!(uid, "somebody else than the owner of the store knocked at its socket");
            return say(&mut stream, &AdminReply::Failed { why: "only the owner of the store is served".into() }).await;
        }
        let mut line = String::new();
        let mut reader = BufReader::new(&mut stream).take(REQUEST_BYTES_MAX);
        timeout(PATIENCE, reader.read_line(&mut line)).await??;
        match serde_json::from_str(&line) {
            Ok(AdminRequest::Backup { to }) => self.backup(&mut stream, to).await,
            Ok(AdminRequest::Handover) => self.hand_over(stream).await,
            Ok(AdminRequest::ShowClock) => say(&mut stream, &self.show_clock()).await,
            Ok(AdminRequest::ConfirmClock) => say(&mut stream, &self.confirm_clock().await).await,
            Ok(AdminRequest::Account { deed, jid }) => self.account(&mut stream, deed, &jid).await,
            Err(error) => {
                say(&mut stream, &AdminReply::Failed { why: format!("the request is not understood: {error}") }).await
            }
        }
    }

    /// Makes a backup, and reports its progress. It ends when the client goes away or the service ends.
    async fn backup(&self, stream: &mut UnixStream, to: PathBuf) -> io::Result<()> {
        if !to.is_absolute() {
            return say(stream, &AdminReply::Failed { why: "the folder has to be named from the root on".into() })
                .await;
        }
        let Some(_busy) = self.handing.busy() else {
            return say(stream, &AdminReply::Failed { why: LEAVING.into() }).await;
        };
        tracing::info!(to = %to.display(), "a backup begins");
        let (steps, mut told) = mpsc::channel::<WorkProgress>(STEPS_MAX);
        let (store, stopping, folder) = (self.store.clone(), self.stopping.clone(), to.clone());
        let mut working = tokio::task::spawn_blocking(move || {
            let mut watch = |step: &WorkProgress| match steps.try_send(step.clone()) {
                Err(mpsc::error::TrySendError::Closed(_)) => ControlFlow::Break(()),
                _ if *stopping.borrow() => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            };
            store.backup(&folder, &clock::now, &mut watch)
        });
        let (mut reader, mut writer) = stream.split();
        let outcome: Result<Manifest, StoreError> = loop {
            let mut byte = [0];
            tokio::select! {
                Some(WorkProgress { what, entries }) = told.recv() => write(&mut writer, &AdminReply::Step { what, entries }).await?,
                outcome = &mut working => break outcome.unwrap_or_else(|error| Err(StoreError(error.to_string()))),
                // The client sends nothing more. So anything read here means that it went away.
                _ = reader.read(&mut byte) => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        };
        match outcome {
            Ok(manifest) => {
                tracing::info!(to = %to.display(), commit = manifest.commit, "the backup is complete");
                write(&mut writer, &AdminReply::Done { manifest }).await
            }
            Err(error) => {
                tracing::error!(to = %to.display(), "the backup failed: {error}");
                write(&mut writer, &AdminReply::Failed { why: error.to_string() }).await
            }
        }
    }
}

async fn say(stream: &mut UnixStream, reply: &AdminReply) -> io::Result<()> {
    write(stream, reply).await
}

async fn write(writer: &mut (impl AsyncWriteExt + Unpin), reply: &AdminReply) -> io::Result<()> {
    let line = serde_json::to_string(reply)? + "\n";
    timeout(PATIENCE, writer.write_all(line.as_bytes())).await?
}
