//! A channel: its people, the items of its nodes, and the end of its archive.
//!
//! Pure: [`Channel::decide`] says what a command leads to, and [`Channel::apply`] does it and cannot fail. There is no
//! XML, no clock and no I/O here. A channel in memory is a cache of the store: both are the same after the same
//! changes.

pub mod access;
mod affiliated;
pub mod affiliation;
mod aggregates;
pub mod answer;
pub mod apart;
mod apply;
mod audience;
pub mod backlog;
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
pub mod gone;
pub mod group;
pub mod group_create;
pub mod guest;
mod guests;
mod holders;
pub mod invitation;
pub mod invitations;
pub mod limits;
pub mod live;
pub mod mediated;
pub mod message;

pub mod names;
pub mod node;
mod occupancy;
mod occupant;
pub mod participant;
mod people;
pub mod permission;
pub mod preferences;
pub mod proxy;
mod pulse;
pub mod receipts;
pub mod refusal;
pub mod registry;
pub mod roll;
pub mod room;
mod room_limits;
mod rules;
pub mod search;
pub mod seats;
pub mod service_command;
pub mod settings;
mod slice;
mod slow;
pub mod snapshot;
pub mod stamp;
mod standing;
mod states;
mod tail;
mod tallies;
pub mod versions;
mod view;
pub mod whom;

pub use access::{Access, Grants, NodeAccess};
pub use affiliation::{Affiliation, OccupantRole};
pub use answer::{Answer, Decision};
pub use change::{Announcement, Change, Head, Profile, Rest};
pub use command::{Actor, Command, JoinWish};
pub use context::Context;
pub(crate) use decide::check_room;
pub use dedup::Recent;
pub use ending::{AccountAnswer, AccountCommand, Ending, Newcomer};
pub use event::{Event, EventKind, MediaKind, Named, Progress, RowKind, Tombstone};
pub use gone::{AccountMark, GoneChannel};
pub use group::{Configuration, Facts, GroupAnswer, GroupCommand, GroupWish};
pub use guest::Guest;
pub use holders::Holders;
pub use invitation::{Claim, Invitation, OPEN_INVITATIONS, Token};
pub use invitations::Invitations;
pub use limits::{ChannelDefaults, FeatureSwitches, GroupDefaults, GroupRights, Limits, Rank, Rate, Rates};
pub use live::LiveState;
pub use mediated::{Invited, InviterName, RoomDecline, RoomInvitation, RoomInvitee};
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
pub use room::{Farewell, Password, PrivateMessages, RoomSettings, ShownRoles, Topic};
pub use room_limits::{RoomDefaults, RoomLimits};
pub use seats::Seats;
pub use service_command::{AnyCommand, ServiceCommand};
pub use settings::{History, Intervals, Membership, ReceiptPolicy, Rights, Settings, Style};
pub use snapshot::{Person, Snapshot, Somebody, Standing};
pub use stamp::Stamp;
pub use versions::{Lists, VersionedChange, Versions};

use crate::steps::Counted;
use crowd::Crowd;
use departed::Departed;
use jid::BareJid;
use participant::Silent;
use pulse::Pulse;
use slow::Slow;
use states::States;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tail::Tail;
use tallies::Tallies;

/// The memory of an entry of a list, in bytes.
const ENTRY_BYTES: usize = 128;

/// The memory of why somebody is on a list, in bytes.
fn reason_bytes(reason: &str) -> usize {
    ENTRY_BYTES + reason.len()
}

/// One channel in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    name: ChannelName,
    kept: Kept,
    members: HashMap<BareJid, Member>,
    nicks: HashMap<String, BareJid>,
    ids: HashMap<ParticipantId, BareJid>,
    /// Records of accounts that have ended.
    ended: HashMap<ParticipantId, Member>,
    /// The members, those who waited, and the guests, in order.
    crowd: Crowd,
    /// The end of the archive before its oldest row.
    base: Head,
    head: Head,
    /// The number of the newest row that exists. 0 where there is none.
    newest: u64,
    recent: Recent,
    sent: Recent,
    tail: Tail,
    states: States,
    slow: Slow,
    tallies: Tallies,
    pulse: Pulse,
    joined: usize,
    waiting: usize,
    /// Records of those who left and wrote nothing. Those who left first come first.
    silent: BTreeSet<Silent>,
    /// Records of the others who left.
    departed: Departed,
    bytes: usize,
}

