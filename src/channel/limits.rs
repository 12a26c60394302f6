//! How much of anything a channel holds.

use serde::{Deserialize, Serialize};

/// Default of [`Limits::part_max`]; only tests set another.
const PART_MAX: usize = 20;

/// Limits that a command is checked against. Lengths are in bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// People who come or go by one decision; where there are more, they do so in parts.
    pub part_max: usize,
    /// Participants of one channel.
    pub participants_max: usize,
    /// Records of people who wrote something in a channel, or reported on it, and left.
    pub former_max: usize,
    /// Records of people who left a channel without a word; who left first goes first.
    pub former_silent_max: usize,
    /// Channels of the whole service.
    pub channels_max: usize,
    /// A channel's name, in bytes.
    pub channel_name_bytes_max: usize,
    /// A nick, in bytes.
    pub nick_bytes_max: usize,
    /// Nicks registered with the service.
    pub registered_nicks_max: usize,
    /// Domains whose accounts may register nicks; `*` stands for every domain; none: those whose users may create channels.
    pub nick_domains: Vec<String>,
    /// The children of one message, in bytes.
    pub payload_bytes_max: usize,
    /// A stanza id or origin id that a client chose, in bytes.
    pub id_bytes_max: usize,
    /// The item of the information node, in bytes.
    pub info_bytes_max: usize,
    /// A list in an answer, in bytes; the rest is paged. Has to stay below the host server's limit for a stanza of a
    /// component (Prosody: 512 KiB unless configured), which closes the link over a longer one.
    pub answer_bytes_max: usize,
    /// People whom one request may add, remove, or take invitations back from.
    pub named_max: usize,
    /// Guests of one channel: accounts that subscribe to its nodes and are not in it.
    pub guests_max: usize,
    /// Invitations of one channel that were given and not used.
    pub invitations_max: usize,
    /// How many of them one inviter may have given.
    pub invitations_per_inviter_max: usize,
    /// For how long an invitation is good, in seconds.
    pub invitation_s: u64,
    /// Participants above which a channel does not pass their presence on: everybody's goes to everybody.
    pub presence_participants_max: usize,
    /// Channels that one account may have created.
    pub channels_per_creator_max: usize,
    /// What one account may have on the way out over all channels, with all copies, in bytes; whoever sets it tells the
    /// engine what went (`Engine::relieve`).
    pub account_sending_bytes_max: usize,
    /// How fast things may come.
    pub rates: Rates,
    /// What plain channels are made with.
    pub channels: ChannelDefaults,
    /// What groups are made with.
    pub groups: GroupDefaults,
    /// What the service offers.
    pub features: FeatureSwitches,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            part_max: PART_MAX,
            participants_max: 100_000,
            former_max: 100_000,
            former_silent_max: 1000,
            channels_max: 1_000_000,
            channel_name_bytes_max: 128,
            nick_bytes_max: 128,
            registered_nicks_max: 100_000,
            nick_domains: Vec::new(),
            payload_bytes_max: 128 * 1024,
            id_bytes_max: 256,
            info_bytes_max: 16 * 1024,
            answer_bytes_max: 384 * 1024,
            named_max: 36,
            guests_max: 1000,
            invitations_max: 1000,
            invitations_per_inviter_max: 100,
            invitation_s: 14 * 24 * 3600,
            presence_participants_max: 500,
            channels_per_creator_max: 10_000,
            account_sending_bytes_max: usize::MAX,
            rates: Rates::default(),
            channels: ChannelDefaults::default(),
            groups: GroupDefaults::default(),
            features: FeatureSwitches::default(),
        }
    }
}

/// How much may come at once, and how much a second from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many a second in the long run; 0: any number.
    pub per_s: u64,
    /// How many at once.
    pub burst: u64,
}

/// How fast things may come. Operators may be faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// What one account asks for; what is dear counts more than once ([`super::AnyCommand::cost`]).
    pub requests: Rate,
    /// People whom one account adds or invites, over all channels ([`super::AnyCommand::people`]).
    pub invitations: Rate,
    /// Messages of one account, chat states and receipts included.
    pub messages: Rate,
    /// How many more of them go on at twice the rate.
    pub messages_backlog: u64,
    /// What messages of one account amount to, in bytes.
    pub message_bytes: Rate,
    /// Messages of one channel, whoever sends them.
    pub channel_messages: Rate,
    /// Presence of one account, to all channels together.
    pub presence: Rate,
    /// For how long messages and presence that come too fast may wait, in seconds.
    pub held_s: u64,
    /// Domains whose accounts are not paced, such as those of bridges.
    pub unpaced_domains: Vec<String>,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            requests: Rate { per_s: 50, burst: 2000 },
            invitations: Rate { per_s: 9, burst: 450 },
            messages: Rate { per_s: 10, burst: 50 },
            messages_backlog: 200,
            message_bytes: Rate { per_s: 64 << 10, burst: 2 << 20 },
            channel_messages: Rate { per_s: 100, burst: 1000 },
            presence: Rate { per_s: 50, burst: 2000 },
            held_s: 30,
            unpaced_domains: Vec::new(),
        }
    }
}

