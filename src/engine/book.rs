//! The address book: from a fan-out to the stanzas that cross the link.
//!
//! It belongs to whoever writes to the link and changes by [`Delta`]s only, so a turn costs the same for ten
//! recipients and for ten thousand, and every fan-out sees the addresses as they were at its turn.

use super::outbox::{AccountNo, Audience, Delta, Entry, Fan, ListId};
use crate::channel::Node;
use std::collections::HashMap;

/// The child that gets a groupchat message past ejabberd's own PAM.
const MARKER: &[u8] = b"<mix xmlns=''/>";
const END: &[u8] = b"</message>";

/// Lists of accounts, and their addresses.
#[derive(Clone, Debug, Default)]
pub struct AddressBook {
    lists: HashMap<ListId, Vec<AccountNo>>,
    entries: Vec<Entry>,
}

/// How far a fan-out has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// How many accounts of the audience are done.
    accounts: usize,
    /// How many copies were written.
    pub copies: usize,
}

impl AddressBook {
    /// Learns a change.
    pub fn apply(&mut self, delta: Delta) {
        match delta {
            Delta::Account { no, entry } => {
                let no = no as usize;
                if no >= self.entries.len() {
                    self.entries.resize_with(no + 1, Entry::default);
                }
                self.entries[no] = entry;
            }
            Delta::Subscribed(list, no) => {
                let accounts = self.lists.entry(list).or_default();
                if !accounts.contains(&no) {
                    accounts.push(no);
                }
            }
            Delta::Unsubscribed(list, no) => {
                if let Some(accounts) = self.lists.get_mut(&list) {
                    accounts.retain(|&other| other != no);
                }
            }
            Delta::Filled(list, accounts) => {
                self.lists.insert(list, accounts);
            }
            Delta::Dropped { tag } => {
                for node in Node::ALL {
                    self.lists.remove(&ListId { tag, node });
                }
            }
        }
    }

    /// Appends copies of `fan` to `out` from `cursor` on, until all are written or `out` holds `bytes_max`.
    ///
    /// Returns whether all are written. An account's copies are never divided.
    pub fn write(&self, fan: &Fan, cursor: &mut Cursor, bytes_max: usize, out: &mut Vec<u8>) -> bool {
        let one;
        let (accounts, except): (&[AccountNo], _) = match &fan.audience {
            Audience::List(list, except) => (self.lists.get(list).map_or(&[], Vec::as_slice), *except),
            Audience::One(no) => {
                one = [*no];
                (&one, None)
            }
        };
        let (before_end, end) = match fan.tail.as_bytes().strip_suffix(END) {
            Some(before) if fan.groupchat => (before, END),
            _ => (fan.tail.as_bytes(), &[][..]),
        };
        while let Some(&no) = accounts.get(cursor.accounts) {
            if out.len() >= bytes_max {
                return false;
            }
            cursor.accounts += 1;
            let Some(entry) = self.entries.get(no as usize).filter(|_| except != Some(no)) else { continue };
            for address in &entry.addresses {
                out.extend_from_slice(fan.head.as_bytes());
                out.extend_from_slice(b" to='");
                out.extend_from_slice(address.as_bytes());
                out.extend_from_slice(b"'");
                out.extend_from_slice(before_end);
                if entry.marked && !end.is_empty() {
                    out.extend_from_slice(MARKER);
                }
                out.extend_from_slice(end);
                cursor.copies += 1;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: ListId = ListId { tag: 7, node: Node::Messages };

    fn book(accounts: &[(&[&str], bool)]) -> AddressBook {
        let mut book = AddressBook::default();
        for (no, (addresses, marked)) in accounts.iter().enumerate() {
            let entry = Entry { addresses: addresses.iter().map(|&a| a.to_owned()).collect(), marked: *marked };
            book.apply(Delta::Account { no: no as u32, entry });
            book.apply(Delta::Subscribed(LIST, no as u32));
        }
        book
    }

    fn fan(audience: Audience) -> Fan {
        let (head, tail) = ("<message from='c@m'".to_owned(), "><body>x</body></message>".to_owned());
        Fan { audience, head, tail, groupchat: true }
    }

    fn text(book: &AddressBook, fan: &Fan) -> String {
        let mut out = Vec::new();
        assert!(book.write(fan, &mut Cursor::default(), usize::MAX, &mut out));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_address_gets_a_copy_and_marked_accounts_get_the_marker() {
        let book = book(&[(&["a@h/1", "a@h/2"], false), (&[], false), (&["b@h"], true)]);
        assert_eq!(
            text(&book, &fan(Audience::List(LIST, None))),
            "<message from='c@m' to='a@h/1'><body>x</body></message>\
             <message from='c@m' to='a@h/2'><body>x</body></message>\
             <message from='c@m' to='b@h'><body>x</body><mix xmlns=''/></message>"
        );
        assert!(!text(&book, &fan(Audience::List(LIST, Some(0)))).contains("a@h"));
        assert!(text(&book, &fan(Audience::One(2))).contains("b@h"));
    }

    #[test]
    fn a_fan_out_goes_on_where_it_was_cut() {
        let book = book(&[(&["a@h"], false), (&["b@h"], false), (&["c@h"], false)]);
        let (fan, mut cursor, mut all) = (fan(Audience::List(LIST, None)), Cursor::default(), Vec::new());
        let mut blocks = 0;
        loop {
            let mut block = Vec::new();
            let done = book.write(&fan, &mut cursor, 1, &mut block);
            all.extend(block);
            blocks += 1;
            if done {
                break;
            }
        }
        assert_eq!((blocks, cursor.copies), (3, 3));
        assert_eq!(String::from_utf8(all).unwrap(), text(&book, &fan));
    }

    #[test]
    fn who_is_dropped_or_unsubscribed_gets_nothing() {
        let mut book = book(&[(&["a@h"], false), (&["b@h"], false)]);
        book.apply(Delta::Unsubscribed(LIST, 0));
        assert!(!text(&book, &fan(Audience::List(LIST, None))).contains("a@h"));
        book.apply(Delta::Dropped { tag: 7 });
        assert_eq!(text(&book, &fan(Audience::List(LIST, None))), "");
    }
}
