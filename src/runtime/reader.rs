//! The read half of the link: from bytes to the inbox.
//!
//! It never waits for the writer. When the inbox is full, it answers requests itself through a bounded queue and goes
//! on reading. The last half of that queue is for iqs, whose senders wait for an answer. After silence it sends a ping;
//! silence after that ends the link.

use super::clock;
use super::component::LinkError;
use super::echo::Echo;
use super::framer::{Excess, Frame, Framer};
use super::gate::{Gate, GateState};
use super::handover::Held;
use super::inbox::Inbox;
use super::keep_alive::KeepAlive;
use super::outbox::{Confirmed, Refused};
use super::refuse::{Refuser, Why, refuse};
use crate::engine::{Inbound, Reason};
use crate::xmpp::{Condition, Kind, Stanza, StanzaError, Tag, Unreadable, Written, ns};
use jid::Jid;
use memchr::memchr_iter;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{sleep, timeout};

/// How many bytes are read at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// How long what an earlier process held waits for room in the inbox, in all. Beyond it, it is refused like anything else: to wait
/// for ever could go in a circle.
const ROOM_PATIENCE: Duration = Duration::from_secs(10);
/// What a stanza counts in the inbox beside its bytes, and each of its elements and attributes as trees.
const ITEM_BYTES: usize = 256;
const ELEMENT_BYTES: usize = 240;
const ATTRIBUTE_BYTES: usize = 100;
/// How many times longer than their limit start tags may get when they are written again: each then states its
/// namespace, and quotes are escaped.
const WRITTEN_TIMES: usize = 2;

/// Takes stanzas from one connection.
#[derive(Debug)]
pub struct Reader {
    inbox: Arc<Inbox>,
    refuser: Refuser,
    confirmed: Arc<Confirmed>,
    keep_alive: KeepAlive,
    echo: Arc<Echo>,
    gate: Arc<Gate>,
    /// The maximum of one start tag as written again, and of a whole stanza, in bytes.
    tag_bytes_max: usize,
    written_bytes_max: usize,
    /// How many stanzas were refused since the inbox was last empty.
    refused: u64,
}

impl Reader {
    /// A reader for one connection.
    pub fn new(
        inbox: Arc<Inbox>,
        refuser: Refuser,
        confirmed: Arc<Confirmed>,
        keep_alive: KeepAlive,
        echo: Arc<Echo>,
        gate: Arc<Gate>,
    ) -> Reader {
        let (tag_bytes_max, written_bytes_max) = (usize::MAX, usize::MAX);
        Reader { inbox, refuser, confirmed, keep_alive, echo, gate, tag_bytes_max, written_bytes_max, refused: 0 }
    }

    /// Reads until the link is lost or the gate stops it, beginning with what is in `early`. Returns why it was lost.
    pub async fn read_from(
        mut self,
        mut io: impl AsyncRead + Unpin,
        mut framer: Framer,
        early: Vec<Held>,
    ) -> LinkError {
        self.tag_bytes_max = framer.limits().start_tag_bytes_max;
        self.written_bytes_max = framer.limits().stanza_bytes_max.saturating_mul(WRITTEN_TIMES);
        let gate = self.gate.clone();
        early.into_iter().for_each(|held| self.pass(held, &mut gate.lock()));
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut pinged = false;
        loop {
            let patience = if pinged { self.keep_alive.patience } else { self.keep_alive.idle };
            let is_full = gate.lock().is_full();
            let read = tokio::select! {
                biased;
                () = gate.stopped() => {
                    gate.leave(framer.half_read());
                    return LinkError::Closed;
                }
                read = timeout(patience, io.read(&mut chunk)), if !is_full => read,
            };
            let read = match read {
                Err(_) if pinged => return LinkError::Dead,
                Err(_) => {
                    pinged = true;
                    self.ping();
                    continue;
                }
                Ok(Ok(0)) => return LinkError::Closed,
                Ok(Ok(read)) => read,
                Ok(Err(error)) => return LinkError::Lost(error),
            };
            pinged = false;
            self.confirmed.hear(clock::uptime_ms());
            let mut end = None;
            // Nobody waits with it in hand.
            let mut state = gate.lock();
            let fed = framer.feed(&chunk[..read], |frame| match frame {
                _ if end.is_some() => {}
                Frame::Stanza(bytes) if state.is_closed() => self.hold(bytes, &mut state),
                Frame::Stanza(bytes) => self.take(bytes),
                Frame::Oversize(head, excess) if state.is_closed() => state.hold(Held::Oversize(head.to_vec(), excess)),
                Frame::Oversize(head, excess) => self.oversize(head, excess),
                Frame::StreamError(bytes) => end = Some(LinkError::from_stream_error(bytes)),
                Frame::End => end = Some(LinkError::Closed),
                Frame::Header(_) | Frame::Handshake => {}
            });
            drop(state);
            if let Some(end) = end.or(fed.err().map(LinkError::NotXmpp)) {
                return end;
            }
        }
    }

