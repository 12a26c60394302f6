//! XEP-0045: what is asked in rooms has rates of its own, where it reaches others.

use super::super::Engine;
use crate::channel::{Actor, ChannelName, Command, Refusal};
use jid::BareJid;

/// The least time between two requests of an account for voice in a room (§7.13), in milliseconds.
const ASKED_MS: u64 = 60_000;
/// Accounts of a room that asked lately.
const ASKERS_MAX: usize = 1000;

impl Engine {
    /// Lets a request that people in a room hear of pass, or refuses it.
    ///
    /// # Errors
    /// [`Refusal::TooFast`]: what the account has on the way goes out first, or it asked for voice a moment ago.
    pub(in crate::engine) fn admit_in_room(
        &mut self,
        actor: &Actor,
        name: Option<&ChannelName>,
        command: &Command,
    ) -> Result<(), Refusal> {
        let reaches_all = matches!(
            command,
            Command::SetRoles(_)
                | Command::SetAffiliations(_)
                | Command::ConfigureRoom(_)
                | Command::SetPicture(_)
                | Command::DestroyRoom(_)
        );
        if reaches_all {
            self.admit_freight(actor)?;
        }
        match name.filter(|_| matches!(command, Command::RequestVoice)) {
            Some(name) => self.admit_voice_request(name, &actor.account),
            None => Ok(()),
        }
    }

    fn admit_voice_request(&mut self, name: &ChannelName, account: &BareJid) -> Result<(), Refusal> {
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
