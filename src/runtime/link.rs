//! The link to the host server, kept up for ever: connect, converse, pause, and again.
//!
//! Each change of its state is one line in the log. While there is no link, the writer keeps what is to be sent.

use super::clock;
use super::component::{Address, LinkError, connect};
use super::echo::Echo;
use super::framer::{Framer, StanzaLimits};
use super::gate::Gate;
use super::handover::{Asker, Held, program};
use super::inbox::Inbox;
use super::keep_alive::KeepAlive;
use super::metrics::Metrics;
use super::outbox::Confirmed;
use super::reader::Reader;
use super::refuse::Refuser;
use super::writer::Writer;
use crate::engine::{Inbound, Memory};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::mem::{Discriminant, discriminant};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long the reader may look for a reason after the writer found the link lost.
const REASON_PATIENCE: Duration = Duration::from_millis(500);
/// How long the host server may take to end its stream after ours.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// How long the host server may take to say that it has everything before another process takes the link.
const CONFIRM_PATIENCE: Duration = Duration::from_secs(5);

/// What a link needs.
#[derive(Debug)]
pub struct Link {
    /// Which host server to connect to, and as which component.
    pub address: Address,
    /// The name of the link in the log.
    pub name: String,
    /// The limits of one stanza.
    pub limits: StanzaLimits,
    /// When and whom to ping.
    pub keep_alive: KeepAlive,
    /// Detects another link of the same domain.
    pub echo: Arc<Echo>,
    /// The pauses between attempts.
    pub backoff: Backoff,
    /// Where stanzas go.
    pub inbox: Arc<Inbox>,
    /// Answers what does not reach the engine.
    pub refuser: Refuser,
    /// What the host server is known to have.
    pub confirmed: Arc<Confirmed>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The writer.
    pub writer: Writer,
    /// Whether the process is to end.
    pub stop: watch::Receiver<bool>,
    /// Holds what comes in for another process.
    pub gate: Arc<Gate>,
    /// The link of an earlier process, which goes on.
    pub earlier: Option<EarlierLink>,
}

/// What an earlier process left of a link.
#[derive(Debug)]
pub struct EarlierLink {
    /// The connection, where its framer stands, whether the host server answers pings, and the number of the newest. `None`
    /// where there was none.
    pub stream: Option<(TcpStream, Framer, (bool, u64))>,
    /// What came in and is still to be served.
    pub held: Vec<Held>,
    /// What the engine knew.
    pub memory: Memory,
    /// When the last stanza was served, in steady milliseconds.
    pub since_ms: u64,
    /// Who is told how long that is ago.
    pub askers: Vec<Asker>,
    /// Dropped once what was to be served is in the inbox.
    pub passing: oneshot::Sender<()>,
}

/// A link that another process may take.
#[derive(Debug)]
pub struct KeptLink {
    /// The connection.
    pub connection: OwnedFd,
    /// Whether its host server answers pings.
    pub answers_pings: bool,
    /// What the ids of pings begin with, and the number of the newest.
    pub pings: (String, u64),
}