impl Rates {
    /// No rates at all: for measuring, and for tests of what has nothing to do with them.
    pub fn unlimited() -> Rates {
        let any = Rate { per_s: 0, burst: 1 };
        let (requests, invitations, messages, message_bytes, channel_messages, presence) =
            (any, any, any, any, any, any);
        Rates { requests, invitations, messages, message_bytes, channel_messages, presence, ..Rates::default() }
    }
}

/// What a plain channel is made with; its owner may settle it otherwise (XEP-0406 §2.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelDefaults {
    /// Who may subscribe to its nodes without being in it: `participants` (nobody), `allowed` or `anyone`.
    pub guests: super::Access,
    /// Who may change its information: `participants`, `admins` or `owners`.
    pub information: super::Access,
    /// Who may change its picture: the same.
    pub avatar: super::Access,
    /// Who may read its configuration besides its owners: `owners`, `admins`, `participants` or `allowed`.
    pub configuration: super::Access,
    /// Whether participants retract messages of their own.
    pub retraction: bool,
    /// Who may retract the messages of others: `nobody`, `admins` or `owners`.
    pub moderation: super::Access,
    /// Whether participants write to one another through it.
    pub private_messages: bool,
}

impl Default for ChannelDefaults {
    fn default() -> ChannelDefaults {
        ChannelDefaults {
            guests: super::Access::Participants,
            information: super::Access::Admins,
            avatar: super::Access::Admins,
            configuration: super::Access::Owners,
            // XEP-0406 has false, and clients offer it everywhere.
            retraction: true,
            moderation: super::Access::Owners,
            private_messages: true,
        }
    }
}

/// What a group is made with, and what it may be changed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupDefaults {
    /// How somebody comes to be in a group: `auto` or `invite`.
    pub membership: super::Membership,
    /// Which rows a member sees: `joined` or `full`.
    pub history: super::History,
    /// Whether changes of people and profile become rows.
    pub events: bool,
    /// Who is told of receipts: `author` or `relay`.
    pub receipts: super::ReceiptPolicy,
    /// Who may subscribe to a group's nodes without being in it: `participants` (nobody), `allowed` or `anyone`.
    pub guests: super::Access,
    /// Whether members may add others.
    pub members_add: bool,
    /// Joined and waiting together, at most.
    pub participants_max: usize,
    /// A subject, in Unicode scalar values after NFC and trim.
    pub subject_chars_max: usize,
    /// A picture, in bytes.
    pub avatar_bytes_max: usize,
    /// For how long one may retract one's own message, in seconds; 0: for ever.
    pub retract_window_s: u64,
    /// Days after which a group's rows are gone; 0: for ever, as far as the service keeps them.
    pub retention_days: u64,
    /// Rows that one member may hide one by one.
    pub hidden_max: usize,
    /// Members above which authors are no longer told of each report.
    pub notices_members_max: usize,
    /// Seconds after which a group that nobody is in is destroyed.
    pub deserted_s: u64,
    /// The least that one has to be, action by action.
    pub rights: GroupRights,
}

/// What a member of a group is, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Anybody who joined.
    Member,
    /// An admin or the owner.
    Admin,
    /// The owner.
    Owner,
}

/// The least that one has to be in a group for each action (groups.md §1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRights {
    /// Send messages and chat states.
    pub send: Rank,
    /// Read the history.
    pub history: Rank,
    /// Report how far messages came, and ask it.
    pub receipts: Rank,
    /// Retract one's own messages.
    pub retract: Rank,
    /// Retract the messages of others.
    pub moderate: Rank,
    /// Change the name and the rest of the information.
    pub rename: Rank,
    /// Change the picture.
    pub picture: Rank,
    /// Change the video.
    pub video: Rank,
    /// Add people; a group may open this to its members.
    pub add: Rank,
    /// Remove people, and say who may not come back.
    pub remove: Rank,
    /// Make admins.
    pub promote: Rank,
    /// Unmake admins.
    pub demote: Rank,
    /// Change the settings of the group.
    pub configure: Rank,
    /// Destroy the group.
    pub destroy: Rank,
}

