//! `mixd backup` and `mixd restore`.

use super::verify::look_through;
use super::{EXIT_WRONG, StorePlace, failed, note, open, say, tell};
use clap::Args;
use mixd::runtime::{admin::client, clock};
use mixd::store::{Manifest, SledOptions, SledStore, Store, StoreError, WorkProgress};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `mixd backup` takes.
#[derive(Args)]
pub struct Backup {
    /// The folder to make, or an empty one
    #[arg(value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    place: StorePlace,
}

/// What `mixd restore` takes.
#[derive(Args)]
pub struct Restore {
    /// The backup
    #[arg(value_name = "DIR")]
    from: PathBuf,
    #[command(flatten)]
    place: StorePlace,
}

/// Copies a store, with the help of the service where it runs.
pub fn backup(asked: &Backup) -> ExitCode {
    let folder = match asked.place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    match make(&folder, &asked.to) {
        Ok(manifest) => {
            let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
            let Manifest { channels, taken, commit, .. } = manifest;
            let to = asked.to.display();
            say(&format_args!("{to}: {channels} channels at {taken} (commit {commit}), {bytes} bytes"));
            ExitCode::SUCCESS
        }
        Err(error) => failed("no backup was made", &error),
    }
}

fn make(store: &Path, to: &Path) -> Result<Manifest, StoreError> {
    // The service has another working directory.
    let to = std::path::absolute(to).map_err(|error| StoreError(format!("{}: {error}", to.display())))?;
    if let Some(manifest) = client::backup(store, &to, &mut |step| tell(step))? {
        return Ok(manifest);
    }
    let store = open(store.to_owned())?;
    store.backup(&to, &clock::now, &mut |step| {
        tell(step);
        ControlFlow::Continue(())
    })
}

/// Makes a store out of a backup, and checks it.
pub fn restore(asked: &Restore) -> ExitCode {
    let folder = match asked.place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    let mut watch = |step: &WorkProgress| {
        tell(step);
        ControlFlow::Continue(())
    };
    let (store, restored) = match SledStore::restore(&asked.from, SledOptions::at(&folder), clock::now(), &mut watch) {
        Ok(done) => done,
        Err(error) => return failed("nothing was restored", &error),
    };
    let (taken, skipped) = (&restored.manifest.taken, restored.skipped);
    let folder = folder.display();
    say(&format_args!("{folder}: restored as it was at {taken}; each channel passes over {skipped} row numbers"));
    match look_through(&store) {
        Ok(census) if census.wrong == 0 => ExitCode::SUCCESS,
        Ok(_) => {
            note(&"the backup is what was written, but the store was not as it has to be: try an older backup");
            ExitCode::from(EXIT_WRONG)
        }
        Err(error) => failed("what was restored cannot be read", &error),
    }
}
