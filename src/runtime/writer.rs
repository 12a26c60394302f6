//! The write half of the link: from what the engine sends to bytes.
//!
//! It owns the address book. The book learns every change in order, whether the link is up or not; stanzas that
//! find no link are dropped. A block ends between stanzas, so what is urgent goes out between blocks.

use super::component::LinkError;
use super::queue::Queue;
use crate::engine::book::{AddressBook, Cursor};
use crate::engine::outbox::{Delta, Fan, Out};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// A block is written when it holds this much, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;
/// How many items are taken from the queue at once.
const BATCH_ITEMS: usize = 256;
/// What an item costs beside its text, in bytes.
const ITEM_BYTES: usize = 64;

/// What waits for the writer.
pub type Outbox = Queue<Out>;
/// Answers that must not wait behind a full outbox.
pub type Urgent = Queue<String>;

/// What `out` weighs in the queue, in bytes.
pub fn weight(out: &Out) -> usize {
    ITEM_BYTES
        + match out {
            Out::Stanza(text) => text.len(),
            Out::Fan(fan) => fan.head.len() + fan.tail.len(),
            Out::Book(Delta::Filled(_, accounts)) => accounts.len() * size_of::<u32>(),
            Out::Book(Delta::Account { entry, .. }) => entry.addresses.iter().map(|it| it.len() + ITEM_BYTES).sum(),
            Out::Book(_) => 0,
        }
}

/// The state that outlives a link.
#[derive(Debug)]
pub struct Writer {
    outbox: Arc<Outbox>,
    urgent: Arc<Urgent>,
    book: AddressBook,
    pending: VecDeque<Out>,
    /// The fan-out that the last block ended in.
    fan: Option<(Fan, Cursor)>,
    block: Vec<u8>,
    /// How much of the block is written, in bytes.
    written: usize,
    write_timeout: Duration,
}

impl Writer {
    /// A writer with an empty address book.
    pub fn new(outbox: Arc<Outbox>, urgent: Arc<Urgent>, write_timeout: Duration) -> Writer {
        let block = Vec::with_capacity(BLOCK_BYTES);
        Writer {
            outbox,
            urgent,
            book: AddressBook::default(),
            pending: VecDeque::new(),
            fan: None,
            block,
            written: 0,
            write_timeout,
        }
    }

    /// Writes to `io` what comes, until the outbox is closed and empty.
    ///
    /// It may be dropped at any await, and called again for the same `io`: nothing is lost, and no stanza is cut.
    ///
    /// # Errors
    /// [`LinkError`] when the link is lost.
    pub async fn write_to(&mut self, io: &mut (impl AsyncWrite + Unpin)) -> Result<(), LinkError> {
        loop {
            self.write_block(io).await?;
            if self.fan.is_none() && self.pending.is_empty() {
                tokio::select! {
                    biased;
                    urgent = self.urgent.take(BATCH_ITEMS) => self.put_first(urgent),
                    batch = self.outbox.take(BATCH_ITEMS) => match batch {
                        Some(batch) => self.pending.extend(batch),
                        None => return Ok(()),
                    },
                }
            } else if !self.urgent.is_empty() {
                let urgent = self.urgent.take(BATCH_ITEMS).await;
                self.put_first(urgent);
            }
            self.fill();
        }
    }

    fn put_first(&mut self, urgent: Option<Vec<String>>) {
        urgent.into_iter().flatten().for_each(|text| self.block.extend_from_slice(text.as_bytes()));
    }

    /// Writes what is left of the block; every part of it has the timeout.
    async fn write_block(&mut self, io: &mut (impl AsyncWrite + Unpin)) -> Result<(), LinkError> {
        while self.written < self.block.len() {
            match tokio::time::timeout(self.write_timeout, io.write(&self.block[self.written..])).await {
                Err(_) => return Err(LinkError::Stalled),
                Ok(Ok(0)) => return Err(LinkError::Lost(io::ErrorKind::WriteZero.into())),
                Ok(Ok(written)) => self.written += written,
                Ok(Err(error)) => return Err(LinkError::Lost(error)),
            }
        }
        self.block.clear();
        self.written = 0;
        Ok(())
    }

    /// Takes what comes without a link: the address book learns, stanzas are dropped. Ends as the outbox does.
    pub async fn discard(&mut self) {
        self.fan = None;
        self.block.clear();
        self.written = 0;
        loop {
            for out in self.pending.drain(..) {
                if let Out::Book(delta) = out {
                    self.book.apply(delta);
                }
            }
            match self.outbox.take(BATCH_ITEMS).await {
                Some(batch) => self.pending.extend(batch),
                None => return,
            }
        }
    }

