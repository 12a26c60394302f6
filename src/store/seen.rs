//! What the current month is known to hold.

use crate::channel::{ParticipantId, Stamp};
use std::collections::{HashMap, HashSet};

/// How many blocks and channels of the current month are remembered.
const SEEN_MAX: usize = 65_536;

/// An entry of the index of blocks: tag, author, block. Without an author, the block has rows that are no events.
type Block = (u64, Option<ParticipantId>, u64);

/// What the current month is known to hold, so that it is not looked up and written again.
#[derive(Default)]
pub(super) struct Seen {
    /// Entries of the index of blocks.
    pub(super) blocks: HashSet<Block>,
    /// The newest stamps of channels that have rows in it, by tag.
    pub(super) tags: HashMap<u64, Stamp>,
    /// The tags of channels whose old rows went. The month may have none of their rows left.
    pub(super) lost: HashSet<u64>,
}

impl Seen {
    /// Remembers what was written.
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    pub(super) fn note(&mut self, news: Seen) {
        if self.blocks.len() + self.tags.len() >= SEEN_MAX {
            self.clear();
        }
        self.blocks.extend(news.blocks);
        self.tags.retain(|tag, _| !news.lost.contains(tag));
        self.tags.extend(news.tags);
    }

    /// Forgets everything, because a new month is empty.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.tags.clear();
    }
}
