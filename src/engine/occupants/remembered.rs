//! What is remembered of rooms when another process takes the stream over: what sessions say, which rooms are locked, who is still
//! to be told that a room is no more, and who watches rooms. The seats themselves are stored.

use super::Occupants;
use super::ends::KnownEnd;
use super::locks::KnownLock;
use super::watchers::WatchersMemory;
use crate::engine::{Engine, Out};
use crate::xep::availability::Availability;
use jid::FullJid;
use serde::{Deserialize, Serialize};

/// What is remembered of rooms.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoomsMemory {
    /// What a client's presence says in the room of this tag.
    says: Vec<(u64, FullJid, Availability)>,
    locks: Vec<KnownLock>,
    ends: Vec<KnownEnd>,
    watchers: WatchersMemory,
}

impl Occupants {
    /// What is to be remembered.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn remembered(&self) -> RoomsMemory {
        let silent = Availability::default();
        let sessions = self.rooms.iter().flat_map(|(tag, room)| {
            let sessions =
                room.occupants().flat_map(|seat| &seat.sessions).filter(|it| !it.is_gone && it.says != silent);
            sessions.map(|session| (*tag, FullJid::clone(&session.full), session.says.clone()))
        });
        let mut says: Vec<(u64, FullJid, Availability)> = sessions.collect();
        says.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        // Those that were settled would be open with the next turn.
        let locks = self.locks.known().into_iter().filter(|lock| !self.settled.contains(&lock.name)).collect();
        RoomsMemory { says, locks, ends: self.known_ends(), watchers: self.watchers.remembered() }
    }
}

impl Engine {
    /// It is remembered, as far as the rooms are still there.
    pub(in crate::engine) fn remember_rooms(&mut self, memory: RoomsMemory, out: &mut Vec<Out>) {
        memory.says.into_iter().for_each(|(tag, full, says)| self.occupants.say(tag, &full, says));
        for lock in memory.locks {
            if self.channels.tag_of(&lock.name) == Some(lock.tag) {
                self.channels.hide(&lock.name);
                self.occupants.locks.know(lock);
            }
        }
        for end in memory.ends {
            let mut number = |full: &FullJid| self.people.enter_session(full, out);
            self.occupants.know_end(end, &mut number);
        }
        self.remember_watchers(memory.watchers, out);
    }
}
