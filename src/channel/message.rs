//! Messages on their way in, and the rows they become.

use super::event::{MediaKind, Progress, RowKind};
use super::{ParticipantId, Stamp};
use serde::{Deserialize, Serialize};

/// A message as a participant sent it, stripped of what only the channel may say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The sender's stanza id.
    pub stanza_id: Option<String>,
    /// The client's origin id (XEP-0359 §2.2).
    pub origin_id: Option<String>,
    /// The language stated on the stanza (`xml:lang`).
    pub lang: Option<String>,
    /// Whether it becomes a row of the archive.
    pub archived: bool,
    /// Whether the sender gets a copy of its own; true for all but chat states.
    pub echoed: bool,
    /// Whether it has a body or a file, and so counts as something to read.
    pub counted: bool,
    /// The row it refers to, where it refers to one (XEP-0424, XEP-0444, XEP-0461).
    pub target: Option<u64>,
    /// Whether it retracts that row (XEP-0424).
    pub retracts: bool,
    /// Whether it corrects that row (XEP-0308).
    pub corrects: bool,
    /// The kind of file it carries.
    pub media: Option<MediaKind>,
    /// Its bodies and files in one number, where it has an origin id: a message with another number is another one.
    pub gist: Option<u64>,
    /// What it reports of earlier rows: a receipt or a marker.
    pub reports: Option<(Progress, u64)>,
    /// The children as they came, as XML inside a stanza.
    pub payload: String,
}

/// One row of a channel's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// 1, 2, 3 … without gaps.
    pub number: u64,
    /// When it was archived; never before the row before it.
    pub stamp: Stamp,
    /// Who sent it.
    pub author: ParticipantId,
    /// How many rows up to this one have a body or a file.
    pub ordinal: u64,
    /// Whether this one has.
    pub counted: bool,
    /// The row it refers to.
    pub target: Option<u64>,
    /// Whether it corrects that row (XEP-0308).
    pub corrects: bool,
    /// What it is.
    pub kind: RowKind,
    /// The kind of file it carries.
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
    /// The message that it corrects. What is retracted takes along whatever corrects it.
    pub fn corrected(&self) -> Option<u64> {
        self.target.filter(|_| self.corrects)
    }
}
