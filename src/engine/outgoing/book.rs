//! The address book: turns a fan-out into the stanzas that cross the link.
//!
//! The writer of the link owns it, and only [`Delta`]s change it, so a turn costs the same for ten recipients and for
//! ten thousand. The recipients of a fan-out are fixed when it begins. Later changes affect where they are reached, but
//! not who they are.

mod expand;
mod list;

use super::outbox::{Audience, BookEntry, Delta, EntryNo, Fan, HomeNo, ListId, MulticastService};
pub use expand::Cursor;
use list::{ChannelLists, Listed};
use std::collections::HashMap;
use std::sync::Arc;

/// The lists of channels, and the addresses of the entries on them.
#[derive(Clone, Debug, Default)]
pub struct AddressBook {
    /// By the channels' tags.
    lists: HashMap<u64, ChannelLists>,
    /// By the place of the number, with the number that it has now.
    entries: Vec<(EntryNo, BookEntry)>,
    /// By the place of the home server.
    multicast: Vec<Option<ServiceState>>,
    /// Whether the set of services changed since [`AddressBook::take_services`].
    untold: bool,
}

/// The recipients of a fan-out, fixed when it begins.
#[derive(Clone, Debug)]
pub struct Recipients {
    numbers: Numbers,
    except: Option<EntryNo>,
    /// The channel's tag, for a list of a channel.
    tag: Option<u64>,
    /// The home servers whose accounts share a stanza, as bits.
    lists: u64,
}

#[derive(Clone, Debug)]
enum Numbers {
    List(Arc<Vec<EntryNo>>),
    One(EntryNo),
}

impl Recipients {
    /// About how many entries.
    pub fn count(&self) -> usize {
        self.numbers().len()
    }

    /// The home servers whose accounts share a stanza, as bits.
    pub fn lists(&self) -> u64 {
        self.lists
    }

    fn numbers(&self) -> &[EntryNo] {
        match &self.numbers {
            Numbers::List(numbers) => numbers,
            Numbers::One(no) => std::slice::from_ref(no),
        }
    }
}

/// A multicast service, and whether it is used. It is kept when no longer used, to wait for what it was sent.
#[derive(Clone, Debug)]
struct ServiceState {
    service: MulticastService,
    up: bool,
}

impl AddressBook {
    /// Applies a change.
    pub fn apply(&mut self, delta: Delta) {
        match delta {
            Delta::Entry { no, entry } => {
                if no.place() >= self.entries.len() {
                    self.entries.resize_with(no.place() + 1, Default::default);
                }
                self.entries[no.place()] = (no, entry);
            }
            Delta::Added(ListId { tag, list }, it) => self.lists.entry(tag).or_default().of(list).insert(it),
            Delta::Removed(ListId { tag, list }, it) => {
                if let Some(lists) = self.lists.get_mut(&tag) {
                    lists.of(list).remove(it);
                }
            }
            Delta::Filled(ListId { tag, list }, entries) => {
                *self.lists.entry(tag).or_default().of(list) = Listed::of(entries);
            }
            Delta::Multicast { home, service } => self.learn_multicast(home, service),
            Delta::Dropped { tag } => drop(self.lists.remove(&tag)),
        }
    }

    fn learn_multicast(&mut self, home: HomeNo, service: Option<MulticastService>) {
        if home.place() >= self.multicast.len() {
            self.multicast.resize_with(home.place() + 1, Default::default);
        }
        self.untold |= service.is_some();
        let known = &mut self.multicast[home.place()];
        match (service, known.as_mut()) {
            (Some(service), _) => *known = Some(ServiceState { service, up: true }),
            (None, Some(multicast)) => multicast.up = false,
            (None, None) => {}
        }
    }

    /// The recipients of a fan-out that begins now.
    pub fn recipients(&self, fan: &Fan) -> Recipients {
        let audience = &fan.audience;
        let (numbers, except) = match audience {
            Audience::List(ListId { tag, list }, except) => {
                let lists = self.lists.get(tag);
                (Numbers::List(lists.map(|lists| lists.share(*list)).unwrap_or_default()), *except)
            }
            Audience::One(no) => (Numbers::One(*no), None),
            Audience::These(numbers) => (Numbers::List(numbers.clone()), None),
        };
        Recipients { numbers, except, tag: audience.tag(), lists: self.lists_of(fan) }
    }

