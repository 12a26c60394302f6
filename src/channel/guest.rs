//! Guests: those who subscribe to nodes of a channel without being in it (XEP-0369 §7.1.2).

use super::{NodeSet, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// The record of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The account.
    pub jid: BareJid,
    /// Since when it has been one.
    pub since: Stamp,
    /// The nodes it subscribes to; a record with none says that it is a guest no longer.
    pub subscriptions: NodeSet,
    /// The first row that came since it subscribed to the messages; of use while it does.
    pub first: u64,
}

impl Guest {
    /// The name that people see: a guest chose none.
    pub fn label(&self) -> &str {
        self.jid.node().map_or(self.jid.as_str(), |localpart| localpart.as_str())
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        128 + 2 * self.jid.as_str().len()
    }
}
