//! Participants who reach one another through the channel (XEP-0403 §4.5, XEP-0404 §3.2).

use super::{Action, Actor, Channel, Limits, Member, ParticipantId, Refusal};

/// What somebody wants of another participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyRequest {
    /// To say something to it alone.
    Say,
    /// To see its vCard, or its picture.
    SeeCard,
    /// To ask its software something.
    Ask,
}

impl Channel {
    /// Who asks, and whom, both in the channel.
    ///
    /// # Errors
    /// A [`Refusal`] where the asker is not in the channel, nobody in it has this id, or the channel or whom it is for
    /// does not want it.
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
            ProxyRequest::Say if !self.settings().private_messages => {
                Err(Refusal::NotAllowed("this channel passes no private messages on"))
            }
            // As where somebody is blocked (XEP-0191 §5.3).
            ProxyRequest::Say if asked.preferences.blocks_messages => Err(Refusal::NoSuchService),
            ProxyRequest::SeeCard if !asked.preferences.shows_vcard => {
                Err(Refusal::Forbidden("this participant shows its vCard to nobody here"))
            }
            _ => Ok((asker, asked)),
        }
    }
}
