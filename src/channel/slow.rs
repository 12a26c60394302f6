//! XEP-0500: when people said something last, in a channel in which each of them waits between two messages.
//!
//! It is not stored: a channel that is loaded reads its newest rows, and goes on from those. Two channels that differ in it
//! alone count as equal.

use super::ParticipantId;
use super::stamp::Stamp;
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
    /// Nobody waits any more.
    pub fn end(&mut self) {
        if !self.order.is_empty() {
            *self = Slow::default();
        }
    }

    /// Somebody who has to wait said something. `wait_s`: how long it waits before it says more.
    pub fn note(&mut self, author: &ParticipantId, stamp: Stamp, wait_s: u64) {
        while let Some((since, _)) = self.order.front()
            && waits_ms(*since, stamp, wait_s).is_none()
            && let Some((since, author)) = self.order.pop_front()
        {
            if self.last.get(&author) == Some(&since) {
                self.last.remove(&author);
            }
        }
        self.last.insert(author.clone(), stamp);
        self.order.push_back((stamp, author.clone()));
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<(Stamp, ParticipantId)>() * (self.order.len() + 2 * self.last.len())
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

    fn id(name: &str) -> ParticipantId {
        ParticipantId::new(&name.repeat(20)).unwrap()
    }

    #[test]
    fn everybody_waits_for_itself_and_what_is_over_is_kept_no_longer() {
        let (mut slow, a, b) = (Slow::default(), id("a"), id("b"));
        slow.note(&a, Stamp(1000), 10);
        assert_eq!(slow.waits_s(&a, Stamp(1000), 10), Some(10));
        assert_eq!(slow.waits_s(&a, Stamp(10_999), 10), Some(1));
        assert_eq!(slow.waits_s(&a, Stamp(11_000), 10), None);
        assert_eq!(slow.waits_s(&b, Stamp(2000), 10), None);
        slow.note(&b, Stamp(5000), 10);
        slow.note(&a, Stamp(12_000), 10);
        assert_eq!((slow.last.len(), slow.order.len()), (2, 2));
        slow.note(&id("d"), Stamp(30_000), 10);
        assert_eq!((slow.last.len(), slow.order.len()), (1, 1));
        assert!(slow.bytes() > 0);
        slow.end();
        assert_eq!((slow.waits_s(&b, Stamp(30_001), 10), slow.bytes()), (None, 0));
    }
}
