//! Steps of what the service does by itself.

use crate::channel::ChannelName;
use crate::store::Deed;
use jid::BareJid;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// All chores with work in this channel do it.
    In(ChannelName),
    /// Read the next channels of an account's tour.
    Through(BareJid, Deed),
    /// Do the next part of a request in this channel, by the request's number.
    Finish(ChannelName, u64),
    /// Remove people of unloaded channels from the address book. Every turn does this at its end.
    LetGo,
    /// Tell clients of activity in rooms (XEP-0437), and go on looking for it. Every turn does this.
    Indicate,
}
