//! `mixd compact`: writes a store anew that nobody has open.

use super::verify::{sum_up, tell_sighting};
use super::{EXIT_WRONG, StorePlace, failed, note, say, tell};
use mixd::store::{Compacted, SledOptions, SledStore, WorkProgress};
use std::ops::ControlFlow;
use std::process::ExitCode;

/// Writes a store anew, and reports its size before and after.
pub fn compact(place: &StorePlace) -> ExitCode {
    let folder = match place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    let mut watch = |step: &WorkProgress| {
        tell(step);
        ControlFlow::Continue(())
    };
    let Compacted { bytes_before, bytes_after, census } =
        match SledStore::compact(SledOptions::at(&folder), &mut watch, &mut tell_sighting) {
            Ok(done) => done,
            Err(error) => return failed("nothing was compacted", &error),
        };
    sum_up(&census);
    if census.wrong > 0 {
        note(&"the store is left as it was: what is wrong comes from there, see mixd help verify");
        return ExitCode::from(EXIT_WRONG);
    }
    let folder = folder.display();
    say(&format_args!("{folder}: {bytes_before} bytes before, {bytes_after} bytes after"));
    ExitCode::SUCCESS
}
