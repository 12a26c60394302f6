//! Which messages a client sent twice: by origin id, for a bounded time and number.
//!
//! Only an id that the client calls an origin id counts, since some clients number their stanza ids from 1.

use super::{ParticipantId, Row, Stamp};
use std::collections::{HashMap, VecDeque};

/// How long a repeat is known as one, in milliseconds.
pub const REPEAT_MS_MAX: u64 = 24 * 3600 * 1000;
/// How many of the newest rows of a channel are remembered.
pub const REPEATS_MAX: usize = 512;

type Key = (ParticipantId, String);

/// The newest messages of a channel by author and origin id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    rows: HashMap<Key, u64>,
    order: VecDeque<(Key, u64, Stamp)>,
    bytes: usize,
}

impl Recent {
    /// Remembers a row, and forgets what is too far behind it.
    pub fn note(&mut self, row: &Row) {
        if let Some(origin_id) = &row.origin_id {
            let key = (row.author.clone(), origin_id.clone());
            self.bytes += cost(&key);
            self.rows.insert(key.clone(), row.number);
            self.order.push_back((key, row.number, row.stamp));
        }
        while self.order.front().is_some_and(|(_, number, stamp)| is_forgotten(*number, *stamp, row)) {
            let Some((key, number, _)) = self.order.pop_front() else { break };
            self.bytes -= cost(&key);
            if self.rows.get(&key) == Some(&number) {
                self.rows.remove(&key);
            }
        }
    }

    /// The row that this author's message of this origin id became.
    pub fn find(&self, author: &ParticipantId, origin_id: &str, now: Stamp) -> Option<u64> {
        let row = *self.rows.get(&(author.clone(), origin_id.to_owned()))?;
        let at = self.order.binary_search_by_key(&row, |(_, number, _)| *number).ok()?;
        let (_, _, stamp) = &self.order[at];
        (now.0.saturating_sub(stamp.0) <= REPEAT_MS_MAX).then_some(row)
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn cost(key: &Key) -> usize {
    2 * key.1.len() + 160
}

/// Whether a row is so far behind the newest one that its repeats are no longer known.
fn is_forgotten(number: u64, stamp: Stamp, newest: &Row) -> bool {
    number + REPEATS_MAX as u64 <= newest.number || newest.stamp.0.saturating_sub(stamp.0) > REPEAT_MS_MAX
}
