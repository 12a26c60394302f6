//! XEP-0500: when people said something last, in a channel in which each of them waits between two messages.
//!
//! It is not stored: a channel that is loaded reads its newest rows, and goes on from those. Two channels that differ in it
//! alone count as equal.

use super::stamp::Stamp;
use super::{ParticipantId, Row, tail};
use std::collections::{HashMap, VecDeque};

/// When people said something last, of those who still have to wait.
#[derive(Clone, Debug, Default)]
pub struct Slow {
    last: HashMap<ParticipantId, Stamp>,
    /// The same, oldest first. Whoever said more since is in it more than once.
    order: VecDeque<(Stamp, ParticipantId)>,
}

impl PartialEq for Slow {
    fn eq(&self, _: &Slow) -> bool {
        true
    }
}

impl Slow {
    /// Notes a new row. `wait_s`: how long its author has to wait before it says more; nothing is kept where that is `None`.
    pub fn note(&mut self, row: &Row, wait_s: Option<u64>) {
        let Some(wait_s) = wait_s.filter(|wait_s| *wait_s > 0) else {
            *self = Slow::default();
            return;
        };
        while let Some((stamp, _)) = self.order.front()
            && waits_ms(*stamp, row.stamp, wait_s).is_none()
            && let Some((stamp, author)) = self.order.pop_front()
        {
            if self.last.get(&author) == Some(&stamp) {
                self.last.remove(&author);
            }
        }
        if tail::counts(row) {
            self.last.insert(row.author.clone(), row.stamp);
            self.order.push_back((row.stamp, row.author.clone()));
        }
    }

    /// How long somebody still has to wait, in seconds, rounded up; `None`: it may speak.
    pub fn waits_s(&self, author: &ParticipantId, now: Stamp, wait_s: u64) -> Option<u64> {
        let ms = waits_ms(*self.last.get(author)?, now, wait_s)?;
        Some(ms.div_ceil(1000))
    }
}

/// What is left of a wait, in milliseconds. A clock that went back ends it.
fn waits_ms(since: Stamp, now: Stamp, wait_s: u64) -> Option<u64> {
    let gone_ms = now.0.checked_sub(since.0)?;
    wait_s.saturating_mul(1000).checked_sub(gone_ms).filter(|left| *left > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::RowKind;

    fn row(author: &str, ms: u64, counted: bool) -> Row {
        Row {
            number: 1,
            stamp: Stamp(ms),
            author: ParticipantId::new(&author.repeat(20)).unwrap(),
            ordinal: 1,
            counted,
            target: None,
            corrects: false,
            kind: RowKind::Message,
            media: None,
            nick: "a".into(),
            stanza_id: None,
            origin_id: None,
            lang: None,
            payload: String::new(),
        }
    }

    #[test]
    fn everybody_waits_for_itself_and_what_is_over_is_kept_no_longer() {
        let mut slow = Slow::default();
        let (a, b) = (row("a", 1000, true), row("b", 5000, true));
        slow.note(&a, Some(10));
        slow.note(&row("c", 1500, false), Some(10));
        assert_eq!(slow.waits_s(&a.author, Stamp(1000), 10), Some(10));
        assert_eq!(slow.waits_s(&a.author, Stamp(10_999), 10), Some(1));
        assert_eq!(slow.waits_s(&a.author, Stamp(11_000), 10), None);
        assert_eq!(slow.waits_s(&b.author, Stamp(2000), 10), None);
        assert_eq!(slow.waits_s(&row("c", 0, true).author, Stamp(1600), 10), None, "it said nothing that counts");
        slow.note(&b, Some(10));
        slow.note(&row("a", 12_000, true), Some(10));
        assert_eq!((slow.last.len(), slow.order.len()), (2, 2));
        slow.note(&row("d", 30_000, false), Some(10));
        assert_eq!((slow.last.len(), slow.order.len()), (0, 0));
        slow.note(&b, Some(10));
        slow.note(&b, None);
        assert_eq!(slow.waits_s(&b.author, Stamp(5001), 10), None);
    }
}