impl Link {
    /// Keeps the link up until the process is to end; then until the outbox is closed and written. Returns it, if another
    /// process is to take it and it is up.
    pub async fn run(mut self) -> Option<KeptLink> {
        let mut told = None;
        let mut earlier = self.earlier.take();
        loop {
            let (mut early, mut passed) = (Vec::new(), None);
            let connected = match earlier.take() {
                Some(earlier) => self.take_over(earlier, &mut passed).await,
                None => tokio::select! {
                    biased;
                    () = stopped(&mut self.stop) => break,
                    () = self.writer.hold() => return None,
                    connected = connect(&self.address, self.limits, &mut early) => connected.map(|it| {
                        tracing::info!("link up: {}", self.name);
                        self.inbox.push_beyond(Inbound::LinkUp);
                        Some(it)
                    }),
                },
            };
            let error = match connected {
                Ok(Some((tcp, framer))) => {
                    told = None;
                    match self.converse(tcp, framer, (early, passed)).await {
                        Ok(kept) => return kept,
                        Err(error) => error,
                    }
                }
                Ok(None) => continue,
                Err(error) => error,
            };
            tell(&self.name, &error, &mut told);
            let pause = self.backoff.next();
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => break,
                () = self.writer.hold() => return None,
                // The engine has to see the end of one link before the next one begins.
                () = async { self.inbox.wait_empty().await; tokio::time::sleep(pause).await } => {}
            }
        }
        self.writer.hold().await;
        None
    }

    /// Takes over what an earlier process left. Without a connection, what came in is served all the same. With one, `passed`
    /// says when that is in the inbox.
    async fn take_over(
        &mut self,
        earlier: EarlierLink,
        passed: &mut Option<oneshot::Receiver<()>>,
    ) -> Result<Option<(TcpStream, Framer)>, LinkError> {
        let EarlierLink { stream, held, memory, since_ms, askers, passing } = earlier;
        self.inbox.push_beyond(Inbound::LinkKept(Box::new(memory)));
        let gap_ms = clock::moment().steady_ms.saturating_sub(since_ms);
        askers.iter().for_each(|asker| asker.done(&program(), gap_ms));
        let waited = held.len();
        let Some((tcp, framer, pings)) = stream else {
            tracing::warn!(gap_ms, waited, "taken over without a link: there was none");
            self.reader().serve(held).await;
            self.inbox.push_beyond(Inbound::LinkDown);
            return Ok(None);
        };
        tracing::info!(gap_ms, waited, "taken over, and the link goes on: {}", self.name);
        self.writer.go_on(pings);
        let (reader, (pass, is_passed)) = (self.reader(), oneshot::channel::<()>());
        // It goes on even if the link is lost meanwhile.
        tokio::spawn(async move {
            let _vital = super::vital::Vital("what an earlier process held");
            reader.serve(held).await;
            drop((pass, passing));
        });
        *passed = Some(is_passed);
        Ok(Some((tcp, framer)))
    }

    fn reader(&self) -> Reader {
        Reader::new(
            self.inbox.clone(),
            self.refuser.clone(),
            self.confirmed.clone(),
            self.keep_alive.clone(),
            self.echo.clone(),
            self.gate.clone(),
        )
    }

    /// Serves one connection.
    ///
    /// # Errors
    /// Why it is lost. It is not when the process is to end and everything is written.
    async fn converse(
        &mut self,
        tcp: TcpStream,
        framer: Framer,
        (early, passed): (Vec<Held>, Option<oneshot::Receiver<()>>),
    ) -> Result<Option<KeptLink>, LinkError> {
        self.metrics.note_link(true);
        let since_ms = clock::uptime_ms();
        let (read, mut write) = tcp.into_split();
        let reader = self.reader();
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            let _vital = super::vital::Vital("the reader of the link");
            if let Some(passed) = passed {
                // It never says anything, and is gone then.
                let _ = passed.await;
            }
            reader.read_from(read, framer, early).await
        });
        let end = tokio::select! {
            biased;
            () = stopped(&mut self.stop) => None,
            reason = reading.join_next() => Some(reason.and_then(Result::ok).unwrap_or(LinkError::Closed)),
            never = self.echo.run(&self.refuser.urgent) => match never {},
            written = self.writer.write_to(&mut write) => match written {
                Ok(()) => None,
                Err(error) => match timeout(REASON_PATIENCE, reading.join_next()).await {
                    Ok(Some(Ok(reason))) => Some(reason),
                    _ => Some(error),
                },
            },
        };
        let kept = match end {
            None if self.gate.is_closed() => Ok(self.leave(&mut reading, &mut write).await),
            None => {
                self.finish(&mut reading, &mut write).await;
                Ok(None)
            }
            Some(error) => Err(error),
        };
        if let Ok(Some(_)) = &kept {
            // Dropping it would end the stream.
            write.forget();
            return kept;
        }
        self.inbox.push_beyond(Inbound::LinkDown);
        self.metrics.note_link(false);
        self.backoff.note_lived(Duration::from_millis(clock::uptime_ms() - since_ms));
        kept
    }

    /// Writes what is left, and leaves the connection to another process, if it is still there. The host server should have
    /// everything then; one that does not say so in time has it in the connection.
    async fn leave(&mut self, reading: &mut JoinSet<LinkError>, write: &mut OwnedWriteHalf) -> Option<KeptLink> {
        let written = tokio::select! {
            lost = reading.join_next() => Err(lost.and_then(Result::ok).unwrap_or(LinkError::Closed)),
            written = self.writer.write_to(write) => written,
        };
        if let Err(error) = written {
            tell(&self.name, &error, &mut None);
            self.writer.hold().await;
            return None;
        }
        let patience = self.writer.patience_with(CONFIRM_PATIENCE);
        let confirmed = tokio::select! {
            lost = reading.join_next() => Err(lost.and_then(Result::ok).unwrap_or(LinkError::Closed)),
            confirmed = timeout(patience, self.writer.finish(write)) => match confirmed {
                Ok(confirmed) => confirmed,
                Err(_) if self.writer.is_answered() => {
                    tracing::warn!("the host server takes long to say what it has; the next program sends that again");
                    Ok(())
                }
                Err(_) => Ok(()),
            },
        };
        if let Err(error) = confirmed {
            tell(&self.name, &error, &mut None);
            return None;
        }
        if !self.writer.is_at_boundary() {
            tracing::warn!("a stanza is written in part, so the link ends here");
            return None;
        }
        if !self.writer.is_answered() {
            // Nobody will ever say what it has.
            self.writer.trust();
        }
        self.gate.stop();
        // It ends at once, where it stands.
        let _ = timeout(END_PATIENCE, reading.join_next()).await;
        let connection = write.as_ref().as_fd().try_clone_to_owned().ok()?;
        let pings = (self.keep_alive.id.clone(), self.writer.newest_ping());
        Some(KeptLink { connection, answers_pings: self.writer.is_answered(), pings })
    }

    /// Writes what is left and ends the stream. The reader goes on meanwhile: closing a connection with unread bytes
    /// resets it, and what was written last would be lost.
    async fn finish(&mut self, reading: &mut JoinSet<LinkError>, write: &mut OwnedWriteHalf) {
        let written = tokio::select! {
            _ = reading.join_next() => false,
            written = self.writer.write_to(write) => written.is_ok(),
        };
        if !written {
            return self.writer.hold().await;
        }
        // What is known to have arrived is not sent again by the next start.
        let _ = timeout(END_PATIENCE, self.writer.finish(write)).await;
        let ended = timeout(END_PATIENCE, async {
            write.write_all(b"</stream:stream>").await?;
            write.shutdown().await
        });
        if matches!(ended.await, Ok(Ok(()))) {
            let _ = timeout(END_PATIENCE, reading.join_next()).await;
        }
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // If the sender is dropped, the process ends, too.
    let _ = stop.wait_for(|stopping| *stopping).await;
}

