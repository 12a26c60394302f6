//! Whoever wants a handover is told how it goes.

use super::super::admin::{AdminReply, say_now};
use std::os::unix::net::UnixStream;

/// Somebody who asked for the handover and waits for its outcome; `None` where it was a signal.
#[derive(Debug, Default)]
pub struct Asker(pub Option<UnixStream>);

impl Asker {
    /// Tells a step, in the log as well.
    pub fn step(&self, what: &str) {
        tracing::info!("handover: {what}");
        self.tell(&AdminReply::Step { what: what.to_owned(), entries: 0 });
    }

    /// Tells why there is no handover.
    pub fn refuse(&self, why: &str) {
        tracing::error!("no handover, and this process goes on: {why}");
        self.tell(&AdminReply::Failed { why: why.to_owned() });
    }

    /// Tells that the process ends, instead of handing over.
    pub fn end(&self) {
        tracing::warn!("no handover, because the service is to end");
        self.tell(&AdminReply::Failed { why: "the service is told to end, and ends".to_owned() });
    }

    /// Tells that it is done.
    pub fn done(&self, program: &str, gap_ms: u64) {
        self.tell(&AdminReply::HandedOver { program: program.to_owned(), gap_ms });
    }

    /// Whoever went away misses it.
    fn tell(&self, reply: &AdminReply) {
        if let Some(stream) = &self.0 {
            let _ = say_now(stream, reply);
        }
    }
}
