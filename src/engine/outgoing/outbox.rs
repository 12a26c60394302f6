//! The outbox of a turn: stanzas, fan-outs, and changes of the address book, in the order in which they go to the link.

use crate::channel::{ParticipantId, Stamp};
use crate::xep::List;
use jid::BareJid;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The number of an entry of the address book: an account as a participant, an account as a guest, or a single address.
///
/// A freed number is reused with the next generation. So a fan-out in progress never reaches the number's next owner.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryNo {
    place: u32,
    generation: u32,
}

impl EntryNo {
    /// No entry. No place is that high.
    pub const NOBODY: EntryNo = EntryNo { place: u32::MAX, generation: 0 };

    /// The first number at a place.
    pub fn first(place: u32) -> EntryNo {
        EntryNo { place, generation: 0 }
    }

    /// The next number at the same place.
    pub fn next(self) -> EntryNo {
        EntryNo { place: self.place, generation: self.generation.wrapping_add(1) }
    }

    /// The place, as an index.
    pub fn place(self) -> usize {
        self.place as usize
    }
}

impl fmt::Debug for EntryNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.place, self.generation)
    }
}

/// What a list is in the order of: since when each entry is on it, and behind that what says nothing of who it is. All of it
/// outlasts the list, so the order is the same whether a channel stayed in memory or came back into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u64, u64);

impl Rank {
    /// That of a participant: people who came at one time are in the order of their ids.
    pub fn of(since: Stamp, id: &ParticipantId) -> Rank {
        Rank(since.0, beginning(id.as_str().as_bytes()))
    }

    /// That of a guest.
    pub fn of_guest(since: Stamp, account: &BareJid) -> Rank {
        Rank(since.0, beginning(&Sha256::digest(account.as_str())))
    }

    /// That of a client in a room, by the moment of the room at which it came.
    pub fn at(moment: u64) -> Rank {
        Rank(moment, 0)
    }
}

fn beginning(bytes: &[u8]) -> u64 {
    let (first, _) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*first)
}

/// An entry of a list, with its place there.
pub type Placed = (Rank, EntryNo);

/// The number of a home server whose multicast service is used, or may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HomeNo(u8);

impl HomeNo {
    /// The most home servers with a number.
    pub const COUNT: usize = 64;

    /// The number of a place, if it is below [`HomeNo::COUNT`].
    pub fn new(place: usize) -> Option<HomeNo> {
        u8::try_from(place).ok().filter(|_| place < HomeNo::COUNT).map(HomeNo)
    }

    /// The place, as an index.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    /// Its bit in a set.
    pub fn bit(self) -> u64 {
        1 << self.0
    }
}

/// XEP-0033: a service that takes one stanza for many recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MulticastService {
    /// Its domain.
    pub to: String,
    /// The most addresses in one message.
    pub addresses_max: usize,
    /// The most addresses in one presence. `None`: it takes no presence.
    pub presence_max: Option<usize>,
    /// Whether it takes the addresses as one text (`ns::MIXD_LIST`), which it reads in less time than elements.
    pub as_text: bool,
}

impl MulticastService {
    /// The most addresses in one stanza of a fan-out. `None`: it takes none.
    pub fn addresses_max_of(&self, fan: &Fan) -> Option<usize> {
        if fan.presence { self.presence_max } else { Some(self.addresses_max) }
    }
}

/// A list of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListId {
    /// The channel's tag.
    pub tag: u64,
    /// Which of its lists.
    pub list: List,
}

/// Something to send, or a change of the address book for what follows.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// A whole stanza.
    Stanza(String),
    /// A whole presence. It counts as delivered even if its turn's commit is refused, because presence is not stored.
    Presence(String),
    /// A whole stanza from the service itself about a channel, kept in order with what that channel sends.
    About {
        /// The channel's address.
        channel: String,
        /// The stanza.
        text: String,
    },
    /// A query of the service. After a lost link it is sent again only if it still matters.
    Question(String),
    /// A fan-out.
    Fan(Fan),
    /// A change of the address book.
    Book(Delta),
}

/// The recipients of a fan-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All entries of a list, except one.
    List(ListId, Option<EntryNo>),
    /// One entry, at all of its addresses.
    One(EntryNo),
    /// These entries, at all of their addresses.
    These(Arc<Vec<EntryNo>>),
}

impl Audience {
    /// These entries.
    pub fn these(numbers: impl IntoIterator<Item = EntryNo>) -> Audience {
        Audience::These(Arc::new(numbers.into_iter().collect()))
    }

    /// The tag of the list's channel.
    pub fn tag(&self) -> Option<u64> {
        match self {
            Audience::List(list, _) => Some(list.tag),
            Audience::One(_) | Audience::These(_) => None,
        }
    }
}

