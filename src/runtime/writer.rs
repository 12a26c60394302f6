//! The write half of the link: from what the engine sends to bytes.
//!
//! It pings behind what it writes. What the host server is thereby known to have leaves the line; the rest is written
//! again on the next link. A block ends between stanzas, so that urgent answers go out between blocks.

use super::clock;
use super::component::LinkError;
use super::keep_alive::KeepAlive;
use super::line::Line;
use super::metrics::Metrics;
use super::outbox::{Confirmed, Outbox, Refused, Urgent};
use super::padding::pad;
use crate::timers::Timers;
use crate::xmpp::{Tag, address, ns};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

/// A block is written once it holds this many bytes.
const BLOCK_BYTES: usize = 256 * 1024;
/// How many parcels are taken from the queue at once.
const BATCH_PARCELS: usize = 64;
/// How many urgent answers are taken at once.
const BATCH_URGENT: usize = 256;
/// While there is always more to write, a ping goes behind this many bytes.
const PING_BYTES: usize = 256 * 1024;
/// While there is little to write, this is the time between two pings, in milliseconds.
const PING_PAUSE_MS: u64 = 50;

/// The timers of the writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WriterTimer {
    /// The next ping may be sent.
    Ping,
}

/// Limits of the writer.
#[derive(Clone, Debug)]
pub struct WriterLimits {
    /// How long the host server may leave what is written unread.
    pub write_timeout: Duration,
    /// The maximum of what waits to be written or confirmed, in bytes.
    pub line_bytes_max: usize,
    /// Rows up to this age are written again after a lost link, in milliseconds. Older ones are found in the archive.
    pub horizon_ms: u64,
}

/// The state of the writer, which outlives a link.
#[derive(Debug)]
pub struct Writer {
    outbox: Arc<Outbox>,
    urgent: Arc<Urgent>,
    confirmed: Arc<Confirmed>,
    metrics: Arc<Metrics>,
    /// Whom to ping, and the prefix of the ids of pings.
    keep_alive: KeepAlive,
    limits: WriterLimits,
    line: Line,
    block: Vec<u8>,
    /// How many bytes of the block are written.
    written: usize,
    /// The ping that is not answered yet.
    pinged: Option<Ping>,
    /// The highest ping that was answered by all addresses it was sent to.
    answered: u64,
    /// The number behind the id of the newest ping.
    code: u64,
    /// The timers of the writer, by `clock::uptime_ms`.
    timers: Timers<WriterTimer>,
    /// How many bytes were written since the last ping.
    unpinged_bytes: usize,
    /// Whether the host server has answered a ping on this link.
    is_answered: bool,
    /// Whether it was logged that pings are not answered.
    told: bool,
}

/// A ping behind what was written. It goes to the multicast services that were used, one after the other, or else to
/// the host server. Each of them takes stanzas in order.
#[derive(Debug)]
struct Ping {
    /// Its number in the line.
    number: u64,
    /// The number behind its id, which increases with each address.
    code: u64,
    /// The address that is pinged.
    to: String,
    /// The addresses to be pinged next.
    next: Vec<String>,
    /// The multicast service that did not answer before. Either it is gone, or nothing gets through this link.
    doubted: Option<String>,
    /// Whether its answer is no longer waited for.
    is_given_up: bool,
    /// When it was completely written, by `clock::uptime_ms`.
    since_ms: Option<u64>,
}

impl Writer {
    /// A writer with an empty address book.
    pub fn new(
        outbox: Arc<Outbox>,
        urgent: Arc<Urgent>,
        confirmed: Arc<Confirmed>,
        metrics: Arc<Metrics>,
        keep_alive: KeepAlive,
        limits: WriterLimits,
    ) -> Writer {
        Writer {
            outbox,
            urgent,
            confirmed,
            metrics,
            keep_alive,
            limits,
            line: Line::new(),
            block: Vec::with_capacity(BLOCK_BYTES),
            written: 0,
            pinged: None,
            answered: 0,
            code: 0,
            timers: Timers::default(),
            unpinged_bytes: 0,
            is_answered: false,
            told: false,
        }
    }

    /// Writes what comes to `io`, until the outbox is closed and empty.
    ///
    /// The future may be dropped at any await and the function called again with the same `io`: nothing is lost, and no
    /// stanza is cut.
    ///
    /// # Errors
    /// [`LinkError`]: the link is lost.
    pub async fn write_to(&mut self, io: &mut (impl AsyncWrite + Unpin)) -> Result<(), LinkError> {
        loop {
            self.metrics.health.writer.beat();
            self.write_block(io).await?;
            self.settle();
            self.take_urgent();
            if self.has_room() {
                self.outbox.take_now(BATCH_PARCELS).into_iter().for_each(|it| self.line.push(it, clock::uptime_ms()));
            }
            self.fill();
            if self.block.is_empty() && !self.wait().await? {
                return Ok(());
            }
        }
    }

