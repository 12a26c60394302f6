//! The limits and defaults of channels and groups.

use serde::{Deserialize, Serialize};

/// Default of [`Limits::part_max`]; only tests set another.
const PART_MAX: usize = 20;

/// Limits that a command is checked against. Lengths are in bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// People whom one decision brings in or takes out. Where there are more, the command is decided in parts.
    pub part_max: usize,
    /// Participants of one channel.
    pub participants_max: usize,
    /// Records of people who wrote something in a channel, or reported on it, and left.
    pub former_max: usize,
    /// Records of people who left a channel and wrote nothing. Those who left first are dropped first.
    pub former_silent_max: usize,
    /// Channels of the whole service.
    pub channels_max: usize,
    /// A channel's name, in bytes.
    pub channel_name_bytes_max: usize,
    /// A nick, in bytes.
    pub nick_bytes_max: usize,
    /// Nicks registered with the service.
    pub registered_nicks_max: usize,
    /// Domains whose accounts may register nicks; `*`: every domain. Without any, those whose users may create channels.
    pub nick_domains: Vec<String>,
    /// Domains whose accounts may ask for all channels by a search (XEP-0433); `*`: every domain.
    pub search_all_domains: Vec<String>,
    /// The children of one message, in bytes.
    pub payload_bytes_max: usize,
    /// A stanza id or origin id that a client chose, in bytes.
    pub id_bytes_max: usize,
    /// The item of the information node, in bytes.
    pub info_bytes_max: usize,
    /// A list in an answer, in bytes. The rest is paged. It has to stay below the host server's limit for stanzas of a
    /// component (Prosody: 512 KiB unless configured), because a longer one closes the link.
    pub answer_bytes_max: usize,
    /// People whom one request may add, remove, or take invitations back from.
    pub named_max: usize,
    /// Guests of one channel: accounts that subscribe to its nodes and are not in it.
    pub guests_max: usize,
    /// Open invitations of one channel.
    pub invitations_max: usize,
    /// Open invitations that one inviter gave in a channel.
    pub invitations_per_inviter_max: usize,
    /// For how long an invitation is good, in seconds.
    pub invitation_s: u64,
    /// Participants above which a channel does not relay presence, since everybody's goes to everybody.
    pub presence_participants_max: usize,
    /// Channels that one account may have created.
    pub channels_per_creator_max: usize,
    /// What may be on the way because of one account, copies counted, in bytes. Whoever sets it calls `Engine::relieve`.
    pub account_sending_bytes_max: usize,
    /// How fast things may come.
    pub rates: Rates,
    /// Defaults of plain channels.
    pub channels: ChannelDefaults,
    /// Channels as rooms.
    pub muc: super::RoomLimits,
    /// Defaults of groups.
    pub groups: GroupDefaults,
    /// The features that are switched on.
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
            search_all_domains: vec!["*".to_owned()],
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
            muc: super::RoomLimits::default(),
            groups: GroupDefaults::default(),
            features: FeatureSwitches::default(),
        }
    }
}

/// A rate: so many at once, and so many a second after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// How many a second in the long run. 0 means any number.
    pub per_s: u64,
    /// How many at once.
    pub burst: u64,
}

/// The rates of what accounts and channels send. They do not bind operators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rates {
    /// Requests of one account. Expensive ones count more than once ([`super::AnyCommand::cost`]).
    pub requests: Rate,
    /// People whom one account adds or invites, over all channels ([`super::AnyCommand::people`]).
    pub invitations: Rate,
    /// Messages of one account, chat states and receipts included.
    pub messages: Rate,
    /// How many more messages go on at twice the rate.
    pub messages_backlog: u64,
    /// The length of one account's messages, in bytes.
    pub message_bytes: Rate,
    /// Messages of one channel, from all senders.
    pub channel_messages: Rate,
    /// Presence of one account, to all channels.
    pub presence: Rate,
    /// How long messages and presence that are too fast may wait, in seconds.
    pub held_s: u64,
    /// Domains whose accounts these rates do not bind, such as those of bridges.
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
    /// No rates: for benchmarks, and for tests of other things.
    pub fn unlimited() -> Rates {
        let any = Rate { per_s: 0, burst: 1 };
        let (requests, invitations, messages, message_bytes, channel_messages, presence) =
            (any, any, any, any, any, any);
        Rates { requests, invitations, messages, message_bytes, channel_messages, presence, ..Rates::default() }
    }
}

