//! What a turn sends: whole stanzas, fan-outs, and what the address book has to learn between them.
//!
//! The order is the order in which things go to the link.

use crate::xep::List;
use jid::BareJid;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The number of an entry of the address book: of an account, of the same one as a guest, or of an address by itself.
///
/// A number that is free again is given out as its next generation, so that a fan-out that is still under way to whoever
/// had it before reaches nobody else.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryNo {
    place: u32,
    generation: u32,
}

impl EntryNo {
    /// Nobody's: there are not so many.
    pub const NOBODY: EntryNo = EntryNo { place: u32::MAX, generation: 0 };

    /// The first number at a place.
    pub fn first(place: u32) -> EntryNo {
        EntryNo { place, generation: 0 }
    }

    /// The next number at the same place.
    pub fn next(self) -> EntryNo {
        EntryNo { place: self.place, generation: self.generation.wrapping_add(1) }
    }

    /// Where it stands in a table.
    pub fn place(self) -> usize {
        self.place as usize
    }
}

impl fmt::Debug for EntryNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.place, self.generation)
    }
}

/// The number of a home server whose multicast service is used where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HomeNo(u8);

impl HomeNo {
    /// How many there are at most.
    pub const COUNT: usize = 64;

    /// The number of a place in a table.
    pub fn new(place: usize) -> Option<HomeNo> {
        u8::try_from(place).ok().filter(|_| place < HomeNo::COUNT).map(HomeNo)
    }

    /// Where it stands in a table.
    pub fn place(self) -> usize {
        usize::from(self.0)
    }

    /// It alone, in a set of bits.
    pub fn bit(self) -> u64 {
        1 << self.0
    }
}

/// A service that takes one stanza for many recipients (XEP-0033).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MulticastService {
    /// Its domain.
    pub to: String,
    /// How many addresses one stanza may hold.
    pub addresses_max: usize,
}

/// One list of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListId {
    /// The channel's tag.
    pub tag: u64,
    /// Which of its lists.
    pub list: List,
}

/// One thing to send, or to know before what follows is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// A whole stanza.
    Stanza(String),
    /// A whole presence, which counts as told even where the commit of its turn is refused: nothing of it is stored.
    Presence(String),
    /// A whole stanza that the service says about a channel in its own name. It keeps its place among what that channel
    /// sends.
    About {
        /// The channel's address.
        channel: String,
        /// The stanza.
        text: String,
    },
    /// A question of the service's own, which is asked anew after a lost link if it still matters.
    Question(String),
    /// One stanza for many.
    Fan(Fan),
    /// A change of the address book.
    Book(Delta),
}

/// For whom a fan-out is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody on a list, but for one entry.
    List(ListId, Option<EntryNo>),
    /// Every address of one entry.
    One(EntryNo),
    /// Every address of these entries.
    These(Arc<Vec<EntryNo>>),
}

impl Audience {
    /// The channel whose list it is, by its tag.
    pub fn tag(&self) -> Option<u64> {
        match self {
            Audience::List(list, _) => Some(list.tag),
            Audience::One(_) | Audience::These(_) => None,
        }
    }
}

/// What becomes of something that was sent when the link is lost before the host server is known to have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// It is not sent again: it was of the moment.
    Fleeting,
    /// It is a row of an archive: it is sent again, unless so much time went by that whoever missed it pages for it.
    Row,
    /// It is sent again.
    Kept,
}

/// A stanza rendered once, with a hole where `to` goes: `head` + ` to='…'` + `tail`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fan {
    /// For whom.
    pub audience: Audience,
    /// From `<message` to the last attribute.
    pub head: String,
    /// From the end of the attributes to the end tag.
    pub tail: String,
    /// Whether it is a message of type groupchat, which ejabberd's own PAM delivers with a marker only.
    pub groupchat: bool,
    /// Whether it is presence, as [`Out::Presence`].
    pub presence: bool,
    /// What becomes of it when the link is lost.
    pub lasting: Lasting,
    /// Whose share of the way out it takes, where it is somebody's.
    pub charge: Option<Charge>,
}

