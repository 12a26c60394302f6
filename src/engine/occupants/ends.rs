//! Why seats end, what stood on them before, and rooms whose channels are no more.

use super::room::Room;
use crate::channel::{ChannelName, Farewell, Member, Nick, ParticipantId};
use crate::xep::muc::presence::status;
use jid::{BareJid, FullJid};
use serde::{Deserialize, Serialize};

/// Why a seat ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Ended {
    /// The account was banned (XEP-0045 §9.1).
    Banned,
    /// A moderator put it out (XEP-0045 §8.2).
    Kicked,
    /// The account may not be in the room any more (XEP-0045 §9.4).
    NotMember,
    /// The room is for members from here on (XEP-0045 §9.3, §10.2).
    MembersOnly,
    /// What let the account in was not stored. It may enter again.
    Lost,
}

impl Ended {
    /// The status codes.
    pub(super) fn codes(self) -> &'static [u16] {
        match self {
            Ended::Banned => &[status::BANNED],
            Ended::Kicked => &[status::KICKED],
            Ended::NotMember => &[status::NOT_MEMBER],
            Ended::MembersOnly => &[status::MEMBERS_ONLY],
            Ended::Lost => &[status::KICKED, status::UNREACHABLE],
        }
    }
}

/// A room whose channel is no more.
pub(super) struct EndedRoom {
    pub room: Room,
    /// Why its seats end.
    pub why: Why,
}

/// Why a room is no more.
#[derive(Clone, Debug)]
pub(super) enum Why {
    /// It was destroyed.
    Destroyed(Farewell),
    /// It never came to be, or is another one.
    Lost,
    /// The service ends for good: an operator closed all rooms.
    Closed,
}

/// A room that is no more, as the next process knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownEnd {
    pub(super) tag: u64,
    pub(super) room: ChannelName,
    /// What is said of its end, if it was destroyed.
    pub(super) farewell: Option<Farewell>,
    /// Who is still to be told, with the occupant ids and nicks.
    pub(super) untold: Vec<(FullJid, ParticipantId, Option<Nick>)>,
}

/// What stood for an account in a room.
#[derive(Debug)]
pub(in crate::engine) struct SeatPast {
    pub(super) tag: u64,
    pub(super) account: BareJid,
    pub(super) id: ParticipantId,
    pub(super) passer_by: Option<Member>,
}
