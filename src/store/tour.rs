//! What an account set off in all of its channels, and how far it is: kept until it is done, so that a crash between two
//! channels leaves nothing half done.

use crate::channel::{ChannelName, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is done in each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Deed {
    /// The account takes the nick that it registered with the service.
    Rename,
    /// The account clears the history for itself, up to the time at which it asked.
    Clear,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tour {
    /// Whose channels they are.
    pub account: BareJid,
    /// What is done.
    pub deed: Deed,
    /// When it was set off.
    pub since: Stamp,
    /// The channel up to which all are done, in the order of `channels_behind`; none where it has not begun.
    pub behind: Option<ChannelName>,
    /// Channels in which the account settled something else since.
    pub settled: BTreeSet<ChannelName>,
}
