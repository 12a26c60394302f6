//! Which messages a client sent twice: by origin id, for a bounded time and number.
//!
//! Only an id that the client calls an origin id counts, since some clients number their stanza ids from 1.

use super::{ParticipantId, Row, Stamp};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How long a repeat is known as one, in milliseconds.
pub const REPEAT_MS_MAX: u64 = 24 * 3600 * 1000;
/// How many of the newest rows of one channel are looked at.
pub const REPEATS_MAX: usize = 512;

type Key = Arc<(ParticipantId, String)>;

/// The newest messages of a channel by author and origin id.
///
/// What it holds depends on the newest rows alone, so that a channel that is loaded knows the same repeats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    rows: HashMap<Key, (u64, Stamp)>,
    order: VecDeque<(Key, u64, Stamp)>,
    bytes: usize,
}

impl Recent {
    /// Remembers a row, and forgets what is too far behind it.
    pub fn note(&mut self, row: &Row) {
        self.note_as(row, row.origin_id.as_ref());
    }

    /// Remembers a row by its stanza id, where that says more than its origin id: corrections name it so (XEP-0308 §3).
    pub fn note_sent(&mut self, row: &Row) {
        self.note_as(row, row.stanza_id.as_ref().filter(|id| row.origin_id.as_ref() != Some(id)));
    }

    fn note_as(&mut self, row: &Row, id: Option<&String>) {
        if let Some(id) = id {
            let key = Arc::new((row.author.clone(), id.clone()));
            if self.rows.insert(key.clone(), (row.number, row.stamp)).is_some() {
                self.order.retain(|(other, ..)| *other != key);
            } else {
                self.bytes += cost(&key);
            }
            self.order.push_back((key, row.number, row.stamp));
        }
        while self.order.front().is_some_and(|&(_, number, stamp)| is_behind(number, stamp, row)) {
            self.pop();
        }
    }

    /// Forgets the rows up to one.
    pub fn forget(&mut self, up_to: u64) {
        while self.order.front().is_some_and(|&(_, number, _)| number <= up_to) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((old, ..)) = self.order.pop_front() {
            self.bytes -= cost(&old);
            self.rows.remove(&old);
        }
    }

    /// The row that this author's message of this origin id became.
    pub fn find(&self, author: &ParticipantId, origin_id: &str, now: Stamp) -> Option<u64> {
        let &(row, stamp) = self.rows.get(&(author.clone(), origin_id.to_owned()))?;
        (now.0.saturating_sub(stamp.0) <= REPEAT_MS_MAX).then_some(row)
    }

    /// The row that this author calls so, however long ago that was.
    pub fn row_of(&self, author: &ParticipantId, id: &str) -> Option<u64> {
        self.rows.get(&(author.clone(), id.to_owned())).map(|&(row, _)| row)
    }

    /// The origin id of a row, where it is among the newest.
    pub fn origin_of(&self, row: u64) -> Option<&str> {
        let at = self.order.binary_search_by_key(&row, |(_, number, _)| *number).ok()?;
        self.order.get(at).map(|(key, ..)| &*key.1)
    }

    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn cost(key: &Key) -> usize {
    2 * key.1.len() + 160
}

fn is_behind(number: u64, stamp: Stamp, newest: &Row) -> bool {
    newest.number.saturating_sub(number) >= REPEATS_MAX as u64 || newest.stamp.0.saturating_sub(stamp.0) > REPEAT_MS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn row(number: u64, origin_id: Option<&str>, stamp: u64) -> Row {
        Row {
            number,
            stamp: Stamp(stamp),
            author: ParticipantId::random(&mut rand::rngs::StdRng::seed_from_u64(1)),
            ordinal: number,
            counted: true,
            target: None,
            corrects: false,
            kind: crate::channel::RowKind::Message,
            media: None,
            nick: "a".into(),
            stanza_id: None,
            origin_id: origin_id.map(str::to_owned),
            lang: None,
            payload: String::new(),
        }
    }

    #[test]
    fn an_id_that_comes_again_after_a_day_is_known_from_then_on() {
        let mut recent = Recent::default();
        let (first, second) = (row(1, Some("o"), 0), row(2, Some("o"), REPEAT_MS_MAX + 1));
        recent.note(&first);
        recent.note(&second);
        assert_eq!(recent.find(&first.author, "o", Stamp(REPEAT_MS_MAX + 2)), Some(2));
        let mut loaded = Recent::default();
        loaded.note(&second);
        assert_eq!(recent, loaded);
    }

    #[test]
    fn rows_without_an_id_push_the_others_out_too() {
        let mut recent = Recent::default();
        recent.note(&row(1, Some("o"), 0));
        (2..=REPEATS_MAX as u64).for_each(|number| recent.note(&row(number, None, 0)));
        assert_ne!(recent, Recent::default());
        recent.note(&row(REPEATS_MAX as u64 + 1, None, 0));
        assert_eq!(recent, Recent::default());
    }
}
