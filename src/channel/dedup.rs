//! Which messages a client sent twice: by origin id, for a bounded time and number.
//!
//! Only an id that the client calls an origin id counts, since some clients number their stanza ids from 1.

use super::{ParticipantId, Row, Stamp};
use std::collections::{HashMap, VecDeque};

/// How long a repeat is known as one, in milliseconds.
pub const REPEAT_MS_MAX: u64 = 24 * 3600 * 1000;
/// How many of a channel's newest rows are looked at.
pub const REPEATS_MAX: usize = 512;

type Key = (ParticipantId, String);

/// The newest messages of a channel by author and origin id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    rows: HashMap<Key, (u64, Stamp)>,
    /// Oldest first; a key that was used again stands where it was used last.
    order: VecDeque<Key>,
    bytes: usize,
}

impl Recent {
    /// Remembers a row, and forgets what is too old beside it.
    pub fn note(&mut self, row: &Row) {
        while let Some(oldest) = self.order.front() {
            let keep = self
                .rows
                .get(oldest)
                .is_some_and(|&(number, stamp)| number + REPEATS_MAX as u64 > row.number && is_fresh(stamp, row.stamp));
            if keep {
                break;
            }
            if let Some(old) = self.order.pop_front() {
                self.bytes -= cost(&old);
                self.rows.remove(&old);
            }
        }
        let Some(origin_id) = &row.origin_id else { return };
        let key = (row.author.clone(), origin_id.clone());
        if self.rows.insert(key.clone(), (row.number, row.stamp)).is_some() {
            self.order.retain(|other| *other != key);
        } else {
            self.bytes += cost(&key);
        }
        self.order.push_back(key);
    }

    /// The row that this author's message of this origin id became.
    pub fn find(&self, author: &ParticipantId, origin_id: &str, now: Stamp) -> Option<u64> {
        let (number, stamp) = *self.rows.get(&(author.clone(), origin_id.to_owned()))?;
        is_fresh(stamp, now).then_some(number)
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn is_fresh(stamp: Stamp, now: Stamp) -> bool {
    now.0.saturating_sub(stamp.0) <= REPEAT_MS_MAX
}

fn cost(key: &Key) -> usize {
    2 * key.1.len() + 160
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    fn row(author: &ParticipantId, number: u64, stamp: u64, origin_id: Option<&str>) -> Row {
        Row {
            number,
            stamp: Stamp(stamp),
            author: author.clone(),
            ordinal: number,
            counted: true,
            target: None,
            nick: String::new(),
            stanza_id: None,
            origin_id: origin_id.map(str::to_owned),
            lang: None,
            payload: String::new(),
        }
    }

    #[test]
    fn an_origin_id_used_again_after_a_day_counts_from_its_last_use() {
        let author = ParticipantId::random(&mut StdRng::seed_from_u64(7));
        let mut recent = Recent::default();
        recent.note(&row(&author, 1, 0, Some("a")));
        let later = REPEAT_MS_MAX + 1;
        assert_eq!(recent.find(&author, "a", Stamp(later)), None);
        recent.note(&row(&author, 2, later, Some("a")));
        assert_eq!(recent.find(&author, "a", Stamp(later + 1)), Some(2));
    }

    #[test]
    fn rows_without_an_origin_id_push_old_ones_out_too() {
        let author = ParticipantId::random(&mut StdRng::seed_from_u64(7));
        let mut recent = Recent::default();
        recent.note(&row(&author, 1, 0, Some("a")));
        recent.note(&row(&author, REPEATS_MAX as u64, 0, None));
        assert_eq!(recent.find(&author, "a", Stamp(0)), Some(1));
        recent.note(&row(&author, REPEATS_MAX as u64 + 1, 0, None));
        assert_eq!((recent.find(&author, "a", Stamp(0)), recent.bytes()), (None, 0));
    }
}