/// The state of a channel besides its people and its archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What was settled for good at its creation.
    pub profile: Profile,
    /// What can be changed.
    pub settings: Settings,
    /// The owners and admins.
    pub rights: Rights,
    /// The items of nodes that have one.
    pub items: BTreeMap<Node, Item>,
    /// XEP-0406 §2.2: the accounts and domains that may join. `None` where there is no such list.
    pub allowed: Option<Roll<BareJid>>,
    /// XEP-0406 §2.3: the accounts and domains that may not join. `None` where there is no such list.
    pub banned: Option<Roll<BareJid>>,
    /// The guests.
    pub guests: BTreeMap<BareJid, Guest>,
    /// The open invitations.
    pub invitations: Invitations,
    /// What the room is about. `None` where nobody ever said.
    pub topic: Option<Topic>,
    /// Whether an account has voice, where that was settled for it alone.
    pub voices: BTreeMap<BareJid, bool>,
    /// Why accounts and domains are on the list of those who may not join, where somebody said.
    pub reasons: BTreeMap<BareJid, String>,
    /// XEP-0463: the newest changes of affiliations, where anybody ever asked for them.
    pub versions: Versions,
}

impl Kept {
    /// The state of a channel right after its creation, without items.
    pub fn new(profile: Profile, settings: Settings, rights: Rights) -> Kept {
        Kept {
            profile,
            settings,
            rights,
            items: BTreeMap::new(),
            allowed: None,
            banned: None,
            guests: BTreeMap::new(),
            invitations: Invitations::default(),
            topic: None,
            voices: BTreeMap::new(),
            reasons: BTreeMap::new(),
            versions: Versions::default(),
        }
    }

    /// Roughly the memory that it takes, in bytes.
    fn bytes(&self) -> usize {
        let items: usize = self.items.values().map(|item| item.payload.len()).sum();
        let guests: usize = self.guests.values().map(Guest::bytes).sum();
        let invitations: usize = self.invitations.iter().map(Invitation::bytes).sum();
        let listed = self.allowed.iter().chain(&self.banned).map(Roll::len).sum::<usize>() + self.voices.len();
        let reasons: usize = self.reasons.values().map(|reason| reason_bytes(reason)).sum();
        items
            + guests
            + invitations
            + ENTRY_BYTES * listed
            + reasons
            + self.versions.bytes()
            + self.topic.as_ref().map_or(0, Topic::bytes)
    }
}

impl Channel {
    /// A channel right after its creation.
    pub fn create(name: ChannelName, profile: Profile, settings: Settings, rights: Rights, info: Item) -> Channel {
        let items = BTreeMap::from([(Node::Info, info)]);
        let kept = Kept { items, ..Kept::new(profile, settings, rights) };
        Channel::restore(name, kept, [], Head::default(), &[], [])
    }

