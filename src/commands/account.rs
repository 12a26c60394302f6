//! `mixd account`: shows what the service holds of an account, and ends or erases it.

use super::{EXIT_FAILED, StorePlace, failed, open, say};
use clap::{Args, Subcommand};
use jid::BareJid;
use mixd::channel::Ending;
use mixd::runtime::admin::{AccountAction, client};
use mixd::runtime::{clock, dossier};
use mixd::store::{Record, Store, StoreError};
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;

/// What `mixd account` takes.
#[derive(Args)]
pub struct AccountArgs {
    #[command(subcommand)]
    deed: Asked,
}

#[derive(Subcommand)]
enum Asked {
    /// Print, as JSON, in which channels an account is or was, what it is there and how much it wrote
    Show(Whom),
    /// Print, as JSON, what an account wrote, reported and settled, and where it is; for the account itself
    Export(Whom),
    /// End an account that does not exist any more: out of every channel, and what it wrote stays
    End(Sure),
    /// End an account, and erase what it wrote, its nicks, its address and its receipts
    Erase(Sure),
}

#[derive(Args)]
struct Whom {
    /// The account
    #[arg(value_name = "JID")]
    jid: String,
    #[command(flatten)]
    place: StorePlace,
}

#[derive(Args)]
struct Sure {
    #[command(flatten)]
    whom: Whom,
    /// Do it; without this, say what would be done
    #[arg(long)]
    yes: bool,
}

/// Runs `mixd account`.
pub fn account(asked: &AccountArgs) -> ExitCode {
    let (whom, deed, yes) = match &asked.deed {
        Asked::Show(whom) => (whom, AccountAction::Show, true),
        Asked::Export(whom) => (whom, AccountAction::Export, true),
        Asked::End(sure) => (&sure.whom, AccountAction::End, sure.yes),
        Asked::Erase(sure) => (&sure.whom, AccountAction::Erase, sure.yes),
    };
    let jid = match BareJid::new(&whom.jid) {
        Ok(jid) if jid.node().is_some() => jid,
        _ => return failed(&whom.jid, &"this is no account: NAME@DOMAIN"),
    };
    let folder = match whom.place.folder() {
        Ok(folder) => folder,
        Err(code) => return code,
    };
    let ends = matches!(deed, AccountAction::End | AccountAction::Erase);
    if ends {
        match summary(&folder, &jid) {
            Ok(summary) => say(&plan(&summary, deed)),
            Err(error) => return failed("nothing was done", &error),
        }
    }
    if !yes {
        say(&"Nothing was done: to do it, say --yes.");
        return ExitCode::from(EXIT_FAILED);
    }
    match carry_out(&folder, deed, &jid) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed("it is not done", &error),
    }
}

fn summary(folder: &Path, jid: &BareJid) -> Result<Value, StoreError> {
    let mut text = String::new();
    if !client::account(folder, AccountAction::Show, jid, &mut |part| text.push_str(part))? {
        return dossier::summary(&open(folder.to_owned())?, jid);
    }
    serde_json::from_str(&text).map_err(|error| StoreError(error.to_string()))
}

/// Has the service do it if it runs. Otherwise does it here, and leaves what takes time to the service's next start.
fn carry_out(folder: &Path, deed: AccountAction, jid: &BareJid) -> Result<(), StoreError> {
    if client::account(folder, deed, jid, &mut |part| print_part(part))? {
        if matches!(deed, AccountAction::End | AccountAction::Erase) {
            say(&format_args!("{jid}: done"));
        }
        return Ok(());
    }
    let store = open(folder.to_owned())?;
    match deed {
        AccountAction::Show => say(&format_args!("{:#}", dossier::summary(&store, jid)?)),
        AccountAction::Export => dossier::export(&store, jid, &mut |part| {
            print_part(&part);
            true
        })?,
        AccountAction::End | AccountAction::Erase => {
            let ending = Ending { since: clock::now(), erases: deed == AccountAction::Erase, is_out: false };
            let record = Record::Ending { account: jid.clone(), ending: Some(ending) };
            store.commit(clock::now(), &[record]).map_err(|error| StoreError(error.to_string()))?;
            say(&"The service does not run: it is noted, and done as soon as the service runs.");
        }
    }
    Ok(())
}

fn print_part(part: &str) {
    use std::io::Write;
    // A reader that stops reading does not end the command.
    let _ = std::io::stdout().write_all(part.as_bytes());
}

/// Says in words what is about to be done.
fn plan(summary: &Value, deed: AccountAction) -> String {
    let channels = summary["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let count = |is: &dyn Fn(&Value) -> bool| channels.iter().filter(|channel| is(channel)).count();
    let of = |status: &'static str| count(&move |channel: &Value| channel["status"] == status);
    let text = |value: &Value| value.as_str().map_or_else(|| "none".to_owned(), str::to_owned);
    let mut lines = vec![
        format!("{}:", text(&summary["account"])),
        format!("  is in {} channels, waits for {}, was in {}", of("joined"), of("waiting"), of("left") + of("ended")),
        format!("  is the only owner of {}", count(&|channel| channel["is_only_owner"] == true)),
        format!("  wrote {} rows; registered nick: {}", summary["rows"], text(&summary["registered_nick"])),
        format!("  gave {} invitations, got {}", summary["invitations_given"], summary["invitations_got"]),
        "It leaves all of them; those that it alone owns get another owner; its nick and its invitations go."
            .to_owned(),
    ];
    lines.push(match deed {
        AccountAction::Erase => {
            "What it wrote gives way to marks that something was deleted; its nicks, address, receipts, pictures and places on \
             lists go. This cannot be undone. The bytes are gone from the disk with the next mixd compact; backups keep \
             what they have."
        }
        _ => "What it wrote stays, under the name that it had.",
    }.to_owned());
    lines.join("\n")
}
