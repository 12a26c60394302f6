//! The end of an account as a whole: that it is no more, in every channel there is.

use super::Stamp;
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// An account that somebody else put into a channel, and that did nothing so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// Since when its server says that there is no such account.
    pub unreachable_since: Option<Stamp>,
}

/// An account that is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Since when.
    pub since: Stamp,
    /// Whether what it wrote and what it was called goes as well.
    pub erases: bool,
    /// Whether it is out of every channel; what is left is to be erased.
    pub is_out: bool,
}

/// What is asked about an account as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountCommand {
    /// End it in every channel there is.
    End {
        /// The account.
        account: BareJid,
        /// Whether what it wrote and what it was called goes as well.
        erases: bool,
    },
    /// Ask whether its end is under way.
    AskEnding {
        /// The account.
        account: BareJid,
    },
    /// Ask what the service holds of it.
    Read {
        /// The account.
        account: BareJid,
        /// All of it, for the account itself, and not a summary.
        whole: bool,
    },
}

/// What is told of an account as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountAnswer {
    /// How its end stands.
    Ending {
        /// The account.
        account: BareJid,
        /// Whether it is under way; otherwise it is over, or was never asked for.
        under_way: bool,
    },
    /// What the service holds of it, read off the turn.
    Dossier {
        /// The account.
        account: BareJid,
        /// All of it, and not a summary.
        whole: bool,
    },
}