    fn ping(&self) {
        let KeepAlive { from, to, id, .. } = &self.keep_alive;
        let tag = Tag::new("iq").attr("type", "get").attr("id", id).attr("from", from).attr("to", to);
        self.refuser.answer(tag.child(Tag::in_ns("ping", ns::PING)).into_xml(), Kind::Iq);
    }

    /// Serves what an earlier process held, as the inbox has room: nobody came too fast. What comes in behind it has to wait for
    /// the end of this.
    pub async fn serve(mut self, held: Vec<Held>) {
        let gate = self.gate.clone();
        let (mut patience, mut waits) = (std::pin::pin!(sleep(ROOM_PATIENCE)), true);
        for held in held {
            let weight = match &held {
                Held::Stanza(bytes) => weight(bytes),
                Held::Oversize(..) => ITEM_BYTES,
            };
            tokio::select! {
                biased;
                () = self.inbox.wait_room(weight) => {}
                () = &mut patience, if waits => waits = false,
                () = std::future::ready(()), if !waits => {}
            }
            self.pass(held, &mut gate.lock());
        }
    }

    /// Serves what an earlier process held, or holds it on.
    fn pass(&mut self, held: Held, state: &mut GateState) {
        match held {
            held if state.is_closed() => state.hold(held),
            Held::Stanza(bytes) => self.take(&bytes),
            Held::Oversize(head, excess) => self.oversize(&head, excess),
        }
    }

