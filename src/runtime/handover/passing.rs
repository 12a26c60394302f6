//! How what is handed over gets from one process to the next: through standard input.
//!
//! The program is executed in the place of this one, so the process keeps its id, and whoever watches it sees no end. Its
//! standard input is a socket with one message in it, which carries the descriptors, first a file in memory with the state.
//! Whatever else the process had open is closed by the kernel as the program begins, locks with it.

use super::asker::Asker;
use super::estate::{self, DESCRIPTORS_MAX, Estate, EstateError, Role};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use thiserror::Error;

/// The argument of a program that is to take over.
pub const TAKE_OVER: &str = "--take-over";
/// What the message says beside its descriptors.
const GREETING: &[u8] = b"mixd handover";

/// What is handed over, with the descriptors in the order of [`Estate::roles`].
#[derive(Debug, Default)]
pub struct Taken {
    /// The state.
    pub estate: Estate,
    /// The descriptors.
    pub descriptors: Vec<OwnedFd>,
}

impl Taken {
    /// Adds a descriptor.
    pub fn add(&mut self, role: Role, descriptor: OwnedFd) {
        if self.descriptors.len() < DESCRIPTORS_MAX {
            self.estate.roles.push(role);
            self.descriptors.push(descriptor);
        }
    }

    /// Tells those who asked for the handover why it failed at last.
    pub fn refuse(&mut self, why: &str) {
        let mut asker = Asker(self.take(|role| *role == Role::Asker).map(Into::into));
        asker.refuse(why);
        while let Some(next) = self.take(|role| *role == Role::Asker) {
            asker = Asker(Some(next.into()));
            asker.refuse(why);
        }
    }

    /// Takes the first descriptor of such a role.
    pub fn take(&mut self, is_it: impl Fn(&Role) -> bool) -> Option<OwnedFd> {
        let at = self.estate.roles.iter().position(is_it)?;
        self.estate.roles.remove(at);
        Some(self.descriptors.remove(at))
    }
}

/// Why nothing was taken over.
#[derive(Debug, Error)]
pub enum PassError {
    /// The system refused something.
    #[error("nothing was handed over on standard input: {0}")]
    System(#[from] io::Error),
    /// What came cannot be read.
    #[error(transparent)]
    Estate(#[from] EstateError),
}

/// The program that this process runs, and how it was called.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is. What is there may be another program by now.
    pub path: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

impl Program {
    /// The program of this process. A path by which it was called comes first: a link may lead elsewhere after an upgrade.
    ///
    /// # Errors
    /// It cannot be found.
    pub fn of_this_process() -> io::Result<Program> {
        let mut args = std::env::args_os();
        let called = args.next().map(PathBuf::from).filter(|path| path.components().count() > 1 && path.is_file());
        let path = match called {
            Some(path) => std::path::absolute(path)?,
            None => std::env::current_exe()?,
        };
        Ok(Program { path, args: args.filter(|arg| arg != TAKE_OVER).collect() })
    }

    /// Becomes the program, which takes over. Returns only if that failed; nothing is changed then.
    pub fn become_it(&self, taken: &Taken) -> io::Error {
        self.try_to_become_it(taken).unwrap_or_else(|error| error)
    }

    fn try_to_become_it(&self, taken: &Taken) -> io::Result<io::Error> {
        let bytes =
            taken.estate.encode().or_else(|_| taken.estate.without_memory().encode()).map_err(io::Error::other)?;
        let mut state = File::from(memfd_create("mixd-handover", MemfdFlags::CLOEXEC)?);
        state.write_all(&bytes)?;
        drop(bytes);
        let passed = pass(&state, &taken.descriptors)?;
        let before = io::stdin().as_fd().try_clone_to_owned()?;
        rustix::stdio::dup2_stdin(&passed)?;
        let error = Command::new(&self.path).args(&self.args).arg(TAKE_OVER).exec();
        rustix::stdio::dup2_stdin(&before)?;
        Ok(error)
    }
}

/// A socket with a message in it that carries the descriptors.
fn pass(state: &File, descriptors: &[OwnedFd]) -> io::Result<OwnedFd> {
    let (passed, sender) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let all: Vec<_> = [state.as_fd()].into_iter().chain(descriptors.iter().map(AsFd::as_fd)).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX + 1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&all)) {
        return Err(io::Error::other("there are too many descriptors to hand over"));
    }
    sendmsg(&sender, &[IoSlice::new(GREETING)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(passed)
}

/// Takes what an earlier program of this process left on standard input, which is empty afterwards.
///
/// # Errors
/// There is nothing, or it is damaged.
pub fn receive() -> Result<Taken, PassError> {
    let received = take_from(&io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?).map_err(io::Error::from)?;
    received
}

fn take_from(socket: &OwnedFd) -> Result<Taken, PassError> {
    let mut greeting = [0; GREETING.len()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX + 1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    recvmsg(socket, &mut [IoSliceMut::new(&mut greeting)], &mut control, flags).map_err(io::Error::from)?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            descriptors.extend(rights);
        }
    }
    if greeting != GREETING || descriptors.is_empty() {
        return Err(EstateError::Foreign.into());
    }
    let mut state = File::from(descriptors.remove(0));
    let len = state.metadata()?.len();
    if len > estate::BYTES_MAX as u64 {
        return Err(EstateError::TooLong(len).into());
    }
    let mut bytes = Vec::new();
    state.rewind()?;
    state.read_to_end(&mut bytes)?;
    let estate = Estate::decode(&bytes)?;
    if estate.roles.len() != descriptors.len() {
        return Err(EstateError::Damaged("descriptors are missing".to_owned()).into());
    }
    Ok(Taken { estate, descriptors })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn descriptors_and_state_arrive_together() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut taken = Taken::default();
        taken.estate.since_ms = 7;
        taken.add(Role::Admin, File::open("/dev/null").unwrap().into());
        taken.add(Role::Http(address), listener.into());
        let mut state = File::from(memfd_create("test", MemfdFlags::CLOEXEC).unwrap());
        state.write_all(&taken.estate.encode().unwrap()).unwrap();
        let passed = pass(&state, &taken.descriptors).unwrap();
        drop((state, taken));
        let mut there = take_from(&passed).unwrap();
        assert_eq!(there.estate.since_ms, 7);
        let listener = there.take(|role| matches!(role, Role::Http(_))).map(TcpListener::from).unwrap();
        assert_eq!(listener.local_addr().unwrap(), address);
        TcpStream::connect(address).unwrap();
        assert_eq!(there.estate.roles, [Role::Admin]);
        assert!(there.take(|role| *role == Role::Link).is_none());
        // It is there once.
        assert!(matches!(take_from(&passed), Err(PassError::System(_) | PassError::Estate(_))));
    }

    #[test]
    fn what_is_no_handover_is_refused() {
        let (here, there) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        assert!(take_from(&here).is_err());
        rustix::io::write(&there, GREETING).unwrap();
        assert!(matches!(take_from(&here), Err(PassError::Estate(EstateError::Foreign))));
        let mut state = File::from(memfd_create("test", MemfdFlags::CLOEXEC).unwrap());
        let crowded = Estate { roles: vec![Role::Link], ..Estate::default() };
        state.write_all(&crowded.encode().unwrap()).unwrap();
        assert!(matches!(take_from(&pass(&state, &[]).unwrap()), Err(PassError::Estate(EstateError::Damaged(_)))));
        assert!(take_from(&File::open("/dev/null").unwrap().into()).is_err());
    }
}
