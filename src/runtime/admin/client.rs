//! The other side of the operator's door: asking the service that has a store.

use super::{Reply, Request, socket_of};
use crate::store::{Manifest, Step, StoreError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Has the service that runs on a store copy it. `None` where none runs there.
///
/// # Errors
/// What the service says, or that it went away.
pub fn backup(store: &Path, to: &Path, watch: &mut dyn FnMut(&Step)) -> Result<Option<Manifest>, StoreError> {
    let stream = match UnixStream::connect(socket_of(store)) {
        Ok(stream) => stream,
        // A path too long for a socket is invalid input; the service has none there either.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::InvalidInput
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(StoreError(format!("{} cannot be used: {error}", socket_of(store).display()))),
    };
    let gone = |error: io::Error| StoreError(format!("the service went away before the end: {error}"));
    let request = serde_json::to_string(&Request::Backup { to: to.to_owned() }).map_err(|error| gone(error.into()))?;
    writeln!(&stream, "{request}").map_err(gone)?;
    for line in BufReader::new(&stream).lines() {
        match serde_json::from_str(&line.map_err(gone)?).map_err(|error| gone(error.into()))? {
            Reply::Step { what, entries } => watch(&Step { what, entries }),
            Reply::Done { manifest } => return Ok(Some(manifest)),
            Reply::Failed { why } => return Err(StoreError(why)),
        }
    }
    Err(gone(io::ErrorKind::UnexpectedEof.into()))
}