/// What somebody has on the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Who sent it.
    pub account: BareJid,
    /// What it amounts to with all its copies, about, in bytes.
    pub bytes: usize,
}

/// What the address book has to learn.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Where whoever has a number is reached; no addresses: nowhere.
    Entry {
        /// The number.
        no: EntryNo,
        /// The addresses.
        entry: BookEntry,
    },
    /// Somebody came onto a list.
    Added(ListId, EntryNo),
    /// Somebody is on a list no longer.
    Removed(ListId, EntryNo),
    /// Everybody on a list, as it is when the channel comes into memory.
    Filled(ListId, Vec<EntryNo>),
    /// The multicast service of a home server; `None`: there is none that is to be used.
    Multicast {
        /// The home server.
        home: HomeNo,
        /// Its service.
        service: Option<MulticastService>,
    },
    /// All lists of a channel are gone: it was destroyed, or left memory.
    Dropped {
        /// The channel's tag.
        tag: u64,
    },
}

impl Delta {
    /// The channel whose lists it changes, by its tag.
    pub fn tag(&self) -> Option<u64> {
        match self {
            Delta::Added(list, _) | Delta::Removed(list, _) | Delta::Filled(list, _) => Some(list.tag),
            Delta::Dropped { tag } => Some(*tag),
            Delta::Entry { .. } | Delta::Multicast { .. } => None,
        }
    }
}

/// Where whoever has a number is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BookEntry {
    /// The addresses.
    pub reached: Reached,
    /// Whether a groupchat message needs a child `<mix xmlns=''/>` to get past the home server (hosts.md, C.1).
    pub marked: bool,
    /// The home server, where that may take one stanza for many.
    pub home: Option<HomeNo>,
}

/// Addresses, escaped for an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// One address, whatever it is sent: a client by itself, or an account at its bare JID.
    Address(Arc<str>),
    /// An account that is reached at several clients or at none, or not in all channels at the same.
    Account {
        /// For what is its own, and in most channels.
        addresses: Vec<Arc<str>>,
        /// In channels, by their tags (the same ones, shared), in which it is reached elsewhere or nowhere for a while.
        apart: Option<Box<Elsewhere>>,
    },
}

/// Addresses in some channels, by the channels' tags.
pub type Elsewhere = BTreeMap<u64, Vec<Arc<str>>>;

impl Default for Reached {
    /// Nowhere.
    fn default() -> Reached {
        Reached::Account { addresses: Vec::new(), apart: None }
    }
}

impl Reached {
    /// At these addresses, but in some channels.
    pub fn new(addresses: Vec<Arc<str>>, apart: Option<Box<Elsewhere>>) -> Reached {
        if let ([address], None) = (&addresses[..], &apart) {
            return Reached::Address(address.clone());
        }
        Reached::Account { addresses, apart }
    }

    /// The addresses in a channel, by the channel's tag; `None`: those for what is its own.
    pub fn addresses_in(&self, tag: Option<u64>) -> &[Arc<str>] {
        match self {
            Reached::Address(address) => std::slice::from_ref(address),
            Reached::Account { addresses, apart } => {
                let apart = apart.as_ref().zip(tag).and_then(|(apart, tag)| apart.get(&tag));
                apart.unwrap_or(addresses)
            }
        }
    }

    /// Whether there is no address, at least for what is its own.
    pub fn is_nowhere(&self) -> bool {
        self.addresses_in(None).is_empty()
    }

    /// All addresses, for knowing what they take.
    pub fn all(&self) -> impl Iterator<Item = &Arc<str>> {
        let apart = match self {
            Reached::Address(_) => None,
            Reached::Account { apart, .. } => apart.as_ref(),
        };
        self.addresses_in(None).iter().chain(apart.into_iter().flat_map(|apart| apart.values().flatten()))
    }
}
