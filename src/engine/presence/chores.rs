//! What presence does over ticks. Each such task has a [`Chore`].

use crate::channel::ChannelName;
use crate::chore::{Budget, Chore};
use jid::{BareJid, FullJid};
use std::collections::BTreeSet;

/// Channels with presence to deliver, and resources delivered in them.
const TELLING: Budget = Budget { things: 512, cost: 4096 };
/// Channels that probe their participants after the link came up.
const CALLING: Budget = Budget { things: 64, cost: usize::MAX };
/// Participants that are probed.
const PROBING: Budget = Budget { things: 200, cost: usize::MAX };
/// Resources that are asked whether they are still online.
const ASKING: Budget = Budget { things: 50, cost: usize::MAX };

/// The state of these chores.
pub(super) struct PresenceChores {
    /// By the channels' tags.
    pub telling: Chore<u64>,
    pub calling: Chore<ChannelName>,
    /// Channels that were in memory when the link came up, and that have not probed yet.
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
