//! What is read of the store beside the turns: of an archive what lies in months that are not open, rows that requests name
//! and where it stood at a time; and of an account which channels it is in and on which lists it is. Whatever asks for it
//! waits ([`super::parking`]), and with it what came after it for the channel, or from the account.

use super::super::Needs;
use crate::channel::ChannelName;
use jid::BareJid;

/// How much is read at a time: rows, times, accounts. What asks for more than there is room for is read for next.
pub(in crate::engine) const READ_MAX: usize = 4096;

/// What something is read of, or loaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A channel, by its localpart.
    Channel(ChannelName),
    /// What is kept by accounts, for one that asked for it; the service's domain for what the service asks itself.
    Account(BareJid),
}

impl Source {
    /// The channel, where it is one.
    pub(in crate::engine) fn channel(&self) -> Option<&ChannelName> {
        if let Source::Channel(name) = self { Some(name) } else { None }
    }
}

/// What is read of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// Of what.
    pub source: Source,
    /// Whose turn it is when many things are to be read: whoever asked first.
    pub account: BareJid,
    /// What it is, as what a batch needs is told.
    pub wants: Needs,
    /// Since when what changes of it is noted (`engine::channels::lately`).
    pub(in crate::engine) round: u64,
}

impl Errand {
    /// Has one more of the same source done with it, where there is room; whether there is.
    pub(in crate::engine) fn join(&mut self, other: &Errand) -> bool {
        let has_room = self.wants.count() + other.wants.count() <= READ_MAX;
        if has_room {
            self.wants.merge(&other.wants);
        }
        has_room
    }
}
