//! Listening sockets that go from one program to the next: connections that come meanwhile wait in them.

use super::{Role, Taken};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// Listens at an address, with the socket that an earlier program opened for it, if it did. Returns it twice: for this program
/// and for the next.
///
/// # Errors
/// The address cannot be listened at.
pub fn listen(role: Role, address: SocketAddr, earlier: &mut Taken) -> io::Result<(tokio::net::TcpListener, OwnedFd)> {
    let listener = match earlier.take(|known| *known == role) {
        Some(earlier) => TcpListener::from(earlier),
        None => TcpListener::bind(address)?,
    };
    // So many connections may wait.
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    let spare = listener.try_clone()?.into();
    Ok((tokio::net::TcpListener::from_std(listener)?, spare))
}
