//! What goes on by itself, one step at a time.

use crate::channel::ChannelName;
use crate::store::Deed;
use jid::BareJid;

/// One step of something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Whatever has something to do in a channel goes on there.
    In(ChannelName),
    /// It is looked up which channels of an account come next.
    Through(BareJid, Deed),
    /// What was done in part in a channel goes on, by its number.
    Finish(ChannelName, u64),
    /// People of channels that left memory are let go of, which each turn does at its end.
    LetGo,
}
