//! Expands a fan-out into stanzas: a copy for each address, or one stanza with many addresses (XEP-0033 §4).
//!
//! Copies come first, then the address lists of one home server after the other, since a list is for one multicast
//! service. No list is longer than the service takes. A single address is a list, too: a copy would overtake stanzas
//! that pass through a busy multicast service (RFC 6120 §10.1).

use super::{AddressBook, Recipients};
use crate::engine::outgoing::outbox::{BookEntry, EntryNo, Fan, HomeNo, MulticastService, Out};

/// The child that a groupchat message needs to pass ejabberd's own PAM.
const MARKER: &[u8] = b"<mix xmlns=''/>";
const END: &[u8] = b"</message>";
/// The tail of a stanza without children.
const EMPTY: &[u8] = b"/>";
const ADDRESSES: &[u8] = b"'><addresses xmlns='http://jabber.org/protocol/address'>";
const ADDRESSES_END: &[u8] = b"</addresses>";
const ADDRESS: &[u8] = b"<address type='bcc' jid='";
const ADDRESS_END: &[u8] = b"'/>";
/// Of a service that takes addresses as one text.
const TEXT: &[u8] = b"<list xmlns='urn:mixd:multicast:list:0'>";
const TEXT_END: &[u8] = b"</list>";
const TAB: &[u8] = b"\t";
/// The most bytes of an address list. Prosody accepts stanzas of 512 KiB from a component by default, and a payload may
/// take less than half of that.
const LIST_BYTES: usize = 128 * 1024;

/// The progress of a fan-out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    round: Round,
    /// How many entries of the round are done.
    numbers: usize,
    /// How many addresses were written.
    pub copies: usize,
    /// The home servers whose multicast services were used, as bits.
    pub used: u64,
}

/// One pass over the recipients: 0 for copies, then two for each home server, without and with the marker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Round(u8);

impl Round {
    fn first_of(home: HomeNo) -> Round {
        Round(1 + 2 * home.place() as u8)
    }

    fn home(self) -> Option<HomeNo> {
        self.0.checked_sub(1).and_then(|behind| HomeNo::new(usize::from(behind / 2)))
    }

    fn takes(self, entry: &BookEntry, lists: u64) -> bool {
        match self.home() {
            None => entry.home.is_none_or(|home| lists & home.bit() == 0),
            Some(home) => entry.home == Some(home) && entry.marked == self.is_marked(),
        }
    }

    fn is_marked(self) -> bool {
        self.0.is_multiple_of(2)
    }

    fn next(self, lists: u64) -> Option<Round> {
        (self.0 + 1..=2 * HomeNo::COUNT as u8)
            .map(Round)
            .find(|round| round.home().is_some_and(|home| lists & home.bit() != 0))
    }
}

impl Cursor {
    /// The beginning of a home server's part.
    pub fn begin_of(home: HomeNo) -> Cursor {
        Cursor { round: Round::first_of(home), ..Cursor::default() }
    }

    /// The end of a home server's part in a fan-out that has come as far as `self`.
    pub fn end_of(self, home: HomeNo) -> Cursor {
        let end = Cursor { round: Round(Round::first_of(home).0 + 2), ..Cursor::default() };
        if self.place() < end.place() { self } else { end }
    }

    /// The end of every fan-out.
    pub const END: Cursor = Cursor { round: Round(u8::MAX), numbers: 0, copies: 0, used: 0 };

    /// Whether it is past the beginning of a home server's part.
    pub fn is_within_or_behind(self, home: HomeNo) -> bool {
        self.place() > Cursor::begin_of(home).place()
    }

    fn place(self) -> (Round, usize) {
        (self.round, self.numbers)
    }
}

/// What all stanzas of one round share.
#[derive(Clone, Copy)]
struct Text<'a> {
    fan: &'a Fan,
    /// The tail without the end tag. The marker goes in between.
    before_end: &'a [u8],
    end: &'a [u8],
    marked: bool,
}

impl<'a> Text<'a> {
    fn new(fan: &'a Fan) -> Text<'a> {
        let (before_end, end) = match fan.tail.as_bytes().strip_suffix(END) {
            Some(before) if fan.groupchat => (before, END),
            _ => (fan.tail.as_bytes(), &[][..]),
        };
        Text { fan, before_end, end, marked: false }
    }

    fn marked(self, marked: bool) -> Text<'a> {
        Text { marked, ..self }
    }

    fn head(&self, to: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(self.fan.head.as_bytes());
        out.extend_from_slice(b" to='");
        out.extend_from_slice(to.as_bytes());
    }

    fn end(&self, out: &mut Vec<u8>) {
        if self.marked && !self.end.is_empty() {
            out.extend_from_slice(MARKER);
        }
        out.extend_from_slice(self.end);
    }

    /// Presence may have no children.
    fn behind_addresses(&self, out: &mut Vec<u8>) {
        if self.before_end == EMPTY {
            let name = self.fan.head.split(' ').next().unwrap_or_default();
            out.extend_from_slice(b"</");
            out.extend_from_slice(name.trim_start_matches('<').as_bytes());
            out.extend_from_slice(b">");
        } else {
            out.extend_from_slice(&self.before_end[1..]);
        }
        self.end(out);
    }

    fn copy(&self, to: &str, out: &mut Vec<u8>) {
        self.head(to, out);
        out.extend_from_slice(b"'");
        out.extend_from_slice(self.before_end);
        self.end(out);
    }
}

/// An address list that is being written.
struct AddressList {
    start: usize,
    count: usize,
    /// Whether the addresses are one text.
    as_text: bool,
}

