//! What an operator does to a store from the command line.

use clap::Args;
use mixd::config::Config;
use mixd::store::{SledOptions, SledStore, Step, StoreError};
use std::path::PathBuf;
use std::process::ExitCode;

mod backup;
mod compact;
mod verify;

pub use backup::{Backup, Restore, backup, restore};
pub use compact::compact;
pub use verify::verify;

/// The exit code when something cannot be done at all.
const EXIT_FAILED: u8 = 1;
/// The exit code when a store or a backup is not as it has to be (EX_DATAERR).
const EXIT_WRONG: u8 = 65;

/// Which store.
#[derive(Args)]
pub struct Place {
    /// The file with the settings, which names the store's folder
    #[arg(long, value_name = "FILE", default_value = "/etc/mixd/mixd.toml")]
    config: PathBuf,
    /// The store's folder; the settings are not read then
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

impl Place {
    /// The store's folder.
    fn folder(&self) -> Result<PathBuf, ExitCode> {
        if let Some(folder) = &self.store {
            return Ok(folder.clone());
        }
        Config::read(&self.config).map(|config| config.storage.path).map_err(|error| {
            eprintln!("{error}");
            ExitCode::from(super::EXIT_CONFIG)
        })
    }
}

/// Opens a store that is there.
fn open(folder: PathBuf) -> Result<SledStore, StoreError> {
    SledStore::open(SledOptions { create: false, ..SledOptions::at(folder) })
}

/// Says how far long work is.
fn tell(step: &Step) {
    match step.entries {
        0 => eprintln!("{}", step.what),
        entries => eprintln!("{}: {entries} entries", step.what),
    }
}

/// Says what cannot be done, and why.
fn failed(what: &str, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{what}: {error}");
    ExitCode::from(EXIT_FAILED)
}
