//! A channel: who is in it, what its nodes hold, where its archive stands.
//!
//! Pure: [`Channel::decide`] says what a command leads to, [`Channel::apply`] makes it so and cannot fail. No XML, no
//! clock, no I/O. A channel in memory is a cache of the store; applying the same changes to both gives the same.

pub mod access;
mod aggregates;
pub mod answer;
pub mod apart;
mod apply;
mod audience;
pub mod census;
pub mod change;
pub mod command;
pub mod context;
mod cost;
pub mod crowd;
mod decide;
pub mod dedup;
mod departed;
pub mod ending;
pub mod event;
pub mod group;
pub mod group_create;
pub mod guest;
mod guests;
mod holders;
pub mod invitation;
pub mod invitations;
pub mod limits;
pub mod message;
pub mod names;
pub mod node;
pub mod participant;
mod people;
pub mod permission;
pub mod preferences;
pub mod proxy;
pub mod receipts;
pub mod refusal;
pub mod registry;
pub mod roll;
mod rules;
pub mod service_command;
pub mod settings;
mod slice;
pub mod snapshot;
pub mod stamp;
mod standing;
mod states;
mod tail;
mod tallies;
mod view;
pub mod whom;

pub use access::{Access, Grants, NodeAccess};
pub use answer::{Answer, Decision};
pub use change::{Announcement, Change, Head, Profile, Rest};
pub use command::{Actor, Command, JoinWish};
pub use context::Context;
pub use dedup::Recent;
pub use ending::{AccountAnswer, AccountCommand, Ending, Newcomer};
pub use event::{Event, EventKind, MediaKind, Named, Progress, RowKind, Tombstone};
pub use group::{Configuration, Facts, GroupAnswer, GroupCommand, GroupWish};
pub use guest::Guest;
pub use holders::Holders;
pub use invitation::{Claim, Invitation, OPEN_INVITATIONS, Token};
pub use invitations::Invitations;
pub use limits::{ChannelDefaults, FeatureSwitches, GroupDefaults, GroupRights, Limits, Rank, Rate, Rates};
pub use message::{Message, Row};
pub use names::{ChannelName, Nick, ParticipantId};
pub use node::{Item, Node, NodeSet};
pub use participant::{Member, Own, Status};
pub use permission::{Action, Role, ServiceAction, ServiceRole};
pub use preferences::{JidPreference, Preferences, PreferencesPatch, Visibility};
pub use receipts::{Receipt, Report, Reported};
pub use refusal::{CommandFault, Refusal};
pub use registry::Registry;
pub use roll::Roll;
pub use service_command::{AnyCommand, ServiceCommand};
pub use settings::{History, Intervals, Membership, ReceiptPolicy, Rights, Settings, Style};
pub use snapshot::{Person, Snapshot, Somebody, Standing};
pub use stamp::Stamp;

use crate::steps::Counted;
use crowd::Crowd;
use departed::Departed;
use jid::BareJid;
use participant::Silent;
use states::States;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tail::Tail;
use tallies::Tallies;

/// What an entry of a list takes, in bytes.
const ENTRY_BYTES: usize = 128;

/// One channel in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    name: ChannelName,
    kept: Kept,
    members: HashMap<BareJid, Member>,
    nicks: HashMap<String, BareJid>,
    ids: HashMap<ParticipantId, BareJid>,
    /// Records of accounts that are no more.
    ended: HashMap<ParticipantId, Member>,
    /// All of these and the guests, in order.
    crowd: Crowd,
    /// Where the archive stood before the oldest row that there still is.
    base: Head,
    head: Head,
    /// The number of the newest row there is; 0 where there is none.
    newest: u64,
    recent: Recent,
    sent: Recent,
    tail: Tail,
    states: States,
    tallies: Tallies,
    joined: usize,
    waiting: usize,
    /// Records of those who left without a word, who left first comes first.
    silent: BTreeSet<Silent>,
    /// Those of the others who left.
    departed: Departed,
    bytes: usize,
}

/// What a channel is besides its people and its archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What was settled at its creation.
    pub profile: Profile,
    /// What may be settled anew.
    pub settings: Settings,
    /// Who has which role.
    pub rights: Rights,
    /// The item of each node that has one.
    pub items: BTreeMap<Node, Item>,
    /// Who may join; `None` where there is no such list.
    pub allowed: Option<Roll<BareJid>>,
    /// Who may not.
    pub banned: Option<Roll<BareJid>>,
    /// Who subscribes to nodes without being in it.
    pub guests: BTreeMap<BareJid, Guest>,
    /// The invitations that were given and not used.
    pub invitations: Invitations,
}

impl Channel {
    /// A channel as it is right after its creation.
    pub fn create(name: ChannelName, profile: Profile, settings: Settings, rights: Rights, info: Item) -> Channel {
        let items = BTreeMap::from([(Node::Info, info)]);
        let (guests, invitations) = (BTreeMap::new(), Invitations::default());
        let kept = Kept { profile, settings, rights, items, allowed: None, banned: None, guests, invitations };
        Channel::restore(name, kept, [], Head::default(), &[], [])
    }

