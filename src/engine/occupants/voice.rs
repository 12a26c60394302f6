//! XEP-0045 §7.13: a visitor asks for voice once in a while, however often it is refused.

use super::super::Engine;
use crate::channel::{ChannelName, Refusal};
use jid::BareJid;

/// The least time between two requests of an account in a room, in milliseconds.
const ASKED_MS: u64 = 60_000;
/// Accounts of a room that asked lately.
const ASKERS_MAX: usize = 1000;

impl Engine {
    /// Whether an account may ask the moderators of a room for voice.
    ///
    /// # Errors
    /// [`Refusal::TooFast`]: it asked, or so many others did, a moment ago.
    pub(in crate::engine) fn admit_voice_request(
        &mut self,
        name: &ChannelName,
        account: &BareJid,
    ) -> Result<(), Refusal> {
        let now_ms = self.steady.0;
        let room = self.channels.tag_of(name).and_then(|tag| self.occupants.room_mut(tag));
        // Where nobody sits there is no moderator that hears of it.
        let Some(room) = room else { return Ok(()) };
        room.voice_asked.retain(|_, at_ms| now_ms < at_ms.saturating_add(ASKED_MS));
        let since_ms = room.voice_asked.get(account).or(match room.voice_asked.len() < ASKERS_MAX {
            true => None,
            false => room.voice_asked.values().min(),
        });
        let Some(since_ms) = since_ms else { return Ok(()) };
        let wait_ms = since_ms.saturating_add(ASKED_MS) - now_ms;
        Err(Refusal::TooFast { what: "requests for voice", wait_s: wait_ms.div_ceil(1000) })
    }

    /// An account asked for voice.
    pub(in crate::engine) fn note_voice_request(&mut self, name: &ChannelName, account: &BareJid) {
        let now_ms = self.steady.0;
        if let Some(room) = self.channels.tag_of(name).and_then(|tag| self.occupants.room_mut(tag)) {
            room.voice_asked.insert(account.clone(), now_ms);
        }
    }
}