    /// A channel as the store has it: its members, the end of its archive, and the newest rows, oldest first.
    pub fn restore(
        name: ChannelName,
        kept: Kept,
        members: impl IntoIterator<Item = Member>,
        head: Head,
        newest: &[Row],
        retracted: impl IntoIterator<Item = u64>,
    ) -> Channel {
        let bytes = 1024 + kept.bytes();
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
            slow: Slow::default(),
            tallies: Tallies::default(),
            pulse: Pulse::default(),
            joined: 0,
            waiting: 0,
            silent: BTreeSet::new(),
            departed: Departed::default(),
            bytes,
        };
        channel.kept.guests.values().for_each(|guest| channel.crowd.note_guest(guest, false));
        members.into_iter().for_each(|member| channel.set_member(member));
        if let Some(oldest) = newest.first().filter(|_| newest.len() >= dedup::REPEATS_MAX) {
            channel.pulse.begin(oldest.stamp);
        }
        newest.iter().for_each(|row| channel.note(row));
        retracted.into_iter().for_each(|row| channel.tail.retract(row));
        channel
    }

    /// The channel with an archive that begins behind `base`.
    pub fn since(mut self, base: Head) -> Channel {
        self.expire(base);
        self
    }

    /// The localpart of its address.
    pub fn name(&self) -> &ChannelName {
        &self.name
    }

    /// What was settled for good at its creation.
    pub fn profile(&self) -> &Profile {
        &self.kept.profile
    }

    /// Its state besides its people and its archive.
    pub fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.kept.settings
    }

    /// The owners and admins.
    pub fn rights(&self) -> &Rights {
        &self.kept.rights
    }

    /// All open invitations in the order of invitees, also those that are too old.
    pub fn invitations(&self) -> impl Iterator<Item = &Invitation> {
        self.kept().invitations.iter()
    }

    /// Sets the time by which invitations end.
    pub fn note_time(&mut self, due: Stamp) {
        self.kept.invitations.note_time(due);
    }

    /// The item of a node, if it has one.
    pub fn item(&self, node: Node) -> Option<&Item> {
        self.kept.items.get(&node)
    }

    /// The item of the information node. Every channel has one from its creation.
    pub fn info(&self) -> &Item {
        static NONE: Item = Item { id: String::new(), payload: String::new(), label: None, stamp: Stamp(0) };
        self.item(Node::Info).unwrap_or(&NONE)
    }

    /// The name shown to people.
    pub fn label(&self) -> Option<&str> {
        self.info().label.as_deref()
    }

    /// The name shown to people, else the localpart with XEP-0106 undone.
    pub fn title(&self) -> Cow<'_, str> {
        self.label().map_or_else(|| self.name().unescaped(), Cow::Borrowed)
    }

    /// The end of the archive. The next row gets the next number.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The end of the archive before its oldest row. Older rows have expired.
    pub fn base(&self) -> Head {
        self.base
    }

    /// The number of the newest row that exists. 0 where there is none. After a store was restored, numbers are passed
    /// over, so the row before the next one may be missing.
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

    /// The row that its author names by its own origin id or stanza id. Only the newest rows are searched.
    pub fn own_row(&self, author: &ParticipantId, id: &str) -> Option<u64> {
        self.recent.find(author, id).or_else(|| self.sent.find(author, id))
    }

    /// All participants, in no order.
    #[expect(clippy::disallowed_methods, reason = "in any order: its callers say why that is no matter")]
    pub fn participants(&self) -> impl Iterator<Item = &Member> {
        self.members.values().counted().filter(|member| member.is_joined())
    }

    /// All records, also of those who left, in no order.
    #[expect(clippy::disallowed_methods, reason = "in any order: its callers say why that is no matter")]
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values().chain(self.ended.values()).counted()
    }

    /// The number of participants.
    pub fn participant_count(&self) -> usize {
        self.joined
    }

    /// The number of people who were added and have not joined yet.
    pub fn waiting_count(&self) -> usize {
        self.waiting
    }

    /// The number of records, also of those who left.
    pub fn people_count(&self) -> usize {
        self.members.len() + self.ended.len()
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
            + self.recent.bytes()
            + self.sent.bytes()
            + self.tail.bytes()
            + self.tallies.bytes()
            + self.slow.bytes()
    }

    /// The record with a participant id.
    pub fn member_of(&self, id: &ParticipantId) -> Option<&Member> {
        let live = self.ids.get(id).and_then(|jid| self.members.get(jid)).filter(|member| member.id == *id);
        live.or_else(|| self.ended.get(id))
    }

    /// RFC 8266: the account that has a nick, by the form for comparison.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.nicks.get(nick.key())
    }
}
