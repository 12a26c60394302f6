//! The signals that the process gets. No thread takes them as they come: each waits in the kernel until it is read here. So none
//! is lost, and what comes while one program takes over from another is read by the next one.

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::io;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{SignalKind, signal};

/// What ends the process, and SIGHUP, which does not.
const ENDS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
const HANDOVERS: [Signal; 1] = [Signal::SIGUSR2];

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signalled {
    /// The process is to end.
    End,
    /// The program on disk is to take its place.
    Handover,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Signals {
    ends: AsyncFd<SignalFd>,
    handovers: AsyncFd<SignalFd>,
}

impl Signals {
    /// Listens for them, and for those that came since [`hold_signals`].
    ///
    /// # Errors
    /// The system refuses it.
    pub fn listen() -> io::Result<Signals> {
        Ok(Signals { ends: open(&ENDS)?, handovers: open(&HANDOVERS)? })
    }

    /// Waits for a signal that ends the process, or that has another program take its place.
    pub async fn next(&mut self) -> Signalled {
        tokio::select! {
            biased;
            () = end(&self.ends) => Signalled::End,
            () = handover(&self.handovers) => Signalled::Handover,
        }
    }

    /// Waits for a signal that ends the process.
    pub async fn end(&mut self) {
        end(&self.ends).await;
    }

    /// Takes signals that ask for a handover, which is under way already. Returns whether there were any.
    pub fn take_handovers(&mut self) -> bool {
        matches!(self.handovers.get_ref().read_signal(), Ok(Some(_)))
    }
}

/// Waits for the end. SIGHUP is none: it comes from a closed terminal or a tool that rotates logs.
async fn end(ends: &AsyncFd<SignalFd>) {
    loop {
        match read(ends).await {
            Ok(number) if number == Signal::SIGHUP as u32 => tracing::warn!(
                "SIGHUP: the service goes on; settings are read at a start alone, so restart it or run mixd handover to apply \
                 them"
            ),
            Ok(_) => return,
            Err(error) => return tracing::error!("signals cannot be read any more, so the process ends: {error}"),
        }
    }
}

async fn handover(handovers: &AsyncFd<SignalFd>) {
    if let Err(error) = read(handovers).await {
        tracing::error!("SIGUSR2 cannot be read any more: {error}");
        std::future::pending::<()>().await;
    }
}

fn set_of(signals: &[Signal]) -> SigSet {
    signals.iter().copied().collect()
}

#[expect(
    deprecated,
    reason = "it is unsound for descriptors that lie about which one they are, and no other way is safe code"
)]
fn open(signals: &[Signal]) -> io::Result<AsyncFd<SignalFd>> {
    let signals = SignalFd::with_flags(&set_of(signals), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    AsyncFd::new(signals)
}

/// The number of the next signal.
async fn read(from: &AsyncFd<SignalFd>) -> io::Result<u32> {
    loop {
        let mut ready = from.readable().await?;
        let next = ready.try_io(|it| it.get_ref().read_signal()?.ok_or(io::ErrorKind::WouldBlock.into()));
        // Otherwise there was none after all.
        if let Ok(next) = next {
            return next.map(|signal| signal.ssi_signo);
        }
    }
}

/// From here on these signals wait until `Signals` reads them: in this thread and those that it starts, and in a program that
/// is executed in the place of this one. So it has to come before any other thread.
///
/// # Errors
/// The system refuses it.
pub fn hold_signals() -> io::Result<()> {
    set_of(&[&ENDS[..], &HANDOVERS].concat()).thread_block()?;
    Ok(())
}

/// From here on a connection that broke does not end the process, which it does once a program could not be executed.
///
/// # Errors
/// The system refuses it.
pub fn outlive_broken_pipes() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    // Once somebody listened, what a signal does by itself stays away.
    signal(SignalKind::pipe()).map(drop)
}
