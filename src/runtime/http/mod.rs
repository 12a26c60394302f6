//! The HTTP API for groups (groups.md §4): its requests become the same commands as stanzas.
//!
//! Invariant: nothing is decided here. A request is read within limits, its sender is authenticated before its body is
//! taken, and its command goes through the inbox like everything else.

mod api;
mod body;
mod checks;
mod draining;
mod fault;
mod fields;
mod files;
mod groups;
mod login;
mod messages;
mod multipart;
mod origin;
mod pace;
mod parameters;
mod pictures;
mod portions;
mod range;
mod reply;
mod requests;
mod room;
mod sasl;
mod seats;
mod serve;
mod sweep;
mod upload;
mod video_item;
mod videos;

pub use serve::Server;
pub use sweep::Superseded;

use super::callers::Callers;
use super::clock;
use super::handover::{self, Role, Taken};
use super::inbox::Inbox;
use super::metrics::Metrics;
use crate::config::Config;
use crate::engine::share::OwnDomains;
use crate::store::Store;
use anyhow::Context;
use portions::Portions;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The folder of files that were uploaded.
pub fn files_folder(config: &Config) -> PathBuf {
    config.storage.path.join("files")
}

/// How many videos are received at the same time, in all and of one account.
const UPLOADS_MAX: usize = 64;
const UPLOADS_EACH_MAX: usize = 2;

/// Listens, if the settings name an address. Ends when the process is to end.
///
/// # Errors
/// The address cannot be listened at, and those of [`server`].
pub async fn start(
    config: &Config,
    store: &Arc<dyn Store>,
    (inbox, callers, metrics): (&Arc<Inbox>, &Arc<Callers>, &Arc<Metrics>),
    superseded: Arc<Superseded>,
    stop: watch::Receiver<bool>,
    earlier: &mut Taken,
) -> anyhow::Result<Option<Serving>> {
    let Some(asked) = config.http.listen else { return Ok(None) };
    let opened = handover::listen(Role::Http(asked), asked, earlier);
    let (listener, spare) = opened.with_context(|| format!("http.listen: {asked}"))?;
    let address = listener.local_addr()?;
    let server = server(config, &**store, inbox, callers, metrics, address)?;
    tokio::spawn(sweep::run(superseded, server.files(), store.clone()));
    tracing::info!(%address, "the HTTP API listens");
    let serving = tokio::spawn(server.clone().run(listener, stop));
    Ok(Some(Serving { server, serving, socket: (Role::Http(asked), spare) }))
}

/// The API that listens.
pub struct Serving {
    /// Its server.
    pub server: Arc<Server>,
    /// Ends once no request is under way and the process is to end.
    pub serving: JoinHandle<()>,
    /// The listening socket, for the program that takes over.
    pub socket: (Role, OwnedFd),
}

/// Whether an API with these settings would start.
///
/// # Errors
/// What is wrong.
pub fn check(config: &Config) -> anyhow::Result<()> {
    let Some(address) = config.http.listen else { return Ok(()) };
    api::HttpSettings::new(config, address)?;
    sasl::Checker::new(&config.http)?;
    Ok(())
}

/// The server of an API that listens at `address`. Clients use the public URL in the settings, or else that address.
///
/// # Errors
/// The folder of files is unusable, or the certificates for checking the host server cannot be read.
pub fn server(
    config: &Config,
    store: &dyn Store,
    inbox: &Arc<Inbox>,
    callers: &Arc<Callers>,
    metrics: &Arc<Metrics>,
    address: SocketAddr,
) -> anyhow::Result<Arc<Server>> {
    let http = &config.http;
    let folder = files_folder(config);
    let files = Arc::new(files::Files::open(&folder, store).with_context(|| folder.display().to_string())?);
    let settings = api::HttpSettings::new(config, address)?;
    let own = own_domains(config);
    let portions = |what, max| Portions::of_accounts(what, max, &own, metrics);
    let login = login::Login::new(http, clock::seed()?, own.clone(), metrics.clone())?;
    let sealer = crate::xep::Sealer::new(store.sealing_key());
    let api = api::Api {
        settings,
        inbox: inbox.clone(),
        callers: callers.clone(),
        login,
        files,
        sealer,
        room: room::Room::new(portions("bodies of requests", http.requests_memory_bytes_max)),
        uploads: seats::Seats::new(portions("uploads", UPLOADS_MAX), UPLOADS_EACH_MAX),
    };
    let rooms = serve::Rooms {
        connections: Portions::of_addresses("connections", http.connections_max, metrics),
        // Each request has a connection of its own.
        at_once: portions("requests", http.connections_max),
    };
    Ok(Server::new(http, Arc::new(api), Duration::from_secs(http.request_timeout_s), rooms, metrics.clone()))
}

/// The domains for which half of what requests use is reserved: the service's own, and that of logins without a domain.
fn own_domains(config: &Config) -> OwnDomains {
    let parent = config.component.domain.parent().map(|domain| domain.to_string());
    let logins = config.http.user_domain.as_ref().map(|domain| domain.to_string());
    let creators = config.service.creators.iter().map(|domain| domain.to_string());
    OwnDomains::new(creators.chain(parent).chain(logins))
}
