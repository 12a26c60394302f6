//! The record of somebody who is or was in a channel.

use super::{Nick, NodeSet, ParticipantId, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// Whether a member is in the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// In the channel.
    Joined,
    /// Left; the record stays, so that history stays attributable and a rejoin gets the same id.
    Left,
}

/// One account's record in one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The stable participant id.
    pub id: ParticipantId,
    /// The account.
    pub jid: BareJid,
    /// The name it goes by.
    pub nick: Nick,
    /// Whether it is in the channel.
    pub status: Status,
    /// When the status last changed.
    pub since: Stamp,
    /// The nodes it subscribes to.
    pub subscriptions: NodeSet,
    /// One window of rows a stay: the first row that came while in, and the last one, open while in.
    pub windows: Vec<(u64, Option<u64>)>,
}

impl Member {
    /// Whether it is in the channel.
    pub fn is_joined(&self) -> bool {
        self.status == Status::Joined
    }
}
