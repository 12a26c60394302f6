//! `mixd verify`: checks a store that nobody has open.

use super::{EXIT_WRONG, StorePlace, failed, note, open, say};
use clap::Args;
use jid::BareJid;
use mixd::store::{SledStore, Store, StoreCensus, StoreError, VerifyEvent};
use std::process::ExitCode;

/// What `mixd verify` takes.
#[derive(Args)]
pub struct Verify {
    #[command(flatten)]
    place: StorePlace,
    /// Look for what there is of this account instead
    #[arg(long, value_name = "JID")]
    account: Option<String>,
}

/// Checks a store, and prints what is wrong on standard output.
pub fn verify(asked: &Verify) -> ExitCode {
    let folder = match asked.place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    let store = match open(folder) {
        Ok(store) => store,
        Err(error) => return failed("the store cannot be opened", &error),
    };
    if store.replayed() > 0 {
        let replayed = store.replayed();
        note(&format_args!("the last process was killed: {replayed} commits of it were taken up, as a start does"));
    }
    if let Some(account) = &asked.account {
        return look_for(&store, account);
    }
    match look_through(&store) {
        Ok(census) if census.wrong == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EXIT_WRONG),
        Err(error) => failed("the store cannot be read", &error),
    }
}

/// Looks for an account, and prints the entries that name it on standard output.
fn look_for(store: &SledStore, account: &str) -> ExitCode {
    let found =
        BareJid::new(account).map_err(|error| StoreError(error.to_string())).and_then(|jid| store.look_for(&jid));
    match found {
        Ok(found) => {
            found.iter().for_each(|place| say(place));
            note(&format_args!("{account}: {} entries", found.len()));
            ExitCode::from(if found.is_empty() { 0 } else { EXIT_WRONG })
        }
        Err(error) => failed("it cannot be looked for", &error),
    }
}

/// Checks a store. Prints what is wrong on standard output, progress and result on standard error.
pub fn look_through(store: &SledStore) -> Result<StoreCensus, StoreError> {
    let census = store.verify(&mut tell_sighting)?;
    sum_up(&census);
    Ok(census)
}

/// Prints what was found.
pub fn tell_sighting(sighting: VerifyEvent) {
    match sighting {
        VerifyEvent::Begins(check) => note(&format_args!("looking at {check}")),
        VerifyEvent::Wrong(finding) => say(&finding),
    }
}

/// Prints what was checked, and the result.
pub fn sum_up(census: &StoreCensus) {
    let StoreCensus { months, channels, members, rows, wrong } = census;
    let verdict = match wrong {
        0 => "nothing is wrong".to_owned(),
        _ => format!("{wrong} things are wrong"),
    };
    note(&format_args!("{channels} channels, {members} members, {rows} rows in {months} months: {verdict}"));
}
