//! A channel: who is in it, what its nodes hold, where its archive stands.
//!
//! Pure: [`Channel::decide`] says what a command leads to, [`Channel::apply`] makes it so and cannot fail. No XML, no
//! clock, no I/O. A channel in memory is a cache of the store; applying the same changes to both gives the same.

pub mod change;
pub mod command;
mod decide;
pub mod dedup;
pub mod limits;
pub mod message;
pub mod names;
pub mod node;
pub mod participant;
pub mod permission;
pub mod refusal;
pub mod stamp;

pub use change::{Change, Head, Profile};
pub use command::{Actor, Answer, Command, Context, Decision};
pub use dedup::Recent;
pub use limits::Limits;
pub use message::{Message, Row};
pub use names::{ChannelName, Nick, ParticipantId};
pub use node::{Item, Node, NodeSet};
pub use participant::{Member, Status};
pub use permission::{Action, Role};
pub use refusal::Refusal;
pub use stamp::Stamp;

use jid::BareJid;
use std::collections::HashMap;

/// One channel in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    name: ChannelName,
    profile: Profile,
    members: HashMap<BareJid, Member>,
    nicks: HashMap<String, BareJid>,
    ids: HashMap<ParticipantId, BareJid>,
    info: Item,
    head: Head,
    recent: Recent,
    joined: usize,
    bytes: usize,
}

impl Channel {
    /// A channel as it is right after its creation.
    pub fn create(name: ChannelName, profile: Profile, info: Item) -> Channel {
        let bytes = 512 + info.payload.len();
        Channel {
            name,
            profile,
            members: HashMap::new(),
            nicks: HashMap::new(),
            ids: HashMap::new(),
            info,
            head: Head::default(),
            recent: Recent::default(),
            joined: 0,
            bytes,
        }
    }

    /// A channel as the store kept it: its members, the end of its archive, and the newest rows, oldest first.
    pub fn restore(
        name: ChannelName,
        profile: Profile,
        info: Item,
        members: impl IntoIterator<Item = Member>,
        head: Head,
        newest: &[Row],
    ) -> Channel {
        let mut channel = Channel::create(name, profile, info);
        for member in members {
            channel.set_member(member);
        }
        channel.head = head;
        for row in newest {
            channel.recent.note(row);
        }
        channel
    }

    /// The localpart of its address.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// What was settled at its creation.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The item of the information node.
    pub fn info(&self) -> &Item {
        &self.info
    }

    /// Where the archive stands.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The record of an account that is or was in the channel.
    pub fn member(&self, account: &BareJid) -> Option<&Member> {
        self.members.get(account)
    }

    /// The record of an account that is in the channel.
    pub fn participant(&self, account: &BareJid) -> Option<&Member> {
        self.member(account).filter(|member| member.is_joined())
    }

    /// Everybody who is in the channel, in no order.
    pub fn participants(&self) -> impl Iterator<Item = &Member> {
        self.members.values().filter(|member| member.is_joined())
    }

    /// Every record, of those in the channel and of those who left.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// How many are in the channel.
    pub fn participant_count(&self) -> usize {
        self.joined
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes + self.recent.bytes()
    }

    /// The record that a participant id stands for.
    pub fn member_of(&self, id: &ParticipantId) -> Option<&Member> {
        self.ids.get(id).and_then(|jid| self.members.get(jid))
    }

    /// Whom a nick belongs to, compared as RFC 8266 says.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.nicks.get(nick.key())
    }

    /// Makes a decided change so. Destroying is the engine's: it drops the channel.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Created { .. } | Change::Destroyed | Change::Relayed(_) => {}
            Change::Joined(member) | Change::Left(member) | Change::Renamed(member) | Change::Subscribed(member) => {
                self.set_member(member.clone());
            }
            Change::Published(row) => {
                self.head = Head { row: row.number, ordinal: row.ordinal, stamp: row.stamp };
                self.recent.note(row);
            }
            Change::ItemSet { node: Node::Info, item } => {
                self.bytes = self.bytes + item.payload.len() - self.info.payload.len();
                self.info = item.clone();
            }
            Change::ItemSet { .. } => {}
        }
    }

    fn set_member(&mut self, member: Member) {
        if let Some(old) = self.members.get(&member.jid) {
            self.joined -= usize::from(old.is_joined());
            if self.nicks.get(old.nick.key()) == Some(&member.jid) {
                self.nicks.remove(old.nick.key());
            }
        } else {
            self.bytes += 384 + 3 * member.jid.as_str().len();
            self.ids.insert(member.id.clone(), member.jid.clone());
        }
        if member.is_joined() {
            self.joined += 1;
            self.nicks.insert(member.nick.key().to_owned(), member.jid.clone());
        }
        self.members.insert(member.jid.clone(), member);
    }
}
