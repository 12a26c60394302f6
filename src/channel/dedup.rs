//! Messages that a client sent twice, found by origin id among the newest rows.
//!
//! Only ids count that the client states as origin ids (XEP-0359 §2.2), because some clients number their stanza ids
//! anew with each start. There is no bound by time: stamps jump with the clock, and a phone may be off for a week before
//! it sends again.

use super::{ParticipantId, Row};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many of the newest rows of a channel are searched.
pub const REPEATS_MAX: usize = 512;

type Key = Arc<(ParticipantId, String)>;

/// The newest messages of a channel by author and origin id.
///
/// Its contents depend on the newest rows alone, so a channel that was just loaded finds the same repeats.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recent {
    rows: HashMap<Key, u64>,
    order: VecDeque<(Key, u64)>,
    bytes: usize,
}

impl Recent {
    /// Adds a row, and drops rows that are too old by number.
    pub fn note(&mut self, row: &Row) {
        self.note_as(row, row.origin_id.as_ref());
    }

    /// XEP-0308 §3: adds a row by its stanza id, by which corrections name it. A row whose origin id is the same is
    /// left out.
    pub fn note_sent(&mut self, row: &Row) {
        self.note_as(row, row.stanza_id.as_ref().filter(|id| row.origin_id.as_ref() != Some(id)));
    }

    fn note_as(&mut self, row: &Row, id: Option<&String>) {
        if let Some(id) = id {
            let key = Arc::new((row.author.clone(), id.clone()));
            if self.rows.insert(key.clone(), row.number).is_some() {
                self.order.retain(|(other, ..)| *other != key);
            } else {
                self.bytes += cost(&key);
            }
            self.order.push_back((key, row.number));
        }
        let far = (REPEATS_MAX as u64).saturating_sub(1);
        while self.order.front().is_some_and(|&(_, number)| row.number.saturating_sub(number) > far) {
            self.pop();
        }
    }

    /// Drops the rows up to `up_to`.
    pub fn forget(&mut self, up_to: u64) {
        while self.order.front().is_some_and(|&(_, number)| number <= up_to) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((old, ..)) = self.order.pop_front() {
            self.bytes -= cost(&old);
            self.rows.remove(&old);
        }
    }

    /// The row of the message with this author and origin id.
    pub fn find(&self, author: &ParticipantId, id: &str) -> Option<u64> {
        self.rows.get(&(author.clone(), id.to_owned())).copied()
    }

    /// The origin id of a row, where it is among the newest.
    pub fn origin_of(&self, row: u64) -> Option<&str> {
        let at = self.order.binary_search_by_key(&row, |(_, number)| *number).ok()?;
        self.order.get(at).map(|(key, ..)| &*key.1)
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn cost(key: &Key) -> usize {
    2 * key.1.len() + 160
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Stamp;
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
    fn a_repeat_is_one_whatever_the_clock_says() {
        const YEAR_MS: u64 = 365 * 86_400_000;
        for (stamp, later) in [(0, YEAR_MS), (YEAR_MS, 0)] {
            let mut recent = Recent::default();
            let (first, other) = (row(1, Some("o"), stamp), row(2, Some("p"), later));
            recent.note(&first);
            recent.note(&other);
            assert_eq!(recent.find(&first.author, "o"), Some(1));
        }
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
