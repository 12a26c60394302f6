//! The records that a commit stores.

use super::{Deed, Tour, Unsent};
use crate::channel::{AccountMark, Change, ChannelName, Ending, GoneChannel, Newcomer, Nick, ParticipantId, Stamp};
use jid::BareJid;
use std::sync::Arc;

/// The most people who passed by in one channel of whom the store keeps who they were.
pub const TRACED_MAX: u64 = 10_000;

/// One record of a commit.
#[derive(Clone, Debug)]
// Nearly every record is of the larger kind.
#[allow(clippy::large_enum_variant)]
pub enum Record {
    /// Something happened in a channel. Volatile changes are skipped.
    Channel {
        /// The channel's localpart.
        name: ChannelName,
        /// The channel's tag.
        tag: u64,
        /// What happened.
        change: Change,
    },
    /// What is known of an account's whereabouts; `None` forgets it. Kept lazily where a commit holds nothing else: a
    /// crash may lose the newest ones.
    Whereabouts {
        /// The account.
        account: BareJid,
        /// What is known.
        known: Option<Whereabouts>,
    },
    /// The seat of an account in the room that a channel is (XEP-0045); `None` once nobody sits on it. Kept lazily where a
    /// commit holds nothing else: a crash may lose the newest ones.
    Seat {
        /// The account.
        account: BareJid,
        /// The channel's tag.
        tag: u64,
        /// What is known of the seat.
        seat: Option<SavedSeat>,
    },
    /// The nick that an account registered with the service; `None` where it has none.
    Nick {
        /// The account.
        account: BareJid,
        /// The nick.
        nick: Option<Nick>,
    },
    /// An account is being ended; `None` once it is ended.
    Ending {
        /// The account.
        account: BareJid,
        /// How far that is.
        ending: Option<Ending>,
    },
    /// What is known of an account that others added; `None` once it is known to exist, or is ended.
    Newcomer {
        /// The account.
        account: BareJid,
        /// What is known.
        newcomer: Option<Newcomer>,
    },
    /// How far a deed of an account in all of its channels is; `None` once it is done.
    Tour {
        /// The account.
        account: BareJid,
        /// What is done.
        deed: Deed,
        /// How far it is.
        tour: Option<Tour>,
    },
    /// What is left of a destroyed channel under its name; `None` once the name is free, or a channel has it again.
    Gone {
        /// The name.
        name: ChannelName,
        /// What is left.
        gone: Option<Arc<GoneChannel>>,
    },
    /// One more account of a name has ended. Never forgotten: the id of a later one depends on it.
    Ended {
        /// What stands for the name.
        mark: AccountMark,
        /// How many have; 0 where that was taken back.
        count: u32,
    },
    /// A parcel: what is sent of all this, kept until the host server is known to have it.
    Unsent(Unsent),
    /// The host server has all parcels up to this number. Kept lazily: a crash may lose the newest ones.
    Sent(u64),
    /// How far the clock is believed to have come. Kept lazily where a commit holds nothing else.
    Clock(Belief),
}

/// How far the clock is believed to have come (see `engine::trust`); 0 where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Belief {
    /// The highest time that is believed to have come.
    pub reached: Stamp,
    /// The same for retention, which waits for the operator where the clock jumped.
    pub kept: Stamp,
}

/// How an account could last be reached (see `engine::people::accounts`).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Whereabouts {
    /// Whether its home server takes MIX traffic at the bare JID (XEP-0405).
    pub bare: bool,
    /// The resources known to take MIX traffic.
    pub resources: Vec<String>,
}

/// The seat of an account in a room, as a start brings it back (see `engine::occupants`). What its clients say is not kept.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SavedSeat {
    /// The account.
    pub account: BareJid,
    /// The channel's tag.
    pub tag: u64,
    /// The channel's localpart.
    pub room: ChannelName,
    /// Its place in the order in which seats of the room were taken.
    pub place: u64,
    /// The occupant id.
    pub id: ParticipantId,
    /// The nick.
    pub nick: Nick,
    /// Of an account that has no record in the channel: the rows that it may read, as in `Member::windows`.
    pub windows: Option<Vec<(u64, Option<u64>)>>,
    /// Whether it was made a moderator for its visit.
    pub moderates: bool,
    /// Whether it is shown in a large room as well, because it spoke or moderates.
    pub is_open: bool,
    /// Whether nobody was told of it, because the room was too large.
    pub is_silent: bool,
    /// Its clients, oldest sessions first.
    pub clients: Vec<SavedClient>,
}

/// A client on a seat.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SavedClient {
    /// Its resource.
    pub resource: String,
    /// Whether it was sent everybody when it entered; else it was sent those who moderate or had spoken.
    pub sees_all: bool,
}
