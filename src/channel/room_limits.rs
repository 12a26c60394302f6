//! Channels as rooms: whether they are, how large they may be, and what rooms are made with.

use super::{Access, History};
use serde::{Deserialize, Serialize};

/// `[muc]`: channels as rooms (XEP-0045).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomLimits {
    /// Whether clients of XEP-0045 may enter channels.
    pub enabled: bool,
    /// Occupants of one room that came by XEP-0045.
    pub occupants_max: usize,
    /// Whether people have bookmarks of their groups, where the host server lets the service set them (XEP-0402).
    pub bookmarks: bool,
    /// What a room is made with by a client of XEP-0045.
    pub rooms: RoomDefaults,
    /// Sessions in a room from which on those who enter wait for one another, where they are many. Only tests set another.
    #[serde(skip)]
    pub gathering_sessions_min: usize,
}

/// `[muc.rooms]`: what a room is made with by a client of XEP-0045. Its owner may change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoomDefaults {
    /// Whether everybody finds it.
    pub listed: bool,
    /// Whether everybody in it sees the JIDs of all. Otherwise those who moderate it do.
    pub shows_jids: bool,
    /// Whether only those with voice may speak.
    pub moderated: bool,
    /// Who may set the subject: `participants` or `admins`.
    pub subject: Access,
    /// What people see of what was said before they came: `full` or `joined`.
    pub history: History,
}

impl Default for RoomLimits {
    fn default() -> RoomLimits {
        let rooms = RoomDefaults::default();
        RoomLimits { enabled: true, occupants_max: 10_000, bookmarks: false, rooms, gathering_sessions_min: 16 }
    }
}

impl Default for RoomDefaults {
    fn default() -> RoomDefaults {
        RoomDefaults {
            listed: true,
            // Clients join a room that shows JIDs only after they asked their user.
            shows_jids: false,
            moderated: false,
            subject: Access::Admins,
            history: History::Full,
        }
    }
}
