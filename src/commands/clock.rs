//! `mixd clock`: shows how the clock stands and whether it is believed, or confirms that it is right.

use super::{StorePlace, failed, open, say};
use clap::{Args, Subcommand};
use mixd::engine::trust;
use mixd::runtime::{admin::client, clock};
use mixd::store::{Belief, Record, Store, StoreError};
use std::path::Path;
use std::process::ExitCode;

/// What `mixd clock` takes.
#[derive(Args)]
pub struct ClockArgs {
    #[command(subcommand)]
    wish: Wish,
}

#[derive(Subcommand)]
enum Wish {
    /// Say what the clock says, whether it is believed, and what waits where it is not
    #[command(after_help = super::super::GUIDE_CLOCK)]
    Show(StorePlace),
    /// Say that the clock is right: what waited goes on, old messages that are to go among it
    #[command(after_help = super::super::GUIDE_CLOCK)]
    Confirm(StorePlace),
}

/// Runs `mixd clock`.
pub fn clock(asked: &ClockArgs) -> ExitCode {
    let (place, confirmed) = match &asked.wish {
        Wish::Show(place) => (place, false),
        Wish::Confirm(place) => (place, true),
    };
    let folder = match place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    let told = client::clock(&folder, confirmed).and_then(|told| match told {
        Some(told) => Ok(told),
        None => without_service(&folder, confirmed),
    });
    match told {
        Ok((clock, notes)) => {
            let verdict = match (confirmed, notes.is_empty()) {
                (true, _) => "confirmed: everything goes by it",
                (false, true) => "everything goes by it",
                (false, false) => "it is not believed",
            };
            say(&format_args!("the clock says {clock}; {verdict}"));
            notes.iter().for_each(|note| say(note));
            ExitCode::SUCCESS
        }
        Err(error) if confirmed => failed("the clock is not confirmed", &error),
        Err(error) => failed("nothing is known of the clock", &error),
    }
}

/// What the next start will make of the clock. With `confirmed` that start is told that the clock is right.
fn without_service(folder: &Path, confirmed: bool) -> Result<(String, Vec<String>), StoreError> {
    let (store, now) = (open(folder.to_owned())?, clock::now());
    if !trust::can_be(now) {
        return Err(StoreError(format!("it says {}, a time from before this program was made: set it", now.to_xmpp())));
    }
    if confirmed {
        let belief = Belief { reached: now, kept: now };
        store.commit(now, &[Record::Clock(belief)]).map_err(|error| StoreError(error.to_string()))?;
        return Ok((now.to_xmpp(), Vec::new()));
    }
    let Belief { reached, kept } = store.directory()?.clock;
    let far = |before| trust::is_too_far(before, now);
    let notes = [(far(reached), reached, "nothing expires"), (far(kept), kept, "no old messages are removed")];
    let notes = notes.into_iter().filter(|(far, ..)| *far).map(|(_, before, what)| {
        format!(
            "the service does not run, and was last sure of {}: once it runs, {what} until 'mixd clock confirm'",
            before.to_xmpp()
        )
    });
    Ok((now.to_xmpp(), notes.collect()))
}
