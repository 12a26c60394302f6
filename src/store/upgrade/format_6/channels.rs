//! The settings of a channel have those of a room, and say who may change the topic. Whether private messages are passed
//! on is one of four values, the first two of which are written like no and yes.

use super::super::super::StoreError;
use super::super::change::{Rewrite, UpgradePlace, read_beginning, same, write};
use crate::channel::{
    Access, ChannelName, History, Membership, NodeAccess, NodeSet, Profile, ReceiptPolicy, Stamp, Style, Visibility,
};
use serde::{Deserialize, Serialize};

pub(super) const ENTRIES: Rewrite = Rewrite { place: UpgradePlace::State, letter: b'c', key: same, value: renewed };

/// What an entry begins with. The rights follow.
type Head = (ChannelName, u64, bool, u32, Profile);

/// Settings up to those of who may do what.
#[derive(Serialize, Deserialize)]
struct Beginning {
    style: Style,
    membership: Membership,
    history: History,
    events: bool,
    receipts: ReceiptPolicy,
    members_add: bool,
    participants_max: usize,
    subject_chars_max: usize,
    retract_window_s: u64,
    retention_days: u64,
    end_of_life: Option<Stamp>,
    switched_off: NodeSet,
    access: NodeAccess,
}

/// The encoding of the settings of a room that are the defaults: no language, password or limit, every role shown, listed
/// as it was created.
const ROOM: &[u8] = &[0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0];

/// Who may change the information, the picture, and retract others' messages; whether one's own may be retracted.
type Grants = (Access, Access, Access, bool);

/// Settings behind those of who may do what: who sees JIDs, private messages, presence, open, required; notices.
type End = (Visibility, bool, bool, bool, bool, bool);

fn renewed(body: &[u8]) -> Result<Vec<u8>, StoreError> {
    let ((head, beginning, grants, end), rights) = read_beginning::<(Head, Beginning, Grants, End)>(body)?;
    let settings = write(&(head, beginning, (grants, Access::Admins), end))?;
    Ok([&settings, ROOM, rights].concat())
}