/// XEP-0406 §2.4: the defaults of a plain channel. Its owner may change them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelDefaults {
    /// Who may subscribe to its nodes without being in it: `participants` (nobody), `allowed` or `anyone`.
    pub guests: super::Access,
    /// Who may change its information: `participants`, `admins` or `owners`.
    pub information: super::Access,
    /// Who may change its picture: `participants`, `admins` or `owners`.
    pub avatar: super::Access,
    /// Who may read its configuration besides its owners: `owners`, `admins`, `participants` or `allowed`.
    pub configuration: super::Access,
    /// Whether participants may retract their own messages.
    pub retraction: bool,
    /// Who may retract the messages of others: `nobody`, `admins` or `owners`.
    pub moderation: super::Access,
    /// Whether participants may send each other private messages.
    pub private_messages: bool,
}

impl Default for ChannelDefaults {
    fn default() -> ChannelDefaults {
        ChannelDefaults {
            guests: super::Access::Participants,
            information: super::Access::Admins,
            avatar: super::Access::Admins,
            configuration: super::Access::Owners,
            // XEP-0406 §2.4 has false here, but clients offer retraction everywhere.
            retraction: true,
            moderation: super::Access::Owners,
            private_messages: true,
        }
    }
}

/// The defaults of a group, and bounds for changing them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupDefaults {
    /// How people come to be in a group: `auto` or `invite`.
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
    /// How long an author may retract a message, in seconds. 0 means for ever.
    pub retract_window_s: u64,
    /// Days after which a group's rows expire. 0 keeps them as long as the service does.
    pub retention_days: u64,
    /// Rows that one member may hide one by one.
    pub hidden_max: usize,
    /// Members above which authors are not told of each report any more.
    pub notices_members_max: usize,
    /// Seconds after which an empty group is destroyed.
    pub deserted_s: u64,
    /// The lowest rank for each action.
    pub rights: GroupRights,
}

/// The rank of a member of a group, from lowest to highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Everybody who joined.
    Member,
    /// An admin or the owner.
    Admin,
    /// The owner.
    Owner,
}

/// groups.md §1: the lowest rank for each action in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRights {
    /// Send messages and chat states.
    pub send: Rank,
    /// Read the history.
    pub history: Rank,
    /// Report how far messages came, and ask how far they came.
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
    /// Add people. A group may open this to all members.
    pub add: Rank,
    /// Remove people, and ban them.
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

/// groups.md §3.8: features that can be switched off. Requests for one that is off are refused with code 403.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSwitches {
    /// Groups.
    pub groups: bool,
    /// Messages with pictures.
    pub image: bool,
    /// Messages with audio files.
    pub audio: bool,
    /// Messages with videos.
    pub video: bool,
    /// Messages with other files.
    pub file: bool,
    /// Lists of the files in an archive.
    pub media: bool,
    /// Receipts and markers.
    pub receipts: bool,
    /// Chat states, and other messages that are not archived.
    pub states: bool,
    /// Retracting messages.
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
    /// Refuses a message whose kind of file is switched off.
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

/// Refuses a feature that is switched off.
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
                subject: super::Access::Admins,
            },
            visibility: super::Visibility::Visible,
            private_messages: super::PrivateMessages::of(channels.private_messages),
            presence: true,
            open_presence: false,
            presence_required: false,
            notices: false,
            room: super::RoomSettings::default(),
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
            private_messages: super::PrivateMessages::Nobody,
            presence: false,
            open_presence: false,
            presence_required: false,
            notices: false,
            room: super::RoomSettings::default(),
        }
    }
}