    /// A channel as the store kept it: its members, the end of its archive, and the newest rows, oldest first.
    pub fn restore(
        name: ChannelName,
        kept: Kept,
        members: impl IntoIterator<Item = Member>,
        head: Head,
        newest: &[Row],
        retracted: impl IntoIterator<Item = u64>,
    ) -> Channel {
        let items: usize = kept.items.values().map(|item| item.payload.len()).sum();
        let guests: usize = kept.guests.values().map(Guest::bytes).sum();
        let invitations: usize = kept.invitations.iter().map(Invitation::bytes).sum();
        let listed = kept.allowed.iter().chain(&kept.banned).map(Roll::len).sum::<usize>();
        let mut channel = Channel {
            name,
            kept,
            members: HashMap::new(),
            nicks: HashMap::new(),
            ids: HashMap::new(),
            ended: HashMap::new(),
            crowd: Crowd::default(),
            base: Head::default(),
            head,
            newest: 0,
            recent: Recent::default(),
            sent: Recent::default(),
            tail: Tail::default(),
            states: States::default(),
            tallies: Tallies::default(),
            joined: 0,
            waiting: 0,
            silent: BTreeSet::new(),
            departed: Departed::default(),
            bytes: 1024 + items + guests + invitations + ENTRY_BYTES * listed,
        };
        channel.kept.guests.values().for_each(|guest| channel.crowd.note_guest(guest, false));
        members.into_iter().for_each(|member| channel.set_member(member));
        newest.iter().for_each(|row| channel.note(row));
        retracted.into_iter().for_each(|row| channel.tail.retract(row));
        channel
    }

    /// The same as it is where the archive does not begin with the first row.
    pub fn since(mut self, base: Head) -> Channel {
        self.expire(base);
        self
    }

    /// The localpart of its address.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// What was settled at its creation.
    pub fn profile(&self) -> &Profile {
        &self.kept.profile
    }

    /// All that was settled of it.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.kept.settings
    }

    /// Who has which role.
    pub fn rights(&self) -> &Rights {
        &self.kept.rights
    }

    /// Every invitation that was given and not used, too old ones included, in the order of invitees.
    pub fn invitations(&self) -> impl Iterator<Item = &Invitation> {
        self.kept().invitations.iter()
    }

    /// Learns what time it is by which things have ended.
    pub fn note_time(&mut self, due: Stamp) {
        self.kept.invitations.note_time(due);
    }

    /// The item of a node, where it has one.
    pub fn item(&self, node: Node) -> Option<&Item> {
        self.kept.items.get(&node)
    }

    /// The item of the information node; every channel has one from its creation on.
    pub fn info(&self) -> &Item {
        static NONE: Item = Item { id: String::new(), payload: String::new(), label: None, stamp: Stamp(0) };
        self.item(Node::Info).unwrap_or(&NONE)
    }

    /// The name that people see.
    pub fn label(&self) -> Option<&str> {
        self.info().label.as_deref()
    }

    /// What people call it: its name, or else its address as they would write it (XEP-0106).
    pub fn title(&self) -> Cow<'_, str> {
        self.label().map_or_else(|| self.name().unescaped(), Cow::Borrowed)
    }

    /// Where the archive stands: the next row has the next number.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Where the archive stood before the oldest row that there still is: older ones are gone by their age.
    pub fn base(&self) -> Head {
        self.base
    }

    /// The number of the newest row there is; 0 where there is none. A store that was restored passes over numbers, so
    /// that the next row need not be the one behind it.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The record of an account that is or was in the channel.
    pub fn member(&self, account: &BareJid) -> Option<&Member> {
        self.members.get(account)
    }

    /// The record of an account that is in the channel.
    pub fn participant(&self, account: &BareJid) -> Option<&Member> {
        self.member(account).filter(|member| member.is_joined())
    }

    /// The row that a participant names by an id of its own, among the newest: its origin id or its stanza id.
    pub fn own_row(&self, account: &BareJid, id: &str) -> Option<u64> {
        let author = &self.participant(account)?.id;
        self.recent.find(author, id).or_else(|| self.sent.find(author, id))
    }

    /// Everybody who is in the channel, in no order.
    #[expect(clippy::disallowed_methods, reason = "in any order: its callers say why that is no matter")]
    pub fn participants(&self) -> impl Iterator<Item = &Member> {
        self.members.values().counted().filter(|member| member.is_joined())
    }

    /// Every record, of those in the channel and of those who left.
    #[expect(clippy::disallowed_methods, reason = "in any order: its callers say why that is no matter")]
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().chain(self.ended.values()).counted()
    }

    /// How many are in the channel.
    pub fn participant_count(&self) -> usize {
        self.joined
    }

    /// How many were added and have not joined yet.
    pub fn waiting_count(&self) -> usize {
        self.waiting
    }

    /// How many records of people there are, of those who left, too.
    pub fn people_count(&self) -> usize {
        self.members.len() + self.ended.len()
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes + self.recent.bytes() + self.sent.bytes() + self.tail.bytes() + self.tallies.bytes()
    }

    /// The record that a participant id stands for.
    pub fn member_of(&self, id: &ParticipantId) -> Option<&Member> {
        let live = self.ids.get(id).and_then(|jid| self.members.get(jid)).filter(|member| member.id == *id);
        live.or_else(|| self.ended.get(id))
    }

    /// Whom a nick belongs to, compared as RFC 8266 says.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.nicks.get(nick.key())
    }
}
