//! XEP-0421: who sent a message, told by an id that a nick cannot take over.

use super::{Extension, Scope};
use crate::channel::ParticipantId;
use crate::xmpp::{Tag, ns};

/// XEP-0421.
pub struct OccupantIds;

impl Extension for OccupantIds {
    fn name(&self) -> &'static str {
        "XEP-0421"
    }

    /// The service names it too, since every channel does (XEP-0421 §4).
    fn features(&self, _scope: Scope) -> &'static [&'static str] {
        &[ns::OCCUPANT_ID]
    }
}

/// The id of whoever is behind a stanza: the participant id, random and kept through renames and returns (XEP-0421 §4.1).
pub fn id(participant: &ParticipantId) -> Tag {
    Tag::in_ns("occupant-id", ns::OCCUPANT_ID).attr("id", participant.as_str())
}