fn tell(name: &str, error: &LinkError, told: &mut Option<Discriminant<LinkError>>) {
    let kind = discriminant(error);
    if told.replace(kind) == Some(kind) {
        tracing::debug!("link still down: {name}: {error}");
    } else {
        tracing::warn!("link down: {name}: {error}; {}", error.advice());
    }
}

/// The pauses between attempts. Each is twice as long as the one before, and varied at random so that many services do
/// not come at once.
#[derive(Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    upcoming: Duration,
    chance: StdRng,
}

impl Backoff {
    /// Pauses from about `min` to about `max`.
    pub fn new(min: Duration, max: Duration, seed: [u8; 32]) -> Backoff {
        Backoff { min, max, upcoming: min, chance: StdRng::from_seed(seed) }
    }

    /// The next pause: between half and the whole of the step.
    fn next(&mut self) -> Duration {
        let step = self.upcoming;
        self.upcoming = (step * 2).min(self.max);
        step.mul_f64(self.chance.random_range(0.5..=1.0))
    }

    /// After a link that lasted longer than the longest pause, the pauses begin anew.
    fn note_lived(&mut self, lived: Duration) {
        if lived >= self.max {
            self.upcoming = self.min;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_their_longest_and_begin_anew_after_a_lasting_link() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(ms(100), ms(1000), [7; 32]);
        for step in [100, 200, 400, 800, 1000, 1000] {
            let pause = backoff.next();
            assert!(pause >= ms(step / 2) && pause <= ms(step), "{pause:?} of {step}");
        }
        backoff.note_lived(ms(999));
        assert!(backoff.next() >= ms(500));
        backoff.note_lived(ms(1000));
        assert!(backoff.next() <= ms(100));
    }
}
