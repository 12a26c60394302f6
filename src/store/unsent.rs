//! Parcels: what was committed and the host server is not yet known to have. A parcel is stored in the same batch as
//! the rows that it is about, and dropped once the host server has it. A start sends what is left.

use super::databases::{Databases, Order, Space};
use super::keyspace;
use super::{StoreError, pieces};
use crate::channel::whom::Whom;
use crate::channel::{ChannelName, Guest, Member, Node, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// A parcel: what one turn sends of what it commits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// Its number; later turns have higher ones.
    pub number: u64,
    /// The time of the turn.
    pub stamp: Stamp,
    /// What is sent, in order.
    pub parts: Vec<Part>,
}

impl Unsent {
    /// The tags of the channels whose end it tells.
    pub fn ended(&self) -> impl Iterator<Item = u64> {
        self.parts.iter().filter_map(|part| match part {
            Part::Farewell { tag, .. } => Some(*tag),
            _ => None,
        })
    }

    /// The parcel without its rows.
    pub fn without_rows(mut self) -> Unsent {
        self.parts.retain(|part| !matches!(part, Part::Row { .. }));
        self
    }
}

/// One thing to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// A row, for everybody whom it concerns. It is rendered again from the archive.
    Row {
        /// The channel.
        name: ChannelName,
        /// Its tag.
        tag: u64,
        /// The row.
        row: u64,
    },
    /// A stanza for all subscribers of a node, as it was rendered.
    List {
        /// The channel.
        name: ChannelName,
        /// Its tag.
        tag: u64,
        /// The node.
        node: Node,
        /// Who is left out.
        except: Option<BareJid>,
        /// The stanza.
        stanza: Halves,
    },
    /// A stanza for every address of these accounts.
    Accounts {
        /// The accounts.
        accounts: Vec<BareJid>,
        /// The stanza.
        stanza: Halves,
    },
    /// A complete stanza.
    Stanza(String),
    /// A stanza for the bare JID of each of these accounts.
    Mail {
        /// The accounts.
        accounts: Vec<BareJid>,
        /// The stanza.
        stanza: Halves,
    },
    /// A stanza about the end of a channel. The channel's people are kept until this is dropped.
    Farewell {
        /// The tag of the channel.
        tag: u64,
        /// Whom it is for.
        whom: Whom,
        /// The stanza.
        stanza: Halves,
    },
}

/// A stanza without its `to`, in two halves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halves {
    /// What precedes the `to`.
    pub head: String,
    /// What follows it.
    pub tail: String,
    /// Whether it is a message of type groupchat.
    pub groupchat: bool,
}

/// The parcels in a space, oldest first: the key of each, and how many pieces follow it.
pub(super) fn numbers(dbs: &impl Databases, space: Space) -> Result<Vec<(u64, u16)>, StoreError> {
    let mut numbers = Vec::new();
    let (from, to) = (keyspace::unsent(0), keyspace::behind(&keyspace::all(b'u')));
    dbs.scan(space, &from, &to, Order::Rising, &mut |key, entry| {
        numbers.push((keyspace::number_of(key)?, pieces::count_of(entry)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(numbers)
}

/// The people of a destroyed channel whom `whom` means: participants in the order of their ids, then guests.
pub(super) fn remains(dbs: &impl Databases, tag: u64, whom: &Whom) -> Result<Vec<BareJid>, StoreError> {
    let mut people = Vec::new();
    let (members, guests) = (keyspace::members(tag), keyspace::guests(tag));
    dbs.scan(Space::State, &members, &keyspace::behind(&members), Order::Rising, &mut |key, entry| {
        let member: Member = dbs.whole(Space::State, key, entry)?;
        people.extend(Some(member).filter(|member| whom.has_member(member)).map(|member| member.jid));
        Ok(ControlFlow::Continue(()))
    })?;
    dbs.scan(Space::State, &guests, &keyspace::behind(&guests), Order::Rising, &mut |key, entry| {
        let guest: Guest = dbs.whole(Space::State, key, entry)?;
        people.extend(Some(guest).filter(|guest| whom.has_guest(guest)).map(|guest| guest.jid));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(people)
}

/// The parcels in a space, oldest first.
pub(super) fn read(dbs: &impl Databases, space: Space) -> Result<Vec<Unsent>, StoreError> {
    dbs.values(space, &keyspace::all(b'u'), usize::MAX)
}