impl Default for GroupRights {
    fn default() -> GroupRights {
        let (member, admin, owner) = (Rank::Member, Rank::Admin, Rank::Owner);
        GroupRights {
            send: member,
            history: member,
            receipts: member,
            retract: member,
            moderate: admin,
            rename: admin,
            picture: admin,
            video: admin,
            add: admin,
            remove: admin,
            promote: admin,
            demote: admin,
            configure: owner,
            destroy: owner,
        }
    }
}

/// What the service offers; what is switched off is refused (groups.md §3.8, code 403).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSwitches {
    /// Groups.
    pub groups: bool,
    /// Messages with pictures.
    pub image: bool,
    /// Messages with sounds.
    pub audio: bool,
    /// Messages with videos.
    pub video: bool,
    /// Messages with other files.
    pub file: bool,
    /// Lists of the files of a history.
    pub media: bool,
    /// Receipts and markers.
    pub receipts: bool,
    /// Chat states, and whatever else is passed on and kept nowhere.
    pub states: bool,
    /// Retracting messages for everybody.
    pub retraction: bool,
    /// Registering nicks with the service.
    pub nick_registration: bool,
}

impl Default for FeatureSwitches {
    fn default() -> FeatureSwitches {
        FeatureSwitches {
            groups: true,
            image: true,
            audio: true,
            video: true,
            file: true,
            media: true,
            receipts: true,
            states: true,
            retraction: true,
            nick_registration: true,
        }
    }
}

impl FeatureSwitches {
    /// Refuses a message with a file of a kind that is switched off.
    ///
    /// # Errors
    /// [`super::Refusal::FeatureOff`].
    pub fn check_media(&self, kind: super::MediaKind) -> Result<(), super::Refusal> {
        use super::MediaKind::*;
        let (on, name) = match kind {
            Image => (self.image, "image"),
            Audio => (self.audio, "audio"),
            Video => (self.video, "video"),
            File => (self.file, "file"),
        };
        check(on, name)
    }
}

/// Refuses what is switched off.
pub(super) fn check(on: bool, name: &'static str) -> Result<(), super::Refusal> {
    if on { Ok(()) } else { Err(super::Refusal::FeatureOff(name)) }
}

impl Default for GroupDefaults {
    fn default() -> GroupDefaults {
        GroupDefaults {
            membership: super::Membership::Auto,
            history: super::History::Joined,
            events: true,
            receipts: super::ReceiptPolicy::Author,
            guests: super::Access::Participants,
            members_add: false,
            participants_max: 30,
            subject_chars_max: 30,
            avatar_bytes_max: 102_400,
            retract_window_s: 0,
            retention_days: 0,
            hidden_max: 1000,
            notices_members_max: 1000,
            deserted_s: 24 * 3600,
            rights: GroupRights::default(),
        }
    }
}

impl Limits {
    /// The settings of a plain channel.
    pub fn plain_settings(&self) -> super::Settings {
        let channels = &self.channels;
        super::Settings {
            style: super::Style::Plain,
            membership: super::Membership::Open,
            history: super::History::Full,
            events: false,
            receipts: super::ReceiptPolicy::Relay,
            members_add: false,
            participants_max: self.participants_max,
            subject_chars_max: 1000,
            retract_window_s: 0,
            retention_days: 0,
            end_of_life: None,
            switched_off: super::NodeSet::default(),
            access: super::NodeAccess::of_guests(channels.guests, channels.configuration),
            grants: super::Grants {
                describe: channels.information,
                picture: channels.avatar,
                moderate: channels.moderation,
                retract_own: channels.retraction,
            },
            visibility: super::Visibility::Visible,
            private_messages: channels.private_messages,
            presence: true,
            open_presence: false,
            presence_required: false,
            notices: false,
        }
    }

    /// The settings of a group.
    pub fn group_settings(&self) -> super::Settings {
        let groups = &self.groups;
        super::Settings {
            style: super::Style::Group,
            membership: groups.membership,
            history: groups.history,
            events: groups.events,
            receipts: groups.receipts,
            members_add: groups.members_add,
            participants_max: groups.participants_max,
            subject_chars_max: groups.subject_chars_max,
            retract_window_s: groups.retract_window_s,
            retention_days: groups.retention_days,
            end_of_life: None,
            switched_off: super::NodeSet::default(),
            access: super::NodeAccess::of_guests(groups.guests, super::Access::Admins),
            grants: super::Grants::default(),
            visibility: super::Visibility::Visible,
            private_messages: false,
            presence: false,
            open_presence: false,
            presence_required: false,
            notices: false,
        }
    }
}