    /// Holds a stanza for the process that takes over, but for answers to pings of this one.
    fn hold(&mut self, bytes: &[u8], state: &mut GateState) {
        let is_settled = match Stanza::parse(bytes) {
            Ok(stanza) => {
                let (id, from) = (stanza.id.as_deref(), Some(&stanza.from));
                self.note_refusal(&stanza);
                self.take_pong(stanza.kind, id, from) || self.echo.take(stanza.kind, id, from, !stanza.is_answer())
            }
            Err(head) => self.take_pong(head.kind.unwrap_or(Kind::Message), head.id.as_deref(), head.from.as_ref()),
        };
        if !is_settled {
            state.hold(Held::Stanza(bytes.to_vec()));
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let weight = weight(bytes);
        if !self.inbox.has_room(weight) {
            let error = StanzaError::new(Condition::ResourceConstraint, "");
            let head = Unreadable::from_head(bytes, error);
            // What a host server passes on for others, and what it sends back, is accepted even then.
            let account = head.from.as_ref().map(Jid::to_bare).filter(|from| from.node().is_some());
            if account.is_some_and(|account| !self.inbox.may_enter(&account, weight)) {
                return self.refuse(&head);
            }
        }
        let inbound = match Stanza::parse(bytes) {
            Ok(stanza) if self.take_pong(stanza.kind, stanza.id.as_deref(), Some(&stanza.from)) => return,
            Ok(stanza) if !self.is_ours(Some(&stanza.to)) => return,
            Ok(stanza)
                if self.echo.take(stanza.kind, stanza.id.as_deref(), Some(&stanza.from), !stanza.is_answer()) =>
            {
                return;
            }
            // A stanza that is short as received may be long when passed on.
            Ok(stanza) if !self.is_writable(&stanza) => {
                tracing::debug!(id = stanza.id, "a stanza is refused: {TOO_LONG_TAG}");
                let error = StanzaError::new(Condition::PolicyViolation, TOO_LONG_TAG);
                Inbound::Unreadable(Unreadable::from_head(bytes, error))
            }
            Ok(stanza) => {
                let Stanza { id, kind, type_, from, to, .. } = &stanza;
                tracing::debug!(id, kind = kind.name(), r#type = type_, %from, %to, bytes = bytes.len(), "received");
                self.note_refusal(&stanza);
                Inbound::Stanza(stanza)
            }
            Err(head) => {
                tracing::debug!(id = head.id, "a stanza cannot be read: {}", head.error.text);
                Inbound::Unreadable(*head)
            }
        };
        self.push(inbound, weight);
    }

    fn oversize(&mut self, head: &[u8], excess: Excess) {
        let text = match excess {
            Excess::Bytes => "the stanza is too large",
            Excess::Depth => "the stanza's elements nest too deeply",
            Excess::Elements => "the stanza has too many elements",
            Excess::AttributeBytes => "an attribute of the stanza is too long",
            Excess::Attributes => "an element of the stanza has too many attributes",
            Excess::StartTagBytes => TOO_LONG_TAG,
        };
        let head = Unreadable::from_head(head, StanzaError::new(Condition::PolicyViolation, text));
        tracing::debug!(id = head.id, "a stanza is refused: {text}");
        self.push(Inbound::Unreadable(head), ITEM_BYTES);
    }

    fn push(&mut self, inbound: Inbound, weight: usize) {
        if self.refused > 0 && self.inbox.is_empty() {
            tracing::info!("what came in is worked off; {} stanzas were refused", self.refused);
            self.refused = 0;
        }
        // Calls and the sweep of old rows use the inbox, too, and may have taken the room since it was checked.
        match self.inbox.offer(inbound, weight) {
            Ok(()) => {}
            Err(Inbound::Unreadable(head)) => self.refuse(&head),
            Err(inbound) => {
                self.note_busy();
                self.refuser.refuse(&inbound);
            }
        }
    }

    fn refuse(&mut self, head: &Unreadable) {
        let kind = head.kind.unwrap_or(Kind::Message);
        if self.take_pong(kind, head.id.as_deref(), head.from.as_ref()) || !self.is_ours(head.to.as_ref()) {
            return;
        }
        if self.echo.take(kind, head.id.as_deref(), head.from.as_ref(), head.answerable) {
            return;
        }
        self.note_busy();
        self.refuser.metrics.count_refusal(&Reason::BUSY);
        tracing::debug!(id = head.id, "refused: too much is waiting");
        refuse(head, Why::Busy).into_iter().for_each(|answer| self.refuser.answer(answer, kind));
    }

    fn note_busy(&mut self) {
        if self.refused == 0 && !self.inbox.is_empty() {
            tracing::warn!("more comes in than is worked off: requests are answered with resource-constraint");
        }
        self.refused += 1;
    }

    /// A message or presence that a domain sends back may have been refused by its multicast service.
    fn note_refusal(&self, stanza: &Stanza) {
        if stanza.kind != Kind::Iq
            && stanza.type_ == "error"
            && stanza.from.node().is_none()
            && stanza.from.is_bare()
            && self.is_ours(Some(&stanza.to))
        {
            let message = stanza.id.clone().map(|id| (stanza.to.to_string(), id));
            self.confirmed.refuse(Refused { by: stanza.from.to_string(), message });
        }
    }

    /// Whether the stanza's start tags are within their limits when it is passed on.
    fn is_writable(&self, stanza: &Stanza) -> bool {
        let written = Written::of(&stanza.element, self.written_bytes_max);
        written.longest <= self.tag_bytes_max && written.all <= self.written_bytes_max
    }

    /// Whether an address is the service's. A host server may deliver what is for another component (hosts.md, A.2),
    /// and closes the link over an answer in that component's name.
    fn is_ours(&self, to: Option<&Jid>) -> bool {
        to.is_some_and(|to| to.domain().as_str() == self.keep_alive.from)
    }

    /// Whether an iq is an answer to a ping of this process, from the address that was pinged, or the ping itself where
    /// the service pings itself. A number behind the id says which of the writer's pings it is.
    fn take_pong(&self, kind: Kind, id: Option<&str>, from: Option<&Jid>) -> bool {
        let behind = id.filter(|_| kind == Kind::Iq).and_then(|id| id.strip_prefix(&*self.keep_alive.id));
        let (Some(behind), Some(from)) = (behind, from) else { return false };
        match behind.strip_prefix('-').map(str::parse) {
            Some(Ok(ping)) => self.confirmed.answer(ping, from),
            _ => behind.is_empty() && from.as_str() == self.keep_alive.to,
        }
    }
}

/// The text of the error for such a stanza.
const TOO_LONG_TAG: &str = "a start tag of the stanza is too long";

/// The approximate size of a parsed stanza in memory. Four bytes can make an element.
fn weight(stanza: &[u8]) -> usize {
    let elements = memchr_iter(b'<', stanza).filter(|&at| stanza.get(at + 1) != Some(&b'/')).count();
    let attributes = memchr_iter(b'=', stanza).count();
    stanza.len() + ITEM_BYTES + elements * ELEMENT_BYTES + attributes * ATTRIBUTE_BYTES
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
