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
const ADDRESSES: &[u8] = b"'><addresses xmlns='http://jabber.org/protocol/address'>";
const ADDRESSES_END: &[u8] = b"</addresses>";
const ADDRESS: &[u8] = b"<address type='bcc' jid='";
const ADDRESS_END: &[u8] = b"'/>";
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
                let recipients = self.recipients(&fan.audience);
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
            // A stanza without children has no place for addresses, and not every multicast service takes presence.
            let service = cursor.round.home().and_then(|home| self.service(home));
            let is_listed = fan.tail.starts_with('>') && !fan.presence;
            let done = match service.filter(|_| is_listed) {
                Some(service) => writing.lists(service, numbers, cursor),
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

    fn lists(&mut self, service: &MulticastService, numbers: &[EntryNo], cursor: &mut Cursor) -> bool {
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
                    AddressList { start, count: 0 }
                });
                self.out.extend_from_slice(ADDRESS);
                self.out.extend_from_slice(address.as_bytes());
                self.out.extend_from_slice(ADDRESS_END);
                open.count += 1;
                if open.count >= service.addresses_max || self.out.len() - open.start >= LIST_BYTES {
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
    out.extend_from_slice(ADDRESSES_END);
    out.extend_from_slice(&text.before_end[1..]);
    text.end(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Node;
    use crate::engine::outgoing::outbox::{Audience, Delta, Lasting, ListId, Reached};
    use crate::xep::List;

    const LIST: ListId = ListId { tag: 7, list: List::Node(Node::Messages) };

    fn home(place: usize) -> HomeNo {
        HomeNo::new(place).unwrap()
    }

    fn multicast(home: HomeNo, to: &str, addresses_max: usize) -> Delta {
        Delta::Multicast { home, service: Some(MulticastService { to: to.into(), addresses_max }) }
    }

    /// Accounts with their addresses, marker and home server.
    fn book(accounts: &[(&[&str], bool, Option<usize>)]) -> AddressBook {
        let mut book = AddressBook::default();
        for (place, (addresses, marked, at)) in accounts.iter().enumerate() {
            let no = EntryNo::first(place as u32);
            let reached = Reached::new(addresses.iter().map(|&a| a.into()).collect(), None);
            let entry = BookEntry { reached, marked: *marked, home: at.map(home) };
            book.apply(Delta::Entry { no, entry });
            book.apply(Delta::Added(LIST, no));
        }
        book
    }

    fn fan() -> Fan {
        Fan {
            audience: Audience::List(LIST, None),
            head: "<message from='c@m'".into(),
            tail: "><b/></message>".into(),
            groupchat: true,
            presence: false,
            decided: false,
            lasting: Lasting::Row,
            charge: None,
        }
    }

    fn text(book: &AddressBook, fan: &Fan) -> String {
        let mut out = Vec::new();
        let mut cursor = Cursor::default();
        assert!(book.write(fan, &book.recipients(&fan.audience), &mut cursor, usize::MAX, &mut out));
        let text = String::from_utf8(out).unwrap();
        let lists = text.matches("<address ").count();
        assert_eq!(cursor.copies, lists + text.matches(" to='").count() - text.matches("<addresses").count());
        assert_eq!(cursor.used != 0, lists > 0);
        text
    }

    fn list(to: &str, addresses: &[&str], rest: &str) -> String {
        let addresses: String = addresses.iter().map(|a| format!("<address type='bcc' jid='{a}'/>")).collect();
        format!(
            "<message from='c@m' to='{to}'><addresses xmlns='http://jabber.org/protocol/address'>{addresses}\
             </addresses><b/>{rest}</message>"
        )
    }

    #[test]
    fn recipients_of_one_home_server_share_stanzas_and_the_others_get_copies() {
        let mut book = book(&[
            (&["a@h/1", "a@h/2"], false, Some(0)),
            (&["x@far"], false, None),
            (&["b@h"], true, Some(0)),
            (&["c@h"], true, Some(0)),
            (&["d@i"], false, Some(1)),
            (&[], false, Some(0)),
        ]);
        book.apply(multicast(home(0), "m.h", 20));
        assert_eq!(
            text(&book, &fan()),
            "<message from='c@m' to='x@far'><b/></message><message from='c@m' to='d@i'><b/></message>".to_owned()
                + &list("m.h", &["a@h/1", "a@h/2"], "")
                + &list("m.h", &["b@h", "c@h"], "<mix xmlns=''/>")
        );
        book.apply(multicast(home(1), "m.i", 20));
        assert!(text(&book, &fan()).ends_with(&list("m.i", &["d@i"], "")), "one address is a list, too");
    }

    #[test]
    fn a_list_ends_where_the_service_takes_no_more() {
        let names: Vec<String> = (0..7).map(|n| format!("u{n}@h")).collect();
        let single: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
        let accounts: Vec<(&[&str], bool, Option<usize>)> = single.iter().map(|a| (&a[..], false, Some(0))).collect();
        let mut book = book(&accounts);
        book.apply(multicast(home(0), "m.h", 3));
        assert_eq!(
            text(&book, &fan()),
            list("m.h", &["u0@h", "u1@h", "u2@h"], "")
                + &list("m.h", &["u3@h", "u4@h", "u5@h"], "")
                + &list("m.h", &["u6@h"], "")
        );
    }

    #[test]
    fn a_list_does_not_grow_beyond_what_a_host_server_takes_in_one_stanza() {
        let name = format!("{}@h", "x".repeat(900));
        let addresses: Vec<&str> = (0..300).map(|_| name.as_str()).collect();
        let mut book = book(&[(&addresses, false, Some(0))]);
        book.apply(multicast(home(0), "m.h", 5000));
        let text = text(&book, &fan());
        assert!(text.split_inclusive("</message>").all(|stanza| stanza.len() < LIST_BYTES + 2000));
        assert_eq!(text.matches("<address ").count(), 300);
    }

    #[test]
    fn everybody_gets_it_once_wherever_it_is_cut_and_the_service_stops() {
        let names: Vec<String> = (0..40).map(|n| format!("u{n}@h")).collect();
        let single: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
        let accounts: Vec<(&[&str], bool, Option<usize>)> =
            single.iter().enumerate().map(|(n, a)| (&a[..], n % 3 == 0, (n % 4 > 0).then_some(n % 2))).collect();
        let fan = fan();
        for stops_after in 0..30 {
            let mut book = book(&accounts);
            book.apply(multicast(home(0), "m.h", 3));
            book.apply(multicast(home(1), "m.i", 4));
            let (recipients, mut cursor, mut all) = (book.recipients(&fan.audience), Cursor::default(), Vec::new());
            for part in 0.. {
                if part == stops_after {
                    assert_eq!(book.stop_multicast("m.h"), 1);
                }
                let mut block = Vec::new();
                let done = book.write(&fan, &recipients, &mut cursor, 1, &mut block);
                all.extend(block);
                if done {
                    break;
                }
            }
            let all = String::from_utf8(all).unwrap();
            for name in &names {
                assert_eq!(all.matches(&format!("'{name}'")).count(), 1, "{name} after {stops_after}: {all}");
            }
            assert_eq!(cursor.copies, 40);
        }
    }

    #[test]
    fn a_stanza_without_children_and_a_service_that_is_gone_mean_copies() {
        let mut book = book(&[(&["a@h"], false, Some(0)), (&["b@h"], false, Some(0))]);
        book.apply(multicast(home(0), "m.h", 20));
        let bare = Fan { tail: "/>".into(), groupchat: false, ..fan() };
        assert_eq!(text(&book, &bare), "<message from='c@m' to='a@h'/><message from='c@m' to='b@h'/>");
        book.apply(Delta::Multicast { home: home(0), service: None });
        assert!(!text(&book, &fan()).contains("addresses"));
        assert_eq!((book.multicast_of(home(0)), book.multicast_of(home(1))), (Some("m.h"), None));
    }
}
