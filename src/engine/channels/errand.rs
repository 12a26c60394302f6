//! Reads of the store outside the turns: rows and heads of old months of an archive, or the channels and list entries
//! of an account. The item that asks is parked ([`super::parking`]), as are later ones for the same channel or from the
//! same account.

use super::super::Needs;
use crate::channel::ChannelName;
use jid::BareJid;

/// The most rows, heads and accounts in one read. Larger requests are read in several.
pub(in crate::engine) const READ_MAX: usize = 4096;

/// What a read or load is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A channel, by its localpart.
    Channel(ChannelName),
    /// An account that asked. The service's domain stands for the service itself.
    Account(BareJid),
}

impl Source {
    /// The channel, if it is one.
    pub(in crate::engine) fn channel(&self) -> Option<&ChannelName> {
        if let Source::Channel(name) = self { Some(name) } else { None }
    }
}

/// One read of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// The source.
    pub source: Source,
    /// The account it is done for: the first that asked. Accounts take turns.
    pub account: BareJid,
    /// What to read.
    pub wants: Needs,
    /// The round of noted changes that it began in (`engine::channels::lately`).
    pub(in crate::engine) round: u64,
}

impl Errand {
    /// Adds another read of the same source, if there is room. Returns whether there is.
    pub(in crate::engine) fn join(&mut self, other: &Errand) -> bool {
        let has_room = self.wants.count() + other.wants.count() <= READ_MAX;
        if has_room {
            self.wants.merge(&other.wants);
        }
        has_room
    }
}
