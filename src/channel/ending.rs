//! The end of an account as a whole, in all channels.

use super::Stamp;
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// An account that others added to a channel and that did nothing so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// Since when its server says that the account does not exist.
    pub unreachable_since: Option<Stamp>,
}

/// An account that is being ended in its channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Since when it is being ended.
    pub since: Stamp,
    /// Whether its messages and its nicks are erased, too.
    pub erases: bool,
    /// Whether it is out of all channels, so that only erasing is left.
    pub is_out: bool,
}

/// A command about an account as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCommand {
    /// End it in all channels.
    End {
        /// The account.
        account: BareJid,
        /// Whether its messages and its nicks are erased, too.
        erases: bool,
    },
    /// Ask whether it is being ended.
    AskEnding {
        /// The account.
        account: BareJid,
    },
    /// Ask what the service stores of it.
    Read {
        /// The account.
        account: BareJid,
        /// Whether all of it is told, for the account itself, and not a summary.
        whole: bool,
    },
}

/// An answer about an account as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountAnswer {
    /// Whether it is being ended.
    Ending {
        /// The account.
        account: BareJid,
        /// Whether it is being ended. Otherwise its end is done, or nobody asked for it.
        under_way: bool,
    },
    /// What the service stores of it. It is read outside the turn.
    Dossier {
        /// The account.
        account: BareJid,
        /// Whether all of it is told and not a summary.
        whole: bool,
    },
}
