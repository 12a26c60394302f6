//! groups.md §1 rule 9: the chat states of the last second, so that none is repeated to everybody.
//!
//! They are not stored. Two channels that differ in them alone count as equal.

use super::ParticipantId;
use super::change::Relay;
use super::stamp::Stamp;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// How long a chat state is not repeated, in milliseconds.
const AGAIN_MS_MIN: u64 = 1000;
/// Above so many people, those who sent no state for long are dropped.
const PEOPLE_MAX: usize = 64;

/// The last chat state of each person.
#[derive(Clone, Debug, Default)]
pub struct States(HashMap<ParticipantId, (u64, Stamp)>);

impl PartialEq for States {
    fn eq(&self, _: &States) -> bool {
        true
    }
}

impl States {
    /// Notes a chat state.
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    pub fn note(&mut self, relay: &Relay) {
        if relay.message.echoed {
            return;
        }
        if self.0.len() >= PEOPLE_MAX {
            self.0.retain(|_, (_, stamp)| relay.stamp.0.abs_diff(stamp.0) < AGAIN_MS_MIN);
        }
        self.0.insert(relay.author.clone(), (digest(&relay.message.payload), relay.stamp));
    }

    /// Whether this person sent the same chat state within the last second.
    pub fn repeats(&self, author: &ParticipantId, payload: &str, now: Stamp) -> bool {
        let last = self.0.get(author);
        last.is_some_and(|&(said, stamp)| said == digest(payload) && now.0.abs_diff(stamp.0) < AGAIN_MS_MIN)
    }
}

fn digest(payload: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}
