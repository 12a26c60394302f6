//! The client of the admin socket: asks the service that runs on a store.

use super::{AccountAction, AdminReply, AdminRequest, socket_of};
use crate::store::{Manifest, StoreError, WorkProgress};
use jid::BareJid;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Has the service that runs on a store make a backup. `None` where no service runs.
///
/// # Errors
/// What the service reports, or that it went away.
pub fn backup(store: &Path, to: &Path, watch: &mut dyn FnMut(&WorkProgress)) -> Result<Option<Manifest>, StoreError> {
    let mut done = None;
    let asked = ask(store, &AdminRequest::Backup { to: to.to_owned() }, &mut |reply| match reply {
        AdminReply::Step { what, entries } => watch(&WorkProgress { what, entries }),
        AdminReply::Done { manifest } => done = Some(manifest),
        _ => {}
    })?;
    if asked && done.is_none() { Err(gone(&io::ErrorKind::UnexpectedEof.into())) } else { Ok(done) }
}

/// How the clock stands with the service that runs on a store, and what waits because the clock is not believed. With
/// `confirmed` the service believes it from now on. `None` where no service runs.
///
/// # Errors
/// What the service reports, or that it went away.
pub fn clock(store: &Path, confirmed: bool) -> Result<Option<(String, Vec<String>)>, StoreError> {
    let mut told = None;
    let request = if confirmed { AdminRequest::ConfirmClock } else { AdminRequest::ShowClock };
    let asked = ask(store, &request, &mut |reply| {
        if let AdminReply::Clock { clock, notes } = reply {
            told = Some((clock, notes));
        }
    })?;
    if asked && told.is_none() { Err(gone(&io::ErrorKind::UnexpectedEof.into())) } else { Ok(told) }
}

/// Has the service that runs on a store show, export, end or erase an account; `take` gets the text. Returns whether a
/// service runs.
///
/// # Errors
/// What the service reports, or that it went away.
pub fn account(
    store: &Path,
    deed: AccountAction,
    jid: &BareJid,
    take: &mut dyn FnMut(&str),
) -> Result<bool, StoreError> {
    let mut over = false;
    let request = AdminRequest::Account { deed, jid: jid.to_string() };
    let asked = ask(store, &request, &mut |reply| match reply {
        AdminReply::Text { text } => take(&text),
        AdminReply::Over => over = true,
        _ => {}
    })?;
    if asked && !over { Err(gone(&io::ErrorKind::UnexpectedEof.into())) } else { Ok(asked) }
}

/// Has the service that runs on a store hand over to the program on disk; `watch` gets the steps. Returns which program took
/// over, and for how many milliseconds no stanza was served; `None` where no service runs.
///
/// # Errors
/// Why the service did not hand over and goes on, or that it went away.
pub fn handover(store: &Path, watch: &mut dyn FnMut(&str)) -> Result<Option<(String, u64)>, StoreError> {
    let mut done = None;
    let asked = ask(store, &AdminRequest::Handover, &mut |reply| match reply {
        AdminReply::Step { what, .. } => watch(&what),
        AdminReply::HandedOver { program, gap_ms } => done = Some((program, gap_ms)),
        _ => {}
    })?;
    if asked && done.is_none() { Err(gone(&io::ErrorKind::UnexpectedEof.into())) } else { Ok(done) }
}

/// Sends a request, and passes each reply to `take`. Returns whether a service runs.
fn ask(store: &Path, request: &AdminRequest, take: &mut dyn FnMut(AdminReply)) -> Result<bool, StoreError> {
    let stream = match UnixStream::connect(socket_of(store)) {
        Ok(stream) => stream,
        // A path that is too long for a socket is invalid input. No service has a socket there either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
            ) =>
        {
            return Ok(false);
        }
        Err(error) => return Err(StoreError(format!("{} cannot be used: {error}", socket_of(store).display()))),
    };
    let request = serde_json::to_string(request).map_err(|error| gone(&error.into()))?;
    writeln!(&stream, "{request}").map_err(|error| gone(&error))?;
    for line in BufReader::new(&stream).lines() {
        match serde_json::from_str(&line.map_err(|error| gone(&error))?).map_err(|error| gone(&error.into()))? {
            AdminReply::Failed { why } => return Err(StoreError(why)),
            reply => take(reply),
        }
    }
    Ok(true)
}

fn gone(error: &io::Error) -> StoreError {
    StoreError(format!("the service went away before the end: {error}"))
}
