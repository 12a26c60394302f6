//! The signals that the process gets.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signalled {
    /// The process is to end.
    End,
    /// The program on disk is to take its place.
    Handover,
}

/// See the module.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    handover: Signal,
}

impl Signals {
    /// Listens for them from here on.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            handover: signal(SignalKind::user_defined2())?,
        })
    }

    /// Waits for a signal that ends the process, or that has another program take its place.
    pub async fn next(&mut self) -> Signalled {
        tokio::select! {
            () = end(&mut self.terminate, &mut self.interrupt, &mut self.hangup) => Signalled::End,
            _ = self.handover.recv() => Signalled::Handover,
        }
    }

    /// Waits for a signal that ends the process.
    pub async fn end(&mut self) {
        end(&mut self.terminate, &mut self.interrupt, &mut self.hangup).await;
    }
}

/// Waits for the end. SIGHUP is none: it comes from a closed terminal or a tool that rotates logs.
async fn end(terminate: &mut Signal, interrupt: &mut Signal, hangup: &mut Signal) {
    loop {
        tokio::select! {
            _ = terminate.recv() => return,
            _ = interrupt.recv() => return,
            _ = hangup.recv() => tracing::warn!(
                "SIGHUP: the service goes on; settings are read at a start alone, so restart it or run mixd handover to apply \
                 them"
            ),
        }
    }
}

/// From here on SIGUSR2 and SIGHUP no longer end the process, which they do by themselves. Those that come before anybody
/// listens are lost.
///
/// # Errors
/// The system refuses it.
pub fn outlive_signals() -> std::io::Result<()> {
    outlive(&[SignalKind::user_defined2(), SignalKind::hangup()])
}

/// From here on a connection that broke does not end the process, which it does once a program could not be executed.
///
/// # Errors
/// The system refuses it.
pub fn outlive_broken_pipes() -> std::io::Result<()> {
    outlive(&[SignalKind::pipe()])
}

fn outlive(kinds: &[SignalKind]) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    // Once somebody listened, what a signal does by itself stays away.
    kinds.iter().try_for_each(|kind| signal(*kind).map(drop))
}