    /// Waits until the host server is known to have everything that was written; for ever if it does not answer.
    ///
    /// # Errors
    /// [`LinkError`]: the link is lost.
    pub async fn finish(&mut self, io: &mut (impl AsyncWrite + Unpin)) -> Result<(), LinkError> {
        loop {
            if self.pinged.is_none() && self.line.is_uncovered() {
                self.ping();
            }
            self.write_block(io).await?;
            self.settle();
            // An answer may leave something to be asked, or to be written again.
            self.fill();
            match (self.pinged.is_none(), self.line.is_uncovered()) {
                _ if !self.block.is_empty() => {}
                (true, false) => return Ok(()),
                (true, true) => {}
                (false, _) => self.confirmed.changed().await,
            }
        }
    }

    /// The link of an earlier process goes on. Whether its host server answers pings is known, and the number of the newest.
    pub fn go_on(&mut self, (answers_pings, newest): (bool, u64)) {
        (self.is_answered, self.code) = (answers_pings, newest);
    }

    /// The number behind the id of the newest ping.
    pub fn newest_ping(&self) -> u64 {
        self.code
    }

    /// Whether the host server answers pings on this link.
    pub fn is_answered(&self) -> bool {
        self.is_answered
    }

    /// How long the host server is to be waited for until it says what it has: not at all, if it never answers pings.
    pub fn patience_with(&self, patience: Duration) -> Duration {
        if self.told && !self.is_answered { Duration::ZERO } else { patience }
    }

    /// Whether no stanza is written in part.
    pub fn is_at_boundary(&self) -> bool {
        self.written == 0 || self.written == self.block.len()
    }

    /// What is written counts as taken. Whatever carries it to the host server stays.
    pub fn trust(&mut self) {
        self.answered = self.line.cover();
        self.settle();
    }

    /// Takes what comes while there is no link, as far as there is room. Ends when the outbox does.
    pub async fn hold(&mut self) {
        self.block.clear();
        self.written = 0;
        self.pinged = None;
        self.is_answered = false;
        self.unpinged_bytes = 0;
        self.line.rewind(clock::uptime_ms(), self.limits.horizon_ms);
        loop {
            let settled = self.line.shed(self.limits.line_bytes_max);
            settled.into_iter().for_each(|parcel| self.confirmed.settle(parcel));
            self.confirmed.relieve(self.line.take_relieved());
            let dropped = self.line.take_dropped();
            if dropped > 0 {
                self.metrics.count_dropped(dropped);
                tracing::warn!(
                    dropped,
                    "there is no link, and more to send than limits.outbox_bytes_max: the oldest is dropped; \
                     whoever missed a message finds it in the archive"
                );
            }
            self.metrics.health.writer.rest();
            match self.outbox.take(BATCH_PARCELS).await {
                Some(parcels) => parcels.into_iter().for_each(|it| self.line.push(it, clock::uptime_ms())),
                None => return,
            }
            self.metrics.health.writer.beat();
        }
    }

    fn has_room(&self) -> bool {
        self.line.bytes() < self.limits.line_bytes_max
    }

    fn fill(&mut self) {
        let before = self.block.len();
        self.line.fill(&mut self.block, BLOCK_BYTES);
        // Before anything is written that may be sent back.
        self.line.take_expected().into_iter().for_each(|services| self.confirmed.expect(services));
        self.unpinged_bytes += self.block.len() - before;
        self.confirmed.relieve(self.line.take_relieved());
        // What needs no confirmation leaves at once.
        self.settle();
        if self.pinged.is_none() && self.unpinged_bytes >= PING_BYTES {
            self.ping();
        }
    }

    /// Waits for something to write. Returns whether there will be anything.
    async fn wait(&mut self) -> Result<bool, LinkError> {
        let has_room = self.has_room();
        let now_ms = clock::uptime_ms();
        let since_ms = self.pinged.as_ref().and_then(|ping| ping.since_ms);
        let waited = since_ms.map(|since| Duration::from_millis(now_ms - since));
        let patience = waited.map(|waited| self.keep_alive.patience.saturating_sub(waited));
        let pause = Duration::from_millis(self.timers.left_ms(WriterTimer::Ping, now_ms));
        let wants_ping = self.pinged.is_none() && self.line.is_uncovered();
        self.metrics.health.writer.rest();
        tokio::select! {
            biased;
            urgent = self.urgent.take(BATCH_URGENT) => urgent.into_iter().flatten().for_each(|it| self.put_first(&it)),
            parcels = self.outbox.take(BATCH_PARCELS), if has_room => match parcels {
                Some(parcels) => parcels.into_iter().for_each(|it| self.line.push(it, clock::uptime_ms())),
                None => return Ok(false),
            },
            () = self.confirmed.changed() => {}
            () = sleep(pause), if wants_ping => self.ping(),
            () = sleep(patience.unwrap_or_default()), if patience.is_some() => self.give_up_ping()?,
        }
        Ok(true)
    }

    fn take_urgent(&mut self) {
        self.urgent.take_now(BATCH_URGENT).into_iter().for_each(|it| self.put_first(&it));
    }

    fn put_first(&mut self, text: &str) {
        self.block.extend_from_slice(text.as_bytes());
    }

