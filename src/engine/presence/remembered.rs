//! What is remembered of presence when another process takes the stream over.

use super::online::OnlineMemory;
use super::sharing::Sharing;
use crate::engine::Engine;

/// What is remembered of presence.
pub type PresenceMemory = OnlineMemory;

impl Sharing {
    /// What is to be remembered.
    pub fn remembered(&self) -> PresenceMemory {
        self.online().remembered()
    }
}

impl Engine {
    /// It is remembered, as far as its channels are still there.
    pub(in crate::engine) fn remember_presence(&mut self, memory: PresenceMemory) {
        let channels = &self.channels;
        self.presence.online.remember(memory, |tag, name| channels.tag_of(name) == Some(tag));
    }
}
