//! The protocol of the admin socket.

use crate::store::Manifest;
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdminRequest {
    /// Copy the store into a folder.
    Backup {
        /// The folder, as an absolute path.
        to: PathBuf,
    },
    /// Tell how the clock stands, and what waits because it is not believed.
    ShowClock,
    /// Believe the clock.
    ConfirmClock,
    /// Have the program on disk take over.
    Handover,
    /// Show, export, end or erase an account.
    Account {
        /// What to do.
        deed: AccountAction,
        /// The account.
        jid: String,
    },
}

/// What to do with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountAction {
    /// Summarise what the service holds of it.
    Show,
    /// Return everything that the service holds of it.
    Export,
    /// End it everywhere.
    End,
    /// End it everywhere, and erase what it wrote.
    Erase,
}

/// A reply: any number of `Step` and `Text`, then one of the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum AdminReply {
    /// Progress.
    Step {
        /// What it is about.
        what: String,
        /// How many entries of it are done.
        entries: u64,
    },
    /// How the clock stands.
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
    /// It is done, with no result.
    Over,
    /// Another program has taken over.
    HandedOver {
        /// Its name and version.
        program: String,
        /// For how long no stanza was served, in milliseconds.
        gap_ms: u64,
    },
    /// A backup is done.
    Done {
        /// The manifest of the backup.
        manifest: Manifest,
    },
    /// It failed, and nothing is left of it.
    Failed {
        /// Why.
        why: String,
    },
}

/// Sends a reply from outside of any task. The stream says how long that may take.
///
/// # Errors
/// The other end is gone.
pub fn say_now(mut stream: &UnixStream, reply: &AdminReply) -> io::Result<()> {
    let line = serde_json::to_string(reply)? + "\n";
    stream.write_all(line.as_bytes())
}
