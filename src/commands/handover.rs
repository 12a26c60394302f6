//! `mixd handover`: has the running service hand over to the program on disk.

use super::{StorePlace, failed, note, say};
use mixd::runtime::admin::client;
use mixd::store::StoreError;
use std::process::ExitCode;

/// Asks the service, and tells how it went.
pub fn handover(place: &StorePlace) -> ExitCode {
    let folder = match place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    let asked = client::handover(&folder, &mut |step| note(&step));
    let handed = asked.and_then(|handed| {
        let nobody = || StoreError(format!("no service runs on {}: start it", folder.display()));
        handed.ok_or_else(nobody)
    });
    match handed {
        Ok((program, gap_ms)) => {
            say(&format_args!("handed over to {program}; stanzas waited for {gap_ms} ms"));
            ExitCode::SUCCESS
        }
        Err(error) => failed("not handed over", &error),
    }
}
