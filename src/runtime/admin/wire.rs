//! What is said through the operator's door.

use crate::store::Manifest;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdminRequest {
    /// Copy the store into a folder, named from the root on.
    Backup {
        /// The folder.
        to: PathBuf,
    },
    /// Say what the clock says, and what waits because it is not believed.
    ShowClock,
    /// Believe the clock.
    ConfirmClock,
    /// Look at an account, or have it ended.
    Account {
        /// What to do.
        deed: AccountAction,
        /// The account.
        jid: String,
    },
}

/// What may be done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountAction {
    /// Tell what the service holds of it, in short.
    Show,
    /// Tell all of that.
    Export,
    /// End it everywhere.
    End,
    /// End it everywhere, and erase what it wrote.
    Erase,
}

/// What is answered: any number of steps, then one of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum AdminReply {
    /// How far it is.
    Step {
        /// What is worked on.
        what: String,
        /// Entries of it so far.
        entries: u64,
    },
    /// What the clock says.
    Clock {
        /// The time, as XEP-0082 writes it.
        clock: String,
        /// What waits because it is not believed.
        notes: Vec<String>,
    },
    /// A part of a text.
    Text {
        /// The part.
        text: String,
    },
    /// It is done, and there is nothing to say of it.
    Over,
    /// It is done.
    Done {
        /// What the backup says of itself.
        manifest: Manifest,
    },
    /// It is not, and nothing is left of it.
    Failed {
        /// Why.
        why: String,
    },
}
