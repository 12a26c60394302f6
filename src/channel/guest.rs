//! Guests: accounts that subscribe to nodes of a channel without joining it (XEP-0060 §6.1).

use super::{NodeSet, Stamp};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// The record of a guest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guest {
    /// The account.
    pub jid: BareJid,
    /// Since when it is a guest.
    pub since: Stamp,
    /// The nodes to which it subscribes. A record without any says that it is a guest no longer.
    pub subscriptions: NodeSet,
    /// The first row after it subscribed to the messages node. It counts only while it does.
    pub first: u64,
}

impl Guest {
    /// The name shown to people, since a guest has no nick.
    pub fn label(&self) -> &str {
        self.jid.node().map_or(self.jid.as_str(), |localpart| localpart.as_str())
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        128 + 2 * self.jid.as_str().len()
    }
}
