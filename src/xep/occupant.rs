//! XEP-0421: ids that tell who sent a message, whatever the nick.

use super::{Extension, Scope};
use crate::channel::ParticipantId;
use crate::xmpp::{Tag, ns};

/// XEP-0421.
pub struct OccupantIds;

impl Extension for OccupantIds {
    fn name(&self) -> &'static str {
        "XEP-0421"
    }

    /// XEP-0421 §4: the service announces it as well, since all of its channels have it.
    fn features(&self, _scope: Scope) -> &'static [&'static str] {
        &[ns::OCCUPANT_ID]
    }
}

/// XEP-0421 §4.1: the occupant id, which is the participant id. It is random, and stays through renames and returns.
pub fn id(participant: &ParticipantId) -> Tag {
    Tag::in_ns("occupant-id", ns::OCCUPANT_ID).attr("id", participant.as_str())
}
