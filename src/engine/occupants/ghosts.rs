//! Clients that may be gone, though nothing said so: after a start or a lost link, and where nothing was heard of them for long in
//! a room in which nothing was said. They are asked, a few at each tick. What a client says settles it.

use super::super::{Engine, Turn};
use super::Occupants;
use super::heard::SILENT_MS;
use super::room::Call;
use jid::FullJid;

/// Clients that one tick asks.
const ASKED_MAX: usize = 50;
/// Sessions, and rooms, that one tick looks at.
const LOOKED_AT_MAX: usize = 2000;

impl Occupants {
    /// A client says something, wherever that is.
    pub fn hear(&mut self, full: &FullJid, now_ms: u64) {
        self.ghosts.now_ms = now_ms;
        if let Some(client) = self.clients.get_mut(full) {
            self.ghosts.say(full, &mut client.heard);
        }
    }

    /// A client was asked, whatever for.
    pub fn note_asked(&mut self, full: &FullJid) {
        if let Some(client) = self.clients.get_mut(full) {
            client.heard.asked_ms = Some(self.ghosts.now_ms);
        }
    }

    /// What was asked of a client came back, because its server cannot be reached. Returns whether the client is given up.
    pub fn note_lost(&mut self, full: &FullJid, now_ms: u64) -> bool {
        self.ghosts.now_ms = now_ms;
        self.clients.get_mut(full).is_some_and(|client| self.ghosts.lose(full, &mut client.heard))
    }

    /// Something is said in a room. Clients that are gone will not take it: those of the room are asked before others.
    pub fn note_said(&mut self, tag: u64) {
        let now_ms = self.ghosts.now_ms;
        let Some(room) = self.rooms.get_mut(&tag) else { return };
        room.said_ms = now_ms;
        if let Some(call) = room.call.as_mut().filter(|call| !call.is_urgent) {
            call.is_urgent = true;
            self.ghosts.urgent.push_back(tag);
        }
    }

    /// The link came up, and whoever was in a room before may be gone.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn doubt_all(&mut self, now_ms: u64) {
        (self.ghosts.now_ms, self.ghosts.since_ms) = (now_ms, now_ms.max(1));
        let mut tags: Vec<u64> = self.rooms.keys().copied().collect();
        tags.sort_unstable();
        self.ghosts.urgent.clear();
        for tag in &tags {
            if let Some(room) = self.rooms.get_mut(tag) {
                room.call = Some(Call::default());
            }
        }
        self.ghosts.queue = tags.into();
    }

    /// Rooms in which nothing was said for long are gone through.
    fn call_silent_rooms(&mut self) {
        let now_ms = self.ghosts.now_ms;
        for _ in 0..LOOKED_AT_MAX {
            let Some(tag) = self.ghosts.next_due() else { return };
            let Some(room) = self.rooms.get_mut(&tag) else { continue };
            let silent_ms = room.said_ms.saturating_add(SILENT_MS);
            let is_silent = silent_ms <= now_ms;
            if is_silent && room.call.is_none() {
                room.call = Some(Call::default());
                self.ghosts.queue.push_back(tag);
            }
            self.ghosts.look_at(tag, if is_silent { now_ms.saturating_add(SILENT_MS) } else { silent_ms });
        }
    }

    /// The next clients to be asked.
    fn next_doubtful(&mut self, now_ms: u64) -> Vec<FullJid> {
        self.ghosts.now_ms = now_ms;
        self.call_silent_rooms();
        let (mut asked, mut looks) = (Vec::new(), LOOKED_AT_MAX);
        while asked.len() < ASKED_MAX
            && let Some(next) = self.ghosts.lost.first().filter(|(due_ms, _)| *due_ms <= now_ms).cloned()
        {
            self.ghosts.lost.remove(&next);
            asked.push(next.1);
        }
        while looks > 0 && asked.len() < ASKED_MAX {
            looks -= 1;
            let is_urgent = !self.ghosts.urgent.is_empty();
            let next = self.ghosts.urgent.front().or(self.ghosts.queue.front()).copied();
            let Some(tag) = next else { break };
            if !self.call_room(tag, &mut looks, &mut asked) {
                continue;
            }
            match is_urgent {
                true => self.ghosts.urgent.pop_front(),
                false => self.ghosts.queue.pop_front(),
            };
        }
        asked
    }

    /// Goes on with the sessions of a room. Returns whether there are no more.
    fn call_room(&mut self, tag: u64, looks: &mut usize, asked: &mut Vec<FullJid>) -> bool {
        let Some(room) = self.rooms.get_mut(&tag) else { return true };
        let Some(mut call) = room.call else { return true };
        let mut is_done = true;
        'seats: for (place, seat) in room.occupants_behind(call.behind) {
            for session in &seat.sessions {
                if *looks == 0 || asked.len() >= ASKED_MAX {
                    is_done = false;
                    break 'seats;
                }
                *looks -= 1;
                let client = self.clients.get_mut(&session.full).filter(|_| !session.is_gone);
                let Some(client) = client.filter(|client| self.ghosts.is_doubtful(&client.heard)) else { continue };
                // In other rooms as well.
                client.heard.asked_ms = Some(self.ghosts.now_ms);
                asked.push(FullJid::clone(&session.full));
            }
            call.behind = Some(place);
        }
        room.call = Some(call).filter(|_| !is_done);
        is_done
    }
}

impl Engine {
    /// At a tick: asks some clients whether they are still there.
    pub(in crate::engine) fn ask_ghosts(&mut self, turn: &mut Turn) {
        for full in self.occupants.next_doubtful(self.steady.0) {
            self.probe_resource(&full, turn);
        }
    }
}
