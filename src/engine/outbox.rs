//! What a turn sends: whole stanzas, fan-outs, and what the address book has to learn between them.
//!
//! The order is the order in which things go to the link.

use crate::channel::Node;

/// The number of an account in the address book.
pub type AccountNo = u32;

/// Who subscribes to one node of one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListId {
    /// The channel's tag.
    pub tag: u64,
    /// The node.
    pub node: Node,
}

/// One thing to send, or to know before what follows is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// A whole stanza.
    Stanza(String),
    /// One stanza for many.
    Fan(Fan),
    /// A change of the address book.
    Book(Delta),
}

/// For whom a fan-out is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody on a list, but for one account.
    List(ListId, Option<AccountNo>),
    /// Every address of one account.
    One(AccountNo),
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
}

/// What the address book has to learn.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Where an account is reached; no addresses: nowhere.
    Account {
        /// The account.
        no: AccountNo,
        /// Its addresses.
        entry: Entry,
    },
    /// An account subscribed.
    Subscribed(ListId, AccountNo),
    /// An account unsubscribed.
    Unsubscribed(ListId, AccountNo),
    /// Everybody on a list, as it is when the channel comes into memory.
    Filled(ListId, Vec<AccountNo>),
    /// All lists of a channel are gone: it was destroyed, or left memory.
    Dropped {
        /// The channel's tag.
        tag: u64,
    },
}

/// Where an account is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The addresses, escaped for an attribute.
    pub addresses: Vec<String>,
    /// Whether a groupchat message needs a child `<mix xmlns=''/>` to get past the home server (hosts.md, C.1).
    pub marked: bool,
}
