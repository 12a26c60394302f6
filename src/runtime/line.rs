//! The line of what goes to the host server: waiting, being written, or written and not confirmed.
//!
//! Channels take turns (`lanes`), so that a busy one makes nobody else wait. Stanzas of one channel keep their order
//! (RFC 6120 §10.1): those from its address, from the addresses of its participants, and those that the service sends
//! about it. An item leaves the line when the host server is known to have it. After a lost link everything in the line
//! is written again.

mod item;
mod lanes;
mod recall;

use super::outbox::{Parcel, weight};
use crate::engine::outgoing::book::{AddressBook, Cursor};
use crate::engine::outgoing::outbox::{Charge, Delta, EntryNo, Lasting, Out};
use item::{LineItem, Recall, What};
use lanes::{Lanes, TURN_BYTES};
use std::collections::{BTreeMap, VecDeque};

/// How many items' memory is kept when the line is empty.
const ITEMS_KEPT: usize = 4096;

/// The line.
#[derive(Debug, Default)]
pub struct Line {
    book: AddressBook,
    items: VecDeque<LineItem>,
    /// The number of the first item.
    first: u64,
    /// The number of the next item that gets a lane.
    next: u64,
    lanes: Lanes,
    /// Entries that are reached nowhere any more, by their places in the address book, which they leave once the lanes
    /// are empty.
    leaving: BTreeMap<usize, EntryNo>,
    /// What left the line, and which account it is counted against.
    relieved: Vec<Charge>,
    /// The numbers of parcels, each with the number of the item that follows it.
    parcels: VecDeque<(u64, u64)>,
    /// The size of all items, in bytes.
    bytes: usize,
    /// The number of the next ping.
    ping: u64,
    /// The highest ping that came back.
    confirmed: u64,
    /// Whether something was written that no ping covers.
    uncovered: bool,
    dropped: u64,
    copies: u64,
    /// What a multicast service refused and has to be written again.
    recalls: VecDeque<Recall>,
    /// The home servers whose multicast services were used and not pinged since, as bits.
    used: u64,
}

impl Line {
    /// An empty line, with an empty address book.
    pub fn new() -> Line {
        Line { ping: 1, ..Line::default() }
    }

    /// Appends a parcel. `now_ms` is the time, by any clock that never goes back.
    pub fn push(&mut self, parcel: Parcel, now_ms: u64) {
        for out in parcel.outs {
            let bytes = weight(&out);
            self.bytes += bytes;
            self.items.push_back(LineItem {
                what: What::Out(out),
                bytes,
                since_ms: now_ms,
                covered: None,
                recalled: 0,
                recalls: 0,
            });
        }
        if let Some(number) = parcel.number {
            self.parcels.push_back((number, self.end()));
        }
    }

    /// The size of everything in the line, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether something was written that no ping covers yet.
    pub fn is_uncovered(&self) -> bool {
        self.uncovered
    }

    /// Appends to `block` until it holds `bytes_max` or there is nothing left to write.
    pub fn fill(&mut self, block: &mut Vec<u8>, bytes_max: usize) {
        self.fill_recalled(block, bytes_max);
        self.sort();
        while block.len() < bytes_max {
            let Some((no, mut lane)) = self.lanes.take() else { break };
            if lane.credit <= 0 {
                lane.credit += TURN_BYTES;
            }
            while let Some(&number) = lane.items.front().filter(|_| lane.credit > 0 && block.len() < bytes_max) {
                let before = block.len();
                let end = bytes_max.min(before + lane.credit.unsigned_abs());
                let done = self.write(number, &mut lane.cursor, end, block);
                lane.credit -= (block.len() - before) as isize;
                if !done {
                    break;
                }
                lane.items.pop_front();
                lane.cursor = Cursor::default();
            }
            let is_over = lane.credit <= 0;
            self.lanes.bring_back(no, lane, is_over);
        }
        if self.lanes.is_empty() {
            let leaving = std::mem::take(&mut self.leaving);
            leaving.into_values().for_each(|no| self.book.apply(Delta::Entry { no, entry: Default::default() }));
        }
    }

    /// Puts new items into lanes. A change of a list waits for what goes to that list; a change of where an account is
    /// reached applies at once.
    fn sort(&mut self) {
        while self.next < self.end() {
            let number = self.next;
            self.next += 1;
            let item = &mut self.items[(number - self.first) as usize];
            match &item.what {
                What::Out(Out::Book(delta)) => {
                    if !delta.tag().is_some_and(|tag| self.lanes.enter_behind(tag, number)) {
                        self.learn(number);
                    }
                }
                What::Done => item.covered = Some(0),
                what => self.lanes.enter(what.lane(), what.tag(), number),
            }
        }
    }

    /// Passes an item to the address book. An account that is no longer reached still gets what was sent before, such
    /// as the stanza that it left.
    fn learn(&mut self, number: u64) {
        let item = &mut self.items[(number - self.first) as usize];
        item.covered = Some(0);
        let What::Out(Out::Book(delta)) = std::mem::replace(&mut item.what, What::Done) else { return };
        match delta {
            Delta::Entry { no, entry } if entry.reached.is_nowhere() && !self.lanes.is_empty() => {
                self.leaving.insert(no.place(), no);
            }
            Delta::Entry { .. }
            | Delta::Added(..)
            | Delta::Removed(..)
            | Delta::Filled(..)
            | Delta::Multicast { .. }
            | Delta::Dropped { .. } => self.apply(delta),
        }
    }