    /// The home servers whose services take a fan-out, as bits.
    fn lists_of(&self, fan: &Fan) -> u64 {
        self.bits(|multicast| multicast.up && multicast.service.addresses_max_of(fan).is_some())
    }

    /// Stops using the multicast service at a domain. Returns its home servers as bits, used or not.
    pub fn stop_multicast(&mut self, at: &str) -> u64 {
        for multicast in self.multicast.iter_mut().flatten().filter(|multicast| multicast.service.to == at) {
            multicast.up = false;
        }
        self.bits(|multicast| multicast.service.to == at)
    }

    /// The domains of all multicast services, used or not, if any is new.
    pub fn take_services(&mut self) -> Option<Vec<String>> {
        let all = || self.multicast.iter().flatten().map(|multicast| multicast.service.to.clone()).collect();
        std::mem::take(&mut self.untold).then(all)
    }

    /// The domain of a home server's multicast service, used or not.
    pub fn multicast_of(&self, home: HomeNo) -> Option<&str> {
        Some(&self.multicast.get(home.place())?.as_ref()?.service.to)
    }

    /// The multicast service in use for a home server.
    fn service(&self, home: HomeNo) -> Option<&MulticastService> {
        self.multicast.get(home.place())?.as_ref().filter(|multicast| multicast.up).map(|multicast| &multicast.service)
    }

