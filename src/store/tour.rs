//! A tour: what an account set off in all of its channels. It is stored until it is done, so that after a crash it goes
//! on where it was.

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

/// How far a deed of an account is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tour {
    /// The account whose channels they are.
    pub account: BareJid,
    /// What is done.
    pub deed: Deed,
    /// When it was set off.
    pub since: Stamp,
    /// The last channel that is done, in the order of `channels_behind`; `None` at the beginning.
    pub behind: Option<ChannelName>,
    /// Channels in which the account settled the same matter otherwise since. They are skipped.
    pub settled: BTreeSet<ChannelName>,
}
