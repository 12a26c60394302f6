//! XEP-0403 §4.5, XEP-0404 §3.2: requests and private messages between participants through the channel.

use super::{Action, Actor, Channel, Limits, Member, ParticipantId, Refusal, Seats};

/// What a participant asks of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyRequest {
    /// Take a private message.
    Say,
    /// Show the vCard or the picture.
    SeeCard,
    /// Answer another request.
    Ask,
}

impl Channel {
    /// The records of the asker and of the one asked, who are both participants.
    ///
    /// # Errors
    /// A [`Refusal`] where the asker is no participant, no participant has this id, or the channel or the one asked
    /// does not allow it.
    pub fn correspondents(
        &self,
        actor: &Actor,
        id: &ParticipantId,
        errand: ProxyRequest,
        limits: &Limits,
    ) -> Result<(&Member, &Member), Refusal> {
        let role = self.role_of(&actor.account, actor.operator);
        let seated = self.participant(&actor.account).filter(|_| self.allows(role, Action::Correspond, limits));
        let asker = seated.ok_or_else(|| self.refusal_of(role, Action::Correspond))?;
        let asked = self.member_of(id).filter(|member| member.is_joined()).ok_or(Refusal::NoSuchItem)?;
        match errand {
            ProxyRequest::Say if !self.sends_private_messages(&actor.account, Seats::none()) => {
                Err(Refusal::NotAllowed("this channel passes no private messages on"))
            }
            // XEP-0191 §3.3: the answer is that of somebody who blocks the asker.
            ProxyRequest::Say if asked.preferences.blocks_messages => Err(Refusal::NoSuchService),
            ProxyRequest::SeeCard if !asked.preferences.shows_vcard => {
                Err(Refusal::Forbidden("this participant shows its vCard to nobody here"))
            }
            _ => Ok((asker, asked)),
        }
    }
}
