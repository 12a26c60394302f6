//! The other side of the operator's door: asking the service that has a store.

use super::{AccountAction, AdminReply, AdminRequest, socket_of};
use crate::store::{Manifest, StoreError, WorkProgress};
use jid::BareJid;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Has the service that runs on a store copy it. `None` where none runs there.
///
/// # Errors
/// What the service says, or that it went away.
pub fn backup(store: &Path, to: &Path, watch: &mut dyn FnMut(&WorkProgress)) -> Result<Option<Manifest>, StoreError> {
    let mut done = None;
    let asked = ask(store, &AdminRequest::Backup { to: to.to_owned() }, &mut |reply| match reply {
        AdminReply::Step { what, entries } => watch(&WorkProgress { what, entries }),
        AdminReply::Done { manifest } => done = Some(manifest),
        _ => {}
    })?;
    if asked && done.is_none() { Err(gone(&io::ErrorKind::UnexpectedEof.into())) } else { Ok(done) }
}

/// What the clock of the service that runs on a store says, with what waits because it is not believed; `confirmed` has
/// the service believe it. `None` where none runs there.
///
/// # Errors
/// What the service says, or that it went away.
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

/// Has the service that runs on a store look at an account, or end it; takes what it tells. Whether one runs there.
///
/// # Errors
/// What the service says, or that it went away.
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

/// Asks something, and hands out every reply. Whether a service runs there.
fn ask(store: &Path, request: &AdminRequest, take: &mut dyn FnMut(AdminReply)) -> Result<bool, StoreError> {
    let stream = match UnixStream::connect(socket_of(store)) {
        Ok(stream) => stream,
        // A path too long for a socket is invalid input; the service has none there either.
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