impl AddressList {
    /// Appends an address, which is escaped.
    fn add(&mut self, address: &str, out: &mut Vec<u8>) {
        let (before, behind) = match self.as_text {
            true => (if self.count == 0 { &[][..] } else { TAB }, &[][..]),
            false => (ADDRESS, ADDRESS_END),
        };
        [before, address.as_bytes(), behind].iter().for_each(|bytes| out.extend_from_slice(bytes));
        self.count += 1;
    }
}

/// A fan-out that is being written.
struct Writing<'a> {
    book: &'a AddressBook,
    recipients: &'a Recipients,
    text: Text<'a>,
    bytes_max: usize,
    out: &'a mut Vec<u8>,
}

impl AddressBook {
    /// Applies a change, or appends a whole stanza or fan-out to `out`.
    pub fn pass(&mut self, sent: Out, out: &mut Vec<u8>) {
        match sent {
            Out::Book(delta) => self.apply(delta),
            Out::Stanza(text) | Out::Presence(text) | Out::Question(text) | Out::About { text, .. } => {
                out.extend_from_slice(text.as_bytes())
            }
            Out::Fan(fan) => {
                let recipients = self.recipients(&fan);
                self.write(&fan, &recipients, &mut Cursor::default(), usize::MAX, out);
            }
        }
    }

    /// Appends `fan` to `out` from `cursor` on, until it is complete or `out` holds `bytes_max`.
    ///
    /// Returns whether it is complete. The copies of an account are never divided.
    pub fn write(
        &self,
        fan: &Fan,
        recipients: &Recipients,
        cursor: &mut Cursor,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        self.write_part(fan, recipients, (cursor, Cursor::END), bytes_max, out)
    }

    /// Appends the part between `cursor` and `end`, as [`AddressBook::write`] does.
    pub fn write_part(
        &self,
        fan: &Fan,
        recipients: &Recipients,
        (cursor, end): (&mut Cursor, Cursor),
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> bool {
        let all = recipients.numbers();
        let mut writing = Writing { book: self, recipients, text: Text::new(fan), bytes_max, out };
        while cursor.place() < end.place() {
            let is_last = cursor.round == end.round;
            let numbers = if is_last { &all[..end.numbers.min(all.len())] } else { all };
            let service = cursor.round.home().and_then(|home| self.service(home));
            let done = match service.and_then(|service| Some((service, service.addresses_max_of(fan)?))) {
                Some((service, most)) => writing.lists((service, most), numbers, cursor),
                None => writing.copies(numbers, cursor),
            };
            if !done || is_last {
                return done;
            }
            cursor.numbers = 0;
            cursor.round = cursor.round.next(recipients.lists).unwrap_or(Cursor::END.round);
        }
        true
    }
}

impl<'a> Writing<'a> {
    fn copies(&mut self, numbers: &[EntryNo], cursor: &mut Cursor) -> bool {
        while let Some(&no) = numbers.get(cursor.numbers) {
            if self.out.len() >= self.bytes_max {
                return false;
            }
            cursor.numbers += 1;
            let Some(entry) = self.recipient(no, cursor.round) else { continue };
            let text = self.text.marked(entry.marked);
            let addresses = entry.reached.addresses_in(self.recipients.tag);
            addresses.iter().for_each(|address| text.copy(address, self.out));
            cursor.copies += addresses.len();
        }
        true
    }

    fn lists(
        &mut self,
        (service, addresses_max): (&MulticastService, usize),
        numbers: &[EntryNo],
        cursor: &mut Cursor,
    ) -> bool {
        let text = self.text.marked(cursor.round.is_marked());
        let mut list: Option<AddressList> = None;
        while let Some(&no) = numbers.get(cursor.numbers) {
            let Some(entry) = self.recipient(no, cursor.round) else {
                cursor.numbers += 1;
                continue;
            };
            if list.is_none() && self.out.len() >= self.bytes_max {
                return false;
            }
            cursor.numbers += 1;
            for address in entry.reached.addresses_in(self.recipients.tag) {
                let open = list.get_or_insert_with(|| {
                    let start = self.out.len();
                    text.head(&service.to, self.out);
                    self.out.extend_from_slice(ADDRESSES);
                    self.out.extend_from_slice(if service.as_text { TEXT } else { &[] });
                    AddressList { start, count: 0, as_text: service.as_text }
                });
                open.add(address, self.out);
                if open.count >= addresses_max || self.out.len() - open.start >= LIST_BYTES {
                    close(list.take(), text, cursor, self.out);
                }
            }
        }
        close(list, text, cursor, self.out);
        true
    }

    /// The entry of a recipient, if this is its round.
    fn recipient(&self, no: EntryNo, round: Round) -> Option<&'a BookEntry> {
        let (owner, entry) = self.book.entries.get(no.place())?;
        let is_one = *owner == no && self.recipients.except != Some(no);
        (is_one && round.takes(entry, self.recipients.lists)).then_some(entry)
    }
}

fn close(list: Option<AddressList>, text: Text<'_>, cursor: &mut Cursor, out: &mut Vec<u8>) {
    let Some(list) = list else { return };
    cursor.copies += list.count;
    cursor.used |= cursor.round.home().map_or(0, HomeNo::bit);
    out.extend_from_slice(if list.as_text { TEXT_END } else { &[] });
    out.extend_from_slice(ADDRESSES_END);
    text.behind_addresses(out);
}

#[cfg(test)]
#[path = "expand_tests.rs"]
mod tests;
