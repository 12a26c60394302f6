//! `mixd upgrade`: upgrades a store of an earlier format to this one, or goes back.

use super::verify::{sum_up, tell_sighting};
use super::{EXIT_WRONG, StorePlace, failed, tell};
use clap::Args;
use mixd::store::{SledOptions, SledStore, StoreError, Upgraded, WorkProgress};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;

/// What `mixd upgrade` takes.
#[derive(Args)]
pub struct Upgrade {
    /// Go back to what the store was before its upgrade; what was written since goes
    #[arg(long, conflicts_with = "done")]
    back: bool,
    /// Remove what is kept to go back to
    #[arg(long)]
    done: bool,
    #[command(flatten)]
    place: StorePlace,
}

/// Upgrades a store, or goes back.
pub fn upgrade(asked: &Upgrade) -> ExitCode {
    let folder = match asked.place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    if asked.back {
        return said("nothing was changed", SledStore::go_back(&folder), &folder, "is what it was before its upgrade");
    }
    if asked.done {
        return said("nothing was removed", SledStore::close_way_back(&folder), &folder, "keeps nothing to go back to");
    }
    let mut watch = |step: &WorkProgress| {
        tell(step);
        ControlFlow::Continue(())
    };
    let Upgraded { from, to, census } =
        match SledStore::upgrade(SledOptions::at(&folder), &mut watch, &mut tell_sighting) {
            Ok(done) => done,
            Err(error) => return failed("nothing was upgraded", &error),
        };
    sum_up(&census);
    if census.wrong > 0 {
        eprintln!("the store is left as it was: what is wrong comes from there, or from the upgrade; please report it");
        return ExitCode::from(EXIT_WRONG);
    }
    println!(
        "{}: format {from} before, {to} from here on; mixd upgrade --back goes back, for seven days",
        folder.display()
    );
    ExitCode::SUCCESS
}

fn said(what: &str, outcome: Result<(), StoreError>, folder: &Path, done: &str) -> ExitCode {
    match outcome {
        Ok(()) => {
            println!("{} {done}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => failed(what, &error),
    }
}