    /// Puts a ping behind what was written so far.
    fn ping(&mut self) {
        let mut next = self.line.take_services();
        let to = next.pop().unwrap_or_else(|| self.keep_alive.to.clone());
        let number = self.line.cover();
        self.ask(number, to, next, None);
        self.timers.start(WriterTimer::Ping, clock::uptime_ms(), PING_PAUSE_MS);
        self.unpinged_bytes = 0;
    }

    fn ask(&mut self, number: u64, to: String, next: Vec<String>, doubted: Option<String>) {
        self.code += 1;
        let KeepAlive { from, id, .. } = &self.keep_alive;
        let id = format!("{id}-{}", self.code);
        let at = if to == self.keep_alive.to { to.clone() } else { address::at_resource(&to) };
        let tag = Tag::new("iq").attr("type", "get").attr("id", &id).attr("from", from).attr("to", &at);
        let text = tag.child(Tag::in_ns("ping", ns::PING)).into_xml();
        self.block.extend_from_slice(text.as_bytes());
        self.confirmed.ask(self.code, &at, clock::uptime_ms());
        self.pinged = Some(Ping { number, code: self.code, to, next, doubted, is_given_up: false, since_ms: None });
    }

    /// Drops what the host server is known to have, and has what was refused written again.
    fn settle(&mut self) {
        // A refusal comes before the answer to the ping behind what is refused.
        let pong = self.confirmed.newest_pong();
        for refused in self.confirmed.take_refused() {
            self.recall(&refused);
        }
        if let Some(ping) = self.pinged.take_if(|ping| ping.code <= pong) {
            self.take_answer(ping);
        }
        self.line.confirm(self.answered).into_iter().for_each(|parcel| self.confirmed.settle(parcel));
    }

    fn take_answer(&mut self, mut ping: Ping) {
        if let Some(service) = ping.doubted.take() {
            self.recall(&vanished(service));
        }
        self.is_answered |= ping.to == self.keep_alive.to && !ping.is_given_up;
        match ping.next.pop() {
            Some(to) => self.ask(ping.number, to, ping.next, None),
            None => self.answered = ping.number,
        }
    }

    /// Has what a multicast service refused written again.
    fn recall(&mut self, refused: &Refused) {
        let count = self.line.recall(refused);
        if count > 0 {
            let service = &refused.by;
            tracing::info!(service, count, "messages that a multicast service refused are sent as copies");
        }
    }

    /// Gives up a ping that was not answered although the host server has sent something since. If the host server
    /// answered pings on this link before, the link is broken, and what it was sent is written again on the next one.
    /// If it never did, it cannot be known what it has, and what it was sent counts as taken. What a multicast service
    /// was sent is written again as copies.
    fn give_up_ping(&mut self) -> Result<(), LinkError> {
        let Some(ping) = self.pinged.as_mut() else { return Ok(()) };
        let Some(since) = ping.since_ms else { return Ok(()) };
        if self.confirmed.heard_ms() < since {
            ping.since_ms = Some(clock::uptime_ms());
            return Ok(());
        }
        let is_host = ping.to == self.keep_alive.to;
        if self.is_answered && is_host {
            return Err(LinkError::Mute);
        }
        if is_host {
            if !std::mem::replace(&mut self.told, true) {
                tracing::warn!(
                    "{} does not answer pings, so nobody knows what it has; let component.ping_to name an address that does",
                    self.keep_alive.to
                );
            }
        } else if self.is_answered {
            // A link that nothing gets through looks the same. A ping to the host server tells the two apart.
            let (number, next, service) = (ping.number, std::mem::take(&mut ping.next), ping.to.clone());
            self.ask(number, self.keep_alive.to.clone(), next, Some(service));
            return Ok(());
        } else {
            ping.doubted = Some(ping.to.clone());
        }
        ping.is_given_up = true;
        self.confirmed.pong(ping.code);
        Ok(())
    }

    /// Writes the rest of the block. Each part of it has the timeout.
    async fn write_block(&mut self, io: &mut (impl AsyncWrite + Unpin)) -> Result<(), LinkError> {
        if self.written == 0 {
            pad(&mut self.block);
        }
        while self.written < self.block.len() {
            match tokio::time::timeout(self.limits.write_timeout, io.write(&self.block[self.written..])).await {
                Err(_) => return Err(LinkError::Stalled),
                Ok(Ok(0)) => return Err(LinkError::Lost(io::ErrorKind::WriteZero.into())),
                Ok(Ok(written)) => {
                    self.written += written;
                    self.metrics.health.writer.beat();
                }
                Ok(Err(error)) => return Err(LinkError::Lost(error)),
            }
        }
        self.metrics.count_written(self.block.len(), self.line.take_copies());
        self.block.clear();
        self.written = 0;
        if let Some(ping) = &mut self.pinged {
            ping.since_ms.get_or_insert_with(clock::uptime_ms);
        }
        Ok(())
    }
}

/// A multicast service that does not answer counts as having refused everything that it is not known to have.
fn vanished(service: String) -> Refused {
    tracing::warn!("{service} does not answer pings, so it is no multicast service to rely on");
    Refused { by: service, message: None }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