    /// Fills the block from what is pending.
    fn fill(&mut self) {
        while self.block.len() < BLOCK_BYTES {
            if let Some((fan, mut cursor)) = self.fan.take() {
                if !self.book.write(&fan, &mut cursor, BLOCK_BYTES, &mut self.block) {
                    self.fan = Some((fan, cursor));
                }
                continue;
            }
            match self.pending.pop_front() {
                Some(Out::Stanza(text)) => self.block.extend_from_slice(text.as_bytes()),
                Some(Out::Fan(fan)) => self.fan = Some((fan, Cursor::default())),
                Some(Out::Book(delta)) => self.book.apply(delta),
                None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Node;
    use crate::engine::outbox::{Audience, Entry, ListId};
    use tokio::io::AsyncReadExt;

    const LIST: ListId = ListId { tag: 7, node: Node::Messages };

    fn writer() -> (Writer, Arc<Outbox>, Arc<Urgent>) {
        let (outbox, urgent) = (Arc::new(Outbox::new(usize::MAX, 1 << 20)), Arc::new(Urgent::new(9, 999)));
        (Writer::new(outbox.clone(), urgent.clone(), Duration::from_millis(200)), outbox, urgent)
    }

    fn account(no: u32, address: &str) -> [Out; 2] {
        let entry = Entry { addresses: vec![address.to_owned()], marked: false };
        [Out::Book(Delta::Account { no, entry }), Out::Book(Delta::Subscribed(LIST, no))]
    }

    fn fan(body: &str) -> Out {
        let tail = format!("><body>{body}</body></message>");
        Out::Fan(Fan {
            audience: Audience::List(LIST, None),
            head: "<message from='c@m'".into(),
            tail,
            groupchat: true,
        })
    }

    fn push(outbox: &Outbox, outs: impl IntoIterator<Item = Out>) {
        for out in outs {
            assert!(outbox.try_push(out, 1));
        }
    }

    #[tokio::test]
    async fn the_address_book_learns_without_a_link_and_stanzas_are_dropped() {
        let (mut writer, outbox, _) = writer();
        push(&outbox, account(0, "a@h"));
        push(&outbox, [Out::Stanza("<lost/>".into()), fan("lost")]);
        let gone = tokio::time::timeout(Duration::from_millis(50), writer.discard()).await;
        assert!(gone.is_err() && outbox.is_empty());
        push(&outbox, [fan("kept"), Out::Stanza("<iq/>".into())]);
        outbox.close();
        let mut written = Vec::new();
        writer.write_to(&mut written).await.unwrap();
        let text = String::from_utf8(written).unwrap();
        assert_eq!(text, "<message from='c@m' to='a@h'><body>kept</body></message><iq/>");
    }

    #[tokio::test]
    async fn a_link_lost_in_the_middle_of_a_fan_out_loses_no_change_of_the_book() {
        let (mut writer, outbox, _) = writer();
        push(&outbox, account(0, "a@h"));
        push(&outbox, [fan(&"x".repeat(500_000))]);
        push(&outbox, account(1, "b@h"));
        let (mut near, far) = tokio::io::duplex(1000);
        let stalled = writer.write_to(&mut near).await;
        assert!(matches!(stalled, Err(LinkError::Stalled)), "{stalled:?}");
        drop(far);
        outbox.close();
        writer.discard().await;
        writer.outbox = Arc::new(Outbox::new(9, 999));
        push(&writer.outbox, [fan("y")]);
        writer.outbox.close();
        let mut written = Vec::new();
        writer.write_to(&mut written).await.unwrap();
        let text = String::from_utf8(written).unwrap();
        assert!(text.starts_with("<message") && text.contains("to='a@h'") && text.contains("to='b@h'"), "{text}");
        assert!(!text.contains('x'), "the rest of the lost fan-out must not be written");
    }

    #[tokio::test]
    async fn writing_that_is_broken_off_goes_on_where_it_was() {
        let (mut writer, outbox, urgent) = writer();
        push(&outbox, account(0, "a@h"));
        push(&outbox, [fan(&"x".repeat(5000)), Out::Stanza("<iq/>".into())]);
        assert!(urgent.try_push("<urgent/>".into(), 9));
        let (mut near, mut far) = tokio::io::duplex(1000);
        let broken_off = tokio::time::timeout(Duration::from_millis(20), writer.write_to(&mut near)).await;
        assert!(broken_off.is_err(), "nobody reads");
        outbox.close();
        let mut text = String::new();
        let (written, read) = tokio::join!(
            async {
                let written = writer.write_to(&mut near).await;
                drop(near);
                written
            },
            far.read_to_string(&mut text)
        );
        written.unwrap();
        read.unwrap();
        let body = "x".repeat(5000);
        assert_eq!(text, format!("<urgent/><message from='c@m' to='a@h'><body>{body}</body></message><iq/>"));
    }

    #[tokio::test]
    async fn what_is_urgent_passes_between_two_blocks_of_a_fan_out() {
        let (mut writer, outbox, urgent) = writer();
        for no in 0..100 {
            push(&outbox, account(no, &format!("u{no}@h")));
        }
        push(&outbox, [fan(&"x".repeat(10_000))]);
        assert!(urgent.try_push("<urgent/>".into(), 9));
        outbox.close();
        let (mut near, mut far) = tokio::io::duplex(1 << 22);
        writer.write_to(&mut near).await.unwrap();
        drop(near);
        let mut text = String::new();
        far.read_to_string(&mut text).await.unwrap();
        let at = text.find("<urgent/>").unwrap();
        assert!(at < text.len() / 2, "{at} of {}", text.len());
        let stanzas = text.replace("<urgent/>", "");
        assert_eq!((stanzas.matches("</message>").count(), stanzas.matches("<message ").count()), (100, 100));
    }
}
