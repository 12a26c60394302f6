//! What an operator does to a store from the command line.

use clap::Args;
use mixd::config::Config;
use mixd::store::{SledOptions, SledStore, StoreError, WorkProgress};
use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

mod account;
mod backup;
mod clock;
mod compact;
mod handover;
mod upgrade;
mod verify;

pub use account::{AccountArgs, account};
pub use backup::{Backup, Restore, backup, restore};
pub use clock::{ClockArgs, clock};
pub use compact::compact;
pub use handover::handover;
pub use upgrade::{Upgrade, upgrade};
pub use verify::{Verify, verify};

/// The exit code when a command cannot be carried out.
const EXIT_FAILED: u8 = 1;
/// The exit code when a store or a backup is damaged (EX_DATAERR).
const EXIT_WRONG: u8 = 65;
/// The exit code of wrong settings (EX_CONFIG).
pub const EXIT_CONFIG: u8 = 78;

/// The store that a command is about.
#[derive(Args)]
pub struct StorePlace {
    /// The file with the settings, which names the store's folder
    #[arg(long, value_name = "FILE", default_value = "/etc/mixd/mixd.toml")]
    config: PathBuf,
    /// The store's folder; the settings are not read then
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
}

impl StorePlace {
    /// The store's folder.
    fn folder(&self) -> Result<PathBuf, ExitCode> {
        if let Some(folder) = &self.store {
            return Ok(folder.clone());
        }
        Config::read(&self.config).map(|config| config.storage.path).map_err(|error| {
            note(&error);
            ExitCode::from(EXIT_CONFIG)
        })
    }
}

/// Opens an existing store.
fn open(folder: PathBuf) -> Result<SledStore, StoreError> {
    SledStore::open(SledOptions { create: false, ..SledOptions::at(folder) })
}

/// Reports the progress of a long task.
fn tell(step: &WorkProgress) {
    match step.entries {
        0 => note(&step.what),
        entries => note(&format_args!("{}: {entries} entries", step.what)),
    }
}

/// Prints a line on standard output. A reader that stops reading, as `head` does, does not end the command.
pub fn say(line: &dyn Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line on standard error, likewise.
pub fn note(line: &dyn Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Reports what cannot be done, and why.
fn failed(what: &str, error: &dyn Display) -> ExitCode {
    note(&format_args!("{what}: {error}"));
    ExitCode::from(EXIT_FAILED)
}
