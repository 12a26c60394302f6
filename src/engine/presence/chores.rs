//! What goes on with presence over ticks, each with a [`Chore`] of its own.

use crate::channel::ChannelName;
use crate::chore::{Budget, Chore};
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;

/// Channels in which somebody is to be told of presence, and resources that are told of.
const TELLING: Budget = Budget { things: 512, cost: 4096 };
/// Channels that ask their participants for their presence, once the link is up.
const CALLING: Budget = Budget { things: 64, cost: usize::MAX };
/// Participants that are asked for their presence.
const PROBING: Budget = Budget { things: 200, cost: usize::MAX };
/// Resources that are asked whether they are still there.
const ASKING: Budget = Budget { things: 50, cost: usize::MAX };

/// See the module.
pub(super) struct PresenceChores {
    /// By the tags of channels.
    pub telling: Chore<u64>,
    pub calling: Chore<ChannelName>,
    /// Channels that were in memory when the link came up and have not asked yet.
    pub uncalled: BTreeSet<ChannelName>,
    pub probing: Chore<(ChannelName, BareJid)>,
    pub asking: Chore<FullJid>,
}

impl PresenceChores {
    pub fn new() -> PresenceChores {
        PresenceChores {
            telling: Chore::circle(TELLING),
            calling: Chore::queue(CALLING),
            uncalled: BTreeSet::new(),
            probing: Chore::queue(PROBING),
            asking: Chore::queue(ASKING),
        }
    }
}
