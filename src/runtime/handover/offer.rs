//! What the running process asks the program on disk before it hands over, and what that answers.
//!
//! Both are lines of JSON, so that programs of other versions understand enough of it to refuse.

use super::super::http;
use super::estate;
use crate::config::Config;
use crate::store::{SledStore, StoreError};
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// What is offered: the service that is to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The version of the handover.
    pub version: u32,
    /// The component's domain.
    pub domain: String,
    /// The host server, and the port of its components.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The address that is pinged on the link.
    #[serde(default)]
    pub pinged: String,
    /// The folder of the store, as the file system has it.
    pub store: PathBuf,
    /// Where the HTTP API listens, as the settings say.
    pub http: Option<SocketAddr>,
    /// Where the pages for monitoring are.
    pub metrics: Option<SocketAddr>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mixd-handover", rename_all = "kebab-case")]
pub enum Verdict {
    /// The program would take over.
    Accepted {
        /// Its version.
        program: String,
        /// What changes thereby.
        notes: Vec<String>,
    },
    /// It would not.
    Refused {
        /// Why.
        why: String,
    },
}

impl Offer {
    /// What a process with these settings offers.
    ///
    /// # Errors
    /// The store's folder cannot be found.
    pub fn of(config: &Config) -> std::io::Result<Offer> {
        Ok(Offer {
            version: estate::VERSION,
            domain: config.component.domain.to_string(),
            host: config.component.host.clone(),
            port: config.component.port,
            pinged: config.component.ping_target(),
            store: config.storage.path.canonicalize()?,
            http: config.http.listen,
            metrics: config.metrics.listen,
        })
    }

    /// Whether a process with these settings would take over.
    pub fn judge(&self, config: &Config) -> Verdict {
        match self.look(config) {
            Ok(notes) => Verdict::Accepted { program: program(), notes },
            Err(why) => Verdict::Refused { why },
        }
    }

    fn look(&self, config: &Config) -> Result<Vec<String>, String> {
        if self.version != estate::VERSION {
            return Err(format!(
                "the running process hands over in version {}, and {} understands version {}",
                self.version,
                program(),
                estate::VERSION
            ));
        }
        let component = &config.component;
        same("component.domain", &self.domain, &component.domain.to_string())?;
        same("component.host", &self.host, &component.host)?;
        same("component.port", &self.port.to_string(), &component.port.to_string())?;
        if self.pinged != component.ping_target() {
            return Err(
                "component.ping_to is another one: whether that answers is found out on a new link, so restart".into(),
            );
        }
        let store = &config.storage.path;
        let store = store.canonicalize().map_err(|error| format!("storage.path: {}: {error}", store.display()))?;
        same("storage.path", &self.store.display().to_string(), &store.display().to_string())?;
        let mut notes = Vec::new();
        listens("http.listen", self.http, config.http.listen, &mut notes)?;
        listens("metrics.listen", self.metrics, config.metrics.listen, &mut notes)?;
        http::check(config).map_err(|error| format!("{error:#}"))?;
        check_format(&store).map_err(|error| error.0)?;
        Ok(notes)
    }
}

/// This program, with its version.
pub fn program() -> String {
    format!("mixd {}", env!("CARGO_PKG_VERSION"))
}

fn same(key: &str, here: &str, there: &str) -> Result<(), String> {
    if here == there {
        return Ok(());
    }
    Err(format!(
        "{key} is {there} in the settings, and {here} in the running process: that is another service, which begins with a \
         restart"
    ))
}

/// An address that is new has to be free.
fn listens(
    key: &str,
    here: Option<SocketAddr>,
    there: Option<SocketAddr>,
    notes: &mut Vec<String>,
) -> Result<(), String> {
    if here == there {
        return Ok(());
    }
    if let Some(address) = there {
        TcpListener::bind(address).map_err(|error| format!("{key}: {address}: {error}"))?;
    }
    let told = |address: Option<SocketAddr>| address.map_or("nowhere".to_owned(), |it| it.to_string());
    notes.push(format!("{key} changes from {} to {}", told(here), told(there)));
    Ok(())
}

/// Whether the store is of a format that this program goes on with at once. An upgrade may find that there is no room for it,
/// or that something is damaged, and then nobody would serve.
fn check_format(store: &Path) -> Result<(), StoreError> {
    let Some(aged) = SledStore::outdated(store)? else { return SledStore::check_format(store) };
    Err(StoreError(format!(
        "{} is of format {}, which is upgraded first: stop the service, run mixd upgrade, and start it",
        store.display(),
        aged.format
    )))
}
