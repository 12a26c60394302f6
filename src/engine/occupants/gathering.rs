//! Clients that are about to enter a room, and how long they wait for one another.

use crate::channel::ChannelName;
use crate::xep::muc::enter::Entry;
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, FullJid};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// So many entries within so many milliseconds are many.
const MANY: usize = 4;
const MANY_WITHIN_MS: u64 = 200;
/// How long entries wait for one another then, in milliseconds.
const GATHERING_MS: u64 = 100;

/// When clients entered a room last, and whether entries wait for one another.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gathering {
    /// The times of the last entries, in steady milliseconds, oldest first; 0: there was none.
    last_ms: [u64; MANY],
    /// When those enter that wait.
    ends_ms: u64,
}

impl Gathering {
    /// A client wants to enter. When it may.
    pub fn join(&mut self, now_ms: u64) -> u64 {
        let oldest_ms = self.last_ms[0];
        self.last_ms.rotate_left(1);
        self.last_ms[MANY - 1] = now_ms;
        if now_ms < self.ends_ms {
            return self.ends_ms;
        }
        let are_many = oldest_ms > 0 && now_ms.saturating_sub(oldest_ms) <= MANY_WITHIN_MS;
        if are_many {
            self.ends_ms = now_ms.saturating_add(GATHERING_MS);
        }
        self.ends_ms.max(now_ms)
    }
}

/// A client that is about to enter.
#[derive(Debug)]
pub(in crate::engine) struct Entering {
    pub stanza: Stanza,
    pub full: FullJid,
    pub nick: String,
    pub entry: Entry,
    /// What it is sent of what was said before.
    pub history: Vec<Said>,
}

/// A message of the archive, by its row, as it is sent to all who enter together.
pub(in crate::engine) type Said = (u64, Arc<Tag>);

/// Those who are about to enter one room in a turn.
#[derive(Debug, Default)]
pub(in crate::engine) struct Round {
    /// The place of the room among those of the turn.
    pub place: usize,
    /// The clients, in the order in which they came.
    pub entering: Vec<Entering>,
    /// Their accounts.
    pub accounts: HashSet<BareJid>,
    /// What was rendered of the archive for any of them: nothing else happens in the room before all of them are in it. `None`:
    /// the row is not shown.
    pub said: BTreeMap<u64, Option<Arc<Tag>>>,
}

/// Those who are about to enter rooms in a turn, by room.
pub(in crate::engine) type Rounds = BTreeMap<ChannelName, Round>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_who_enters_alone_and_nobody_longer_than_it_takes_to_gather() {
        let mut gathering = Gathering::default();
        let mut wait = |now_ms: u64| gathering.join(now_ms) - now_ms;
        // One a second, and four at once.
        assert_eq!((1..9).map(|s| wait(1000 * s)).collect::<Vec<_>>(), [0; 8]);
        assert_eq!([20_000, 20_010, 20_020, 20_030].map(&mut wait), [0; 4]);
        // From there on they wait for one another.
        assert_eq!([20_040, 20_100, 20_139].map(&mut wait), [100, 40, 1]);
        assert_eq!([20_140, 20_141].map(&mut wait), [100, 99]);
        assert_eq!([20_500, 20_600, 20_700, 20_800].map(&mut wait), [0; 4]);
    }
}
