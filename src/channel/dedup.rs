//! Which messages a client sent twice: by origin id, for a bounded time and number.
//!
//! Only an id that the client calls an origin id counts, since some clients number their stanza ids from 1.

use super::{ParticipantId, Row, Stamp};
use std::collections::{HashMap, VecDeque};

/// How long a repeat is known as one, in milliseconds.
pub const REPEAT_MS_MAX: u64 = 24 * 3600 * 1000;
/// How many messages of one channel are remembered.
pub const REPEATS_MAX: usize = 512;

type Key = (ParticipantId, String);

/// The newest messages of a channel by author and origin id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    rows: HashMap<Key, u64>,
    order: VecDeque<(Key, Stamp)>,
    bytes: usize,
}

impl Recent {
    /// Remembers a row.
    pub fn note(&mut self, row: &Row) {
        let Some(origin_id) = &row.origin_id else { return };
        let key = (row.author.clone(), origin_id.clone());
        if self.rows.insert(key.clone(), row.number).is_some() {
            return;
        }
        self.bytes += 2 * origin_id.len() + 160;
        self.order.push_back((key, row.stamp));
        while self.order.len() > REPEATS_MAX || self.is_stale(row.stamp) {
            let Some((old, _)) = self.order.pop_front() else { break };
            self.bytes -= 2 * old.1.len() + 160;
            self.rows.remove(&old);
        }
    }

    /// The row that this author's message of this origin id became.
    pub fn find(&self, author: &ParticipantId, origin_id: &str, now: Stamp) -> Option<u64> {
        let key = (author.clone(), origin_id.to_owned());
        let row = *self.rows.get(&key)?;
        let stamp = self.order.iter().rev().find(|(other, _)| *other == key)?.1;
        (now.0.saturating_sub(stamp.0) <= REPEAT_MS_MAX).then_some(row)
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_stale(&self, now: Stamp) -> bool {
        self.order.front().is_some_and(|(_, stamp)| now.0.saturating_sub(stamp.0) > REPEAT_MS_MAX)
    }
}
