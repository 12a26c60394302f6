//! What was committed and is not known to have reached the host server: kept beside the rows, in the same batch, and
//! dropped once the host server is known to have it. A start sends what is left.

use super::databases::{Databases, Order, Space};
use super::keyspace;
use super::{StoreError, pieces};
use crate::channel::whom::Whom;
use crate::channel::{ChannelName, Guest, Member, Node, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// What one turn sends of what it commits.
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
    /// The tags of the channels of whose end it tells.
    pub fn ended(&self) -> impl Iterator<Item = u64> {
        self.parts.iter().filter_map(|part| match part {
            Part::Farewell { tag, .. } => Some(*tag),
            _ => None,
        })
    }

    /// The same without its rows.
    pub fn without_rows(mut self) -> Unsent {
        self.parts.retain(|part| !matches!(part, Part::Row { .. }));
        self
    }
}

/// One thing to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// A row, to everybody whom it concerns; it is rendered anew from the archive.
    Row {
        /// The channel.
        name: ChannelName,
        /// Its tag.
        tag: u64,
        /// The row.
        row: u64,
    },
    /// A stanza for all who subscribe to a node, as it was rendered.
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
    /// A whole stanza.
    Stanza(String),
    /// A stanza for the bare JID of each of these accounts.
    Mail {
        /// The accounts.
        accounts: Vec<BareJid>,
        /// The stanza.
        stanza: Halves,
    },
    /// A stanza about the end of a channel. Who its people were is kept until this is dropped.
    Farewell {
        /// The tag of the channel.
        tag: u64,
        /// For whom it is.
        whom: Whom,
        /// The stanza.
        stanza: Halves,
    },
}

/// A stanza with a hole where `to` goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halves {
    /// What is before the hole.
    pub head: String,
    /// What is behind it.
    pub tail: String,
    /// Whether it is a message of type groupchat.
    pub groupchat: bool,
}

/// The keys of what is unsent in a space, with the number of each and how many pieces follow it, oldest first.
pub(super) fn numbers(dbs: &impl Databases, space: Space) -> Result<Vec<(u64, u16)>, StoreError> {
    let mut numbers = Vec::new();
    let (from, to) = (keyspace::unsent(0), keyspace::behind(&keyspace::all(b'u')));
    dbs.scan(space, &from, &to, Order::Rising, &mut |key, entry| {
        numbers.push((keyspace::number_of(key)?, pieces::count_of(entry)?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(numbers)
}

/// Who is meant of a channel that is no more: participants in the order of their ids, then guests.
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

/// What is unsent in a space, oldest first.
pub(super) fn read(dbs: &impl Databases, space: Space) -> Result<Vec<Unsent>, StoreError> {
    dbs.values(space, &keyspace::all(b'u'), usize::MAX)
}