    fn apply(&mut self, delta: Delta) {
        if let Delta::Entry { no, .. } = &delta {
            self.leaving.remove(&no.place());
        }
        self.book.apply(delta);
    }

    /// Begins a ping that covers everything written so far. Returns its number.
    pub fn cover(&mut self) -> u64 {
        self.uncovered = false;
        self.ping += 1;
        self.ping - 1
    }

    /// A ping was answered or is given up: what it covers leaves the line. Returns the number of the last parcel up to
    /// which all has left.
    pub fn confirm(&mut self, ping: u64) -> Option<u64> {
        self.confirmed = self.confirmed.max(ping);
        while self.items.front().is_some_and(|item| item.is_confirmed(self.confirmed)) {
            self.pop();
        }
        self.settled()
    }

    /// The link is lost. What was written and not confirmed is written again, except chat states and rows older than
    /// `horizon_ms`, which clients find in the archive.
    pub fn rewind(&mut self, now_ms: u64, horizon_ms: u64) {
        for item in self.items.iter_mut().take((self.next - self.first) as usize) {
            // What waited for its turn goes on waiting.
            if item.covered.is_none() && !matches!(item.what, What::Begun(..)) {
                continue;
            }
            (item.covered, item.recalled, item.recalls) = (None, 0, 0);
            let lasting = match &item.what {
                What::Begun(fan, _) => fan.lasting,
                What::Out(Out::Question(_) | Out::Book(_)) | What::Done => Lasting::Fleeting,
                What::Out(_) => Lasting::Kept,
            };
            let is_late = now_ms.saturating_sub(item.since_ms) > horizon_ms;
            if lasting == Lasting::Fleeting || (lasting == Lasting::Row && is_late) {
                self.relieved.extend(item.what.take_charge());
                item.what = What::Done;
            }
        }
        self.next = self.first;
        self.lanes.clear();
        self.recalls.clear();
        self.used = 0;
        self.uncovered = false;
    }

    /// Drops the oldest items until the rest has at most `bytes_max`; the address book is still told. Returns the
    /// number of the last parcel up to which all has left.
    pub fn shed(&mut self, bytes_max: usize) -> Option<u64> {
        while self.bytes > bytes_max {
            self.next = self.next.max(self.first + 1);
            let Some(mut item) = self.pop() else { break };
            self.relieved.extend(item.what.take_charge());
            match item.what {
                What::Out(Out::Book(delta)) => self.apply(delta),
                What::Done => {}
                What::Out(_) | What::Begun(..) => self.dropped += 1,
            }
        }
        self.settled()
    }

    /// How many stanzas and fan-outs were dropped since the last call.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// What was completely written or dropped since the last call, and which account it is counted against.
    pub fn take_relieved(&mut self) -> Vec<Charge> {
        std::mem::take(&mut self.relieved)
    }

    /// How many copies of messages were written since the last call.
    pub fn take_copies(&mut self) -> u64 {
        std::mem::take(&mut self.copies)
    }

    fn end(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    fn pop(&mut self) -> Option<LineItem> {
        let item = self.items.pop_front()?;
        if self.items.is_empty() {
            self.items.shrink_to(ITEMS_KEPT);
        }
        self.bytes -= item.bytes;
        self.first += 1;
        Some(item)
    }

    fn settled(&mut self) -> Option<u64> {
        let gone = self.parcels.iter().take_while(|(_, behind)| *behind <= self.first).count();
        self.parcels.drain(..gone).next_back().map(|(number, _)| number)
    }

    /// Begins an item: the address book is told, and the recipients of a fan-out are settled.
    fn begin(&mut self, number: u64) {
        let item = &mut self.items[(number - self.first) as usize];
        item.what = match std::mem::replace(&mut item.what, What::Done) {
            What::Out(Out::Book(delta)) => {
                self.book.apply(delta);
                What::Done
            }
            What::Out(Out::Fan(fan)) => {
                let recipients = self.book.recipients(&fan);
                What::Begun(fan, recipients)
            }
            what => what,
        };
    }

    /// Appends an item to `block`. Returns whether all of it is written.
    fn write(&mut self, number: u64, cursor: &mut Cursor, bytes_max: usize, block: &mut Vec<u8>) -> bool {
        self.begin(number);
        let item = &mut self.items[(number - self.first) as usize];
        let (before, copies) = (block.len(), cursor.copies);
        let done = match &item.what {
            What::Out(Out::Stanza(text) | Out::Presence(text) | Out::Question(text) | Out::About { text, .. }) => {
                block.extend_from_slice(text.as_bytes());
                true
            }
            What::Begun(fan, recipients) => self.book.write(fan, recipients, cursor, bytes_max, block),
            What::Out(Out::Fan(_) | Out::Book(_)) | What::Done => true,
        };
        let wrote = block.len() > before;
        self.copies += (cursor.copies - copies) as u64;
        self.uncovered |= wrote;
        self.used |= cursor.used;
        if done {
            if wrote {
                tracing::debug!(id = item.what.attribute("id"), copies = cursor.copies, "sent");
            }
            self.relieved.extend(item.what.take_charge());
            item.covered = Some(if wrote || cursor.copies > 0 { self.ping } else { 0 });
        }
        done
    }
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "freight_tests.rs"]
mod freight_tests;
