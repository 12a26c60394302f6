//! What was heard of clients in rooms.

use jid::FullJid;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// For how long a client in a room is silent before it is asked, in milliseconds.
pub(super) const SILENT_MS: u64 = 15 * 60 * 1000;

/// How long a server may be out of reach before its clients are given up, in milliseconds: one hiccup between servers empties
/// no room.
pub(super) const LOST_MS: u64 = 60_000;

/// When a client was heard of, in steady milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// When it said something; 0: not since the start.
    pub said_ms: u64,
    /// When it was asked, if it was since then.
    pub asked_ms: Option<u64>,
    /// Since when its server cannot be reached.
    pub lost_ms: Option<u64>,
}

/// When clients in rooms were heard of, and the rooms whose clients are to be asked whether they are still there.
#[derive(Debug, Default)]
pub(super) struct Ghosts {
    /// Since when whoever was not heard of may be gone.
    pub since_ms: u64,
    /// The time.
    pub now_ms: u64,
    /// Rooms in which something is said, by tags: they are gone through first.
    pub urgent: VecDeque<u64>,
    /// All rooms that are gone through.
    pub queue: VecDeque<u64>,
    /// Clients whose servers cannot be reached, and when they are asked once more.
    pub lost: BTreeSet<(u64, FullJid)>,
    /// When rooms are gone through next if nothing is said there, by tags: each room once.
    due: BTreeSet<(u64, u64)>,
    due_of: HashMap<u64, u64>,
}

impl Ghosts {
    /// A client says something, whose last news these are.
    pub fn say(&mut self, full: &FullJid, heard: &mut Heard) {
        let past = std::mem::replace(heard, Heard { said_ms: self.now_ms, ..Heard::default() });
        self.find(full, past);
    }

    /// The server of a client cannot be reached. Returns whether that is so for long enough to give the client up. Until then
    /// it is asked once more.
    pub fn lose(&mut self, full: &FullJid, heard: &mut Heard) -> bool {
        match heard.lost_ms {
            Some(since_ms) => since_ms.saturating_add(LOST_MS) <= self.now_ms,
            None => {
                heard.lost_ms = Some(self.now_ms);
                self.lost.insert((self.now_ms.saturating_add(LOST_MS), full.clone()));
                false
            }
        }
    }

    /// It is no longer asked once more.
    pub fn find(&mut self, full: &FullJid, past: Heard) {
        if let Some(since_ms) = past.lost_ms {
            self.lost.remove(&(since_ms.saturating_add(LOST_MS), full.clone()));
        }
    }

    /// A room begins.
    pub fn begin(&mut self, tag: u64) {
        self.look_at(tag, self.now_ms.saturating_add(SILENT_MS));
    }

    /// A room is gone through at a time, and not before.
    pub fn look_at(&mut self, tag: u64, due_ms: u64) {
        self.end(tag);
        self.due_of.insert(tag, due_ms);
        self.due.insert((due_ms, tag));
    }

    /// A room is no more.
    pub fn end(&mut self, tag: u64) {
        if let Some(due_ms) = self.due_of.remove(&tag) {
            self.due.remove(&(due_ms, tag));
        }
    }

    /// The next room that is to be gone through now.
    pub fn next_due(&mut self) -> Option<u64> {
        let (_, tag) = self.due.first().copied().filter(|(due_ms, _)| *due_ms <= self.now_ms)?;
        self.end(tag);
        Some(tag)
    }

    /// How many rooms are to be gone through.
    #[cfg(test)]
    pub fn due_count(&self) -> usize {
        self.due.len().max(self.due_of.len())
    }

    /// Whether a client is to be asked. It is not asked twice about the same silence.
    pub fn is_doubtful(&self, heard: &Heard) -> bool {
        let is_asked = |since_ms: u64| heard.asked_ms.is_some_and(|asked_ms| asked_ms >= since_ms);
        let of_before = heard.said_ms < self.since_ms && !is_asked(self.since_ms);
        of_before || (heard.said_ms.saturating_add(SILENT_MS) <= self.now_ms && !is_asked(0))
    }
}