    fn bits(&self, wanted: impl Fn(&ServiceState) -> bool) -> u64 {
        let homes = self.multicast.iter().enumerate().filter(|(_, multicast)| multicast.as_ref().is_some_and(&wanted));
        homes.filter_map(|(place, _)| HomeNo::new(place)).fold(0, |bits, home| bits | home.bit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Node;
    use crate::engine::outgoing::outbox::{Fan, Lasting, Rank, Reached};
    use crate::xep::List;

    const LIST: ListId = ListId { tag: 7, list: List::Node(Node::Messages) };

    fn book(accounts: &[(&[&str], bool)]) -> AddressBook {
        let mut book = AddressBook::default();
        for (place, (addresses, marked)) in accounts.iter().enumerate() {
            let no = EntryNo::first(place as u32);
            let reached = Reached::new(addresses.iter().map(|&a| a.into()).collect(), None);
            let entry = BookEntry { reached, marked: *marked, home: None };
            book.apply(Delta::Entry { no, entry });
            book.apply(Delta::Added(LIST, (Rank::at(0), no)));
        }
        book
    }

    fn entry(address: &str) -> BookEntry {
        BookEntry { reached: Reached::Address(address.into()), marked: false, home: None }
    }

    fn fan(audience: Audience) -> Fan {
        let (head, tail) = ("<message from='c@m'".to_owned(), "><body>x</body></message>".to_owned());
        Fan {
            audience,
            head,
            tail,
            groupchat: true,
            presence: false,
            decided: false,
            lasting: Lasting::Row,
            charge: None,
        }
    }

    fn text(book: &AddressBook, fan: &Fan) -> String {
        text_for(book, fan, &book.recipients(fan))
    }

    fn text_for(book: &AddressBook, fan: &Fan, recipients: &Recipients) -> String {
        let mut out = Vec::new();
        assert!(book.write(fan, recipients, &mut Cursor::default(), usize::MAX, &mut out));
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
        assert!(!text(&book, &fan(Audience::List(LIST, Some(EntryNo::first(0))))).contains("a@h"));
        assert!(text(&book, &fan(Audience::One(EntryNo::first(2)))).contains("b@h"));
    }

    #[test]
    fn a_list_holds_single_addresses_beside_accounts() {
        let mut book = book(&[(&["a@h/1", "a@h/2"], false)]);
        let (single, account) = (EntryNo::first(1), EntryNo::first(2));
        book.apply(Delta::Entry { no: single, entry: entry("s@far/phone") });
        let apart = Some(Box::new([(7, vec!["b@h/2".into()])].into()));
        let reached = Reached::new(vec!["b@h/1".into()], apart);
        book.apply(Delta::Entry { no: account, entry: BookEntry { reached, marked: false, home: None } });
        [single, account].into_iter().for_each(|no| book.apply(Delta::Added(LIST, (Rank::at(0), no))));
        let to = |audience| {
            let text = text(&book, &fan(audience));
            text.split(" to='").skip(1).map(|rest| rest.split('\'').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        // A pause of an account in a channel affects this account only.
        assert_eq!(to(Audience::List(LIST, None)), ["a@h/1", "a@h/2", "s@far/phone", "b@h/2"]);
        assert_eq!(to(Audience::List(LIST, Some(single))), ["a@h/1", "a@h/2", "b@h/2"]);
        assert_eq!(
            (to(Audience::One(single)), to(Audience::One(account))),
            (vec!["s@far/phone".into()], vec!["b@h/1".into()])
        );
        book.apply(Delta::Entry { no: single, entry: BookEntry::default() });
        assert_eq!(text(&book, &fan(Audience::One(single))), "");
    }

    #[test]
    fn a_fan_out_goes_on_where_it_was_cut() {
        let book = book(&[(&["a@h"], false), (&["b@h"], false), (&["c@h"], false)]);
        let (fan, mut cursor, mut all) = (fan(Audience::List(LIST, None)), Cursor::default(), Vec::new());
        let recipients = book.recipients(&fan);
        let mut blocks = 0;
        loop {
            let mut block = Vec::new();
            let done = book.write(&fan, &recipients, &mut cursor, 1, &mut block);
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
        book.apply(Delta::Removed(LIST, (Rank::at(0), EntryNo::first(0))));
        assert!(!text(&book, &fan(Audience::List(LIST, None))).contains("a@h"));
        book.apply(Delta::Dropped { tag: 7 });
        assert_eq!(text(&book, &fan(Audience::List(LIST, None))), "");
    }

    #[test]
    fn all_lists_of_a_channel_are_dropped_at_once_and_those_of_others_stay() {
        let mut book = book(&[(&["a@h"], false)]);
        let no = EntryNo::first(0);
        let list = |tag, node| ListId { tag, list: List::Node(node) };
        let shown = |book: &AddressBook, list| !text(book, &fan(Audience::List(list, None))).is_empty();
        for (tag, node) in [7, 8].into_iter().flat_map(|tag| Node::ALL.map(|node| (tag, node))) {
            book.apply(Delta::Filled(list(tag, node), vec![(Rank::at(0), no)]));
            assert!(shown(&book, list(tag, node)));
        }
        book.apply(Delta::Dropped { tag: 7 });
        for node in Node::ALL {
            assert_eq!((shown(&book, list(7, node)), shown(&book, list(8, node))), (false, true), "{node:?}");
        }
    }

    #[test]
    fn who_gets_a_fan_out_is_settled_when_it_is_begun() {
        let mut book = book(&[(&["a@h"], false), (&["b@h"], false)]);
        let fan = fan(Audience::List(LIST, None));
        let begun = book.recipients(&fan);
        let (late, moved) = (EntryNo::first(2), EntryNo::first(1));
        book.apply(Delta::Entry { no: late, entry: entry("late@h") });
        book.apply(Delta::Added(LIST, (Rank::at(0), late)));
        book.apply(Delta::Removed(LIST, (Rank::at(0), EntryNo::first(0))));
        book.apply(Delta::Entry { no: moved, entry: entry("b@h/2") });
        let text = text_for(&book, &fan, &begun);
        assert!(text.contains("a@h") && text.contains("b@h/2") && !text.contains("late@h"), "{text}");
    }

    #[test]
    fn a_number_that_is_given_out_again_reaches_nobody_else() {
        let mut book = book(&[(&["a@h"], false), (&["b@h"], false)]);
        let fan = fan(Audience::List(LIST, None));
        let begun = book.recipients(&fan);
        book.apply(Delta::Entry { no: EntryNo::first(0).next(), entry: entry("stranger@h") });
        let text = text_for(&book, &fan, &begun);
        assert!(text.contains("b@h") && !text.contains("stranger@h"), "{text}");
    }
}
