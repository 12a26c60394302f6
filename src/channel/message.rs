//! Messages that come in, and the rows that they become.

use super::event::{MediaKind, Progress, RowKind};
use super::{ParticipantId, Stamp};
use serde::{Deserialize, Serialize};

/// A message of a participant, without what only the channel may say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The sender's stanza id.
    pub stanza_id: Option<String>,
    /// XEP-0359 §2.2: the client's origin id.
    pub origin_id: Option<String>,
    /// The language stated on the stanza (`xml:lang`).
    pub lang: Option<String>,
    /// Whether it becomes a row of the archive.
    pub archived: bool,
    /// Whether the sender gets a reflection. It does for everything but chat states.
    pub echoed: bool,
    /// Whether it has a body or a file, and so counts as unread.
    pub counted: bool,
    /// The row that it refers to, if any (XEP-0424, XEP-0308, XEP-0444, XEP-0461).
    pub target: Option<u64>,
    /// XEP-0424: whether it retracts that row.
    pub retracts: bool,
    /// XEP-0308: whether it corrects that row.
    pub corrects: bool,
    /// The kind of its first file.
    pub media: Option<MediaKind>,
    /// A hash of its bodies and files, where it has an origin id. A message with another hash is no repeat.
    pub gist: Option<u64>,
    /// XEP-0045 §8.1: what the room is about from here on, where the message says nothing else.
    pub topic: Option<String>,
    /// XEP-0500: whether it has a body or a file, archived or not.
    pub says: bool,
    /// XEP-0184, XEP-0333: what it reports of earlier rows.
    pub reports: Option<(Progress, u64)>,
    /// The children as they came, as XML inside a stanza.
    pub payload: String,
}

/// One row of a channel's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The number: 1, 2, 3 … without gaps, except where a store was restored.
    pub number: u64,
    /// When it was archived. Stamps fall only where the clock went back far.
    pub stamp: Stamp,
    /// Who sent it.
    pub author: ParticipantId,
    /// How many rows have a body or a file, up to and with this one.
    pub ordinal: u64,
    /// Whether this row has a body or a file.
    pub counted: bool,
    /// The row that it refers to.
    pub target: Option<u64>,
    /// XEP-0308: whether it corrects that row.
    pub corrects: bool,
    /// Its kind.
    pub kind: RowKind,
    /// The kind of its first file.
    pub media: Option<MediaKind>,
    /// The author's nick at the time.
    pub nick: String,
    /// The sender's stanza id.
    pub stanza_id: Option<String>,
    /// The client's origin id.
    pub origin_id: Option<String>,
    /// The language stated on the stanza.
    pub lang: Option<String>,
    /// The children as they came, as XML inside a stanza.
    pub payload: String,
}

impl Row {
    /// Whether it is a message with something to read. It may have been retracted since.
    pub fn is_said(&self) -> bool {
        self.kind == RowKind::Message && self.counted && !self.payload.is_empty()
    }

    /// The row that it corrects. Retracting that one retracts this one, too.
    pub fn corrected(&self) -> Option<u64> {
        self.target.filter(|_| self.corrects)
    }
}