/// What happens to a sent stanza if the link is lost before the host server is known to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// It is dropped.
    Fleeting,
    /// It is a row of an archive: it is sent again, unless the link was down so long that clients fetch it by MAM.
    Row,
    /// It is sent again.
    Kept,
}

/// A stanza that is rendered once, without `to`: `head` + ` to='…'` + `tail`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// Its recipients.
    pub audience: Audience,
    /// From `<message` to the last attribute.
    pub head: String,
    /// From the end of the attributes to the end tag.
    pub tail: String,
    /// Whether it is a groupchat message, for which ejabberd's own PAM needs a marker.
    pub groupchat: bool,
    /// Whether it is presence, as in [`Out::Presence`].
    pub presence: bool,
    /// Whether it says what a commit decides: it is not sent if that is refused, even as presence.
    pub decided: bool,
    /// What happens to it if the link is lost.
    pub lasting: Lasting,
    /// The account that it is charged to, if any.
    pub charge: Option<Charge>,
}

/// Outbound bytes of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The sender.
    pub account: BareJid,
    /// About how many bytes, with all copies.
    pub bytes: usize,
}

/// A change of the address book.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Sets where an entry is reached. Without addresses, nowhere.
    Entry {
        /// The number.
        no: EntryNo,
        /// The addresses.
        entry: BookEntry,
    },
    /// Adds an entry to a list.
    Added(ListId, Placed),
    /// Removes an entry from a list. It has the rank that it was added with.
    Removed(ListId, Placed),
    /// Sets a whole list, when its channel comes into memory. The entries are in order.
    Filled(ListId, Vec<Placed>),
    /// Sets the multicast service of a home server. `None`: there is none to use.
    Multicast {
        /// The home server.
        home: HomeNo,
        /// Its service.
        service: Option<MulticastService>,
    },
    /// Removes all lists of a channel that was destroyed or left memory.
    Dropped {
        /// The channel's tag.
        tag: u64,
    },
}

impl Delta {
    /// The tag of the channel whose lists it changes.
    pub fn tag(&self) -> Option<u64> {
        match self {
            Delta::Added(list, _) | Delta::Removed(list, _) | Delta::Filled(list, _) => Some(list.tag),
            Delta::Dropped { tag } => Some(*tag),
            Delta::Entry { .. } | Delta::Multicast { .. } => None,
        }
    }
}

/// Where an entry is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookEntry {
    /// The addresses.
    pub reached: Reached,
    /// Whether groupchat messages need the child `<mix xmlns=''/>` to pass the home server (hosts.md, C.1).
    pub marked: bool,
    /// The home server, if it may take one stanza for many recipients.
    pub home: Option<HomeNo>,
}

/// Addresses, escaped for an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// One address for everything: a client, or an account's bare JID.
    Address(Arc<str>),
    /// An account with several addresses or none, or with other ones in some channels.
    Account {
        /// The addresses in most channels.
        addresses: Vec<Arc<str>>,
        /// The addresses in channels where it is paused, by tag. The strings are shared.
        apart: Option<Box<Elsewhere>>,
    },
}

/// Addresses in some channels, by the channels' tags.
pub type Elsewhere = BTreeMap<u64, Vec<Arc<str>>>;

impl Default for Reached {
    /// No address.
    fn default() -> Reached {
        Reached::Account { addresses: Vec::new(), apart: None }
    }
}

impl Reached {
    /// These addresses, and others in some channels.
    pub fn new(addresses: Vec<Arc<str>>, apart: Option<Box<Elsewhere>>) -> Reached {
        if let ([address], None) = (&addresses[..], &apart) {
            return Reached::Address(address.clone());
        }
        Reached::Account { addresses, apart }
    }

    /// The addresses in a channel, by its tag. `None`: those in most channels.
    pub fn addresses_in(&self, tag: Option<u64>) -> &[Arc<str>] {
        match self {
            Reached::Address(address) => std::slice::from_ref(address),
            Reached::Account { addresses, apart } => {
                let apart = apart.as_ref().zip(tag).and_then(|(apart, tag)| apart.get(&tag));
                apart.unwrap_or(addresses)
            }
        }
    }

    /// Whether it has no address, except in some channels.
    pub fn is_nowhere(&self) -> bool {
        self.addresses_in(None).is_empty()
    }

    /// All addresses, to estimate their size.
    pub fn all(&self) -> impl Iterator<Item = &Arc<str>> {
        let apart = match self {
            Reached::Address(_) => None,
            Reached::Account { apart, .. } => apart.as_ref(),
        };
        self.addresses_in(None).iter().chain(apart.into_iter().flat_map(|apart| apart.values().flatten()))
    }
}
